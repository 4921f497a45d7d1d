"""Measurement units of customs (TARIC) and their relation to UN/ECE Recommendation 20.

A unit is three letters, optionally followed by one qualifier letter that changes WHAT is measured (KGM net mass,
KGMG gross mass). Figures in different units are never compared; an exact alias inside one dimension is offered for
offices that switch it on, never between qualifiers and never for content of a substance.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from certex_bridge.kernel.errors import InputError


class Dimension(StrEnum):
    """What a unit measures; only units of one dimension can have an exact factor between them."""

    MASS = "MASS"
    VOLUME = "VOLUME"
    LENGTH = "LENGTH"
    AREA = "AREA"
    COUNT = "COUNT"
    PAIRS = "PAIRS"
    CELLS = "CELLS"
    ENERGY = "ENERGY"
    POWER = "POWER"
    SHIPPING = "SHIPPING"
    """Tonnages of ships: conventions, not masses."""
    SUBSTANCE = "SUBSTANCE"
    """Content of a named substance: never converted, whatever the name suggests."""


class Unit(NamedTuple):
    """A TARIC unit: meaning, dimension, exact factor to the dimension's base unit (None: never converted)."""

    meaning: str
    dimension: Dimension
    factor: Decimal | None = None


_M, _V, _S = Dimension.MASS, Dimension.VOLUME, Dimension.SUBSTANCE

# TARIC measurement units (Council Regulation (EEC) 2658/87, TARIC; codes compared with the United Kingdom tariff's
# open data, which still carries the Union list, 2024). Bases: kg, l, m, m2, item, pair, cell, J, W.
UNITS: dict[str, Unit] = {
    "KGM": Unit("kilogram", _M, Decimal(1)),
    "GRM": Unit("gram", _M, Decimal("0.001")),
    "CTM": Unit("metric carat", _M, Decimal("0.0002")),
    "DTN": Unit("hundred kilograms", _M, Decimal(100)),
    "TNE": Unit("tonne", _M, Decimal(1000)),
    "LTR": Unit("litre", _V, Decimal(1)),
    "HLT": Unit("hectolitre", _V, Decimal(100)),
    "KLT": Unit("thousand litres", _V, Decimal(1000)),
    "MTQ": Unit("cubic metre", _V, Decimal(1000)),
    "MTR": Unit("metre", Dimension.LENGTH, Decimal(1)),
    "HMT": Unit("hundred metres", Dimension.LENGTH, Decimal(100)),
    "KMT": Unit("kilometre", Dimension.LENGTH, Decimal(1000)),
    "MTK": Unit("square metre", Dimension.AREA, Decimal(1)),
    "NAR": Unit("item", Dimension.COUNT, Decimal(1)),
    "CEN": Unit("hundred items", Dimension.COUNT, Decimal(100)),
    "MIL": Unit("thousand items", Dimension.COUNT, Decimal(1000)),
    "NPR": Unit("pair", Dimension.PAIRS, Decimal(1)),
    "MPR": Unit("thousand pairs", Dimension.PAIRS, Decimal(1000)),
    "NCL": Unit("cell", Dimension.CELLS, Decimal(1)),
    "MWH": Unit("thousand kilowatt hours", Dimension.ENERGY, Decimal(3_600_000_000)),
    "TJO": Unit("terajoule, gross calorific value", Dimension.ENERGY, Decimal(1_000_000_000_000)),
    "WAT": Unit("watt", Dimension.POWER, Decimal(1)),
    "CCT": Unit("carrying capacity in tonnes", Dimension.SHIPPING),
    "GRT": Unit("gross tonnage", Dimension.SHIPPING),
    "ASV": Unit("alcoholic strength by volume", _S),
    "DAP": Unit("ten tonnes, corrected by polarisation", _S),
    "DHS": Unit("kilogram of dihydrostreptomycin", _S),
    "GFI": Unit("gram of fissile isotopes", _S),
    "KCC": Unit("kilogram of choline chloride", _S),
    "KCL": Unit("tonne of potassium chloride", _S),
    "KMA": Unit("kilogram of methylamines", _S),
    "KNI": Unit("kilogram of nitrogen", _S),
    "KNS": Unit("kilogram of hydrogen peroxide", _S),
    "KPH": Unit("kilogram of potassium hydroxide", _S),
    "KPO": Unit("kilogram of potassium oxide", _S),
    "KPP": Unit("kilogram of diphosphorus pentaoxide", _S),
    "KSD": Unit("kilogram of substance 90 % dry", _S),
    "KSH": Unit("kilogram of sodium hydroxide", _S),
    "KUR": Unit("kilogram of uranium", _S),
    "LPA": Unit("litre of pure alcohol", _S),
}

