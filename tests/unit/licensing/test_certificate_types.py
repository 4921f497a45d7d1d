"""Certificate types as data: look-ups by code, licence type, status and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.licensing.certificate import NAMESPACE, render_certificate
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.certificate_types import CertificateType, CertificateTypes, procedure_code
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.documents import DOCUMENT_CODES, document_code
from certex_bridge.licensing.domain.dual_use import DUAL_USE, DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceType
from certex_bridge.licensing.domain.lint import lint
from tests.support.another_type import BOTH, FIRST, MADE_UP
from tests.unit.licensing.samples import golden_event, golden_licence, structured

DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_every_dual_use_type_has_its_code_and_direction() -> None:
    for kind in LicenceType:
        assert DUAL_USE_TYPES.document_code(kind) == document_code(kind)
        assert DUAL_USE_TYPES.direction(kind) is (Direction.TRANSIT if kind == "TRANSIT" else Direction.EXPORT)
    assert DUAL_USE_TYPES.meanings == DOCUMENT_CODES
    assert DUAL_USE_TYPES.claim_codes == frozenset(f"X0{number}" for number in range(60, 73))
    assert not DUAL_USE_TYPES.document_only_codes
    assert not DUAL_USE_TYPES.issuers


def test_only_a_valid_licence_opens_procedures() -> None:
    export, transit = (DUAL_USE.table(direction, DAY) for direction in Direction)
    assert export.accepted["Valid"] == ("10", "11", "21", "22", "23", "31")
    assert transit.accepted["Valid"] == ("T1", "T2", "T2F", "T2SM", "T", "TIR")
    for table in (export, transit):
        assert [status for status in table.accepted if table.accepted[status]] == ["Valid"]
        assert table.closed["Valid"] == table.kept == frozenset()
        assert table.row("Not yet valid") is None
        assert table.row("Revoked") == (6, table.table.rows[5])


def test_a_second_type_is_found_by_code_and_by_licence_type() -> None:
    assert BOTH.cited("E998") is BOTH.cited("X060", "SLIP") is MADE_UP
    assert BOTH.cited("9ABC") is BOTH.cited("") is DUAL_USE
    assert (BOTH.document_code("STAMP"), BOTH.document_code("?")) == ("E998", "")
    assert (BOTH.direction("SLIP"), BOTH.direction("?")) == (Direction.EXPORT, Direction.EXPORT)
    assert BOTH.meanings["E998"] == ("SLIP", "STAMP")
    assert "E997" not in BOTH.meanings
    assert BOTH.document_only_codes == {"E997", "E998", "E999"}
    assert BOTH.issuers["E999"] == "EU"


def test_tables_change_with_the_day() -> None:
    labels = [MADE_UP.table(Direction.EXPORT, day).table.label for day in (date(2020, 1, 1), DAY, date(2026, 6, 1))]
    assert labels == ["made-up.v1", "made-up.v1", "made-up.v2"]
    with pytest.raises(KeyError):
        MADE_UP.table(Direction.TRANSIT, DAY)


def test_what_was_reserved_while_valid_may_stay_open() -> None:
    assert MADE_UP.table(Direction.EXPORT, DAY).kept == {"10"}
    other = replace(FIRST, rows=(FIRST.rows[0], replace(FIRST.rows[1], reserved_while="Paused"), *FIRST.rows[2:]))
    assert not replace(MADE_UP, tables=(other,)).table(Direction.EXPORT, DAY).kept


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"statuses": {"Valid": "Open"}}, "statuses"), ({"tables": ()}, "tables")],
)
def test_a_type_that_says_too_little_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        replace(MADE_UP, **changes)
    assert (caught.value.field, caught.value.value) == (field, "MADE-UP")


@pytest.mark.parametrize(("documents", "value"), [(DUAL_USE.documents[:1], "X060"), (MADE_UP.documents[1:2], "E998")])
def test_types_share_no_code(documents: tuple[Any, ...], value: str) -> None:
    other = CertificateType("OTHER", documents, MADE_UP.statuses, MADE_UP.tables)
    with pytest.raises(ConfigurationError) as caught:
        CertificateTypes((*BOTH.all, other))
    assert (caught.value.field, caught.value.value) == ("documents", value)


def test_types_share_no_licence_type() -> None:
    kind = replace(MADE_UP.documents[0], code="E111")
    with pytest.raises(ConfigurationError) as caught:
        CertificateTypes((*BOTH.all, replace(MADE_UP, name="OTHER", documents=(kind,))))
    assert (caught.value.field, caught.value.value) == ("licenceTypes", "SLIP")


def test_the_procedure_asked_about() -> None:
    assert procedure_code("3151", "EX") == "31"
    assert procedure_code("1000", "T2F") == "T2F"


# -- licence events


def slip(**changes: Any) -> dict[str, Any]:
    event = golden_event("individual")
    event["data"] |= {"type": "SLIP", "issuer": "EU", "documentCode": None, "destinations": []} | changes
    return event


def test_a_licence_of_another_type_is_taken() -> None:
    command = decode_licence_event(structured(slip()), LicensingOptions(types=BOTH))
    assert command.licence is not None
    assert (command.licence.type, command.licence.document_code) == ("SLIP", "E999")
    stated = decode_licence_event(structured(slip(documentCode="E998")), LicensingOptions(types=BOTH))
    assert stated.licence is not None
    wrong = decode_licence_event(structured(slip(documentCode="X060")), LicensingOptions(types=BOTH))
    assert [finding.code for finding in wrong.findings if finding.field == "documentCode"] == ["DOCUMENT_CODE_TYPE"]


def test_a_type_that_is_not_live_is_refused_by_name() -> None:
    command = decode_licence_event(structured(slip()))
    (finding,) = [finding for finding in command.findings if finding.field == "type"]
    assert (finding.code, finding.value, command.licence) == ("ENUM", "SLIP", None)
    assert "INDIVIDUAL" in finding.message


def another(**changes: Any) -> Licence:
    told = {"type": "SLIP", "document_code": "E999", "issuer": "EU", "destinations": ()} | changes
    return replace(golden_licence(), **told)


def test_the_lint_asks_the_type() -> None:
    found = lint(another(procedures=("1000", "1100")), LicenceEventKind.ISSUED, types=BOTH)
    assert [(finding.code, finding.field) for finding in found] == [("PROCEDURE_NOT_LISTED", "procedures[1]")]
    found = lint(another(direction=Direction.TRANSIT), LicenceEventKind.ISSUED, types=BOTH)
    assert ("DIRECTION_TYPE", "direction") in [(finding.code, finding.field) for finding in found]


@pytest.mark.parametrize(
    ("status", "word", "accepted"),
    [("Valid", "Open", ["10"]), ("Suspended", "Paused", ["21"]), ("Revoked", "Gone", [])],
)
def test_the_certificate_speaks_the_words_of_the_table(status: str, word: str, accepted: list[str]) -> None:
    from lxml import etree

    made = etree.fromstring(render_certificate(another(), status, (), prepared_at=AT, event_id="e", types=BOTH))
    names = {"c": NAMESPACE}
    assert made.xpath("c:status/text() | c:statusInTable/text()", namespaces=names) == [status, word]
    assert made.xpath("c:AcceptedProcedure/c:code/text()", namespaces=names) == accepted


def test_a_certificate_of_a_direction_without_a_table_accepts_nothing() -> None:
    made = render_certificate(
        another(direction=Direction.TRANSIT), "Valid", (), prepared_at=AT, event_id="e", types=BOTH
    )
    assert b"AcceptedProcedure" not in made
