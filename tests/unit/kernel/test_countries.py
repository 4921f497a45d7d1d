"""ISO 3166 and GEONOM name the same countries with different letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.countries import (
    ISO_CODES,
    MEMBER_STATES,
    SPECIAL_CODES,
    check_country,
    check_issuer,
    same_country,
    to_geonom,
    to_iso,
    within_country,
)

GEONOM = ("XC", "XI", "XK", "XL", "XS", "XU")
codes = st.sampled_from([*sorted(ISO_CODES), *GEONOM, *sorted(SPECIAL_CODES)])


@pytest.mark.parametrize("code", ["BE", "KR", "RS", *GEONOM, "QP", "EU", "TW", "NO"])
def test_known_codes_have_no_finding(code: str) -> None:
    assert check_country(code) == []


@pytest.mark.parametrize("code", ["EL", "UK", "be", " BE", "BE ", "B", "BEL", "", "XX", "ZZ", "AN", "ВЕ"])
def test_unknown_codes_are_found(code: str) -> None:
    (finding,) = check_country(code, "destination")
    assert (finding.code, finding.field, finding.value) == ("COUNTRY_UNKNOWN", "destination", code)


@pytest.mark.parametrize(
    ("code", "found"), [("BE", []), ("EU", []), ("QP", ["COUNTRY_SPECIAL"]), ("UK", ["COUNTRY_UNKNOWN"])]
)
def test_an_issuer_is_a_state_or_the_union(code: str, found: list[str]) -> None:
    assert [finding.code for finding in check_issuer(code)] == found


@pytest.mark.parametrize(
    ("iso", "geonom"),
    [("RS", "XS"), ("XS", "XS"), ("XK", "XK"), ("BE", "BE"), ("RE", "FR"), ("AX", "FI"), ("SJ", "NO"), ("PR", "US")],
)
def test_iso_to_geonom(iso: str, geonom: str) -> None:
    assert to_geonom(iso) == geonom


@pytest.mark.parametrize(
    ("geonom", "iso"),
    [("XS", "RS"), ("RS", "RS"), ("XK", "XK"), ("XC", "ES"), ("XL", "ES"), ("XI", "GB"), ("XU", "GB"), ("BE", "BE")],
)
def test_geonom_to_iso(geonom: str, iso: str) -> None:
    assert to_iso(geonom) == iso


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("RS", "XS", True),
        ("XS", "RS", True),
        ("KR", "KR", True),
        ("FR", "GP", True),
        ("CN", "HK", False),
        ("CH", "LI", False),
        ("GB", "XI", False),
        ("ES", "XC", False),
        ("XK", "RS", False),
        ("??", "??", True),
    ],
)
def test_same_country(*, a: str, b: str, same: bool) -> None:
    assert same_country(a, b) is same


@pytest.mark.parametrize(
    ("part", "whole", "within"),
    [("XU", "GB", True), ("XI", "GB", True), ("GB", "XI", False), ("XC", "ES", False), ("RS", "XS", True)],
)
def test_a_part_lies_within_its_country(*, part: str, whole: str, within: bool) -> None:
    assert within_country(part, whole) is within


@given(codes)
def test_mapping_twice_changes_nothing(code: str) -> None:
    assert to_geonom(to_geonom(code)) == to_geonom(code)
    assert to_iso(to_iso(code)) == to_iso(code)
    assert check_country(to_geonom(code)) == []
    assert check_country(to_iso(code)) == []


@given(st.sampled_from(sorted(ISO_CODES)))
def test_a_country_survives_the_round_trip(code: str) -> None:
    assert same_country(to_iso(to_geonom(code)), code)


def test_the_union_has_27_members() -> None:
    assert len(MEMBER_STATES) == 27
    assert MEMBER_STATES <= ISO_CODES
