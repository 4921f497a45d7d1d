"""What the executor takes in: decoded events, records for quarantine, and the bridge's own timers and wakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.ports import Changes, Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.platform.positions import Reached

INTERNAL = Origin("internal", 0, -1)
"""Origin of timers and of commands that no topic carried."""


@dataclass(frozen=True, slots=True)
class ValidityPassed:
    """The last day of validity of one licence version is over (a timer; its id comes from content)."""

    licence_id: str
    version: int
    occurred_at: datetime
    change: int = 0
    """Number of the licence's last change of status when the day was seen to be over."""

    @property
    def event_id(self) -> str:
        """The same on every clock, so two clocks firing have one effect; another one once an expiry was undone."""
        return f"timer:EXPIRED:{self.licence_id}:{self.version}:{self.change}"

    @property
    def payload_sha256(self) -> str:
        """Timers have no payload; the id is the content."""
        return ""


@dataclass(frozen=True, slots=True)
class ExpiryUndone:
    """An operator takes an expiry back that a wrong clock fired."""

    licence_id: str
    version: int
    change: int
    """Number of the licence's last change of status when the operator looked."""
    today: date
    """Legal day of the issuer, by the database's clock."""
    operator: str
    reason: str
    occurred_at: datetime

    @property
    def event_id(self) -> str:
        """One for each expiry, so that it is undone once."""
        return f"undo:EXPIRED:{self.licence_id}:{self.version}:{self.change}"

    @property
    def payload_sha256(self) -> str:
        """The id is the content."""
        return ""


Command = DeclarationCommand | LicenceCommand | ValidityPassed | ExpiryUndone


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
    reached: Reached | None = None
    """How far the database must be when it is taken in, None: nobody says."""


def licences_of(commands: Iterable[Command]) -> set[str]:
    """Licences that events of the licensing side and timers are about."""
    found: set[str] = set()
    for command in commands:
        if isinstance(command, ValidityPassed | ExpiryUndone):
            found.add(command.licence_id)
        elif isinstance(command, LicenceCommand) and command.licence is not None:
            found.add(command.licence_id)
            found.update(part.licence_id for part in command.parts)
        elif isinstance(command, LicenceCommand) and (command.write_off is not None or judged_without_content(command)):
            found.add(command.licence_id)
    return found


def judged_without_content(command: LicenceCommand) -> bool:
    """Whether an event counts although it has no content, or none that can be taken."""
    return command.act is not None or command.bare


def write_offs_of(commands: Iterable[Command]) -> set[str]:
    """Write-offs made outside the bridge have a row like a declaration's."""
    told = [command.write_off for command in commands if isinstance(command, LicenceCommand)]
    return {write_off.evidence.write_off_id for write_off in told if write_off is not None}


def waits(command: Command) -> bool:
    """Whether the sender waits for an outcome; of an expiry there is none."""
    return not isinstance(command, ValidityPassed | ExpiryUndone) and command.waits


def move_positions(changes: Changes, deliveries: Iterable[Delivery]) -> None:
    """Note behind which records reading goes on, and how far the database must be before."""
    for delivery in deliveries:
        origin = delivery.origin
        if origin.topic != INTERNAL.topic:
            place = (origin.topic, origin.partition)
            changes.offsets[place] = max(changes.offsets.get(place, 0), origin.offset + 1)
            if delivery.reached is not None:
                changes.reached[place] = delivery.reached
