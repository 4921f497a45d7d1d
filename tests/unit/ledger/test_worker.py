"""The worker: one wake or timer that fails keeps nobody waiting, a measurement that fails ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Applied
from certex_bridge.ledger.worker import ClocksApart, Expiring, Rhythm, Unpresented, Worker
from certex_bridge.operations.composition import transient
from tests.support.ledger_words import licence
from tests.support.scenario import Scenario
from tests.support.waiting import until

NOW = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)


class Calendar:
    def __init__(
        self,
        expiring: Sequence[Expiring] = (),
        unpresented: Sequence[Unpresented] = (),
        unreleased: Sequence[str] = (),
    ) -> None:
        self._expiring, self._unpresented, self._unreleased = expiring, unpresented, unreleased
        self.asked: list[tuple[str, datetime]] = []

    async def expiring(self, before: datetime, limit: int) -> Sequence[Expiring]:
        self.asked.append(("expiring", before))
        return self._expiring

    async def unpresented(self, before: datetime, limit: int) -> Sequence[Unpresented]:
        self.asked.append(("unpresented", before))
        return self._unpresented

    async def unreleased(self, before: datetime, limit: int) -> Sequence[str]:
        self.asked.append(("unreleased", before))
        return self._unreleased


class Meter:
    def __init__(self) -> None:
        self.worked_: dict[tuple[str, str], int] = {}
        self.retries: list[str] = []
        self.counted: dict[str, int] = {}

    def count(self, counts: Mapping[str, int]) -> None:
        for name, times in counts.items():
            self.counted[name] = self.counted.get(name, 0) + times

    def worked(self, what: str, outcome: str, number: int) -> None:
        self.worked_[what, outcome] = self.worked_.get((what, outcome), 0) + number

    def retry(self, cause: str) -> None:
        self.retries.append(cause)

    def failed(self, error: BaseException) -> None:
        """Not looked at."""


async def waiting(number: int) -> Scenario:
    """Declarations that waited for a licence, which has come."""
    s = Scenario(InMemoryStore())
    for one in range(number):
        await s.accepted(f"M{one}", A=1)
    await s.issue(licence("A", "100 NAR"))
    assert isinstance(s.store, InMemoryStore)
    assert len(s.store.contents.wakes) == number
    return s


async def test_a_wake_that_fails_is_put_off_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    s, meter = await waiting(5), Meter()
    assert isinstance(s.store, InMemoryStore)
    culprit = sorted(s.store.contents.wakes.values())[1]
    settle = s.executor._declarations.on_wake

    def on_wake(work: Any, declaration: Any, cause: Any) -> None:
        assert declaration.decl_id != culprit.decl_id, "a defect"
        settle(work, declaration, cause)

    monkeypatch.setattr(s.executor._declarations, "on_wake", on_wake)
    worker = Worker(s.executor, Calendar(), meter=meter, transient=transient)
    await worker.wake_all()
    assert list(s.store.contents.wakes.values()) == [culprit]
    assert s.store.contents.postponed == {culprit.wake_id}
    assert meter.worked_ == {("wakes", "settled"): 4, ("wakes", "failed"): 1}
    assert meter.counted["movement:RESERVE"] == 4
    assert await worker.wake_all() == 0


async def test_a_wake_is_not_blamed_for_what_meets_everybody() -> None:
    s = await waiting(2)

    async def refused(*_arguments: Any) -> int:
        _arguments[1].wakes = ["some"]
        raise asyncpg.InsufficientPrivilegeError("permission denied")

    s.executor.wake = refused  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(Worker(s.executor, Calendar(), transient=transient).run(asyncio.Event()), 30)


class Executor:
    """Applies what it is given, unless a command's id is `broken`."""

    def __init__(self, broken: str = "") -> None:
        self.applied: list[str] = []
        self._broken = broken

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        names = [delivery.command.event_id for delivery in deliveries if delivery.command]
        if self._broken in names:
            raise AssertionError("negative balance")
        self.applied += names
        return Applied([], {})

    async def wake(self, *_arguments: Any) -> int:
        return 0


