"""The worker role: wakes what waited, fires the legal timers, and measures what nobody else sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from certex_bridge.kernel.dates import ZONES, legal_day
from certex_bridge.ledger.commands import INTERNAL, Command, Delivery, ValidityPassed
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts, Stamp
from certex_bridge.ledger.executor import Executor

PRESENTATION_DAYS = 30
"""A pre-lodged declaration whose goods are not presented is deemed not lodged (UCC Art. 171)."""

_DEFAULT_ZONE = ZoneInfo("Europe/Brussels")


class Expiring(NamedTuple):
    """A licence version whose last day may be over."""

    licence_id: str
    version: int
    valid_to: str


class Unpresented(NamedTuple):
    """A declaration lodged long ago and never presented or accepted."""

    decl_id: str
    mrn: str
    lrn: str
    exporter: str


class Calendar(Protocol):
    """What the clock may have overtaken."""

    async def expiring(self, before: datetime, limit: int) -> Sequence[Expiring]:
        """Licences with a last day before this instant's latest legal day in the Union."""

    async def unpresented(self, before: datetime, limit: int) -> Sequence[Unpresented]:
        """Declarations lodged before this instant and neither presented nor accepted."""


class Worker:
    """Runs wakes, timers and measurements, each in its own rhythm."""

    name = "worker"

    def __init__(  # noqa: PLR0913  # two partners, and settings with defaults
        self,
        executor: Executor,
        calendar: Calendar,
        *,
        clock: Callable[[], datetime] | None = None,
        wakes_max: int = 200,
        poll_seconds: float = 0.2,
        timers_seconds: float = 60.0,
        measure: Callable[[], Awaitable[None]] | None = None,
        measure_seconds: float = 5.0,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
    ) -> None:
        self._executor = executor
        self._calendar = calendar
        self._clock = clock or (lambda: datetime.now(UTC))
        self._wakes_max = wakes_max
        self._rhythms: list[tuple[float, Callable[[], Awaitable[object]]]] = [
            (poll_seconds, self.wake_all),
            (timers_seconds, self.fire_timers),
        ]
        if measure is not None:
            self._rhythms.append((measure_seconds, measure))
        self._transient = transient

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; what is in hand is finished."""
        async with asyncio.TaskGroup() as group:
            for seconds, work in self._rhythms:
                group.create_task(self._repeat(stop, seconds, work))

    def ready(self) -> str | None:
        """The worker needs nothing but the database, which is checked by itself."""
        return None

    async def _repeat(self, stop: asyncio.Event, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while not stop.is_set():
            try:
                await work()
            except Exception as error:
                if self._transient(error) is None:
                    raise
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue

    async def wake_all(self) -> int:
        """Settle everything that was woken."""
        total = 0
        while woken := await self._executor.wake(self._wakes_max):
            total += woken
        return total

    async def fire_timers(self) -> int:
        """Apply the timers that are due; each has an id made from content, so firing twice has one effect."""
        now = self._clock()
        due: list[Command] = []
        for licence in await self._calendar.expiring(now, 500):
            zone = ZONES.get(licence.licence_id.partition("/")[0], _DEFAULT_ZONE)
            if legal_day(now, zone).isoformat() > licence.valid_to:
                due.append(ValidityPassed(licence.licence_id, licence.version, now))
        long_ago = now - timedelta(days=PRESENTATION_DAYS)
        due += [not_presented(declaration, now) for declaration in await self._calendar.unpresented(long_ago, 500)]
        if due:
            await self._executor.apply([Delivery(INTERNAL, command) for command in due])
        return len(due)


def not_presented(declaration: Unpresented, now: datetime) -> DeclarationCommand:
    """The timer of a declaration that was never presented."""
    event_id = f"timer:NOT_PRESENTED:{declaration.decl_id}"
    facts = Facts(
        not_presented=Stamp(now, event_id), mrn=declaration.mrn, lrn=declaration.lrn, exporter=declaration.exporter
    )
    return DeclarationCommand(
        event_id, now, EventKind.NOT_PRESENTED, "", facts, declaration.mrn, declaration.lrn, declaration.exporter
    )
