"""What the rules tables answer where a cell is not all: conditions, footnotes, dates, and questions that make no sense."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from certex_bridge.kernel.errors import ConfigurationError, InputError
from certex_bridge.licensing.domain import licence
from certex_bridge.licensing.domain.certificate_types import procedure_code
from certex_bridge.licensing.domain.dual_use import DUAL_USE
from certex_bridge.singlewindow.rules.domain.tables import (
    Direction,
    PreviousProcedure,
    Remark,
    ReservedWhile,
    Row,
    RulesTable,
    Source,
)
from certex_bridge.singlewindow.rules.domain.verdict import NOT_APPLICABLE, Question, RuleBook, Verdict
from certex_bridge.singlewindow.rules.loading import rule_book

DUES_STATUSES = ("Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked")
DECLARED = ("10", "11", "21", "22", "23", "31", "40", "51", "71", "76", "T", "T1", "T2", "T2F", "T2SM", "TIR", "F75")
OZONE = Question("ODS", Direction.EXPORT, "10", "Valid")
ORGANIC = Question("COI", Direction.IMPORT, "40", "Box 23 empty", "To be released as organic")
DRAWN = RulesTable(
    name="drawn",
    version=1,
    formality="Drawn for the tests",
    law="none",
    types=("A", "B"),
    directions=(Direction.EXPORT,),
    source=Source("32024R2145", "nowhere", date(2026, 11, 24)),
    valid_from=date(2025, 1, 1),
    valid_to=None,
    verification={"10": "", "21": ""},
    quantity_management={"10": ""},
    rows=(Row(1, "Valid", {"10": "", "21": ""}, type="A"), Row(2, "Closed", {})),
)


def ask(question: Question, on: date | None = None) -> Verdict:
    return rule_book().verdict(question, on)


# --- dual-use: the same answers as the ledger and the certificate give


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("direction", licence.Direction)
def test_dual_use_tables_apply_where_the_ledger_applies_them(direction: licence.Direction, declared: str) -> None:
    transit = not declared[0].isdigit() and declared != "F75"
    ledger = DUAL_USE.directions.get(procedure_code("" if transit else declared, declared if transit else "A"))
    verdict = ask(Question("DUES", Direction(direction), declared, "Valid"))
    assert verdict.applicable == verdict.verification == verdict.quantity_management == (ledger is direction)


@pytest.mark.parametrize("status", DUES_STATUSES)
@pytest.mark.parametrize("direction", licence.Direction)
def test_dual_use_tables_open_what_the_certificate_shows(direction: licence.Direction, status: str) -> None:
    opened = [code for code in DECLARED if ask(Question("DUES", Direction(direction), code, status)).allowed]
    assert sorted(opened) == sorted(DUAL_USE.versions[direction][0].accepted[status])


@pytest.mark.parametrize("direction", licence.Direction)
def test_dual_use_procedures_stand_in_the_order_of_the_certificate(direction: licence.Direction) -> None:
    table = next(one for one in rule_book().tables if one.name == f"dues-{direction.lower()}")
    assert tuple(table.rows[0].procedures) == DUAL_USE.versions[direction][0].accepted["Valid"]
    assert tuple(row.status for row in table.rows) == DUES_STATUSES


# --- conditions


@pytest.mark.parametrize("procedure", ["10", "11", "21", "22", "23", "31"])
def test_an_expired_ozone_licence_serves_only_what_was_reserved_while_valid(procedure: str) -> None:
    expired = replace(OZONE, procedure=procedure, status="Expired")
    refused, kept = ask(expired), ask(replace(expired, reserved_while="Valid"))
    assert (refused.allowed, kept.allowed) == (False, True)
    assert refused.rule == kept.rule == "ods-export.v1/3"
    assert refused.notes == kept.notes
    assert "quantity reservation" in kept.notes[0]


def test_a_reservation_made_in_another_status_does_not_help() -> None:
    assert not ask(replace(OZONE, status="Expired", reserved_while="Issued")).allowed


@pytest.mark.parametrize("status", ["Issued", "Not valid", "Suspended", "Closed"])
def test_no_other_ozone_status_asks_when_the_quantity_was_reserved(status: str) -> None:
    assert not ask(replace(OZONE, status=status, reserved_while="Valid")).allowed


def test_an_expired_dual_use_licence_has_no_such_rule() -> None:
    assert not ask(Question("DUES", Direction.EXPORT, "10", "Expired", reserved_while="Valid")).allowed


@pytest.mark.parametrize(
    ("status", "fulfilled", "broken"),
    [
        ("Box 23 checked as inward processing", ("51",), ("", "00", "71", "21")),
        ("Box 23 checked as warehousing", ("71",), ("", "00", "51", "53")),
        ("Box 23 empty", ("", "00", "21", "53"), ("51", "71")),
    ],
)
def test_box_23_asks_for_its_previous_procedure(
    status: str, fulfilled: tuple[str, ...], broken: tuple[str, ...]
) -> None:
    asked = replace(ORGANIC, status=status)
    for previous in fulfilled:
        verdict = ask(replace(asked, previous_procedure=previous))
        assert (verdict.allowed, verdict.notes) == (True, ())
    for previous in broken:
        verdict = ask(replace(asked, previous_procedure=previous))
        assert not verdict.allowed
        assert "previous procedure" in verdict.notes[0].lower()


def test_the_previous_procedure_is_not_mentioned_where_nothing_could_be_open() -> None:
    depleted = replace(ORGANIC, status="Box 23 checked as warehousing", decision="Depleted")
    assert ask(depleted).notes == ()


def test_an_extract_is_judged_like_its_certificate() -> None:
    assert ask(replace(ORGANIC, type="COI-EXTRACT")) == ask(ORGANIC)
    assert ask(ORGANIC).allowed


def test_both_alternatives_of_a_cell_find_its_row() -> None:
    rules = {
        ask(replace(ORGANIC, decision=decision)).rule
        for decision in ("First consignee declaration signed", "Consignee declaration signed")
    }
    assert rules == {"coi.v1/7"}


# --- footnotes and remarks


@pytest.mark.parametrize("decision", ["To be released as organic", "Depleted"])
def test_a_footnote_comes_with_the_procedures_that_carry_its_mark(decision: str) -> None:
    asked = replace(ORGANIC, decision=decision)
    assert "third countries" in ask(replace(asked, procedure="61", previous_procedure="21")).notes[0]
    assert ask(asked).notes == ()


def test_a_rejected_notification_of_arrival_carries_its_footnote_at_51() -> None:
    rejected = Question("NOA", Direction.IMPORT, "51", "Rejected", "Not acceptable")
    assert "Article 66(3)" in ask(rejected).notes[0]
    assert ask(replace(rejected, procedure="71")).notes == ()


def test_the_contradiction_of_the_timber_table_is_kept_and_told() -> None:
    verdict = ask(Question("FLEGT", Direction.IMPORT, "51", "Approved"))
    assert (verdict.applicable, verdict.verification, verdict.quantity_management) == (True, False, False)
    assert verdict.allowed
    assert "kept as printed" in verdict.notes[0]


# --- blanks, unknown words, wrong questions


def test_a_blank_cell_sets_no_condition() -> None:
    transit = Question("CHED-P", Direction.TRANSIT, "T1", "Authorised for transit")
    assert ask(transit).allowed
    assert ask(replace(transit, decision="Acceptable for transit", measure="Any")).allowed


@pytest.mark.parametrize(
    "asked",
    [
        replace(OZONE, status="valid"),
        replace(OZONE, status=""),
        replace(ORGANIC, decision="Part of the consignment can be released for free circulation"),
        Question("CHED-A", Direction.IMPORT, "40", "Validated", "Acceptable for internal market", "Human consumption"),
    ],
)
def test_what_no_row_shows_opens_nothing(asked: Question) -> None:
    verdict = ask(asked)
    assert (verdict.applicable, verdict.allowed, verdict.rule) == (True, False, "")


@pytest.mark.parametrize(
    ("asked", "code", "field", "value"),
    [
        (replace(OZONE, type="X060"), "CERTIFICATE_TYPE", "type", "X060"),
        (replace(OZONE, procedure="1000"), "PROCEDURE", "procedure", "1000"),
        (replace(OZONE, procedure=""), "PROCEDURE", "procedure", ""),
        (replace(OZONE, procedure="10\n"), "PROCEDURE", "procedure", "10\n"),
        (replace(ORGANIC, previous_procedure="5"), "PREVIOUS_PROCEDURE", "previousProcedure", "5"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_its_field(
    asked: Question, code: str, field: str, value: str
) -> None:
    with pytest.raises(InputError) as caught:
        ask(asked)
    assert (caught.value.code, caught.value.field, caught.value.value) == (code, field, value)


# --- versions and dates


def test_the_table_of_the_day_of_acceptance_answers() -> None:
    old = replace(DRAWN, valid_to=date(2025, 12, 31))
    new = replace(DRAWN, version=2, valid_from=date(2026, 1, 1), rows=(Row(1, "Valid", {"10": ""}),))
    book, asked = RuleBook([new, old]), Question("A", Direction.EXPORT, "21", "Valid")
    assert [table.version for table in book.tables] == [1, 2]
    assert book.verdict(asked, date(2025, 12, 31)).allowed
    assert book.verdict(asked, date(2026, 1, 1)).rule == "drawn.v2/1"
    assert not book.verdict(asked, date(2026, 1, 1)).allowed
    assert book.verdict(asked).rule == "drawn.v2/1"
    assert book.verdict(asked, date(2024, 12, 31)) == NOT_APPLICABLE


def test_nothing_applies_before_the_regulation_does() -> None:
    assert ask(OZONE, date(2024, 10, 16)) == NOT_APPLICABLE
    assert ask(OZONE, date(2024, 10, 17)).allowed


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (replace(DRAWN, rows=(Row(1, "Valid", {}, type="C"),)), "C is not a type of the table"),
        (
            replace(DRAWN, rows=(Row(1, "Expired", {}, reserved=ReservedWhile("text", "Valid")),)),
            "no row has the status Valid",
        ),
        (replace(DRAWN, rows=(Row(1, "Valid", {}), Row(2, "Valid", {}, type="A"))), "matches row 2"),
        (
            replace(DRAWN, rows=(Row(1, "Valid", {}, decisions=("x", "y")), Row(2, "Valid", {}, decisions=("y",)))),
            "matches row 2",
        ),
        (replace(DRAWN, rows=(Row(1, "Valid", {}, measure="x"), Row(2, "Valid", {}))), "matches row 2"),
        (replace(DRAWN, verification={"10": "*"}), "no footnote *"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(fault: RulesTable, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RuleBook([fault])
    assert sentence in str(caught.value)
    assert caught.value.value.startswith("drawn.v1")


def test_rows_that_differ_somewhere_do_not_contradict_each_other() -> None:
    rows = (
        Row(1, "Valid", {}, type="A", decisions=("x",), measure="m"),
        Row(2, "Valid", {}, type="B", decisions=("x",), measure="m"),
        Row(3, "Valid", {}, type="A", decisions=("y",), measure="m"),
        Row(4, "Valid", {}, type="A", decisions=("x",), measure="n"),
    )
    assert RuleBook([replace(DRAWN, rows=rows)]).tables[0].rows == rows


def test_two_tables_for_the_same_documents_and_days_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="same time"):
        RuleBook([DRAWN, replace(DRAWN, name="twin")])


def test_a_reservation_rule_without_a_row_for_the_document_opens_nothing() -> None:
    rows = (
        Row(1, "Valid", {"10": ""}, type="A"),
        Row(2, "Expired", {}, reserved=ReservedWhile("text", "Valid")),
        Row(3, "Valid", {"21": ""}, type="B", decisions=("granted",)),
    )
    book = RuleBook([replace(DRAWN, rows=rows)])
    asked = Question("B", Direction.EXPORT, "21", "Expired", reserved_while="Valid")
    assert not book.verdict(asked).allowed
    assert book.verdict(replace(asked, decision="granted")).allowed


def test_a_remark_on_the_whole_table_is_not_repeated_in_every_verdict() -> None:
    remarks = (Remark("whole"), Remark("this", frozenset({"10"})))
    book = RuleBook([replace(DRAWN, remarks=remarks)])
    assert book.verdict(Question("A", Direction.EXPORT, "10", "Valid")).notes == ("this",)


def test_required_and_excluded_hold_together() -> None:
    condition = PreviousProcedure("text", required=frozenset({"51", "71"}), excluded=frozenset({"71"}))
    assert [condition.holds(code) for code in ("51", "71", "", "00")] == [True, False, False, False]


def test_the_engine_needs_the_standard_library_and_the_kernel_only(project_root: Path) -> None:
    folder = project_root / "services" / "certex_bridge" / "singlewindow" / "rules" / "domain"
    imported = {
        name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    own = ("certex_bridge.kernel.", "certex_bridge.singlewindow.rules.domain.")
    foreign = {name for name in imported if not name.startswith(own)}
    assert {name.split(".")[0] for name in foreign} <= sys.stdlib_module_names
