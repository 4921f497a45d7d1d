"""Writes docs/reference/law.md: each paragraph on the single window's functions, the operation that does it, the tests.

A test claims a paragraph by `@pytest.mark.row("IR 5(1)(a)")`. Claims are read from the sources, so the page can be
checked without a run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "law.md"
ACT = "IR"


class Paragraph(NamedTuple):
    """A paragraph of Implementing Regulation (EU) 2024/2145 and what the bridge does for it."""

    number: str
    duty: str
    operation: str


PARAGRAPHS = (
    Paragraph("1(1)", "Statuses and procedures are matched by the tables of Annex I, kept as data", "`schemas/rules`"),
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
)


def claims(tests: Path) -> dict[str, list[str]]:
    """Paragraph to the tests that claim it (file:function), sorted."""
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for name, row in _rows(ast.parse(path.read_text("utf-8"))):
            if row.startswith(f"{ACT} "):
                found.setdefault(row.removeprefix(f"{ACT} "), set()).add(f"{path.relative_to(tests)}::{name}")
    return {number: sorted(names) for number, names in found.items()}


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
        "Each paragraph of Implementing Regulation (EU) 2024/2145 on the single window's functions, in short, with",
        "the operation that does it and tests that prove it. Written by `python tools/law_page.py` from the tests'",
        'claims (`@pytest.mark.row("IR 5(1)(a)")`).',
        "",
        "| Art. | What must happen | Operation | Tests |",
        "| --- | --- | --- | --- |",
    ]
    for paragraph in PARAGRAPHS:
        names = claimed.get(paragraph.number, [])
        shown = "<br>".join(f"`{name}`" for name in names[:4]) + (f"<br>and {len(names) - 4} more" if names[4:] else "")
        lines.append(f"| {paragraph.number} | {paragraph.duty} | {paragraph.operation} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(claims(ROOT / "tests")), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
