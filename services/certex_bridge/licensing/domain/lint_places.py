"""Lint of the countries and procedures of a licence: codes, repetitions, and what the type of licence allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certex_bridge.kernel.countries import MEMBER_STATES, check_country
from certex_bridge.kernel.errors import Finding
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.documents import TRANSIT_TYPES
from certex_bridge.licensing.domain.eugea import eugea_allows
from certex_bridge.licensing.domain.licence import Direction, LicenceType, is_eugea
from certex_bridge.licensing.domain.lint_case import Case, check_count, warning

_GRANTED = (
    LicenceType.INDIVIDUAL,
    LicenceType.GLOBAL,
    LicenceType.LARGE_PROJECT_INDIVIDUAL,
    LicenceType.LARGE_PROJECT_GLOBAL,
    LicenceType.NGEA,
)
"""Export licences that an authority grants under Regulation (EU) 2021/821."""


def check_places(case: Case) -> Iterator[Finding]:
    """Findings on all lists of countries, on destinations against the type, and on procedures."""
    licence = case.licence
    yield from _countries("destinations", licence.destinations)
    yield from _countries("consignmentCountries", licence.consignment_countries)
    yield from _countries("memberStatesOfLocation", licence.location_states, member=True)
    yield from _countries("memberStatesOfEntry", licence.entry_states, member=True)
    if case.read("type"):
        yield from _destinations(case)
    yield from check_count("procedures", licence.procedures)
    if case.read("direction"):
        yield from _procedures(case)


def _countries(name: str, countries: Sequence[str], *, member: bool = False) -> Iterator[Finding]:
    yield from check_count(name, countries)
    seen: set[str] = set()
    for index, country in enumerate(countries):
        field = f"{name}[{index}]"
        unknown = check_country(country, field)
        yield from unknown
        if member and not unknown and country not in MEMBER_STATES:
            yield warning("MEMBER_STATE", field, country, "not a Member State of the Union")
        if country in seen:
            yield warning("DUPLICATE", field, country[:80], "listed before")
        seen.add(country)


def _destinations(case: Case) -> Iterator[Finding]:
    licence = case.licence
    if is_eugea(licence.type):
        yield from _eugea_destinations(case)
    needed = not unlimited(licence.type) and licence.direction is not Direction.TRANSIT and case.formality.destinations
    if needed and case.read("direction", "destinations") and not licence.destinations:
        message = "an export licence names its countries of final destination (form box 12)"
        yield Finding("DESTINATION_MISSING", "destinations", "", message)
    if licence.type in _GRANTED:
        yield from _third_countries(case)


def _third_countries(case: Case) -> Iterator[Finding]:
    """An export leaves the Union, and an individual licence is for one end-user or consignee in a third country."""
    licence = case.licence
    if licence.type == LicenceType.INDIVIDUAL and len(set(licence.destinations)) > 1:
        message = "an individual licence is for one end-user or consignee, in one country (Reg. 2021/821 Art. 2(12))"
        yield warning("DESTINATION_COUNT", "destinations", str(len(set(licence.destinations))), message)
    for index, country in enumerate(licence.destinations):
        if country in MEMBER_STATES:
            message = "a Member State is no third country: a transfer within the Union is no export (Art. 2(12) and 11)"
            yield warning("DESTINATION_IN_UNION", f"destinations[{index}]", country, message)


def _eugea_destinations(case: Case) -> Iterator[Finding]:
    """A registration cannot be wider than the Regulation; it is judged by the day from which it counts."""
    licence = case.licence
    day = licence.valid_from or licence.issue_date
    if day is None or not case.read("issueDate", "validFrom"):
        return
    for index, country in enumerate(licence.destinations):
        if not check_country(country) and not eugea_allows(licence.type, country, day):
            message = f"{licence.type} does not cover this destination (Reg. 2021/821 Annex II)"
            yield Finding("EUGEA_DESTINATION", f"destinations[{index}]", country, message)


def _procedures(case: Case) -> Iterator[Finding]:
    transit = case.licence.direction is Direction.TRANSIT
    for index, code in enumerate(case.licence.procedures):
        field = f"procedures[{index}]"
        if transit:
            if code not in TRANSIT_TYPES:
                message = f"a transit licence has {', '.join(TRANSIT_TYPES)}"
                yield Finding("PROCEDURE_INVALID", field, code[:80], message)
        elif not (code.isascii() and code.isdigit() and len(code) in (2, 4)):
            message = "a procedure is the requested one (2 digits) or requested and previous (4 digits)"
            yield Finding("PROCEDURE_INVALID", field, code[:80], message)
        elif code[:2] not in case.formality.directions:
            message = "customs do not check licences of this kind under this procedure (IR 2024/2145 Annex I)"
            yield warning("PROCEDURE_NOT_LISTED", field, code, message)
