"""A captured write-off as an event: every finding at once, and the evidence as its identity."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.lint_writeoff import lint_write_off
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff, WriteOffLine, WriteOffSource
from tests.unit.licensing.samples import decode, golden, snapshot

CE_TYPE = "licensing.write-off.captured.v1"


def told(**changes: Any) -> LicenceCommand:
    return decode(snapshot("write-off", **changes), CE_TYPE)


def errors(command: LicenceCommand) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in command.findings]


def test_the_golden_write_off() -> None:
    command = golden("write-off")
    assert (command.kind, command.licence, command.version) == (LicenceEventKind.WRITE_OFF_CAPTURED, None, 0)
    assert (command.licence_id, command.findings) == ("BE/BE-2026-000123", ())
    write_off = command.write_off
    assert write_off is not None
    assert (write_off.source, write_off.officer) == (WriteOffSource.PAPER, "BE-LIC-042")
    assert write_off.evidence == Evidence("EX", "26BEE0000C7Q2K5XA5", "2026-03-02", "BE")
    (line,) = write_off.lines
    assert (line.line_no, line.quantity, line.value) == (
        1,
        Quantity(Decimal(2), "NAR"),
        Money(Decimal("95000.00"), "EUR"),
    )


def test_zero_takes_back_and_the_only_line_needs_no_number() -> None:
    command = told(lines=[{"quantity": {"amount": "0", "unit": "NAR"}}])
    assert command.write_off is not None
    assert command.write_off.lines == (WriteOffLine(None, Quantity(Decimal(0), "NAR"), None),)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"officer": ""}, [("FIELD_MISSING", "officer")]),
        ({"reason": ""}, [("FIELD_MISSING", "reason")]),
        ({"source": "hearsay"}, [("ENUM", "source")]),
        ({"issuer": "QQ"}, [("COUNTRY_SPECIAL", "issuer")]),
        ({"evidence__date": "2026-02-30"}, [("DATE_INVALID", "evidence.date")]),
        ({"evidence__number": ""}, [("FIELD_MISSING", "evidence.number")]),
        ({"evidence__type": ""}, [("FIELD_MISSING", "evidence.type")]),
        ({"evidence__memberState": "QQ"}, [("COUNTRY_SPECIAL", "evidence.memberState")]),
        ({"lines": []}, [("LINE_MISSING", "lines")]),
        ({"lines": [{"line": 1}]}, [("FIGURES_MISSING", "lines[0]")]),
        ({"lines__0__line": 0}, [("LINE_NUMBER", "lines[0].line")]),
        ({"lines__0__quantity__unit": "BARREL"}, [("UNIT_UNKNOWN", "lines[0].quantity.unit")]),
        ({"lines__0__quantity__amount": 2}, [("AMOUNT_NOT_TEXT", "lines[0].quantity.amount")]),
        ({"lines__0__value__amount": "1.005"}, [("SCALE", "lines[0].value.amount")]),
        ({"officer": "", "source": "x"}, [("ENUM", "source"), ("FIELD_MISSING", "officer")]),
        ({"evidence": 3}, [("FIELD_TYPE", "evidence")]),
    ],
)
def test_every_finding_is_answered(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    command = told(**changes)
    assert (errors(command), command.write_off) == (found, None)


def test_lines_are_named_once_each() -> None:
    line = {"line": 1, "quantity": {"amount": "1", "unit": "NAR"}}
    unnamed = {"quantity": {"amount": "1", "unit": "NAR"}}
    command = told(lines=[line, line, unnamed])
    assert errors(command) == [("LINE_DUPLICATE", "lines[1].line"), ("LINE_NUMBER", "lines[2].line")]


def test_what_is_not_named_is_no_write_off() -> None:
    command = decode({"issuer": "BE", "number": "X"}, CE_TYPE)
    assert command.refused
    assert command.write_off is None


def test_the_evidence_is_the_identity() -> None:
    form = Evidence("C651", "Form 17", "2026-02-20", "BE")
    assert form.write_off_id.startswith("paper/")
    assert form.write_off_id == replace(form, number="FORM 17", type="c651").write_off_id
    others = [
        replace(form, number="Form 18"),
        replace(form, type="EX"),
        replace(form, date="2026-02-21"),
        replace(form, member_state="DE"),
    ]
    assert len({form.write_off_id, *(one.write_off_id for one in others)}) == 5
    assert replace(form, member_state="").document() == {"type": "C651", "number": "Form 17", "date": "2026-02-20"}


def test_a_line_number_out_of_range_is_found_by_the_lint_too() -> None:
    line = WriteOffLine(100_000, Quantity(Decimal(1), "NAR"), None)
    write_off = WriteOff("BE/A", WriteOffSource.ATA, "O", "why", Evidence("CPD", "1", "2026-02-20"), (line,))
    assert [(one.code, one.field) for one in lint_write_off(write_off)] == [("LINE_NUMBER", "lines[0].line")]
