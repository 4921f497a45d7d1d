"""The watchdog: a process that makes no progress although work waits ends itself, and is started again.

Kafka clients can hang after a broker's restart or a rebalance without any sign (aiokafka has several such reports), and
a group's description says all is well meanwhile. So the only question asked is whether records that wait are handled.
A broker or a database that is away is no reason to restart: that would help nobody.
"""

from __future__ import annotations

import asyncio
import faulthandler
import io
import os
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from certex_bridge.platform.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from certex_bridge.platform.kafka_batches import BatchSubscription
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings

EXIT_STUCK = 70
"""Exit code of a process that ended itself because it was stuck."""

TICK_SECONDS = 0.5

LOG = get_logger("certex_bridge.watchdog")


class Turns:
    """When each role's loop last turned; a loop calls `mark` once a turn, also when there was nothing to do."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def mark(self, role: str, grace: float = 0.0) -> None:
        """The role's loop has turned; what it does now may take `grace` seconds before they count."""
        self._last[role] = self._clock() + grace

    def forget(self, role: str) -> None:
        """The role has ended in order."""
        self._last.pop(role, None)

    def ages(self) -> dict[str, float]:
        """Seconds since each role's last turn."""
        now = self._clock()
        return {role: max(0.0, now - last) for role, last in self._last.items()}


@dataclass(frozen=True, slots=True)
class Observation:
    """What the watchdog saw at one moment (seconds of a monotonic clock)."""

    at: float
    waiting: int | None
    """Records in our partitions not handled yet; None when the broker cannot say."""
    handled: int
    """Records handled since the start."""
    excused: bool = False
    """A known cause outside this process (database away) holds the work up."""
    busy_since: float | None = None
    """When the batch in work came; None between batches."""
    turn_ages: Mapping[str, float] = field(default_factory=dict)
    outside_since: float | None = None
    """Since when this process is no member of its group although a broker answers; None: it is, or none does."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the watchdog remembers between observations."""

    handled: int = -1
    since: float = 0.0
    """Since when nothing has been handled although records wait."""


def judge(memory: Memory, seen: Observation, stuck_seconds: float) -> tuple[Memory, str | None]:
    """The new memory, and why the process is stuck or None. Pure."""
    for role, age in seen.turn_ages.items():
        if age > stuck_seconds:
            return memory, f"the loop of {role} has not turned for {age:.0f} s"
    if seen.busy_since is not None and seen.at - seen.busy_since > stuck_seconds:
        return memory, f"a batch has been in work for {seen.at - seen.busy_since:.0f} s"
    if seen.outside_since is not None and seen.at - seen.outside_since > stuck_seconds:
        return (
            memory,
            f"not in the consumer group for {seen.at - seen.outside_since:.0f} s although a broker answers",
        )
    progress = seen.handled != memory.handled or not seen.waiting or seen.excused
    if progress:
        return Memory(seen.handled, seen.at), None
    if seen.at - memory.since > stuck_seconds:
        return memory, f"{seen.waiting} records wait and none has been handled for {seen.at - memory.since:.0f} s"
    return memory, None


class Watchdog:
    """Looks at the subscriptions and the roles' loops; ends the process when one is stuck."""

    def __init__(
        self,
        settings: Settings,
        turns: Turns,
        subscriptions: Sequence[BatchSubscription] = (),
        metrics: Metrics | None = None,
        end: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._turns = turns
        self._subscriptions = subscriptions
        self._metrics = metrics
        self._end = end or end_process
        self._memories = [Memory() for _ in subscriptions]
        if metrics:
            metrics.loop_turn_age_seconds.clear()

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds until `stop`."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception:  # whatever it is, nobody would watch any more
                LOG.exception("watchdog.failed")
            try:
                await asyncio.wait_for(stop.wait(), self._settings.watchdog_poll_seconds)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One look; calls `end` with the reason when something is stuck."""
        ages = self._turns.ages()
        if self._metrics:
            for role, age in ages.items():
                self._metrics.loop_turn_age_seconds.labels(role).set(age)
        limit = self._settings.watchdog_stuck_seconds
        reason = judge(Memory(), Observation(0.0, 0, 0, turn_ages=ages), limit)[1]
        for number, subscription in enumerate(self._subscriptions):
            seen = Observation(
                at=time.monotonic(),
                waiting=await subscription.waiting(),
                handled=subscription.records_handled,
                excused=subscription.retrying not in {"", "error"} or subscription.failure is not None,
                busy_since=subscription.busy_since,
                outside_since=await self._outside_since(subscription, limit),
            )
            self._memories[number], stuck = judge(self._memories[number], seen, limit)
            reason = reason or stuck
        if reason:
            self._end(reason)

    @staticmethod
    async def _outside_since(subscription: BatchSubscription, limit: float) -> float | None:
        """The subscription's word, once it is serious and a broker answers: one that is away explains it."""
        since = subscription.outside_since
        if since is None or time.monotonic() - since <= limit or subscription.failure is not None:
            return None
        return since if await subscription.broker_answers() else None


async def tick(settings: Settings, stop: asyncio.Event, metrics: Metrics | None = None) -> None:
    """Prove twice a second that the event loop turns.

    When it does not for `watchdog_stuck_seconds`, a thread of the interpreter writes all stacks to standard error and
    ends the process: the loop itself could not.
    """
    armed = faulthandler_works()
    try:
        while not stop.is_set():
            if armed:
                faulthandler.dump_traceback_later(settings.watchdog_stuck_seconds, exit=True)
            before = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            if metrics:
                metrics.event_loop_delay_seconds.set(max(0.0, time.monotonic() - before - TICK_SECONDS))
    finally:
        if armed:
            faulthandler.cancel_dump_traceback_later()


def faulthandler_works() -> bool:
    """Whether standard error is a real file the interpreter can write to (not so under some test runners)."""
    try:
        return sys.stderr.fileno() >= 0
    except (AttributeError, OSError, ValueError):
        return False


def stacks(limit: int = 200) -> str:
    """Where every task of the loop and every thread stands."""
    out = io.StringIO()
    for task in list(asyncio.all_tasks())[:limit]:
        out.write(f"task {task.get_name()}\n")
        task.print_stack(limit=12, file=out)
    for thread, frame in sys._current_frames().items():  # noqa: SLF001  # the documented way to see other threads
        out.write(f"thread {thread}\n{''.join(traceback.format_stack(frame, limit=12))}")
    return out.getvalue()


def end_process(reason: str) -> NoReturn:
    """Write down where everything stands and leave without waiting for anything that may hang."""
    LOG.critical("watchdog.stuck", reason=reason, stacks=stacks())
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
