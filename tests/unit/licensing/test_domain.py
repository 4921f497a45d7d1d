"""Limits of lines, document codes, and the command's own answers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.countries import ISO_CODES, check_country, to_geonom
from certex_bridge.licensing.domain.caps import AccountCap, line_caps, with_tolerance
from certex_bridge.licensing.domain.documents import (
    DOCUMENT_CODES,
    EUGEA_CODES,
    document_code,
)
from certex_bridge.licensing.domain.eugea import EUGEA_DESTINATIONS, eugea_allows
from certex_bridge.licensing.domain.licence import LicenceCap, LicenceType, is_eugea
from tests.unit.licensing.samples import golden, golden_licence


def test_a_cap_per_controlled_dimension() -> None:
    assert line_caps(golden_licence()) == (
        AccountCap(1, "QTY", "NAR", Decimal(40)),
        AccountCap(2, "QTY", "KGM", Decimal("1313.025")),
        AccountCap(3, "QTY", "NAR", Decimal(300)),
        AccountCap(3, "VAL", "EUR", Decimal(75000)),
    )


def test_the_whole_licence_is_line_zero() -> None:
    licence = golden_licence("global-capped")
    both = replace(licence, cap=LicenceCap(Quantity(Decimal(9), "NAR"), Money(Decimal(5), "EUR")), lines=())
    assert line_caps(both) == (AccountCap(0, "QTY", "NAR", Decimal(9)), AccountCap(0, "VAL", "EUR", Decimal(5)))
    assert [cap.line_no for cap in line_caps(licence)] == [0, 2]


@pytest.mark.parametrize("name", ["national-general", "eugea-eu001"])
def test_general_authorisations_have_no_limit(name: str) -> None:
    licence = golden_licence(name)
    assert line_caps(replace(licence, lines=golden_licence().lines)) == ()


def test_a_controlled_figure_that_is_missing_makes_no_account() -> None:
    licence = golden_licence()
    bare = replace(licence.lines[2], quantity=None, value=None)
    assert line_caps(replace(licence, lines=(bare,))) == ()


def test_what_was_written_off_on_paper_is_not_available_again() -> None:
    licence = golden_licence()
    pieces, euros = Quantity(Decimal(0), "NAR"), Money(Decimal(7), "EUR")
    line = replace(licence.lines[2], tolerance_percent="10", quantity_remaining=pieces, value_remaining=euros)
    whole = LicenceCap(Quantity(Decimal(9), "NAR"), Money(Decimal(8), "EUR"), pieces, euros)
    assert [cap.cap for cap in line_caps(replace(licence, lines=(line,), cap=whole))] == [0, 7, 0, 7]


@pytest.mark.row("DU Annex II")
@pytest.mark.parametrize(
    ("kind", "country", "allowed"),
    [
        (LicenceType.EU001, "GB", True),
        (LicenceType.EU001, "LI", True),
        (LicenceType.EU001, "KR", False),
        (LicenceType.EU002, "TR", True),
        (LicenceType.EU003, "RS", True),
        (LicenceType.EU003, "XS", True),
        (LicenceType.EU004, "NC", True),
        (LicenceType.EU005, "MO", True),
        (LicenceType.EU006, "CN", False),
        (LicenceType.EU007, "TH", True),
        (LicenceType.EU008, "BR", True),
        (LicenceType.EU008, "XS", True),
        (LicenceType.EU008, "US", False),
        (LicenceType.EU008, "RU", False),
        (LicenceType.EU008, "DE", False),
        (LicenceType.EU008, "QP", False),
        (LicenceType.INDIVIDUAL, "RU", True),
    ],
)
def test_destinations_of_general_authorisations(*, kind: LicenceType, country: str, allowed: bool) -> None:
    for day in (date(2020, 1, 1), date(2021, 9, 9), date(2026, 11, 1)):
        assert eugea_allows(kind, country, day) is allowed


ANNEX_II = {
    LicenceType.EU001: "Australia AU, Canada CA, Iceland IS, Japan JP, New Zealand NZ, Norway NO, Switzerland CH with "
    "Liechtenstein LI, United Kingdom GB, United States US",
    LicenceType.EU002: "Argentina AR, South Africa ZA, South Korea KR, Türkiye TR",
    LicenceType.EU005: "Argentina AR, China CN with Hong Kong HK and Macao MO, India IN, South Africa ZA, South Korea KR, "
    "Türkiye TR, Ukraine UA",
    LicenceType.EU006: "Argentina AR, South Korea KR, Türkiye TR, Ukraine UA",
    LicenceType.EU007: "Argentina AR, Brazil BR, Chile CL, India IN, Indonesia ID, Israel IL, Jordan JO, Malaysia MY, "
    "Mexico MX, Morocco MA, Philippines PH, Singapore SG, South Africa ZA, South Korea KR, Thailand TH, Tunisia TN",
}
"""Destinations with their names, written down once more."""
NOT_UNDER_EU008 = (
    "Afghanistan AF, Armenia AM, Azerbaijan AZ, Belarus BY, Cambodia KH, Central African Republic CF, China CN, Congo CG, "
    "Congo (Democratic Republic) CD, Egypt EG, Eritrea ER, Georgia GE, Hong Kong HK, Iran IR, Iraq IQ, Israel IL, "
    "Kazakhstan KZ, Kyrgyzstan KG, Lebanon LB, Libya LY, Macao MO, Malaysia MY, Mali ML, Mauritius MU, Mongolia MN, "
    "Myanmar MM, North Korea KP, Oman OM, Pakistan PK, Qatar QA, Russia RU, Saudi Arabia SA, Somalia SO, South Sudan SS, "
    "Sudan SD, Syria SY, Tajikistan TJ, Turkmenistan TM, United Arab Emirates AE, Uzbekistan UZ, Venezuela VE, Yemen YE, "
    "Zimbabwe ZW"
)


def codes_of(names: str) -> set[str]:
    return set(re.findall(r"\b[A-Z]{2}\b", names))


@pytest.mark.row("DU Annex II")
@pytest.mark.parametrize("kind", ANNEX_II)
def test_each_list_of_annex_ii_is_whole_and_has_nothing_else(kind: LicenceType) -> None:
    allowed = {to_geonom(code) for code in ISO_CODES if eugea_allows(kind, code, date(2026, 11, 1))}
    assert allowed == {to_geonom(code) for code in codes_of(ANNEX_II[kind])}


@pytest.mark.row("DU Annex II")
@pytest.mark.parametrize("country", sorted(codes_of(NOT_UNDER_EU008)))
def test_eu008_covers_none_of_the_excluded_destinations(country: str) -> None:
    assert not eugea_allows(LicenceType.EU008, country, date(2026, 11, 1))


def test_every_general_authorisation_of_the_union_has_its_list() -> None:
    assert set(EUGEA_DESTINATIONS) == {kind for kind in LicenceType if is_eugea(kind)}
    for lists in EUGEA_DESTINATIONS.values():
        days = [one.first_day for one in lists]
        assert days == sorted(set(days))
        assert all(not check_country(code) for one in lists for code in one.countries)


@pytest.mark.row("E132")
def test_tolerance_is_fixed_exactly() -> None:
    assert with_tolerance(Decimal(100), "5") == 105
    assert with_tolerance(Decimal("0.000001"), "0") == Decimal("0.000001")
    assert with_tolerance(Decimal("9999999999.999999"), "99.9999") == Decimal("19999989999.999998000001")


@given(st.integers(1, 10**16 - 1), st.integers(0, 10**7))
def test_tolerance_never_rounds(units: int, ten_thousandths: int) -> None:
    amount, percent = Decimal(units).scaleb(-6), Decimal(ten_thousandths).scaleb(-4)
    exact = units * (10**6 + ten_thousandths)
    assert int(with_tolerance(amount, f"{percent:f}").scaleb(12)) == exact


def test_each_type_has_one_code_and_each_code_its_types() -> None:
    for kind in LicenceType:
        assert kind in DOCUMENT_CODES[document_code(kind)]
    assert {document_code(kind) for kind in LicenceType} == set(DOCUMENT_CODES)
    assert "X069" not in DOCUMENT_CODES
    assert {f"X06{number}" for number in range(1, 9)} == EUGEA_CODES


def test_licence_knows_itself() -> None:
    licence = golden_licence()
    assert licence.licence_id == "BE/BE-2026-000123"
    line = licence.line(2)
    assert line is not None
    assert line.line_no == 2
    assert licence.line(9) is None


def test_command_separates_errors_and_warnings() -> None:
    command = golden("every-finding")
    assert command.refused
    assert {finding.code for finding in command.warnings} >= {"SPLIT_TYPE", "CAP_TOTAL"}
    assert not golden("individual").refused
