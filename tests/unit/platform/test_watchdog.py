"""The watchdog: ends a process that is stuck, and only that, on a clock of ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import EXIT_STUCK, Memory, Observation, Turns, Watchdog, judge, stacks, tick
from tests.support.waiting import until

LIMIT = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def story(*observations: Observation) -> list[str | None]:
    memory, verdicts = Memory(), []
    for seen in observations:
        memory, verdict = judge(memory, seen, LIMIT)
        verdicts.append(verdict)
    return verdicts


def at(moment: float, waiting: int | None = 0, handled: int = 0, **more: object) -> Observation:
    return replace(Observation(moment, waiting, handled), **more)  # type: ignore[arg-type]


def test_nothing_to_do_is_no_reason() -> None:
    assert story(*(at(moment) for moment in range(0, 600, 10))) == [None] * 60


def test_progress_however_slow_is_no_reason() -> None:
    assert story(*(at(moment, 10_000, moment // 50) for moment in range(0, 600, 10))) == [None] * 60


def test_waiting_records_without_progress_are() -> None:
    verdicts = story(at(0, 5, 7), at(30, 5, 7), at(60, 5, 7), at(61, 9, 7))
    assert verdicts[:3] == [None] * 3
    assert verdicts[3] == "9 records wait and none has been handled for 61 s"


def test_the_time_begins_when_work_begins_to_wait() -> None:
    assert story(at(0, 0, 7), at(500, 0, 7), at(550, 3, 7), at(555, 3, 7)) == [None] * 4
    assert story(at(0, 0, 7), at(500, 3, 7), at(561, 3, 7))[2] is not None


@pytest.mark.parametrize("held_up", [{"waiting": None}, {"excused": True}])
def test_an_absent_broker_or_database_is_no_reason_and_starts_the_time_anew(held_up: dict[str, object]) -> None:
    away = [replace(at(moment, 5, 7), **held_up) for moment in range(10, 600, 10)]  # type: ignore[arg-type]
    assert story(at(0, 5, 7), *away, at(640, 5, 7)) == [None] * 61


def test_a_batch_that_never_ends_is() -> None:
    assert story(at(0, None, 7, busy_since=0.0), at(60, None, 7, busy_since=0.0)) == [None, None]
    assert story(at(61, None, 7, busy_since=0.0, excused=True)) == ["a batch has been in work for 61 s"]


def test_a_loop_that_does_not_turn_is() -> None:
    assert story(at(0, turn_ages={"relay": 59.0, "worker": 61.5})) == ["the loop of worker has not turned for 62 s"]


def test_a_member_that_never_joins_is_stuck() -> None:
    outside = {"outside_since": 0.0}
    assert story(at(60, **outside), at(61, **outside)) == [
        None, "not in the consumer group for 61 s although a broker answers",
    ]  # fmt: skip


async def test_an_absent_broker_explains_why_nobody_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ends, subscription = Clock(), list[str](), Subscription()
    monkeypatch.setattr("certex_bridge.platform.watchdog.time.monotonic", clock)
    dog = Watchdog(Settings.load(), Turns(clock), [subscription], None, ends.append)  # type: ignore[list-item]
    subscription.outside_since, subscription.broker_is_there = clock.now, False
    clock.now += 600
    await dog.look()
    assert not ends
    subscription.broker_is_there = True
    await dog.look()
    assert ends == ["not in the consumer group for 600 s although a broker answers"]


async def test_a_look_that_fails_is_not_the_last() -> None:
    class Broken(Subscription):
        looks = 0

        async def waiting(self) -> int | None:
            self.looks += 1
            raise KeyError("a defect")

    stop, broken = asyncio.Event(), Broken()
    dog = Watchdog(Settings.load(watchdog_poll_seconds=0.001), Turns(), [broken], None, None)  # type: ignore[list-item]
    running = asyncio.create_task(dog.run(stop))
    await until(lambda: broken.looks >= 3)
    stop.set()
    await asyncio.wait_for(running, 30)


def test_a_turn_may_have_its_time() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.mark("relay", grace=120)
    clock.now += 100
    assert turns.ages() == {"relay": 0}
    clock.now += 81
    assert turns.ages() == {"relay": 61}


def test_turns_are_counted_by_role() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.mark("relay")
    clock.now += 5
    turns.mark("worker")
    clock.now += 2
    assert turns.ages() == {"relay": 7.0, "worker": 2.0}
    turns.forget("relay")
    assert turns.ages() == {"worker": 2.0}


class Subscription:
    """What the watchdog asks of a subscription."""

    def __init__(self) -> None:
        self.records_handled = 0
        self.retrying = ""
        self.failure: BaseException | None = None
        self.busy_since: float | None = None
        self.left: int | None = 0
        self.outside_since: float | None = None
        self.broker_is_there = True

    async def waiting(self) -> int | None:
        return self.left

    async def broker_answers(self) -> bool:
        return self.broker_is_there


async def test_it_looks_and_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ends, metrics, subscription = Clock(), list[str](), Metrics(), Subscription()
    monkeypatch.setattr("certex_bridge.platform.watchdog.time.monotonic", clock)
    turns = Turns(clock)
    dog = Watchdog(Settings.load(), turns, [subscription], metrics, ends.append)  # type: ignore[list-item]
    subscription.left = 4
    turns.mark("relay")
    await dog.look()
    clock.now += 59
    await dog.look()
    assert not ends
    assert metrics.registry.get_sample_value("certex_bridge_loop_turn_age_seconds", {"role": "relay"}) == 59
    turns.mark("relay")
    subscription.retrying = "connection"
    clock.now += 600
    turns.mark("relay")
    await dog.look()
    assert not ends
    subscription.retrying = ""
    clock.now += 61
    turns.mark("relay")
    await dog.look()
    assert ends == ["4 records wait and none has been handled for 61 s"]


async def test_it_runs_until_it_is_stopped() -> None:
    stop = asyncio.Event()
    dog = Watchdog(Settings.load(watchdog_poll_seconds=0.01), Turns(), (), Metrics(), None)
    running = asyncio.create_task(dog.run(stop))
    await asyncio.sleep(0.05)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_the_tick_measures_how_late_the_loop_is() -> None:
    stop, metrics = asyncio.Event(), Metrics()
    metrics.event_loop_delay_seconds.set(-1)
    ticking = asyncio.create_task(tick(Settings.load(), stop, metrics))
    await until(lambda: metrics.registry.get_sample_value("certex_bridge_event_loop_delay_seconds") != -1)
    stop.set()
    await asyncio.wait_for(ticking, 30)


async def test_the_stacks_name_every_task() -> None:
    waiting = asyncio.create_task(asyncio.sleep(30), name="somebody waiting")
    await asyncio.sleep(0)
    text = stacks()
    waiting.cancel()
    assert "somebody waiting" in text
    assert "test_the_stacks_name_every_task" in text


def program(body: str) -> subprocess.CompletedProcess[str]:
    code = f"""
import asyncio, time
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns, Watchdog, end_process, tick
async def main():
    settings = Settings.load(watchdog_stuck_seconds=1, watchdog_poll_seconds=0.1)
{body}
asyncio.run(main())
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_a_blocked_event_loop_ends_the_process_with_its_stacks() -> None:
    done = program("""
    ticking = asyncio.create_task(tick(settings, asyncio.Event()))
    await asyncio.sleep(0.1)
    time.sleep(30)
""")
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert "in main" in done.stderr


def test_a_loop_that_does_not_turn_ends_the_process_with_its_stacks() -> None:
    done = program("""
    turns = Turns()
    turns.mark("relay")
    await Watchdog(settings, turns).run(asyncio.Event())
""")
    assert done.returncode == EXIT_STUCK
    assert "the loop of relay has not turned" in done.stdout + done.stderr
    assert "watchdog.stuck" in done.stdout + done.stderr
