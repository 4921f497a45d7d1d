"""Every cell of Annex I to Implementing Regulation (EU) 2024/2145, against a transcription of its own.

tests/data/rules holds the tables a second time, row for row as printed. It was written from the law text, not from
schemas/rules, and shares no code with the bridge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from certex_bridge.singlewindow.rules.domain.tables import Direction, RulesTable
from certex_bridge.singlewindow.rules.domain.verdict import Question
from certex_bridge.singlewindow.rules.loading import rule_book

FOLDER = Path(__file__).resolve().parents[2] / "data" / "rules"
TABLES = {table.name: table for table in rule_book().tables}

# All codes of the general part of Annex I, also those that no table uses.
CODES = tuple(
    re.split(" ", "01 02 07 10 11 21 22 23 31 40 41 42 43 44 45 46 48 51 53 61 63 68 71 76 77 T T1 T2 T2F T2SM TIR")
)
FULFILLED_BY = {"51 (inward processing)": "51", "71 (customs warehousing)": "71"}


@dataclass
class Transcript:
    """One text file."""

    name: str
    title: str = ""
    columns: tuple[str, ...] = ()
    verification: tuple[str, ...] = ()
    quantity_management: tuple[str, ...] = ()
    rows: list[dict[str, str]] = field(default_factory=list)


def codes_of(cell: str) -> tuple[str, ...]:
    """The codes of a cell as printed, with marks; none where the cell holds a sentence or nothing."""
    found = tuple(one.strip() for one in cell.split(",") if one.strip())
    return found if all(one.removesuffix("*") in CODES for one in found) else ()


def read(path: Path) -> Transcript:
    title, *lines = path.read_text("utf-8").splitlines()
    transcript = Transcript(path.stem, title)
    for line in filter(None, lines):
        head, *rest = (cell.strip() for cell in line.split("|"))
        if head == "columns":
            transcript.columns = tuple(rest)
        elif head in {"verification", "quantity management"}:
            setattr(transcript, head.replace(" ", "_"), codes_of(rest[0]))
        else:
            transcript.rows.append(dict(zip(transcript.columns, (head, *rest), strict=True)))
    return transcript


TRANSCRIPTS = [read(path) for path in sorted(FOLDER.glob("*.txt"))]
ROWS = [(transcript, number) for transcript in TRANSCRIPTS for number in range(1, len(transcript.rows) + 1)]


def row_id(value: object) -> str:
    return value.name if isinstance(value, Transcript) else str(value)


each_table = pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=row_id)
each_row = pytest.mark.parametrize(("transcript", "number"), ROWS, ids=row_id)


def bare(codes: tuple[str, ...]) -> set[str]:
    return {code.removesuffix("*") for code in codes}


def marked(procedures: object) -> tuple[str, ...]:
    assert isinstance(procedures, dict)
    return tuple(f"{code}{mark}" for code, mark in procedures.items())


def question(table: RulesTable, transcript: Transcript, number: int, procedure: str = "40") -> Question:
    """A document that shows what the row prints, in the words of a supporting document."""
    cells, row = transcript.rows[number - 1], table.rows[number - 1]
    previous = next((code for text, code in FULFILLED_BY.items() if text in cells["status"]), "")
    return Question(
        type=cells.get("type") or table.types[0],
        direction=table.directions[0],
        procedure=procedure,
        status=row.status,
        decision=cells.get("decision", "").split(" / ")[0],
        measure=cells.get("measure", ""),
        previous_procedure=previous,
    )


def test_both_transcriptions_have_the_same_tables() -> None:
    assert {transcript.name for transcript in TRANSCRIPTS} == set(TABLES)
    assert len(TRANSCRIPTS) == 15
    assert len(ROWS) == 142


@each_table
def test_a_table_has_its_title_its_lists_and_its_rows(transcript: Transcript) -> None:
    table = TABLES[transcript.name]
    assert f"{table.source.place}: {table.formality}" == transcript.title
    assert marked(table.verification) == transcript.verification
    assert marked(table.quantity_management) == transcript.quantity_management
    assert len(table.rows) == len(transcript.rows)


@each_row
def test_a_row_reads_as_printed(transcript: Transcript, number: int) -> None:
    cells, row = transcript.rows[number - 1], TABLES[transcript.name].rows[number - 1]
    assert row.number == number
    assert (row.printed or row.status) == cells["status"]
    assert row.printed.lower().find(row.status.lower()) >= 0 or not row.printed
    assert " / ".join(row.decisions) == cells.get("decision", "")
    assert row.measure == cells.get("measure", "")
    assert row.type in {"", cells.get("type")}
    assert marked(row.procedures) == codes_of(cells["procedures"])
    sentence = "" if codes_of(cells["procedures"]) else cells["procedures"]
    assert (row.reserved.text if row.reserved else "") == sentence


@each_row
def test_a_row_opens_the_printed_procedures_and_no_other(transcript: Transcript, number: int) -> None:
    table = TABLES[transcript.name]
    opened = bare(codes_of(transcript.rows[number - 1]["procedures"]))
    verified, managed = bare(transcript.verification), bare(transcript.quantity_management)
    named = verified.union(managed, *(bare(codes_of(cells["procedures"])) for cells in transcript.rows))
    for code in CODES:
        asked = question(table, transcript, number, code)
        for direction in table.directions:
            verdict = rule_book().verdict(replace(asked, direction=direction), table.valid_from)
            assert verdict.allowed == (code in opened), code
            assert verdict.verification == (code in verified), code
            assert verdict.quantity_management == (code in managed), code
            assert verdict.applicable == (code in named), code
            assert verdict.rule == (f"{transcript.name}.v1/{number}" if code in named else ""), code


@each_table
def test_every_type_of_the_table_is_answered_and_no_other_direction(transcript: Transcript) -> None:
    table = TABLES[transcript.name]
    printed = {cells["type"] for cells in transcript.rows if "type" in cells}
    assert set(table.types) == (printed or set(table.types))
    served = {direction for other in TABLES.values() if other.types == table.types for direction in other.directions}
    code = bare(transcript.verification).pop()
    for direction in set(Direction) - served:
        verdict = rule_book().verdict(replace(question(table, transcript, 1, code), direction=direction))
        assert not verdict.applicable


@each_table
def test_rows_stay_inside_the_verification_list_but_for_timber(transcript: Transcript) -> None:
    outside = {code for cells in transcript.rows for code in bare(codes_of(cells["procedures"]))}
    outside -= bare(transcript.verification)
    assert outside == ({"51", "53"} if transcript.name == "flegt" else set())
    assert bare(transcript.quantity_management) <= bare(transcript.verification)


@each_table
def test_directions_follow_from_the_procedures(transcript: Transcript) -> None:
    codes = bare(transcript.verification)
    sides = {
        Direction.IMPORT: "40" in codes,
        Direction.EXPORT: "10" in codes,
        Direction.TRANSIT: "T1" in codes,
    }
    assert set(TABLES[transcript.name].directions) == {direction for direction, has in sides.items() if has}
