"""What the laboratory trades in: goods of the dual-use list, member states, customers, company names. All invented."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import NamedTuple


class Goods(NamedTuple):
    """A kind of controlled goods (Regulation (EU) 2021/821 Annex I)."""

    control_list: str
    commodity: str
    description: str
    unit: str
    price: Decimal
    """Euro per unit."""
    usual: int
    """A usual authorised quantity, in `unit`."""
    kilograms: Decimal
    """Net mass of one unit."""
    cas: tuple[str, ...] = ()


def _goods(code: str, cn: str, text: str, unit: str, price: str, usual: int, mass: str, *cas: str) -> Goods:
    return Goods(code, cn, text, unit, Decimal(price), usual, Decimal(mass), cas)


CATALOGUE: tuple[Goods, ...] = (
    _goods("2B001.b", "84571090", "Machining centre, five axes", "NAR", "185000", 40, "9400"),
    _goods("2B201.a", "84581120", "Turning machine, numerically controlled", "NAR", "240000", 20, "12000"),
    _goods("2B350.i", "84137059", "Centrifugal pump with multiple seals", "NAR", "4200", 800, "86"),
    _goods("2B350.g", "84818085", "Bellows valve of corrosion-resistant alloy", "NAR", "950", 4000, "7.5"),
    _goods("2B352.b", "84198998", "Fermenter, 120 litres", "NAR", "64000", 60, "1850"),
    _goods("3A001.a.7", "85423190", "Field programmable logic device", "NAR", "48", 200000, "0.012"),
    _goods("3A001.b.2", "85423390", "Monolithic microwave amplifier", "NAR", "310", 60000, "0.02"),
    _goods("3A225", "85044088", "Frequency changer, 40 kW", "NAR", "5200", 400, "58"),
    _goods("3A233", "90278100", "Mass spectrometer", "NAR", "210000", 20, "640"),
    _goods("4A003.b", "84714100", "Computer of high performance", "NAR", "38000", 120, "210"),
    _goods("5A001.f", "85176200", "Radio monitoring equipment", "NAR", "14000", 200, "24"),
    _goods("5A002.a", "85176990", "Network encryptor", "NAR", "2600", 6000, "3.2"),
    _goods("6A002.a", "85414900", "Infrared detector array", "NAR", "1900", 5000, "0.05"),
    _goods("6A003.b", "85258900", "Thermal camera", "NAR", "6400", 1200, "1.9"),
    _goods("6A005.b", "90132000", "Pulsed laser", "NAR", "27000", 160, "85"),
    _goods("7A003", "90142020", "Inertial measurement unit", "NAR", "98000", 80, "4.4"),
    _goods("1C010.b", "68151100", "Carbon fibre, high modulus", "KGM", "34", 40000, "1"),
    _goods("1C202.a", "76082081", "Aluminium alloy tube", "KGM", "22", 25000, "1"),
    _goods("1C006.a", "34031980", "Hydraulic fluid, fluorinated", "LTR", "90", 12000, "1.9"),
    _goods("1C350.1", "29307000", "Thiodiglycol", "KGM", "12", 60000, "1", "111-48-8"),
    _goods("1C350.14", "28111100", "Hydrogen fluoride", "KGM", "3", 180000, "1", "7664-39-3"),
    _goods("1C350.46", "29221500", "Triethanolamine", "KGM", "4", 150000, "1", "102-71-6"),
)

WHOLE = frozenset({"NAR"})
"""Units that are counted; the others are weighed or measured with three decimals."""

# Roughly the share of extra-Union exports in manufactured goods; only the proportions matter.
MEMBER_STATES: dict[str, int] = {
    "DE": 280, "FR": 110, "IT": 120, "NL": 110, "BE": 70, "ES": 55, "IE": 50, "PL": 40, "SE": 38, "AT": 34, "CZ": 26,
    "DK": 24, "FI": 18, "HU": 18, "PT": 10, "RO": 10, "SK": 9, "SI": 8, "GR": 6, "BG": 5, "LT": 5, "HR": 3, "EE": 3,
    "LV": 2, "LU": 2, "CY": 1, "MT": 1,
}  # fmt: skip

CURRENCIES: dict[str, tuple[str, Decimal]] = {
    "PL": ("PLN", Decimal("4.3")), "SE": ("SEK", Decimal("11.2")), "CZ": ("CZK", Decimal(25)),
    "DK": ("DKK", Decimal("7.46")), "HU": ("HUF", Decimal(400)), "RO": ("RON", Decimal(5)),
}  # fmt: skip
"""Currency outside the euro area, and units of it for a euro (rounded; the laboratory is no exchange)."""

DESTINATIONS: dict[str, int] = {
    "US": 22, "CN": 16, "KR": 9, "JP": 8, "TW": 7, "IN": 7, "CH": 6, "GB": 6, "SG": 4, "TR": 4, "BR": 3, "AE": 3,
    "IL": 3, "MX": 2, "MY": 2, "TH": 2, "VN": 2, "RS": 2, "ZA": 1, "CA": 2, "AU": 2, "NO": 3, "SA": 1, "CL": 1,
}  # fmt: skip
"""Third countries with weights, in ISO codes; customs write some of them differently (RS is XS there)."""

_STEMS = (
    "Norvane", "Altrex", "Velmora", "Quintar", "Brenholt", "Castrell", "Dornwald", "Ergolis", "Ferrano", "Galvex",
    "Helmstede", "Ivrena", "Jorvald", "Kestrano", "Lumevar", "Marentis", "Nordhavn", "Ortelis", "Pelmaro", "Ravenio",
    "Sentora", "Tavrek", "Ulvado", "Vestrine", "Wolmark", "Xandria", "Ysmere", "Zelkova",
)  # fmt: skip
_TRADES = (
    "Precision", "Optics", "Chemicals", "Systems", "Dynamics", "Semiconductors", "Instruments", "Aerospace", "Alloys",
    "Process Technology", "Photonics", "Networks",
)  # fmt: skip
_FORMS: dict[str, str] = {
    "DE": "GmbH", "AT": "GmbH", "FR": "SAS", "IT": "S.p.A.", "NL": "B.V.", "BE": "NV", "ES": "S.A.", "IE": "Ltd",
    "PL": "Sp. z o.o.", "SE": "AB", "CZ": "s.r.o.", "SK": "s.r.o.", "DK": "A/S", "FI": "Oy", "HU": "Kft.", "PT": "Lda",
    "RO": "S.R.L.", "SI": "d.o.o.", "HR": "d.o.o.", "GR": "A.E.", "BG": "OOD", "LT": "UAB", "EE": "OÜ", "LV": "SIA",
    "LU": "S.à r.l.", "CY": "Ltd", "MT": "Ltd",
}  # fmt: skip
_CUSTOMERS = ("Technologies", "Industries", "Trading", "Electronics", "Research Institute", "Shipyards", "Energy")


def weighted(random: Random, weights: dict[str, int]) -> str:
    """One key, by weight."""
    return random.choices(list(weights), list(weights.values()))[0]


def company_name(random: Random, country: str) -> str:
    """An invented exporter."""
    return f"{random.choice(_STEMS)} {random.choice(_TRADES)} {_FORMS[country]}"


def customer_name(random: Random, country: str) -> str:
    """An invented consignee in a third country."""
    return f"{random.choice(_STEMS)} {random.choice(_CUSTOMERS)} ({country})"


def eori(random: Random, country: str) -> str:
    """A well-formed EORI number."""
    return f"{country}{random.randrange(10**9, 10**10)}"


def customs_country(iso: str) -> str:
    """A country as a customs declaration writes it."""
    from certex_bridge.kernel.countries import to_geonom

    return to_geonom(iso)
