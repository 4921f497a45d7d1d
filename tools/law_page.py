"""Writes docs/reference/law.md: each paragraph that bears on the bridge, what does it, and the tests that prove it.

A test claims a paragraph by `@pytest.mark.row("IR 5(1)(a)")`: the act's short name and the number. Claims are read from
the sources, so the page can be checked without a run. A paragraph without a test says why there is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "law.md"


class Paragraph(NamedTuple):
    """A paragraph of an act and what the bridge does for it."""

    number: str
    duty: str
    operation: str = ""
    why_not: str = ""
    """Why no test proves it: it binds somebody else, or is no matter of a program."""


class Act(NamedTuple):
    """An act, under the short name that tests use."""

    short: str
    title: str
    paragraphs: tuple[Paragraph, ...]


_OFFICES = "organisation of the controllers; see [data protection](../architecture/data-protection.md)"
_COMMISSION = "binds the Commission"

IMPLEMENTING = (
    Paragraph("1(1)", "Statuses and procedures are matched by the tables of Annex I, kept as data", "`schemas/rules`"),
    Paragraph("2", "Data elements are brought into those of customs by the tables of Annex II", "certificate"),
    Paragraph("3", "What has no counterpart travels as an EU SWE-C data element", "certificate: quantities and values"),
    Paragraph("4", "Functions work alone and together: a check, then a reservation, then a release", "all"),
    Paragraph("5(1)(a)", "Say whether the document is there and fetch it", "`checkAvailability`"),
    Paragraph("5(1)(b)", "Bring its data into the words of customs, with the Annex I verdict", "`checkAvailability`"),
    Paragraph("5(1)(c)", "Answer with the data, and with the original when it is asked for", "`checkAvailability`"),
    Paragraph("5(2)", "Do so by itself when a change of status changes the verdict", "push, `subscribe`"),
    Paragraph("6(1)(a)", "Fetch the document when the declaration is accepted", "`moveQuantity` RESERVE"),
    Paragraph("6(1)(b)", "Verify that no more is declared than the document leaves", "`moveQuantity` RESERVE"),
    Paragraph("6(2)", "Answer with the reservation and the content of the document", "`moveQuantity` RESERVE"),
    Paragraph("6(3)", "Count what was released or re-exported as consumed", "`moveQuantity` CONSUME"),
    Paragraph("6(4)", "Count what was not released as neither reserved nor consumed", "`moveQuantity` UNRESERVE"),
    Paragraph("6(5)", "Give the reason when a reservation fails", "`moveQuantity` RESERVE"),
    Paragraph(
        "7", "Change or take back what was consumed, and answer with the result", "`moveQuantity` ADJUST, WITHDRAW"
    ),
    Paragraph("8(1)", "Let customs amend, accept or refuse quantities by hand", "`overrideQuantity`"),
    Paragraph("8(2)", "Tell the licensing side what was decided by hand", "incident, balance"),
    Paragraph("9(1)", "Take additional information and make it available to the licensing side", "`enterRecord` ADD"),
    Paragraph("9(2)", "Let customs amend or delete it", "`enterRecord` AMEND, DELETE"),
    Paragraph("10(1)", "Give a list of documents, or their data", "`listDocuments`"),
    Paragraph("10(2)", "Give it again and again for the stated period", "`listDocuments` periodic"),
    Paragraph("11(1)(a)", "Announce planned unavailability of a function", "`announceUnavailability`"),
    Paragraph("11(1)(b)", "Announce a failure of a function", "`announceUnavailability`"),
    Paragraph("11(2)", "Take in afterwards what was written off on paper meanwhile", "`correctQuantity`"),
    Paragraph("12", "Customs, authorities and the Commission are joint controllers", why_not=_OFFICES),
    Paragraph("13(1)", "The Commission maintains the system", why_not=_COMMISSION),
    Paragraph("13(2)", "Customs decide", why_not="binds customs; the bridge answers, `Certex-Blocking` advises"),
    Paragraph("13(3)", "The competent authority manages quantities", "ledger, journal, balances"),
    Paragraph("14", "Only authorised staff have access, recipients are known", "file of callers with roles"),
    Paragraph(
        "15(3)", "Integrity, confidentiality, availability, disclosure to the intended only", "hash chain, rights"
    ),
    Paragraph("15(4)", "Security incidents are told within 48 hours", why_not=_OFFICES),
    Paragraph("15(5)", "The Commission tells the EDPS", why_not=_COMMISSION),
    Paragraph("15(6)", "Risks to security are reported", why_not=_OFFICES),
    Paragraph("16(5)", "A data subject's request is passed on within 3 calendar days", why_not=_OFFICES),
    Paragraph("16(6)", "Other controllers are consulted before access is answered", why_not=_OFFICES),
    Paragraph("16(7)", "A restriction of rights is told", why_not=_OFFICES),
    Paragraph("16(8)", "A notice to data subjects about a breach is told", why_not=_OFFICES),
    Paragraph("17", "Data protection by design and by default", "no contact data, figures by right only"),
    Paragraph("18(2)", "A processor is announced 5 working days before", why_not=_OFFICES),
)

CORE = (
    Paragraph("8(3)(a)", "Give economic operators a single channel", why_not="national customs environment, from 2031"),
    Paragraph("8(3)(c)", "Verify formalities automatically with the data received", "`checkAvailability`, comparisons"),
    Paragraph("8(4)", "Offer a connected formality with the whole set of functions", "all"),
    Paragraph("10(1)(a)", "Exchange the data that customs verify a formality with", "`checkAvailability`"),
    Paragraph("10(1)(b)", "Manage quantities from the goods declared to and released by customs", "`moveQuantity`"),
    Paragraph("10(2)(b)", "Transform data without changing their content", "certificate, lint of texts"),
)

DUAL_USE = (
    Paragraph("2(12)", "An individual licence is for one end-user or consignee in a third country", "remark at issue"),
    Paragraph(
        "11", "A transfer within the Union is no export", "remark at issue; such licences do not come to customs"
    ),
    Paragraph("12(1)", "A licence is valid in the whole customs territory", "any declaring state may cite any issuer"),
    Paragraph("12(2)", "The authority of a Member State grants it", "remark at issue"),
    Paragraph("12(4)", "A global licence with limits can be split", "`licensing.licence.split.v1`"),
    Paragraph("12(7)", "An exporter can be barred from general authorisations", "`licensing.exporter.barred.v1`, push"),
    Paragraph("16(1)", "Licences are annulled, suspended, modified, revoked", "licence events, push"),
    Paragraph(
        "16(1), notices",
        "Other Member States and the Commission are told of such acts",
        why_not="the authorities' own secure system; the bridge tells customs",
    ),
    Paragraph(
        "26(2)",
        "Number and value of authorisations by item and destination go to the Commission",
        why_not="counts what never reaches customs as well (brokering, technical assistance); the authority has it",
    ),
    Paragraph(
        "Annex II", "General authorisations have their own destinations and conditions", "EU001 to EU008 as data"
    ),
    Paragraph("Annex III", "The forms' boxes are the content of a licence", "certificate"),
)

CODE = (
    Paragraph("167(4)", "A simplified and its supplementary declaration are one instrument", "counted once"),
    Paragraph(
        "172(1)", "A declaration is accepted immediately", "answer within the call; nothing waits for a licence known"
    ),
    Paragraph("172(2)", "The date of acceptance decides", "day of the declaring office"),
    Paragraph("173(1)", "A declaration is amended before release", "`moveQuantity` ADJUST"),
    Paragraph("173(3)", "It is amended after release, within three years of acceptance", "`moveQuantity` ADJUST"),
    Paragraph("174(1)", "It is invalidated before release", "`moveQuantity` WITHDRAW: what is held returns"),
    Paragraph("174(2)", "It is invalidated after release in the cases laid down", "`moveQuantity` WITHDRAW"),
)

DELEGATED = (
    Paragraph(
        "148(5)(e)",
        "Adjustments on a licence are cancelled before such goods' declaration is invalidated",
        "`moveQuantity` WITHDRAW, answered at once",
    ),
    Paragraph("249", "A declaration is lodged after the goods have left", "day of exit, in events, checks and calls"),
)

ACTS = (
    Act("IR", "Implementing Regulation (EU) 2024/2145: the single window's functions and controllers", IMPLEMENTING),
    Act("CR", "Regulation (EU) 2022/2399: the single window", CORE),
    Act("DU", "Regulation (EU) 2021/821: dual-use items", DUAL_USE),
    Act("UCC", "Regulation (EU) No 952/2013: Union Customs Code", CODE),
    Act("UCC-DA", "Delegated Regulation (EU) 2015/2446", DELEGATED),
)


def claims(tests: Path) -> dict[str, list[str]]:
    """Paragraph (`IR 5(1)(a)`) to the tests that claim it (file:function), sorted."""
    shorts = tuple(f"{act.short} " for act in ACTS)
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for name, row in _rows(ast.parse(path.read_text("utf-8"))):
            if row.startswith(shorts):
                found.setdefault(row, set()).add(f"{path.relative_to(tests)}::{name}")
    return {number: sorted(names) for number, names in found.items()}


def listed() -> dict[str, Paragraph]:
    """Every paragraph by act and number."""
    return {f"{act.short} {one.number}": one for act in ACTS for one in act.paragraphs}


def _rows(tree: ast.Module) -> Iterator[tuple[str, str]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        for node in [sub for decorator in function.decorator_list for sub in ast.walk(decorator)]:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "row":
                yield from ((function.name, str(a.value)) for a in node.args if isinstance(a, ast.Constant))


def page(claimed: dict[str, list[str]]) -> str:
    """The page as Markdown."""
    lines = [
        "# The law and the bridge",
        "",
        "Each paragraph that bears on the bridge, in short, with the operation that does it and tests that prove it,",
        "or why it has none. Written by `python tools/law_page.py` from the tests' claims",
        '(`@pytest.mark.row("IR 5(1)(a)")`).',
    ]
    for act in ACTS:
        lines += ["", f"## {act.title}", "", f"Short name in tests: `{act.short}`.", ""]
        lines += ["| Art. | What must happen | Operation | Tests, or why not |", "| --- | --- | --- | --- |"]
        for paragraph in act.paragraphs:
            names = claimed.get(f"{act.short} {paragraph.number}", [])
            more = f"<br>and {len(names) - 4} more" if names[4:] else ""
            shown = "<br>".join(f"`{name}`" for name in names[:4]) + more or paragraph.why_not
            lines.append(f"| {paragraph.number} | {paragraph.duty} | {paragraph.operation} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(claims(ROOT / "tests")), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
