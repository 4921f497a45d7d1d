"""Units are normalised, never guessed; factors are exact and stay inside one dimension."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.currencies import MINOR_UNITS, minor_unit
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.units import (
    QUALIFIERS,
    REC20,
    UNITS,
    Dimension,
    alias_factor,
    from_rec20,
    parse_unit,
    taric_unit,
)

units = st.sampled_from(sorted(UNITS))
forms = st.builds(str.__add__, units, st.sampled_from(["", *sorted(QUALIFIERS)]))


@pytest.mark.parametrize(
    ("declared", "unit"),
    [("KGM", "KGM"), ("KGMG", "KGMG"), ("KGM#G", "KGMG"), ("MTQC", "MTQC"), ("MTQ#C", "MTQC"), ("HLT", "HLT")],
)
def test_a_unit_is_normalised(declared: str, unit: str) -> None:
    assert parse_unit(declared) == unit


@pytest.mark.row("E124")
@pytest.mark.parametrize(
    "text",
    ["kgm", "Kgm", "KGG", "KGM#", "KGM##G", "#G", "KGMQ", "KGMGG", " KGM", "KGM ", "KGM G", "C62", "SET", "", "KGMg"],
)
def test_an_unknown_unit_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_unit(text, "items[1].quantity")
    assert caught.value.code == "UNIT_UNKNOWN"
    assert caught.value.field == "items[1].quantity"


@given(forms)
def test_the_normal_form_is_stable(form: str) -> None:
    assert parse_unit(form) == form
    assert parse_unit(f"{form[:3]}#{form[3:]}" if form[3:] else form) == form


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        *(("KGM", "KGM"), ("C62", "NAR"), ("H87", "NAR"), ("EA", "NAR"), ("NAR", "NAR"), ("PR", "NPR"), ("NPR", "NPR")),
        *(("K6", "KLT"), ("D30", "TJO"), ("KUR", "KUR"), ("GFI", "GFI"), ("KHY", "KNS"), ("WTT", "WAT")),
        *(("KNS", None), ("SET", None), ("MGM", None), ("MC", None), ("MLT", None), ("4G", None), ("K9", None)),
    ],
)
def test_recommendation_20_codes_map_only_to_the_same_unit(code: str, unit: str | None) -> None:
    assert from_rec20(code) == unit


def test_recommendation_20_leads_to_known_units_only() -> None:
    assert set(REC20.values()) <= UNITS.keys()


@pytest.mark.row("E121")
@pytest.mark.parametrize(
    ("declared", "licensed", "factor"),
    [
        ("TNE", "KGM", "1000"),
        ("GRM", "KGM", "0.001"),
        ("CTM", "KGM", "0.0002"),
        ("DTN", "KGM", "100"),
        ("KGM", "TNE", "0.001"),
        ("MIL", "NAR", "1000"),
        ("CEN", "NAR", "100"),
        ("MIL", "CEN", "10"),
        ("KLT", "LTR", "1000"),
        ("MTQ", "LTR", "1000"),
        ("MTQ", "KLT", "1"),
        ("HMT", "KMT", "0.1"),
        ("MPR", "NPR", "1000"),
        ("MWH", "TJO", "0.0036"),
        ("TNEG", "KGMG", "1000"),
        ("KUR", "KUR", "1"),
        ("KGMG", "KGMG", "1"),
    ],
)
def test_there_is_an_exact_factor_inside_a_dimension(declared: str, licensed: str, factor: str) -> None:
    assert alias_factor(declared, licensed) == Decimal(factor)


@pytest.mark.row("E123", "E124")
@pytest.mark.parametrize(
    ("declared", "licensed"),
    [
        ("LTR", "KGM"),
        ("KGMG", "KGM"),
        ("KGM", "KGMG"),
        ("TNEG", "KGME"),
        ("MTQC", "MTQ"),
        ("KUR", "KGM"),
        ("GFI", "GRM"),
        ("KNI", "KPO"),
        ("LPA", "LTR"),
        ("NPR", "NAR"),
        ("NCL", "NAR"),
        ("CCT", "TNE"),
        ("GRT", "CCT"),
        ("TJO", "MWH"),
        ("XXX", "KGM"),
        ("KGM", "XXX"),
        ("XXX", "XXX"),
    ],
)
def test_there_is_no_factor_where_the_meaning_or_exactness_would_be_lost(declared: str, licensed: str) -> None:
    assert alias_factor(declared, licensed) is None


@given(forms, forms)
def test_factors_stay_inside_a_dimension_and_undo_each_other(a: str, b: str) -> None:
    there, back = alias_factor(a, b), alias_factor(b, a)
    if there is not None:
        assert a[3:] == b[3:]
        assert UNITS[a[:3]].dimension is UNITS[b[:3]].dimension
        assert a == b or UNITS[a[:3]].dimension is not Dimension.SUBSTANCE
        assert back is None or there * back == 1


@pytest.mark.parametrize(
    ("text", "unit"),
    [("NAR", "NAR"), ("KGM#G", "KGMG"), ("C62", "NAR"), ("K6", "KLT"), ("KNS", "KNS"), ("KHY", "KNS"), ("SET", None)],
)
def test_a_unit_of_either_list_becomes_the_taric_one(text: str, unit: str | None) -> None:
    assert taric_unit(text) == unit


def test_content_of_a_substance_is_never_converted() -> None:
    """A tonne of potassium chloride is not a tonne: what the name suggests plays no part."""
    substances = {code for code, unit in UNITS.items() if unit.dimension is Dimension.SUBSTANCE}
    assert substances == {
        "ASV",
        "DAP",
        "DHS",
        "GFI",
        "KCC",
        "KCL",
        "KMA",
        "KNI",
        "KNS",
        "KPH",
        "KPO",
        "KPP",
        "KSD",
        "KSH",
        "KUR",
        "LPA",
    }
    assert all(alias_factor(one, other) is None for one in substances for other in UNITS if one != other)


def test_minor_units() -> None:
    assert minor_unit("JPY") == 0
    assert minor_unit("EUR") == 2
    assert minor_unit("KWD") == 3
    assert all(len(code) == 3 and code.isupper() for code in MINOR_UNITS)
    with pytest.raises(InputError) as caught:
        minor_unit("XXX", "currency")
    assert (caught.value.code, caught.value.field) == ("CURRENCY_UNKNOWN", "currency")
