"""What a licence is found by: the terms under which it is indexed, and the terms that a question asks for.

A question about a destination or a commodity lists the licences that a declaration could cite for it, judged as the
rules judge the claim: no destination stated means any, a line without codes is about all goods, and the shorter of two
commodity codes decides. Terms are texts, so that one inverted index answers every question.
"""

from __future__ import annotations

from certex_bridge.kernel.countries import to_geonom
from certex_bridge.licensing.domain.eugea import EUGEA_DESTINATIONS
from certex_bridge.licensing.domain.licence import Licence

GREECE = {"EL": "GR"}
"""The code of VAT and excise, which the licensing side writes now and then; ISO 3166 and GEONOM say GR."""

_ANY = "*"
_HS_DIGITS = 6
"""A code of fewer digits is a chapter or a heading, which a question may ask for and no licence states."""
_WITHIN_GB = frozenset({"XI", "XU"})


def licence_terms(licence: Licence) -> tuple[str, ...]:
    """Terms of a licence, sorted: `d:` destinations in GEONOM, `g:` goods, `c:` entries of a control list."""
    terms = {f"d:{country}" for country in _countries(licence)}
    for line in licence.lines:
        terms.update(f"g:{term}" for code in line.commodity_codes for term in _goods(code))
        terms.update(f"c:{entry}" for entry in _entries(line.control_list))
    if not all(line.commodity_codes for line in licence.lines) or not licence.lines:
        terms.add(f"g:{_ANY}")
    return tuple(sorted(terms))


def destination_terms(country: str) -> tuple[str, ...]:
    """One of these has every licence that serves a destination (ISO 3166 or GEONOM)."""
    code = to_geonom(GREECE.get(country, country))
    wider = ("d:GB",) if code in _WITHIN_GB else ()
    return (f"d:{code}", *wider, f"d:{_ANY}")


def goods_terms(commodity: str) -> tuple[str, ...]:
    """One of these has every licence about a commodity; the code has 2, 4, 6, 8 or 10 digits."""
    shorter = tuple(f"g:={commodity[:digits]}" for digits in range(_HS_DIGITS, len(commodity), 2))
    return (f"g:{commodity}", *shorter, f"g:{_ANY}")


def control_terms(code: str) -> tuple[str, ...]:
    """The term of a control list entry: it finds the entry and everything below it (3A001 finds 3A001.a.7)."""
    return (f"c:{code.upper()}",)


def _countries(licence: Licence) -> frozenset[str]:
    """Destinations in GEONOM: for a Union general authorisation its list in the Regulation, whatever was registered."""
    lists = EUGEA_DESTINATIONS.get(licence.type)
    if lists is not None:
        return lists[-1].countries
    stated = (*licence.destinations, *licence.consignment_countries)
    return frozenset(to_geonom(country) for country in stated) or frozenset({_ANY})


def _goods(code: str) -> list[str]:
    """The code as a whole, marked, and its beginnings."""
    return [f"={code}", *(code[:digits] for digits in range(2, len(code) + 1, 2))]


def _entries(code: str) -> list[str]:
    """A control list entry and those it lies below."""
    parts = code.upper().split(".")
    return [".".join(parts[:number]) for number in range(1, len(parts) + 1)] if code else []
