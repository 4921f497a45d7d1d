"""The page docs/reference/rules.md: every rules table as the bridge applies it."""

from __future__ import annotations

from collections.abc import Iterable

from certex_bridge.singlewindow.rules.domain.tables import Procedures, Row, RulesTable
from certex_bridge.singlewindow.rules.loading import rule_book

_HEAD = """# Rules tables

Which procedures a supporting document opens, after Annex I to Implementing Regulation (EU) 2024/2145. The data are in
`schemas/rules`, one file for each table and version; this page is generated: `make contracts`.

- A procedure is a code of D.E. 11 09 001, or of D.E. 11 01 for transit.
- A procedure that a table does not name is not applicable, which is no refusal.
- A blank cell sets no condition; a dash in the last column means that no procedure is open.
- A status without a row opens nothing.
- Annex I has no table for product compliance (ICSMS): Implementing Regulation (EU) 2021/2248 rules there.
"""


def render() -> str:
    """The page as text."""
    return _HEAD + "".join(_section(table) for table in rule_book().tables)


def _section(table: RulesTable) -> str:
    source = table.source
    facts = [
        f"\n## {table.label}\n",
        f"{table.formality}, {table.law}.\n",
        f"- Source: {source.celex}, {source.place}, read on {source.read}",
        f"- In force: from {table.valid_from}" + (f" to {table.valid_to}" if table.valid_to else ""),
        f"- Types: {', '.join(table.types)}",
        f"- Directions: {', '.join(direction.lower() for direction in table.directions)}",
        f"- Verification: {_codes(table.verification)}",
        f"- Quantity management: {_codes(table.quantity_management)}\n",
    ]
    notes = [f"{mark} {text}" for mark, text in table.footnotes.items()]
    notes += [f"{', '.join(sorted(one.procedures)) or 'Remark'}: {one.text}" for one in table.remarks]
    tail = "\n" + "\n\n".join(note.replace("*", r"\*", 1) for note in notes) + "\n" if notes else ""
    return "\n".join(facts) + "\n" + "".join(_grid(table.rows)) + tail


def _grid(rows: tuple[Row, ...]) -> Iterable[str]:
    columns = {
        "Row": [str(row.number) for row in rows],
        "Type": [row.type for row in rows],
        "Status": [row.printed or row.status for row in rows],
        "Decision": [" / ".join(row.decisions) for row in rows],
        "Measure": [row.measure for row in rows],
        "Procedures": [row.reserved.text if row.reserved else _codes(row.procedures) for row in rows],
    }
    shown = {title: cells for title, cells in columns.items() if any(cells)}
    yield _line(shown)
    yield _line("---" for _ in shown)
    yield from (_line(cells) for cells in zip(*shown.values(), strict=True))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _codes(procedures: Procedures) -> str:
    return ", ".join(code + mark.replace("*", r"\*") for code, mark in procedures.items()) or "–"
