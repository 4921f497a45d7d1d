"""The lint of a licence event: every finding at once, so that a sender corrects everything in one go.

When a field could not be read, the comparisons that need it are left out, and nothing else: a finding about a
stand-in would send the sender after a mistake that is not theirs, a missing one after the next answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from certex_bridge.kernel.countries import MEMBER_STATES, check_issuer
from certex_bridge.kernel.dates import ZONES
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import check_eori, check_licence_number, licence_key
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.documents import (
    DEFAULT_LEGACY_CODES,
    EUGEA_CODES,
    is_document_code,
)
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence, LicenceType, is_eugea
from certex_bridge.licensing.domain.lint_case import Case, LegacyCodes, check_count, warning
from certex_bridge.licensing.domain.lint_lines import check_control, check_lines, check_whole_cap
from certex_bridge.licensing.domain.lint_places import check_places
from certex_bridge.licensing.domain.lint_texts import check_parties, check_texts
from certex_bridge.licensing.domain.texts import check_text

MAX_VERSION = 2_000_000_000
"""Below what is stored, so that an act whose number is used already can always have the next one."""

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

NORTHERN_IRELAND = frozenset({"GB", "XI"})
"""Where the Regulation applies as well, and its licensing authority, which serves the whole United Kingdom."""

_SPLIT_TYPES = (LicenceType.GLOBAL, LicenceType.LARGE_PROJECT_GLOBAL)


def lint(
    licence: Licence,
    kind: LicenceEventKind,
    *,
    legacy_codes: LegacyCodes = DEFAULT_LEGACY_CODES,
    types: CertificateTypes = DUAL_USE_TYPES,
    unread: Collection[str] = (),
) -> list[Finding]:
    """Every finding on one snapshot, errors and warnings, in the order of the rules.

    Args:
        licence: the snapshot as read.
        kind: the act it came with.
        legacy_codes: per issuing state, document codes outside TARIC's current list that it may use: those of the
            time before 9 September 2021, and national ones (n1an3).
        types: the certificate types that are live.
        unread: top-level wire fields that could not be read; comparisons with them are left out.
    """
    case = Case(licence, kind, legacy_codes, types, frozenset(unread))
    return [finding for rule in _RULES for finding in rule(case)]


def lint_split(original: Licence, parts: Sequence[Licence]) -> list[Finding]:
    """Findings on a split as a whole: parts are there, are licences of their own, and come from this original."""
    findings = []
    if not parts:
        findings.append(Finding("PARTS_MISSING", "parts", "", "a split names the new licences"))
    findings += check_count("parts", parts)
    if original.type not in _SPLIT_TYPES:
        message = "Regulation (EU) 2021/821 Art. 12(4) provides for splitting a global licence"
        findings.append(warning("SPLIT_TYPE", "type", original.type, message))
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
            findings.append(warning("PART_REPLACES", f"{where}.replaces", part.replaces, message))
    return findings


def lint_bare_act(  # what a bare act has
    issuer: str, number: str, version: int, status: AuthorityStatus | None, sub_status: str, kind: LicenceEventKind
) -> list[Finding]:
    """Findings on an act without content."""
    findings = [*_check_issuer(issuer), *_check_number(number, "number"), *_check_version(version)]
    if status is not None and status not in _STATUS_OF_EVENT[kind]:
        findings.append(_status_finding(kind, status))
    return findings + check_text(sub_status, "subStatus", "subStatus")


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
    return [
        Finding(finding.code, f"{prefix}.{finding.field}", finding.value, finding.message, finding.severity)
        for finding in findings
    ]


def _check_issuer(issuer: str) -> list[Finding]:
    findings = check_issuer(issuer)
    if not findings and issuer not in ZONES:
        message = "no legal time is built in for this state; the configured one decides on calendar days"
        findings.append(warning("ISSUER_ZONE", "issuer", issuer, message))
    return findings


def _identity(case: Case) -> Iterator[Finding]:
    licence = case.licence
    yield from _check_issuer(licence.issuer)
    yield from _check_number(licence.number, "number")
    yield from _check_version(licence.version)


def _check_version(version: int) -> Iterator[Finding]:
    if not 1 <= version <= MAX_VERSION:
        message = f"versions count from 1 upwards, to {MAX_VERSION}"
        yield Finding("VERSION_RANGE", "version", str(version)[:80], message)


def _granting_authority(case: Case) -> Iterator[Finding]:
    """The Union authorises by Regulation; every other licence is granted by a Member State's authority (Art. 12)."""
    licence = case.licence
    known = licence.type in set(LicenceType) and licence.type != LicenceType.LEGACY
    if not case.read("type", "issuer") or not known or licence.issuer in MEMBER_STATES | NORTHERN_IRELAND:
        return
    if licence.issuer == "EU" and is_eugea(licence.type):
        return
    if not check_issuer(licence.issuer):
        message = f"a licence of type {licence.type} is granted by a Member State (Reg. 2021/821 Art. 12)"
        yield warning("ISSUER_TYPE", "issuer", licence.issuer, message)


def _check_number(number: str, field: str) -> Iterator[Finding]:
    """Findings on a licence number that the certificate carries."""
    for finding in check_licence_number(number, field):
        # Blanks do not change the identity, but the certificate carries the number as it is and customs refuse blanks.
        blanks = finding.code == "LICENCE_NUMBER_BLANKS"
        yield replace(finding, severity=Severity.ERROR) if blanks else finding


