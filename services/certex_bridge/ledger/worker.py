"""The worker role: wakes what waited, fires the legal timers, and measures what nobody else sees.

The legal timers rest while the clocks of this process and of the database differ: an expiry by a wrong clock is final.

One wake or timer that fails for good keeps nobody else waiting: it is tried alone, put off with a word in the log, and
comes again later, when a new release may know better. A measurement that fails ends nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol

from certex_bridge.kernel.dates import legal_day
from certex_bridge.ledger.commands import INTERNAL, Command, Delivery, ValidityPassed
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.executor import Executor, Waking
from certex_bridge.platform.database_errors import of_one_record
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import within

LOG = get_logger("certex_bridge.worker")

PRESENTATION_DAYS = 30
"""A pre-lodged declaration whose goods are not presented is deemed not lodged (UCC Art. 171)."""

RELEASE_HOURS = 24
"""Goods that left are released goods; a release that was not told so long after the exit is missing."""

WAKE_AGAIN_SECONDS = 60.0
"""First pause of a wake that fails; doubles."""
TIMER_AGAIN_SECONDS = 3_600.0
"""Pause of a timer that fails."""


class ClocksApart(Exception):
    """The clocks of this process and of the database differ by too much to judge by either which day it is."""


class Expiring(NamedTuple):
    """A licence version whose last day may be over."""

    licence_id: str
    version: int
    valid_to: str
    change: int = 0
    """Number of its last change of status."""


class Unpresented(NamedTuple):
    """A declaration lodged long ago and never presented or accepted."""

    decl_id: str
    mrn: str
    lrn: str
    exporter: str
    since: datetime | None = None
    """When it was lodged: another lodging under the same LRN has a timer of its own."""


class Calendar(Protocol):
    """What the clock may have overtaken."""

    async def expiring(self, before: datetime, limit: int) -> Sequence[Expiring]:
        """Licences with a last day before this instant's latest legal day in the Union."""

    async def unpresented(self, before: datetime, limit: int) -> Sequence[Unpresented]:
        """Declarations lodged before this instant and neither presented nor accepted."""

    async def unreleased(self, before: datetime, limit: int) -> Sequence[str]:
        """MRNs whose goods left before this instant, and no release was told."""


class Meter(Protocol):
    """Who counts what the worker does."""

    def count(self, counts: Mapping[str, int]) -> None:
        """Counts of what the ledger did."""

    def worked(self, what: str, outcome: str, number: int) -> None:
        """So many wakes or timers are settled or failed."""

    def retry(self, cause: str) -> None:
        """Something is tried again for a cause that can pass."""

    def failed(self, error: BaseException) -> None:
        """Something failed for a reason that cannot pass."""


class Rhythm(NamedTuple):
    """A piece of work that comes again."""

    name: str
    seconds: float
    work: Callable[[], Awaitable[object]]


