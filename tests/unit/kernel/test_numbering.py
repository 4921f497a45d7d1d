"""What of a written licence number is no part of its identity."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certex_bridge.kernel.countries import issuing_state, valid_in
from certex_bridge.kernel.identifiers import eori_twins, issuer_of, licence_key, licence_number, same_trader
from certex_bridge.kernel.numbering import AS_WRITTEN, NUMBERINGS, Numbering, normalised, spellings


def test_the_table_is_that_of_the_rules(project_root: Path) -> None:
    told = json.loads((project_root / "schemas/rules/licence-numbers.json").read_bytes())["issuers"]
    read = {issuer: Numbering(entry["ignored"], tuple(entry["suffixes"])) for issuer, entry in told.items()}
    assert read == dict(NUMBERINGS)
    assert all(entry["sources"] for entry in told.values())


@pytest.mark.parametrize(("number", "numbering", "expected"), [
    (" be-1 ", AS_WRITTEN, "BE-1"), ("b e/1", AS_WRITTEN, "B E/1"), ("gb 1 2", Numbering(" "), "GB12"),
    ("GB/1-2 3", Numbering(" /-"), "GB123"), ("GB1/a", Numbering("", ("/A", "/B")), "GB1"),
    ("GB1/c", Numbering("", ("/A", "/B")), "GB1/C"), ("/A", Numbering("", ("/A",)), "/A"), ("//", Numbering("/"), "//"),
])  # fmt: skip
def test_what_does_not_count_is_left_out(number: str, numbering: Numbering, expected: str) -> None:
    assert normalised(number, numbering) == expected


def test_composed_and_separate_accents_stay_apart() -> None:
    assert licence_key("BE", "\u00e9") != licence_key("BE", "e\u0301")
    assert licence_key("GB", "\u00e9") != licence_key("GB", "e\u0301")


def test_a_number_has_the_spelling_of_each_issuer() -> None:
    assert spellings("n 1") == {"N 1", "N1"}
    for issuer in ("BE", "GB", "XI"):
        assert licence_number(licence_key(issuer, " n 1")) in spellings("N 1 ")
    assert issuer_of(licence_key("XI", "N/1")) == "GB"


@pytest.mark.parametrize(("a", "b", "same"), [
    ("GB1", "XI1", True), ("XI1", "GB1", True), ("BE1", "BE1", True), ("GB1", "XI2", False), ("BE1", "GB1", False),
    ("", "GB1", False), ("", "", True),
])  # fmt: skip
def test_one_trader_has_two_numbers_in_the_united_kingdom(a: str, b: str, *, same: bool) -> None:
    assert same_trader(a, b) is same
    assert eori_twins("BE1") == ("BE1",)


@pytest.mark.parametrize(("issuer", "country", "valid"), [
    ("BE", "DE", True), ("EU", "DE", True), ("BE", "XI", True), ("GB", "XI", True), ("GB", "GB", True), ("XI", "GB", True),
    ("GB", "DE", False), ("BE", "GB", False), ("CH", "DE", False), ("", "DE", True), ("GB", "", True),
])  # fmt: skip
def test_where_a_licence_is_valid(issuer: str, country: str, *, valid: bool) -> None:
    assert valid_in(issuer, country) is valid
    assert issuing_state("XU") == "GB"


@pytest.mark.parametrize(("one", "other"), [("\u0131", "I"), ("\u017f", "S"), ("\ufb01", "FI"), ("\u00df", "SS")])
def test_letters_whose_capitals_are_those_of_others_stay_apart(one: str, other: str) -> None:
    """Dotless i, long s, ligatures: two numbers that differ on paper are two licences."""
    assert licence_key("BE", one) != licence_key("BE", other)
    assert licence_key("BE", "\u00e9") == licence_key("BE", "\u00c9")