def _status(case: Case) -> Iterator[Finding]:
    if case.read("status") and case.licence.status not in _STATUS_OF_EVENT[case.kind]:
        yield _status_finding(case.kind, case.licence.status)


def _status_finding(kind: LicenceEventKind, status: AuthorityStatus) -> Finding:
    message = f"a licence that was {kind} is {' or '.join(_STATUS_OF_EVENT[kind])}"
    return Finding("STATUS_EVENT", "status", status.value, message)


def _registration(case: Case) -> Iterator[Finding]:
    if not case.read("type"):
        return
    eugea = is_eugea(case.licence.type)
    if case.kind is LicenceEventKind.EUGEA_REGISTERED and not eugea:
        yield Finding("KIND_TYPE", "type", case.licence.type, "only the use of EU001 to EU008 is registered")
    if case.kind is LicenceEventKind.ISSUED and eugea:
        message = "a Union general authorisation is issued by the Regulation; its use is registered"
        yield warning("EUGEA_ISSUED", "type", case.licence.type, message)


def _direction(case: Case) -> Iterator[Finding]:
    expected = case.types.direction(case.licence.type)
    if case.read("type", "direction") and case.licence.direction is not expected:
        message = f"a licence of type {case.licence.type} has direction {expected}"
        yield Finding("DIRECTION_TYPE", "direction", case.licence.direction.value, message)


def _document_code(case: Case) -> Iterator[Finding]:
    """A code is that of the type, or one that the settings allow this issuer; X002 stays the code of legacy licences.

    The derived code of a type that could not be read says nothing, so a sender's own code is judged only by whether
    any licence at all has it.
    """
    licence, code = case.licence, case.licence.document_code
    types = case.types.meanings.get(code, ())
    allowed = not case.read("issuer") or code in case.legacy_codes.get(licence.issuer, ())
    seen = code[:80]
    if not case.read("type"):
        if not (types or allowed):
            yield Finding("DOCUMENT_CODE_TYPE", "documentCode", seen, "no type of licence has this code")
    elif licence.type == LicenceType.LEGACY:
        if not allowed:
            message = "this issuing state may not use a code of the time before 9 September 2021"
            yield Finding("DOCUMENT_CODE_LEGACY", "documentCode", seen, message)
    elif licence.type not in types and (types or not allowed):
        message = f"this code does not mean a licence of type {licence.type}"
        yield Finding("DOCUMENT_CODE_TYPE", "documentCode", seen, message)
    if not is_document_code(code):
        yield Finding("DOCUMENT_CODE_FORM", "documentCode", seen, "a document code is an4 (D.E. 12 03 002)")


def _dates(case: Case) -> Iterator[Finding]:
    licence = case.licence
    if licence.issue_date is None:
        yield Finding("FIELD_MISSING", "issueDate", "", "a licence has a date of issue")
    if licence.valid_to is None:
        open_ended = unlimited(licence.type) or licence.type == LicenceType.LEGACY
        if case.read("type", "validTo") and not open_ended:
            yield warning("VALIDITY_OPEN", "validTo", "", "the licence never expires")
        return
    seen = licence.valid_to.isoformat()
    if licence.valid_from is not None and licence.valid_from > licence.valid_to:
        yield Finding("DATE_ORDER", "validTo", seen, "validity ends before it begins")
    if case.read("issueDate") and licence.issue_date is not None and licence.issue_date > licence.valid_to:
        yield Finding("DATE_ORDER", "issueDate", licence.issue_date.isoformat(), "issued after its validity has ended")
    if case.read("type") and is_eugea(licence.type):
        message = "a Union general authorisation has no end of validity in the exchange (IR 2024/2145 Annex II)"
        yield warning("VALIDITY_NOT_MAPPED", "validTo", seen, message)


def _initial_licence(case: Case) -> Iterator[Finding]:
    """The declaration names number and state of the initial licence (Reg. 2021/821 Annex II Section C)."""
    initial = case.licence.initial_licence
    if initial is not None:
        yield from check_issuer(initial.issuer, "initialLicence.issuer")
        yield from _check_number(initial.number, "initialLicence.number")
    elif case.read("type", "initialLicence") and case.licence.type == LicenceType.EU003:
        message = "EU003 names the initial licence: its number and the state that granted it"
        yield Finding("FIELD_MISSING", "initialLicence", "", message)


def _shipment_value(case: Case) -> Iterator[Finding]:
    """A limit that would not be looked at must not be accepted."""
    most = case.licence.shipment_value_max
    if most is None:
        return
    if case.read("type") and case.licence.type != LicenceType.NGEA:
        message = "only a national general authorisation limits the value of a shipment"
        yield Finding("SHIPMENT_VALUE_TYPE", "shipmentValueMax", str(most), message)
    if not most.amount:
        yield Finding("ZERO", "shipmentValueMax.amount", "0", "a limit is greater than zero")


_RULES: tuple[Callable[[Case], Iterable[Finding]], ...] = (
    _identity,
    _granting_authority,
    _status,
    _registration,
    _direction,
    _document_code,
    _dates,
    _initial_licence,
    _shipment_value,
    check_texts,
    check_parties,
    check_places,
    lambda case: check_lines(case.licence),
    check_control,
    check_whole_cap,
)
