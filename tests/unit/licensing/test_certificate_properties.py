"""The lint and the schema agree: whatever the one lets in, the other lets out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Severity
from certex_bridge.licensing.certificate import FAMILY, NAMESPACE, VERSION, build_certificate, render_certificate
from certex_bridge.licensing.domain.caps import line_caps
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import (
    Control,
    Licence,
    LicenceCap,
    LicenceLine,
    Party,
)
from certex_bridge.licensing.domain.lint import lint
from certex_bridge.platform.xsd import DocumentInvalid, validator
from tests.unit.licensing.samples import Account, golden_licence

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STATUSES = ["Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]

TEXT = st.text(max_size=40)
PARTIES = st.builds(
    Party, TEXT, st.sampled_from(["BE1", "", "x y"]), TEXT, TEXT, TEXT, st.sampled_from(["", "BE", "??"])
)
UNITS = st.sampled_from(["NAR", "KGM", "KGMG", "TNE"])
AMOUNTS = st.integers(1, 10**16 - 1).map(lambda figure: Decimal(figure).scaleb(-6))
CENTS = st.integers(1, 10**16 - 1).map(lambda figure: Decimal(figure).scaleb(-2))
QUANTITIES = st.none() | st.builds(Quantity, AMOUNTS, UNITS)
MONEY = st.none() | st.builds(Money, CENTS, st.sampled_from(["EUR", "USD"]))
LINES = st.builds(
    LicenceLine,
    st.integers(0, 100_001),
    TEXT,
    st.sampled_from(Control),
    QUANTITIES,
    MONEY,
    TEXT,
    st.lists(st.sampled_from(["845710", "84571090", "8457109010", "1"]), max_size=2).map(tuple),
    st.sampled_from(["", "DE", "RS", "??"]),
    st.lists(st.sampled_from(["111-48-8", "x"]), max_size=2).map(tuple),
    st.sampled_from(["0", "0.0", "5", "0.0001", "100", "101"]),
)
DAYS = st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))
PRINTABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
GOOD_LINES = st.builds(
    lambda number, text, control, quantity, value, tolerance, codes: LicenceLine(
        number, text, control, quantity, value, commodity_codes=tuple(codes), tolerance_percent=tolerance
    ),
    st.integers(1, 99_999),
    PRINTABLE,
    st.sampled_from(Control),
    st.builds(Quantity, st.integers(1, 10**9).map(lambda figure: Decimal(figure).scaleb(-4)), st.just("KGM")),
    st.builds(Money, st.integers(1, 10**9).map(Decimal), st.sampled_from(["EUR", "USD"])),
    st.sampled_from(["0", "0.0", "5", "100"]),
    st.lists(st.sampled_from(["845710", "84571090", "8457109010"]), max_size=3),
)
GOLDEN = ["individual", "national-general", "eugea-eu001", "transit", "legacy-uk"]
LICENCES = st.builds(
    lambda name, changes: replace(golden_licence(name), **changes),
    st.sampled_from(GOLDEN),
    st.fixed_dictionaries(
        {"lines": st.lists(GOOD_LINES, min_size=1, max_size=4, unique_by=lambda line: line.line_no).map(tuple)},
        optional={
            "number": PRINTABLE,
            "version": st.integers(1, 2**31 - 1),
            "valid_from": DAYS,
            "issue_date": DAYS,
            "authority": st.builds(Party, PRINTABLE),
            "consignees": st.lists(st.builds(Party, PRINTABLE, st.just("X 1"), city=PRINTABLE), max_size=2).map(tuple),
            "destinations": st.lists(st.sampled_from(["KR", "RS", "XS"]), min_size=1, max_size=3).map(tuple),
            "consignment_countries": st.lists(st.sampled_from(["CH", "XK"]), max_size=2).map(tuple),
            "conditions": st.lists(PRINTABLE, max_size=2).map(tuple),
            "application_number": PRINTABLE,
            "cap": st.builds(LicenceCap, value=st.none() | st.builds(Money, CENTS, st.just("EUR"))),
        },
    ),
)


def refused(licence: Licence) -> bool:
    return any(finding.severity is Severity.ERROR for finding in lint(licence, LicenceEventKind.ISSUED))


@pytest.mark.row("E170")
@given(LICENCES, st.sampled_from(STATUSES))
def test_whatever_the_lint_passes_the_schema_passes(licence: Licence, status: str) -> None:
    # Most of these licences are sound; hypothesis fails the test when too many are not.
    assume(not refused(licence))
    balances = [Account(cap.line_no, cap.dim, cap.unit, cap.cap, Decimal(1), Decimal(2)) for cap in line_caps(licence)]
    document = render_certificate(licence, status, balances, prepared_at=AT, event_id="e")
    assert etree.fromstring(document).findtext(f"{{{NAMESPACE}}}referenceNumber") == licence.number


def one_field(**changes: Any) -> st.SearchStrategy[Licence]:
    return st.builds(lambda **drawn: replace(golden_licence(), **drawn), **changes)


@pytest.mark.row("E171")
@given(
    one_field(number=st.text(min_size=1, max_size=72))
    | one_field(conditions=st.lists(st.text(max_size=20), max_size=2).map(tuple))
    | one_field(legal_basis=st.text(max_size=257))
    | one_field(lines=LINES.map(lambda line: (line,)))
    | one_field(cap=st.builds(LicenceCap, QUANTITIES, MONEY))
    | one_field(holder=PARTIES)
    | one_field(consignees=PARTIES.map(lambda party: (party,)))
)
def test_the_lint_and_the_schema_agree_on_single_fields(licence: Licence) -> None:
    document = build_certificate(licence, "Valid", [], prepared_at=AT, event_id="e")
    try:
        validator(FAMILY, VERSION).validate(document)
    except (DocumentInvalid, UnicodeEncodeError):
        assert refused(licence)
    else:
        assert (
            refused(licence) or etree.fromstring(document).findtext(f"{{{NAMESPACE}}}referenceNumber") == licence.number
        )
