"""What a licence event asks of the ledger, decoded and checked, without any wire or broker types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.writeoff import WriteOff


class LicenceEventKind(StrEnum):
    """The acts of a licensing authority that reach the bridge; the value is the middle part of `ce_type`."""

    ISSUED = "issued"
    MODIFIED = "modified"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    REVOKED = "revoked"
    ANNULLED = "annulled"
    SPLIT = "split"
    EUGEA_REGISTERED = "eugea-registered"
    EXPORTER_BARRED = "exporter-barred"
    WRITE_OFF_CAPTURED = "write-off-captured"


@dataclass(frozen=True, slots=True)
class ExporterBar:
    """An exporter may no longer use a Union general authorisation (Reg. 2021/821 Art. 12(7))."""

    issuer: str
    eori: str
    document_codes: tuple[str, ...]
    """TARIC codes X061 to X068; empty means all of them."""
    from_day: date
    """First calendar day of the bar in the issuing state's legal time."""
    reason: str = ""

    @property
    def bar_id(self) -> str:
        """Identity of the bar; the lower-case word keeps it apart from every licence key, which is upper case."""
        return f"{self.issuer}/bar:{self.eori}"


@dataclass(frozen=True, slots=True)
class LicenceCommand:
    """One licence event.

    `licence` is None when an ERROR finding kept the snapshot from being read, for a bar and for a write-off.
    """

    event_id: str
    occurred_at: datetime
    kind: LicenceEventKind
    licence: Licence | None
    parts: tuple[Licence, ...]
    """The new licences of a split (Reg. 2021/821 Art. 12(4))."""
    bar: ExporterBar | None
    findings: tuple[Finding, ...]
    payload_sha256: str
    """Hash of the data in canonical form: the same version with another hash is a conflict."""
    licence_id: str
    """`issuer/NUMBER`, or `issuer/bar:EORI` for a bar."""
    version: int
    """0 when the sender's version could not be read, for a bar and for a write-off."""
    write_off: WriteOff | None = None
    """A write-off made outside the bridge."""

    @property
    def refused(self) -> bool:
        """Whether a finding refuses the event as a whole."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is told to the sender and changes nothing."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)
