"""Which declaration an event speaks about, and where it was declared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.customs import wire
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import check_eori, check_lrn, check_mrn, mrn_member_state
from certex_bridge.ledger.domain.issuers import MRN as FROM_MRN
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.customs.options import DecodeOptions


FROM_EXPORTER = "EXPORTER"
"""The weakest sign of where a declaration was lodged: a licence's issuer taken from it is remarked."""


class Identity(NamedTuple):
    """The declaration's names; without a name of its own a supplementary one has that of the simplified one."""

    mrn: str
    lrn: str
    exporter: str
    country: str
    """Declaring state: from the MRN, else the office, else the exporter's number."""
    country_from: str = ""
    """What told the country: MRN, OFFICE or EXPORTER."""
    simplified: tuple[SimplifiedReference, ...] = ()
    """The simplified declarations that this one supplements as a whole, under a name of its own."""
    told_to: bool = False
    """Whether a supplementary declaration without a name of its own is told to the simplified one's record."""


def identify(data: wire.Event, findings: list[Finding]) -> Identity:
    """The identity in a canonical event; warnings go to `findings`.

    Raises:
        Poison: IDENTITY_MISSING, IDENTITY_CONFLICT (two different exporters, or a declaration that supplements itself
            beside others), MRN_INVALID, LRN_INVALID, EORI_INVALID.
    """
    exporter = _exporter(data)
    mrn, lrn = data.mrn or "", data.lrn or ""
    simplified = _simplified(data, findings) if isinstance(data, wire.Content) else ()
    only = simplified[0].mrn if len(simplified) == 1 and not simplified[0].item else ""
    nameless = isinstance(data, wire.Supplementary) and bool(only) and not (lrn and exporter)
    if mrn:
        _check(check_mrn(mrn), findings)
    elif not (lrn and exporter) and not nameless:
        raise Poison("IDENTITY_MISSING", "neither an MRN nor LRN and exporter name the declaration", "mrn")
    if lrn:
        _check(check_lrn(lrn), findings)
    if exporter:
        _check_exporter(exporter, mrn or only, findings)
    country, country_from = declaring_country(mrn or only, data.office or "", exporter)
    if nameless and not mrn:
        return Identity(only, "", exporter, country, country_from, told_to=True)
    if mrn and any(reference.mrn == mrn for reference in simplified):
        if only and isinstance(data, wire.Supplementary):
            return Identity(mrn, lrn, exporter, country, country_from, told_to=True)
        raise Poison("IDENTITY_CONFLICT", "a declaration cannot supplement itself", "simplifiedDeclarations", mrn)
    return Identity(mrn, lrn, exporter, country, country_from, simplified)


def _simplified(data: wire.Content, findings: list[Finding]) -> tuple[SimplifiedReference, ...]:
    """What a supplementary declaration supplements as a whole, sorted."""
    named = read_simplified(data.simplified_declarations, "simplifiedDeclarations", findings)
    single = data.simplified_mrn if isinstance(data, wire.Supplementary) else None
    if not single:
        return named
    _check(check_mrn(single, "simplifiedMrn"), findings)
    return tuple(sorted({*named, SimplifiedReference(single)}))


def read_simplified(
    named: Sequence[wire.SimplifiedDeclaration], place: str, findings: list[Finding]
) -> tuple[SimplifiedReference, ...]:
    """Simplified declarations as named at one level, sorted, each once.

    Raises:
        Poison: MRN_INVALID.
    """
    for number, one in enumerate(named):
        _check(check_mrn(one.mrn, f"{place}[{number}].mrn"), findings)
    return tuple(sorted({SimplifiedReference(one.mrn, one.item or 0) for one in named}))


def declaring_country(mrn: str, office: str, exporter: str) -> tuple[str, str]:
    """The state where the declaration was lodged, as well as the message tells it, and what told it."""
    if mrn:
        return mrn_member_state(mrn), FROM_MRN
    if office:
        return office[:2], "OFFICE"
    return exporter[:2], FROM_EXPORTER


def check_clock(occurred_at: datetime, timestamp_ms: int, options: DecodeOptions, findings: list[Finding]) -> None:
    """Remark a sender whose clock is far ahead of the broker's: its events would outrank honest later ones."""
    ahead_ms = occurred_at.timestamp() * 1000 - timestamp_ms
    if timestamp_ms > 0 and ahead_ms > options.clock_tolerance.total_seconds() * 1000:
        message = "the event says it happened later than it was received"
        findings.append(Finding("CLOCK_AHEAD", "ce_time", occurred_at.isoformat(), message, Severity.WARNING))


def check_acceptance(
    day: str, timestamp_ms: int, options: DecodeOptions, findings: list[Finding], field: str = "acceptedAt"
) -> None:
    """Remark an acceptance (ISO text, a day or an instant; empty: none) that lies after the event was received.

    The date of acceptance decides whether a licence was valid (Reg. (EU) 952/2013 Art. 172(2)): by one of the future a
    licence may count that is not in force yet, or one that is may not count any more.
    """
    if not day or timestamp_ms <= 0:
        return
    begins = datetime.fromisoformat(day)
    begins = begins if begins.tzinfo else begins.replace(tzinfo=UTC)
    if begins.timestamp() * 1000 - timestamp_ms > options.clock_tolerance.total_seconds() * 1000:
        message = "the declaration is said to be accepted later than the event was received"
        findings.append(Finding("ACCEPTANCE_AHEAD", field, day, message, Severity.WARNING))


def _exporter(data: wire.Event) -> str:
    declaration: wire.Declaration | None = getattr(data, "declaration", None)
    inner = (declaration and declaration.exporter) or ""
    outer = data.exporter or ""
    if inner and outer and inner != outer:
        message = "the event and its declaration name two exporters"
        raise Poison("IDENTITY_CONFLICT", message, "exporter", f"{outer} / {inner}")
    return outer or inner


def _check(found: list[Finding], findings: list[Finding]) -> None:
    """Keep warnings, refuse on errors."""
    for finding in found:
        if finding.severity is Severity.ERROR:
            raise Poison(finding.code, finding.message, finding.field, finding.value)
        findings.append(finding)


def _check_exporter(exporter: str, mrn: str, findings: list[Finding]) -> None:
    """An impossible number is fatal only where it has to name the declaration."""
    for finding in check_eori(exporter, "exporter"):
        if not mrn:
            raise Poison(finding.code, finding.message, finding.field, finding.value)
        findings.append(Finding(finding.code, finding.field, finding.value, finding.message, Severity.WARNING))
