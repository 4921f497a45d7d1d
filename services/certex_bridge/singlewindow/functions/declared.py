"""From the declaration in a question to the facts that the ledger's rules work on.

Read by the same reader as the declarations of the topics, so that a check and the reservation after it understand the
same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.exit_day import exit_not_counted
from certex_bridge.customs.identity import declaring_country, read_simplified
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.payload import PayloadReader
from certex_bridge.kernel.dates import has_zone, parse_date, parse_instant
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.kernel.identifiers import check_eori, check_mrn
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.reasons import EXPLANATIONS, SENTENCES
from certex_bridge.ledger.domain.simplified import SUPPLEMENTARY_TYPES, SimplifiedReference
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.matching import draft_id
from certex_bridge.platform.poison import Poison
from certex_bridge.singlewindow.functions.movement_event import content_of, simplified_of
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.messages.goods import DeclarationReference
from certex_bridge.singlewindow.refusals import FieldError, Refusal

_UNKNOWN = Facts()
_NAMED = "DeclarationReference"
_NAMELESS = DeclarationReference.model_construct()


@dataclass(frozen=True, slots=True)
class Declared:
    """What a question says of a declaration."""

    payload: Payload
    decl_id: str
    """MRN, or exporter and LRN; empty when the question names no declaration."""
    mrn: str
    lrn: str
    exporter: str
    version: int | None
    acceptance_day: str
    """Day or instant that validity is judged on, ISO text; empty: not stated."""
    exit_day: str = ""
    """Day of exit, ISO text; empty: not stated, or another day was asked for."""
    findings: tuple[Finding, ...] = ()
    supplements: bool = False
    """Whether this is a supplementary declaration: one instrument with the simplified ones it names."""

    def facts(
        self, at: datetime, call_id: str, *, accepted: bool = False, version: int = 0, known: Facts = _UNKNOWN
    ) -> Facts:
        """The facts as of a question; what is known of acceptance and exit stands in where the question is silent."""
        stamp = Stamp(at, call_id)
        return Facts(
            payload=self.payload,
            payload_rank=PayloadRank(0, self.version or version or 1, stamp),
            lodged=None if version else stamp,
            accepted=stamp if accepted else None,
            acceptance_day=self.acceptance_day or known.acceptance_day,
            exit_told=stamp if self.exit_day else known.exit_told,
            exit_day=self.exit_day or known.exit_day,
            mrn=self.mrn,
            lrn=self.lrn,
            exporter=self.exporter,
        )


def read_declared(request: AvailabilityCheck, state: str, options: DecodeOptions) -> Declared:
    """The declaration in a question; `state` is the caller's, for one that says nothing of where it was lodged.

    Raises:
        Refusal: SCHEMA_INVALID, with every mistake; SIMPLIFIED_NOT_NAMED is one of a supplementary declaration.
    """
    named = request.declaration_reference or _NAMELESS
    mrn, lrn = named.mrn or "", named.lrn or ""
    exporter = named.exporter.identification_number if named.exporter else ""
    office = named.customs_office_of_export.reference_number if named.customs_office_of_export else ""
    findings = _identity_findings(mrn, exporter)
    country, country_from = declaring_country(mrn, office, "")
    if not country:
        country, country_from = state, "CALLER"
    reader = PayloadReader(country, options, findings, issuer_from=country_from)
    try:
        declaration = _declaration(request, named)
        payload = reader.read(declaration, exporter, office)
        day, exit_day = _acceptance_day(request, named), _exit_day(request, named)
        whole = read_simplified(_simplified(named), f"{_NAMED}.SimplifiedDeclaration", findings)
    except (Poison, InputError) as error:
        raise unreadable([Finding(error.code, error.field, str(error.value), str(error))]) from error
    findings += exit_not_counted(named.day_of_exit, declaration)
    decl_id = mrn or (draft_id(exporter, lrn) if lrn and exporter else "")
    supplements = _supplements(payload, whole, findings)
    told = (named.declaration_version, day, exit_day, tuple(findings), supplements)
    return Declared(payload, decl_id, mrn, lrn, exporter, *told)


def _simplified(named: DeclarationReference) -> list[wire.SimplifiedDeclaration]:
    return msgspec.convert(simplified_of(named.simplified_declaration) or [], list[wire.SimplifiedDeclaration])


def _supplements(payload: Payload, whole: Sequence[SimplifiedReference], findings: list[Finding]) -> bool:
    """Whether the declaration supplements others; then its figures are decided with theirs.

    Raises:
        Refusal: SCHEMA_INVALID (SIMPLIFIED_NOT_NAMED), it is a supplementary one and names none.
    """
    if whole or any(item.simplified for item in payload.items):
        findings.append(Finding("ONE_INSTRUMENT", _NAMED, "", EXPLANATIONS["ONE_INSTRUMENT"], Severity.INFO))
        return True
    if payload.additional_type in SUPPLEMENTARY_TYPES:
        place, code = f"{_NAMED}.SimplifiedDeclaration", "SIMPLIFIED_NOT_NAMED"
        raise unreadable([Finding(code, place, payload.additional_type, SENTENCES[code])])
    return False


def _identity_findings(mrn: str, exporter: str) -> list[Finding]:
    """A number that cannot be is refused where it has to name the declaration, and remarked elsewhere."""
    found = check_mrn(mrn, "DeclarationReference.MRN") if mrn else []
    if exporter:
        place = "DeclarationReference.Exporter.identificationNumber"
        of_exporter = check_eori(exporter, place)
        found += [replace(one, severity=Severity.WARNING) for one in of_exporter] if mrn else of_exporter
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise unreadable(errors)
    return found


def unreadable(findings: Sequence[Finding]) -> Refusal:
    """The refusal of what cannot be read, with every mistake."""
    errors = [FieldError(one.field, "14", one.code, one.value[:512], one.message) for one in findings]
    return Refusal("SCHEMA_INVALID", "the question cannot be read", errors=errors)


def _acceptance_day(request: AvailabilityCheck, named: DeclarationReference) -> str:
    day = request.as_of or named.declaration_acceptance_date
    if day:
        return parse_date(day, "asOf" if request.as_of else "declarationAcceptanceDate").isoformat()
    text = named.declaration_acceptance_date_and_time
    if not text:
        return ""
    field = "declarationAcceptanceDateAndTime"
    return parse_instant(text if has_zone(text) else text + "Z", field=field).isoformat()


def _exit_day(request: AvailabilityCheck, named: DeclarationReference) -> str:
    """The day stated; a day that is asked for counts instead."""
    if named.day_of_exit is None:
        return ""
    day = parse_date(named.day_of_exit, "dayOfExit").isoformat()
    return "" if request.as_of else day


def _declaration(request: AvailabilityCheck, named: DeclarationReference) -> wire.Declaration:
    """As an event would tell it; a question may leave the type out, and means an export then."""
    return msgspec.convert({"type": "EX", **content_of(request, named)}, wire.Declaration)
