"""What a licence event asks of the ledger, decoded and checked, without any wire or broker types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from certex_bridge.licensing.domain.originals import Received
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


STATUS_OF_ACT: Mapping[LicenceEventKind, AuthorityStatus] = {
    LicenceEventKind.SUSPENDED: AuthorityStatus.SUSPENDED,
    LicenceEventKind.REVOKED: AuthorityStatus.REVOKED,
    LicenceEventKind.ANNULLED: AuthorityStatus.CANCELLED,
}
"""Acts that block a licence, and the status they give it (Reg. 2021/821 Art. 16(1)).

They take effect at once, whatever else is wrong with their message.
"""

FINAL = (AuthorityStatus.REVOKED, AuthorityStatus.CANCELLED)
"""What nothing leads out of."""

BARE_ACTS = frozenset({*STATUS_OF_ACT, LicenceEventKind.RESUMED})
"""Acts that may come without content: the content in force stays."""


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

    `licence` is None when an ERROR finding kept the snapshot from being read, for a bare act, a bar and a write-off.
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
    waits: bool = False
    """Whether the sender waits for the answer: a conflict is then told and not put aside."""
    received: Mapping[str, Received] = field(default_factory=dict)
    """By licence, the authority's own bytes with the content that is taken; none where no content is."""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """By hash, the files attached to this event."""
    bare: bool = False
    """Whether an act came without content; `licence` is then None without any error."""
    stated: AuthorityStatus | None = None
    """The status in a message whose content could not be taken, where it can be read."""
    sub_status: str = ""
    """The same for the sub-status."""

    @property
    def act(self) -> AuthorityStatus | None:
        """The status that this event gives when it is an act that blocks a licence, else None.

        A changed content that states a suspension is one, too.
        """
        stated = self.licence.status if self.licence is not None else self.stated
        if self.kind is LicenceEventKind.MODIFIED and stated is AuthorityStatus.SUSPENDED:
            return stated
        return STATUS_OF_ACT.get(self.kind)

    @property
    def means_to_block(self) -> bool:
        """Whether the sender wanted to block a licence or an exporter, even where the message contradicts itself."""
        final = self.kind is LicenceEventKind.MODIFIED and self.stated in FINAL
        return self.act is not None or final or self.kind is LicenceEventKind.EXPORTER_BARRED

    @property
    def refused(self) -> bool:
        """Whether a finding refuses the event as a whole."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is told to the sender and changes nothing."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)
