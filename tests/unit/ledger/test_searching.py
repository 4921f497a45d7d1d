"""Terms of licences and terms of questions: what meets is what a declaration could cite."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.countries import ISO_CODES, within_country
from certex_bridge.kernel.identifiers import commodity_matches
from certex_bridge.ledger.domain.searching import control_terms, destination_terms, goods_terms, licence_terms
from certex_bridge.licensing.domain.eugea import eugea_allows
from certex_bridge.licensing.domain.licence import Licence, LicenceType, is_eugea
from tests.support.ledger_words import licence, line

FIRST = date(2026, 1, 1)
COMMODITIES = st.integers(0, 99).map(lambda number: f"{number:02}")
CODES = st.lists(COMMODITIES, min_size=3, max_size=5).map("".join)


def meets(told: Licence, terms: tuple[str, ...]) -> bool:
    return not set(licence_terms(told)).isdisjoint(terms)


def about(*codes: str) -> Licence:
    return licence("A", line(1, "1 NAR", commodity_codes=codes))


@given(CODES, CODES)
def test_whole_codes_meet_as_the_rules_compare_them(licensed: str, asked: str) -> None:
    assert meets(about(licensed), goods_terms(asked)) == commodity_matches(licensed, asked)


@given(CODES, st.integers(1, 5))
def test_a_code_is_found_by_its_beginnings(licensed: str, pairs: int) -> None:
    beginning = licensed[: 2 * pairs]
    assert meets(about(licensed), goods_terms(beginning))


def test_a_line_without_codes_is_about_all_goods() -> None:
    assert meets(about(), goods_terms("01"))
    assert meets(licence("A"), goods_terms("01"))
    assert meets(licence("A", line(1, "1 NAR"), line(2, "1 NAR", commodity_codes=())), goods_terms("0101"))
    assert not meets(about("84571090"), goods_terms("01"))


@given(st.sampled_from(sorted(ISO_CODES | {"XS", "XI", "XU", "XK"})), st.sampled_from(["GB", "RS", "XS", "KR", "NO"]))
def test_destinations_meet_as_the_rules_compare_them(asked: str, licensed: str) -> None:
    told = licence("A", destinations=(licensed,))
    assert meets(told, destination_terms(asked)) == within_country(asked, licensed)


@pytest.mark.parametrize("country", ["RS", "XS", "US", "KR", "GB", "XI", "SJ"])
@pytest.mark.parametrize("kind", [one for one in LicenceType if is_eugea(one)])
def test_a_union_authorisation_serves_the_destinations_of_its_list(kind: LicenceType, country: str) -> None:
    told = licence("A", type=kind, destinations=("KR",), valid_from=FIRST)
    also = country == "XI" and eugea_allows(kind, "GB", FIRST)
    assert meets(told, destination_terms(country)) == (eugea_allows(kind, country, FIRST) or also)


def test_no_destination_stated_is_any() -> None:
    told = licence("A", destinations=())
    assert meets(told, destination_terms("KR"))
    assert not meets(replace(told, consignment_countries=("JP",)), destination_terms("KR"))


def test_greece_is_one_country_under_two_codes() -> None:
    assert destination_terms("EL") == destination_terms("GR")


@pytest.mark.parametrize(
    ("asked", "found"),
    [("3A001", True), ("3a001.A", True), ("3A001.a.7", True), ("3A001.a.7.b", False), ("3A0", False)],
)
def test_an_entry_is_found_by_what_it_lies_below(asked: str, found: bool) -> None:
    assert meets(licence("A", line(1, "1 NAR", control_list="3A001.a.7")), control_terms(asked)) == found
    assert not meets(licence("A", line(1, "1 NAR")), control_terms(asked))