# TARIC measurement unit qualifiers; same source as UNITS.
QUALIFIERS: dict[str, str] = {
    "A": "total alcohol",
    "B": "per flask",
    "C": "one thousand",
    "E": "net of drained weight",
    "F": "common wheat",
    "G": "gross",
    "I": "of biodiesel content",
    "J": "of fuel content",
    "K": "of bioethanol content",
    "L": "live weight",
    "M": "net of dry matter",
    "P": "of lactic matter",
    "R": "of the standard quality",
    "S": "of raw sugar",
    "T": "of dry lactic matter",
    "X": "per hectolitre",
    "Z": "per 1 % by weight of sucrose",
}

# UN/ECE Recommendation 20 (revision 17) common code to the TARIC unit that means exactly the same.
# Not identities: KNS is "named substance" in Recommendation 20 and hydrogen peroxide in TARIC (Rec 20: KHY).
_SAME_IN_REC20 = """
    KGM GRM CTM DTN TNE LTR HLT MTQ MTR HMT KMT MTK NAR CEN MIL NPR NCL MWH CCT
    ASV GFI KCC KMA KNI KPH KPO KPP KSD KSH KUR LPA
"""
REC20: dict[str, str] = {
    **{code: code for code in _SAME_IN_REC20.split()},
    "C62": "NAR",
    "H87": "NAR",
    "EA": "NAR",
    "PR": "NPR",
    "K6": "KLT",
    "D30": "TJO",
    "WTT": "WAT",
    "KHY": "KNS",
}

# Every accepted spelling ("KGM", "KGMG", "KGM#G") to its normal form: one look-up instead of parsing.
_FORMS: dict[str, str] = {
    **{unit: unit for unit in UNITS},
    **{f"{unit}{mark}{letter}": unit + letter for unit in UNITS for letter in QUALIFIERS for mark in ("", "#")},
}

_EXACT = Context(prec=40, traps=[Inexact])


def parse_unit(text: str, field: str = "") -> str:
    """Normalise a declared unit to three letters plus optional qualifier letter ("KGM#G" becomes "KGMG").

    Raises:
        InputError: code UNIT_UNKNOWN; lower case, blanks and unknown codes are never guessed.
    """
    unit = _FORMS.get(text)
    if unit is None:
        message = "not a TARIC measurement unit with optional qualifier"
        raise InputError(message, field=field, value=text, code="UNIT_UNKNOWN")
    return unit


def from_rec20(code: str) -> str | None:
    """The TARIC unit that means exactly what the UN/ECE Recommendation 20 code means, or None."""
    return REC20.get(code)


def taric_unit(text: str) -> str | None:
    """The normal form of a TARIC unit, or of the TARIC unit that a UN/ECE Recommendation 20 code means; else None.

    TARIC comes first: the few codes with two meanings are customs' own here.
    """
    return _FORMS.get(text) or REC20.get(text)


@lru_cache(maxsize=1024)
def alias_factor(declared: str, licensed: str) -> Decimal | None:
    """The exact factor that turns a figure in `declared` into `licensed`, or None where none exists.

    Both are normal forms of `parse_unit`. There is a factor only inside one dimension, with equal qualifiers (or
    none on either side), and when it is a finite decimal number; a unit is always 1 of itself.
    """
    here, there = UNITS.get(declared[:3]), UNITS.get(licensed[:3])
    if here is None or there is None or declared[3:] != licensed[3:]:
        return None
    if declared == licensed:
        return Decimal(1)
    if here.dimension is not there.dimension or here.factor is None or there.factor is None:
        return None
    try:
        return _EXACT.divide(here.factor, there.factor)
    except Inexact:
        return None
