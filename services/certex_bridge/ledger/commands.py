"""What the executor takes in: decoded events, records for quarantine, and the bridge's own timers and wakes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand

INTERNAL = Origin("internal", 0, -1)
"""Origin of timers and of commands that no topic carried."""


@dataclass(frozen=True, slots=True)
class ValidityPassed:
    """The last day of validity of one licence version is over (a timer; its id comes from content)."""

    licence_id: str
    version: int
    occurred_at: datetime

    @property
    def event_id(self) -> str:
        """The same on every clock, so two clocks firing have one effect."""
        return f"timer:EXPIRED:{self.licence_id}:{self.version}"

    @property
    def payload_sha256(self) -> str:
        """Timers have no payload; the id is the content."""
        return ""


Command = DeclarationCommand | LicenceCommand | ValidityPassed


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record on its way into the ledger: decoded, or refused by the decoder."""

    origin: Origin
    command: Command | None
    refused: QuarantineRow | None = None
    raw: bytes | None = None
    """The record's value, kept so that a conflict can be put aside byte for byte."""
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
