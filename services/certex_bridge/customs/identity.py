"""Which declaration an event speaks about, and where it was declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.customs import wire
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import check_eori, check_lrn, check_mrn, mrn_member_state
from certex_bridge.ledger.domain.issuers import MRN as FROM_MRN
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from datetime import datetime

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
    simplified: str = ""
    """The simplified declaration that this one supplements under a name of its own."""


def identify(data: wire.Event, findings: list[Finding]) -> Identity:
    """The identity in a canonical event; warnings go to `findings`.

    Raises:
        Poison: IDENTITY_MISSING, IDENTITY_CONFLICT (two different exporters), MRN_INVALID, LRN_INVALID, EORI_INVALID.
    """
    exporter = _exporter(data)
    mrn, lrn = data.mrn or "", data.lrn or ""
    simplified = (data.simplified_mrn or "") if isinstance(data, wire.Supplementary) else ""
    if mrn:
        _check(check_mrn(mrn), findings)
    elif not (lrn and exporter) and not simplified:
        raise Poison("IDENTITY_MISSING", "neither an MRN nor LRN and exporter name the declaration", "mrn")
    if lrn:
        _check(check_lrn(lrn), findings)
    if exporter:
        _check_exporter(exporter, mrn or simplified, findings)
    if simplified:
        _check(check_mrn(simplified, "simplifiedMrn"), findings)
    country, country_from = declaring_country(mrn or simplified, data.office or "", exporter)
    if simplified and not mrn and not (lrn and exporter):
        return Identity(simplified, "", exporter, country, country_from)
    return Identity(mrn, lrn, exporter, country, country_from, simplified)


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