class Worker:
    """Runs wakes, timers and measurements, each in its own rhythm."""

    name = "worker"

    def __init__(  # noqa: PLR0913  # two partners, and settings with defaults
        self,
        executor: Executor,
        calendar: Calendar,
        *,
        clock: Callable[[], datetime] | None = None,
        zone: Callable[[str], tzinfo] | None = None,
        skew: Callable[[], Awaitable[float]] | None = None,
        skew_seconds_max: float = 10.0,
        wakes_max: int = 200,
        poll_seconds: float = 0.2,
        timers_seconds: float = 60.0,
        more: Sequence[Rhythm] = (),
        measures: Sequence[Rhythm] = (),
        meter: Meter | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
        turned: Callable[[str, float], None] = lambda _rhythm, _pause: None,
    ) -> None:
        self._executor = executor
        self._calendar = calendar
        self._clock = clock or (lambda: datetime.now(UTC))
        self._zone = zone or Policy().zone
        """Legal time of an issuer."""
        self._skew = skew
        """Seconds by which the database's clock is ahead, measured when it is asked."""
        self._skew_seconds_max = skew_seconds_max
        self._wakes_max = wakes_max
        self._needed = (
            Rhythm("wakes", poll_seconds, self.wake_all),
            Rhythm("timers", timers_seconds, self.fire_timers),
            *more,
        )
        self._measures = measures
        self._meter = meter
        self._transient = transient
        self._turned = turned
        self._put_off: dict[str, float] = {}
        """Timers that failed, and when (monotonic) they may come again."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; what is in hand is finished.

        Raises:
            Exception: a failure that would meet every wake or timer alike.
        """
        async with asyncio.TaskGroup() as group:
            for rhythm in self._needed:
                group.create_task(self._repeat(stop, rhythm, needed=True))
            for rhythm in self._measures:
                group.create_task(self._repeat(stop, rhythm, needed=False))

    def ready(self) -> str | None:
        """The worker needs nothing but the database, which is checked by itself."""
        return None

    async def _repeat(self, stop: asyncio.Event, rhythm: Rhythm, *, needed: bool) -> None:
        state = ""
        while not stop.is_set():
            self._turned(rhythm.name, rhythm.seconds)
            try:
                await rhythm.work()
            except Exception as error:
                cause = self._transient(error)
                if cause is None and needed:
                    raise
                state = self._waits(rhythm, state, cause or type(error).__name__, error)
            else:
                if state:
                    LOG.info("worker.works_again", rhythm=rhythm.name, after=state)
                state = ""
            try:
                await asyncio.wait_for(stop.wait(), rhythm.seconds)
            except TimeoutError:
                continue

    def _waits(self, rhythm: Rhythm, before: str, cause: str, error: Exception) -> str:
        """Count a failure; it is told when it is another than before, not at every attempt."""
        if self._meter is not None:
            self._meter.retry(self._transient(error) or "error")
        if cause != before:
            trace = None if self._transient(error) else error
            LOG.warning("worker.waits", rhythm=rhythm.name, cause=cause, exc_info=trace)
        return cause

    # -- wakes

    async def wake_all(self) -> int:
        """Settle everything that was woken and can be settled; returns how many."""
        total = 0
        while woken := await self._wake_some():
            total += woken
            self._turned("wakes", 0.0)
        return total

    async def _wake_some(self) -> int:
        waking = Waking()
        try:
            woken = await self._executor.wake(self._wakes_max, waking)
        except Exception as error:
            if not waking.wakes or not self._isolated(error):
                raise
            return await self._wake_one_by_one(len(waking.wakes))
        self._woken(waking, woken)
        return woken

    async def _wake_one_by_one(self, times: int) -> int:
        """Settle so many wakes, each alone; one that fails is put off."""
        done = 0
        for _ in range(times):
            waking = Waking()
            try:
                woken = await self._executor.wake(1, waking)
            except Exception as error:
                if not waking.wakes or not self._isolated(error):
                    raise
                wake = waking.wakes[0]
                await self._executor.postpone(wake, WAKE_AGAIN_SECONDS)
                with within(wake.trace):
                    self._put_aside("wakes", wake.decl_id, error)
                woken = 1  # dealt with, so that the others go on
            else:
                self._woken(waking, woken)
            done += woken
        return done

    def _woken(self, waking: Waking, number: int) -> None:
        if self._meter is not None and number:
            self._meter.count(waking.counts)
            self._meter.worked("wakes", "settled", number)

    # -- timers

    async def fire_timers(self) -> int:
        """Apply the timers that are due; each has an id made from content, so firing twice has one effect.

        Raises:
            ClocksApart: nothing was fired.
        """
        await self._agree_on_the_time()
        now, monotonic = self._clock(), time.monotonic()
        self._put_off = {name: until for name, until in self._put_off.items() if until > monotonic}
        due = [command for command in await self._due(now) if command.event_id not in self._put_off]
        if due:
            await self._fire(due)
        return len(due)

    async def _agree_on_the_time(self) -> None:
        skew = 0.0 if self._skew is None else await self._skew()
        if abs(skew) > self._skew_seconds_max:
            raise ClocksApart(f"the database's clock is {skew:+.1f} s ahead of ours: timers rest")

    async def _due(self, now: datetime) -> list[Command]:
        due: list[Command] = []
        for licence in await self._calendar.expiring(now, 500 + len(self._put_off)):
            zone = self._zone(licence.licence_id.partition("/")[0])
            if legal_day(now, zone).isoformat() > licence.valid_to:
                due.append(ValidityPassed(licence.licence_id, licence.version, now, licence.change))
        long_ago = now - timedelta(days=PRESENTATION_DAYS)
        late = await self._calendar.unpresented(long_ago, 500 + len(self._put_off))
        due += [not_presented(declaration, now) for declaration in late]
        long_gone = now - timedelta(hours=RELEASE_HOURS)
        gone = await self._calendar.unreleased(long_gone, 500 + len(self._put_off))
        return due + [release_overdue(mrn, now) for mrn in gone]

    async def _fire(self, due: Sequence[Command]) -> None:
        try:
            applied = await self._executor.apply([Delivery(INTERNAL, command) for command in due])
        except Exception as error:
            if not self._isolated(error):
                raise
            if len(due) > 1:
                for command in due:
                    await self._fire([command])
                return
            self._put_off[due[0].event_id] = time.monotonic() + TIMER_AGAIN_SECONDS
            self._put_aside("timers", due[0].event_id, error)
            return
        if self._meter is not None:
            self._meter.count(applied.counts)
            self._meter.worked("timers", "settled", len(due))

    # -- what fails for good

    def _isolated(self, error: Exception) -> bool:
        return self._transient(error) is None and of_one_record(error)

    def _put_aside(self, what: str, which: str, error: Exception) -> None:
        LOG.error("worker.put_off", what=what, which=which, exc_info=error)
        if self._meter is not None:
            self._meter.failed(error)
            self._meter.worked(what, "failed", 1)


def not_presented(declaration: Unpresented, now: datetime) -> DeclarationCommand:
    """The timer of a declaration that was never presented."""
    since = f":{declaration.since.astimezone(UTC).isoformat()}" if declaration.since else ""
    event_id = f"timer:NOT_PRESENTED:{declaration.decl_id}{since}"
    facts = Facts(
        not_presented=Stamp(now, event_id), mrn=declaration.mrn, lrn=declaration.lrn, exporter=declaration.exporter
    )
    return DeclarationCommand(
        event_id, now, EventKind.NOT_PRESENTED, "", facts, declaration.mrn, declaration.lrn, declaration.exporter
    )


def release_overdue(mrn: str, now: datetime) -> DeclarationCommand:
    """The timer of goods that left and whose release was not told."""
    event_id = f"timer:RELEASE_OVERDUE:{mrn}"
    facts = Facts(release_overdue=Stamp(now, event_id), mrn=mrn)
    return DeclarationCommand(event_id, now, EventKind.RELEASE_OVERDUE, "", facts, mrn)