def worker(executor: Executor, calendar: Calendar, **more: Any) -> Worker:
    double: Any = executor
    return Worker(double, calendar, clock=lambda: NOW, transient=transient, **more)


async def test_a_timer_that_fails_is_left_alone_for_a_while() -> None:
    due = [Unpresented(f"M{n}", f"M{n}", "", "") for n in range(3)]
    executor, meter = Executor("timer:NOT_PRESENTED:M1"), Meter()
    one = worker(executor, Calendar(unpresented=due), meter=meter)
    assert await one.fire_timers() == 3
    assert executor.applied == ["timer:NOT_PRESENTED:M0", "timer:NOT_PRESENTED:M2"]
    assert await one.fire_timers() == 2
    assert meter.worked_ == {("timers", "settled"): 4, ("timers", "failed"): 1}


@pytest.mark.parametrize(("zone", "due"), [("Europe/Brussels", 1), ("America/New_York", 0)])
async def test_the_end_of_a_day_is_that_of_the_issuers_legal_time(zone: str, due: int) -> None:
    legal = Policy(calendar_zones={"BE": ZoneInfo(zone)})
    executor = Executor()
    one = worker(executor, Calendar(expiring=[Expiring("BE/1", 1, "2026-06-30")]), zone=legal.zone)
    assert await one.fire_timers() == due


async def test_a_measurement_that_fails_ends_nothing() -> None:
    times = 0

    async def measure() -> None:
        nonlocal times
        times += 1
        raise KeyError("a defect")

    meter, stop = Meter(), asyncio.Event()
    one = worker(Executor(), Calendar(), measures=[Rhythm("depths", 0.001, measure)], meter=meter)
    running = asyncio.create_task(one.run(stop))
    await until(lambda: times >= 3)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 30)
    assert set(meter.retries) == {"error"}


async def test_every_rhythm_tells_that_it_turns() -> None:
    turned: set[str] = set()
    stop = asyncio.Event()
    one = worker(Executor(), Calendar(), turned=lambda rhythm, _pause: turned.add(rhythm))
    stop_soon = asyncio.create_task(one.run(stop))
    await until(lambda: len(turned) >= 2)
    stop.set()
    await asyncio.wait_for(stop_soon, 30)
    assert turned == {"wakes", "timers"}


async def test_timers_ask_for_what_is_thirty_days_and_a_day_old() -> None:
    """UCC Art. 171 gives thirty days for presentation; goods that left were released a day later at the latest."""
    calendar = Calendar()
    await Worker(Scenario(InMemoryStore()).executor, calendar, clock=lambda: NOW).fire_timers()
    assert calendar.asked == [
        ("expiring", NOW),
        ("unpresented", NOW - timedelta(days=30)),
        ("unreleased", NOW - timedelta(hours=24)),
    ]


@pytest.mark.parametrize("ahead", [-172_800.0, 172_800.0, 10.5])
async def test_no_timer_fires_while_the_clocks_are_apart(ahead: float) -> None:
    """A worker two days ahead would expire what is valid until tomorrow, for good."""
    s, meter = Scenario(InMemoryStore()), Meter()
    await s.issue(licence("A", "100 NAR"))
    measured = [ahead]

    async def skew() -> float:
        return measured[0]

    calendar = Calendar([Expiring("BE/A", 1, "2026-06-30")])
    worker = Worker(
        s.executor, calendar, clock=lambda: NOW, skew=skew, timers_seconds=0.01, poll_seconds=0.01,
        meter=meter, transient=transient,
    )  # fmt: skip
    with pytest.raises(ClocksApart, match="timers rest") as caught:
        await worker.fire_timers()
    assert transient(caught.value) == "clock"
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: meter.retries.count("clock") >= 2)
    assert ("timers", "settled") not in meter.worked_
    measured[0] = 9.5
    await until(lambda: ("timers", "settled") in meter.worked_)
    stop.set()
    await running
