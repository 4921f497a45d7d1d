"""What the executor takes in: decoded events, records for quarantine, and the bridge's own timers and wakes."""

from __future__ import annotations

from collections.abc import Iterable
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
    trace: str = ""
    """W3C traceparent that it carries, empty: none."""


def licences_of(commands: Iterable[Command]) -> set[str]:
    """Licences that events of the licensing side and timers are about."""
    found: set[str] = set()
    for command in commands:
        if isinstance(command, ValidityPassed):
            found.add(command.licence_id)
        elif isinstance(command, LicenceCommand) and command.licence is not None:
            found.add(command.licence_id)
            found.update(part.licence_id for part in command.parts)
        elif isinstance(command, LicenceCommand) and command.write_off is not None:
            found.add(command.licence_id)
    return found


def write_offs_of(commands: Iterable[Command]) -> set[str]:
    """Write-offs made outside the bridge have a row like a declaration's."""
    told = [command.write_off for command in commands if isinstance(command, LicenceCommand)]
    return {write_off.evidence.write_off_id for write_off in told if write_off is not None}
