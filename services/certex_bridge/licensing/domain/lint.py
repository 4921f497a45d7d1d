"""The lint of a licence event: every finding at once, so that a sender corrects everything in one go.

A rule names the top-level wire fields it compares. When a field could not be read, rules that compare it are left
out: a finding about a stand-in would send the sender after a mistake that is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from certex_bridge.kernel.countries import check_country
from certex_bridge.kernel.dates import ZONES
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import check_eori, check_licence_number, licence_key
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.documents import (
    DEFAULT_LEGACY_CODES,
    DOCUMENT_CODES,
    EUGEA_CODES,
    EXPORT_PROCEDURES,
    TRANSIT_TYPES,
)
from certex_bridge.licensing.domain.licence import AuthorityStatus, Direction, Licence, LicenceType, Party
from certex_bridge.licensing.domain.lint_lines import check_control, check_lines, check_whole_cap
from certex_bridge.licensing.domain.texts import COUNTS, check_text

MAX_VERSION = 2**31 - 1

LegacyCodes = Mapping[str, Sequence[str]]

_STATUS_OF_EVENT: Mapping[LicenceEventKind, tuple[AuthorityStatus, ...]] = {
    LicenceEventKind.ISSUED: (AuthorityStatus.VALID,),
    # A suspended licence can be corrected without being resumed.
    LicenceEventKind.MODIFIED: (AuthorityStatus.VALID, AuthorityStatus.SUSPENDED),
    LicenceEventKind.SUSPENDED: (AuthorityStatus.SUSPENDED,),
    LicenceEventKind.RESUMED: (AuthorityStatus.VALID,),
    LicenceEventKind.REVOKED: (AuthorityStatus.REVOKED,),
    LicenceEventKind.ANNULLED: (AuthorityStatus.CANCELLED,),
    # The original of a split lives on with its rest, or ends when everything went into the parts.
    LicenceEventKind.SPLIT: (AuthorityStatus.VALID, AuthorityStatus.CANCELLED),
    LicenceEventKind.EUGEA_REGISTERED: (AuthorityStatus.VALID,),
}

_SPLIT_TYPES = (LicenceType.GLOBAL, LicenceType.LARGE_PROJECT_GLOBAL)


def lint(
    licence: Licence,
    kind: LicenceEventKind,
    *,
    legacy_codes: LegacyCodes = DEFAULT_LEGACY_CODES,
    unread: Collection[str] = (),
) -> list[Finding]:
    """Every finding on one snapshot, errors and warnings, in the order of the rules.

    Args:
        licence: the snapshot as read.
        kind: the act it came with.
        legacy_codes: per issuing state, codes of the time before 9 September 2021 that it may still use.
        unread: top-level wire fields that could not be read; rules that compare them are left out.
    """
    case = _Case(licence, kind, legacy_codes)
    return [finding for rule in _RULES if rule.reads.isdisjoint(unread) for finding in rule.check(case)]


def lint_split(original: Licence, parts: Sequence[Licence]) -> list[Finding]:
    """Findings on a split as a whole: parts are there, are licences of their own, and come from this original."""
    findings = []
    if not parts:
        findings.append(Finding("PARTS_MISSING", "parts", "", "a split names the new licences"))
    findings += _check_count("parts", parts)
    if original.type not in _SPLIT_TYPES:
        message = "Regulation (EU) 2021/821 Art. 12(4) provides for splitting a global licence"
        findings.append(_warning("SPLIT_TYPE", "type", original.type.value, message))
    seen = {original.licence_id}
    for index, part in enumerate(parts):
        where = f"parts[{index}]"
        if part.licence_id in seen:
            message = "a part is a new licence: its number is neither the original's nor another part's"
            findings.append(Finding("PART_IDENTITY", f"{where}.number", part.number, message))
        seen.add(part.licence_id)
        if part.issuer != original.issuer:
            findings.append(Finding("PART_IDENTITY", f"{where}.issuer", part.issuer, "a part has the same issuer"))
        if licence_key(original.issuer, part.replaces) != original.licence_id:
            message = "a part names the licence it was split from"
            findings.append(_warning("PART_REPLACES", f"{where}.replaces", part.replaces, message))
    return findings


def lint_bar(bar: ExporterBar) -> list[Finding]:
    """Findings on the bar of an exporter (Reg. 2021/821 Art. 12(7))."""
    findings = _check_issuer(bar.issuer) + check_eori(bar.eori) + check_text(bar.reason, "reason", "reason")
    for index, code in enumerate(bar.document_codes):
        if code not in EUGEA_CODES:
            message = "an exporter is barred from Union general authorisations: X061 to X068"
            findings.append(Finding("DOCUMENT_CODE_TYPE", f"documentCodes[{index}]", code[:80], message))
    return findings


def under(findings: Iterable[Finding], prefix: str) -> list[Finding]:
    """The same findings with their paths below `prefix`."""
    return [replace(finding, field=f"{prefix}.{finding.field}") for finding in findings]


@dataclass(frozen=True, slots=True)
class _Case:
    licence: Licence
    kind: LicenceEventKind
    legacy_codes: LegacyCodes


@dataclass(frozen=True, slots=True)
class _Rule:
    check: Callable[[_Case], Iterable[Finding]]
    reads: frozenset[str] = frozenset()
    """Fields compared with each other; empty for rules that look at single values."""


def _warning(code: str, field: str, value: str, message: str) -> Finding:
    return Finding(code, field, value, message, Severity.WARNING)


def _check_issuer(issuer: str) -> list[Finding]:
    findings = check_country(issuer, "issuer")
    if not findings and issuer not in ZONES:
        message = "no legal time is built in for this state; the configured one decides on calendar days"
        findings.append(_warning("ISSUER_ZONE", "issuer", issuer, message))
    return findings


def _identity(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    yield from _check_issuer(licence.issuer)
    for finding in check_licence_number(licence.number):
        # Blanks do not change the identity, but the certificate carries the number as it is and customs refuse blanks.
        blanks = finding.code == "LICENCE_NUMBER_BLANKS"
        yield replace(finding, severity=Severity.ERROR) if blanks else finding
    if not 1 <= licence.version <= MAX_VERSION:
        yield Finding("VERSION_RANGE", "version", str(licence.version)[:80], "versions count from 1 upwards")


def _texts(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    yield from check_text(licence.application_number, "applicationNumber", "applicationNumber")
    yield from check_text(licence.legal_basis, "legalBasis", "legalBasis")
    yield from check_text(licence.replaces, "replaces", "replacedReferenceNumber")
    for index, condition in enumerate(licence.conditions):
        yield from check_text(condition, f"conditions[{index}]", "condition", required=True)


def _holder(case: _Case) -> Iterator[Finding]:
    holder = case.licence.holder
    transit = case.licence.direction is Direction.TRANSIT
    yield from _check_party(holder, "holder", required=not transit)
    # Nothing about the operator is mapped for transit, whose holder may be a person without an EORI number.
    if holder.identification or not transit:
        yield from check_eori(holder.identification, "holder.eori")


def _parties(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    yield from check_text(licence.authority.name, "authority.name", "issuingAuthorityName", required=True)
    for name, parties in (("consignees", licence.consignees), ("endUsers", licence.end_users)):
        for index, party in enumerate(parties):
            field = f"{name}[{index}]"
            yield from _check_party(party, field, required=True)
            yield from check_text(party.identification, f"{field}.identification", "identificationNumber")


def _consignees(case: _Case) -> Iterator[Finding]:
    if case.licence.type is LicenceType.INDIVIDUAL and len(case.licence.consignees) > 1:
        message = "an individual licence names one consignee or end-user (Reg. 2021/821 Art. 2(12))"
        yield _warning("CONSIGNEE_COUNT", "consignees", str(len(case.licence.consignees)), message)


def _check_party(party: Party, field: str, *, required: bool) -> Iterator[Finding]:
    yield from check_text(party.name, f"{field}.name", "name", required=required)
    yield from check_text(party.street, f"{field}.street", "streetAndNumber")
    yield from check_text(party.postcode, f"{field}.postcode", "postcode")
    yield from check_text(party.city, f"{field}.city", "city")
    if party.country:
        yield from check_country(party.country, f"{field}.country")


def _countries(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    lists = (("destinations", licence.destinations), ("consignmentCountries", licence.consignment_countries))
    for name, countries in lists:
        for index, country in enumerate(countries):
            yield from check_country(country, f"{name}[{index}]")
            if country in countries[:index]:
                yield _warning("DUPLICATE", f"{name}[{index}]", country[:80], "listed before")


def _destinations(case: _Case) -> Iterator[Finding]:
    general = unlimited(case.licence.type) or case.licence.direction is Direction.TRANSIT
    if not general and not case.licence.destinations:
        message = "an export licence names its countries of final destination (form box 12)"
        yield Finding("DESTINATION_MISSING", "destinations", "", message)


def _procedures(case: _Case) -> Iterator[Finding]:
    transit = case.licence.direction is Direction.TRANSIT
    for index, code in enumerate(case.licence.procedures):
        field = f"procedures[{index}]"
        if transit:
            if code not in TRANSIT_TYPES:
                yield Finding(
                    "PROCEDURE_INVALID", field, code[:80], f"a transit licence has {', '.join(TRANSIT_TYPES)}"
                )
        elif not (code.isascii() and code.isdigit() and len(code) in (2, 4)):
            message = "a procedure is the requested one (2 digits) or requested and previous (4 digits)"
            yield Finding("PROCEDURE_INVALID", field, code[:80], message)
        elif code[:2] not in EXPORT_PROCEDURES:
            message = "customs do not check dual-use licences under this procedure (IR 2024/2145 Annex I B.2)"
            yield _warning("PROCEDURE_NOT_LISTED", field, code, message)


def _dates(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    if licence.valid_to is None:
        if not (unlimited(licence.type) or licence.type is LicenceType.LEGACY):
            yield _warning("VALIDITY_OPEN", "validTo", "", "the licence never expires")
        return
    seen = licence.valid_to.isoformat()
    if licence.valid_from is not None and licence.valid_from > licence.valid_to:
        yield Finding("DATE_ORDER", "validTo", seen, "validity ends before it begins")
    if licence.issue_date is not None and licence.issue_date > licence.valid_to:
        yield Finding("DATE_ORDER", "issueDate", licence.issue_date.isoformat(), "issued after its validity has ended")
    if licence.type.is_eugea:
        message = "a Union general authorisation has no end of validity in the exchange (IR 2024/2145 Annex II)"
        yield _warning("VALIDITY_NOT_MAPPED", "validTo", seen, message)


def _document_code(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    code = licence.document_code
    if licence.type is LicenceType.LEGACY:
        if code not in case.legacy_codes.get(licence.issuer, ()):
            message = "this issuing state may not use a code of the time before 9 September 2021"
            yield Finding("DOCUMENT_CODE_LEGACY", "documentCode", code[:80], message)
    elif licence.type not in DOCUMENT_CODES.get(code, ()):
        message = f"this code does not mean a licence of type {licence.type}"
        yield Finding("DOCUMENT_CODE_TYPE", "documentCode", code[:80], message)


def _direction(case: _Case) -> Iterator[Finding]:
    transit_type = case.licence.type is LicenceType.TRANSIT
    if transit_type != (case.licence.direction is Direction.TRANSIT):
        message = "a transit licence has direction TRANSIT, every other one EXPORT"
        yield Finding("DIRECTION_TYPE", "direction", case.licence.direction.value, message)


def _status(case: _Case) -> Iterator[Finding]:
    expected = _STATUS_OF_EVENT[case.kind]
    if case.licence.status not in expected:
        message = f"a licence that was {case.kind} is {' or '.join(expected)}"
        yield Finding("STATUS_EVENT", "status", case.licence.status.value, message)


def _registration(case: _Case) -> Iterator[Finding]:
    eugea = case.licence.type.is_eugea
    if case.kind is LicenceEventKind.EUGEA_REGISTERED and not eugea:
        yield Finding("KIND_TYPE", "type", case.licence.type.value, "only the use of EU001 to EU008 is registered")
    if case.kind is LicenceEventKind.ISSUED and eugea:
        message = "a Union general authorisation is issued by the Regulation; its use is registered"
        yield _warning("EUGEA_ISSUED", "type", case.licence.type.value, message)


def _counts(case: _Case) -> Iterator[Finding]:
    licence = case.licence
    yield from _check_count("lines", licence.lines)
    yield from _check_count("consignees", licence.consignees)
    yield from _check_count("endUsers", licence.end_users)
    yield from _check_count("destinations", licence.destinations)
    yield from _check_count("consignmentCountries", licence.consignment_countries)
    yield from _check_count("procedures", licence.procedures)
    yield from _check_count("conditions", licence.conditions)


def _check_count(name: str, entries: Sequence[object]) -> list[Finding]:
    if len(entries) <= COUNTS[name]:
        return []
    return [Finding("TOO_MANY", name, str(len(entries)), f"at most {COUNTS[name]} entries")]


_RULES: tuple[_Rule, ...] = (
    _Rule(_identity),
    _Rule(_status, frozenset({"status"})),
    _Rule(_registration, frozenset({"type"})),
    _Rule(_direction, frozenset({"type", "direction"})),
    _Rule(_document_code, frozenset({"type", "documentCode", "issuer"})),
    _Rule(_dates, frozenset({"type", "issueDate", "validFrom", "validTo"})),
    _Rule(_counts),
    _Rule(_texts),
    _Rule(_holder, frozenset({"direction"})),
    _Rule(_parties),
    _Rule(_consignees, frozenset({"type", "consignees"})),
    _Rule(_countries),
    _Rule(_destinations, frozenset({"type", "direction", "destinations"})),
    _Rule(_procedures, frozenset({"direction"})),
    _Rule(lambda case: check_lines(case.licence)),
    _Rule(lambda case: check_control(case.licence), frozenset({"type", "cap"})),
    _Rule(lambda case: check_whole_cap(case.licence), frozenset({"type", "cap", "lines"})),
)
