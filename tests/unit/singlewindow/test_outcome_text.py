"""Whatever was declared, the document stays well-formed and says it; and any outcome at all gives a valid document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from uuid import UUID

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.model import ClaimKey, ClaimState, Figures, Status
from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
from certex_bridge.ledger.domain.reasons import SENTENCES, Incident, Outcome, Reason, Rule
from certex_bridge.platform.resources import schema_path
from certex_bridge.singlewindow.outcome_document import FAMILY, NAMESPACE, VERSION
from certex_bridge.singlewindow.outcome_parts import figure, identifier, optional, text, utc_seconds
from tests.unit.singlewindow.samples import LICENCE, claim, outcome, render

HOSTILE = {
    "ampersand": ("A&B &amp; C", "A&B &amp; C"),
    "tag": ("<state>RESERVED</state>", "<state>RESERVED</state>"),
    "cdata end": ("a]]>b", "a]]>b"),
    "carriage return": ("a\rb\r\nc\td", "a\rb\r\nc\td"),
    "astral": ("\U0001d11e \U0010ffff", "\U0001d11e \U0010ffff"),
    "control": ("a\x00b\x0b\x1f", "a\ufffdb\ufffd\ufffd"),
    "lone surrogate": ("a\ud800b\udfff", "a\ufffdb\ufffd"),
    "noncharacter": ("\ufffe\uffff", "\ufffd\ufffd"),
    "quotes": ("'\"", "'\""),
    "next line": ("a\x85b\u2028c", "a\x85b\u2028c"),
}


def read(document: bytes, name: str) -> list[str | None]:
    return [node.text for node in etree.fromstring(document).iter(f"{{{NAMESPACE}}}{name}")]


@pytest.mark.row("E171")
@pytest.mark.parametrize("name", HOSTILE)
def test_declared_text_comes_back_as_it_was_or_visibly_replaced(name: str) -> None:
    written, expected = HOSTILE[name]
    reason = Reason("UNIT_MISMATCH", written, written, written)
    refused = claim(reference=written, outcome="REFUSED", failed=((Rule.UNIT, reason),), source=written)
    finding = Finding("CLOCK_AHEAD", written, written, written, Severity.WARNING)
    document = render(outcome(refused, findings=(finding,), event_kind=written, lrn=written[:22]))
    assert read(document, "originalAttributeValue") == [expected, expected]
    assert read(document, "errorPointer") == [expected, expected]
    assert read(document, "referenceNumber") == ["BE000123", expected]
    assert read(document, "available") == [expected]
    assert read(document, "figureSource") == [expected]
    assert read(document, "eventType") == [expected]


@pytest.mark.row("E171")
@given(st.text(st.characters(), min_size=1))
def test_any_text_at_all_is_well_formed_and_kept_except_what_xml_cannot_hold(value: str) -> None:
    read_back = etree.fromstring(f"<a>{text(value, 512)}</a>".encode()).text or ""
    kept = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", value[:512])
    assert read_back == kept


def test_a_long_text_is_cut_before_it_is_escaped() -> None:
    assert text("&" * 80, 70) == "&amp;" * 70
    assert optional("a", "", 3) == ""


@given(st.text(), st.text())
def test_identifiers_fit_and_tell_texts_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[!-~]{1,35}", identifier(one))
    assert (identifier(one) == identifier(other)) == (one == other)


@given(st.uuids())
def test_a_uuid_stays_readable(value: UUID) -> None:
    assert UUID(identifier(str(value))) == value


@given(st.decimals(min_value=0, max_value=10**16, places=6) | st.integers(0, 10**22).map(Decimal))
def test_the_short_way_for_figures_writes_what_the_long_one_writes(value: Decimal) -> None:
    assert figure(value) == format_decimal(value)


@pytest.mark.parametrize("value", ["0", "-0", "0E-6", "1E+3", "40.000000", "0.5", "007"])
def test_odd_forms_of_figures(value: str) -> None:
    assert figure(Decimal(value)) == format_decimal(Decimal(value))


def test_an_instant_without_zone_is_taken_as_utc() -> None:
    assert utc_seconds(datetime(2026, 3, 1, 9, 0)) == utc_seconds(datetime(2026, 3, 1, 9, 0, tzinfo=UTC))  # noqa: DTZ001  # without a zone it is read as UTC


words = st.text(st.characters(), max_size=100)
amounts = st.decimals(min_value=0, max_value=10**15, places=6)
values = st.decimals(min_value=0, max_value=10**15, places=2)
figures = st.builds(Figures, amounts, values)
reasons = st.builds(Reason, st.sampled_from([*SENTENCES, "UNIT_UNKNOWN"]), words, words, words)
verdicts = st.lists(st.tuples(st.sampled_from(Rule), reasons), max_size=3).map(tuple)
claims = st.builds(
    ClaimOutcome,
    key=st.builds(
        ClaimKey, words, st.integers(0, 99999), st.integers(1, 99999), words.filter(bool), st.integers(0, 99999)
    ),
    reference=words,
    document_code=words,
    outcome=st.sampled_from(Outcome).map(str),
    state=st.sampled_from(ClaimState).map(str),
    unit=st.sampled_from(["", "NAR", "KGMG"]),
    currency=st.sampled_from(["", "EUR"]),
    requested=figures,
    reserved=figures,
    consumed=figures,
    uncovered=figures,
    passed=st.lists(st.sampled_from(Rule), unique=True).map(tuple),
    failed=verdicts,
    warned=verdicts,
    reasons=st.lists(reasons, max_size=2).map(tuple),
    notes=st.lists(reasons, max_size=2).map(tuple),
    not_tested=st.lists(st.sampled_from(Rule), unique=True).map(tuple),
    incidents=st.lists(st.sampled_from(Incident), unique=True, max_size=3).map(tuple),
    source=words,
    at_risk=st.booleans(),
    licence=st.sampled_from([None, LICENCE]),
    licence_status=st.sampled_from(["", *Status]).map(str),
    licence_version=st.integers(0, 2**31),
    lv=st.integers(0, 2**62),
    available_quantity=st.none() | amounts,
    available_value=st.none() | values,
)
outcomes = st.builds(
    DeclarationOutcome,
    decl_id=words,
    dv=st.integers(1, 2**31),
    mrn=words,
    lrn=words,
    exporter=words,
    office=words,
    state=st.sampled_from(["LODGED", "ACCEPTED", "RELEASED", "NOT_RELEASED", "INVALIDATED", "REJECTED"]),
    payload_version=st.integers(0, 2**31),
    event_id=words,
    event_kind=words,
    cause_id=words,
    occurred_at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()),  # noqa: DTZ001  # without a zone it is read as UTC
    claims=st.lists(claims, max_size=3).map(tuple),
    findings=st.lists(
        st.builds(Finding, words.filter(bool), words, words, words, st.sampled_from(Severity)), max_size=2
    ).map(tuple),
)


@pytest.mark.row("E169", "E170", "E171")
@given(outcomes)
def test_every_outcome_has_one_valid_document(given_: DeclarationOutcome) -> None:
    assert render(given_) == render(given_)


@cache
def second_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(schema_path("xsd", FAMILY, VERSION)))


@pytest.mark.row("E170")
@settings(max_examples=20, deadline=None)
@given(outcomes)
def test_both_schema_processors_agree_on_any_outcome(given_: DeclarationOutcome) -> None:
    assert second_schema().is_valid(etree.fromstring(render(given_)))
