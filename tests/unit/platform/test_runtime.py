"""The supervisor: one failing role stops all, a signal stops in order, nothing that hangs keeps the process alive."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from certex_bridge.platform.runtime import BatchRole, Supervisor, finished, run_process
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns

SETTINGS = Settings.load(graceful_stop_seconds=0.6)


class Worker:
    """A role that writes down what happens to it."""

    def __init__(
        self, name: str, diary: list[str], *, fails: bool = False, returns: bool = False, hangs: bool = False
    ) -> None:
        self.name = name
        self.reason: str | None = None
        self._diary = diary
        self._fails, self._returns, self._hangs = fails, returns, hangs

    def ready(self) -> str | None:
        return self.reason

    async def run(self, stop: asyncio.Event) -> None:
        self._diary.append(f"{self.name} starts")
        await asyncio.sleep(0.01)
        if self._fails:
            raise ValueError(self.name)
        if self._returns:
            return
        await stop.wait()
        while self._hangs:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self._diary.append(f"{self.name} ignores its cancellation")
        await asyncio.sleep(0.01)
        self._diary.append(f"{self.name} ends")


async def test_a_stop_is_in_order_and_closes_afterwards() -> None:
    diary: list[str] = []

    async def close() -> None:
        diary.append("pool closes")

    supervisor = Supervisor([Worker("intake", diary), Worker("relay", diary)], SETTINGS, [("pool", close)])
    asyncio.get_running_loop().call_later(0.05, supervisor.request_stop)
    assert await supervisor.run() == 0
    assert diary == ["intake starts", "relay starts", "intake ends", "relay ends", "pool closes"]


async def test_a_failing_role_stops_the_others_and_fails_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    diary: list[str] = []
    supervisor = Supervisor([Worker("intake", diary), Worker("relay", diary, fails=True)], SETTINGS)
    assert await asyncio.wait_for(supervisor.run(), 5) == 1
    assert diary == ["intake starts", "relay starts", "intake ends"]


async def test_a_role_that_returns_unasked_has_failed() -> None:
    assert await Supervisor([Worker("relay", [], returns=True), Worker("intake", [])], SETTINGS).run() == 1


async def test_a_role_that_hangs_is_cut_off_and_the_rest_still_stops() -> None:
    diary: list[str] = []
    supervisor = Supervisor([Worker("intake", diary, hangs=True), Worker("relay", diary)], SETTINGS)
    asyncio.get_running_loop().call_later(0.05, supervisor.request_stop)
    began = time.monotonic()
    assert await supervisor.run() == 1
    assert time.monotonic() - began < 3
    assert "relay ends" in diary
    for task in asyncio.all_tasks():
        if task.get_name() == "intake":
            task.get_coro().close()


async def test_a_closer_that_fails_or_hangs_does_not_stop_the_others() -> None:
    diary: list[str] = []

    async def fails() -> None:
        raise ConnectionError("gone")

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def closes() -> None:
        diary.append("closed")

    supervisor = Supervisor([Worker("relay", [])], SETTINGS, [("a", fails), ("b", hangs), ("c", closes)])
    supervisor.request_stop()
    assert await supervisor.run() == 1
    assert diary == ["closed"]


async def test_readiness_is_each_roles_word() -> None:
    intake, relay = Worker("intake", []), Worker("relay", [])
    supervisor = Supervisor([intake, relay], SETTINGS)
    assert supervisor.readiness() == {}
    intake.reason = "no partitions assigned"
    assert supervisor.readiness() == {"intake": "no partitions assigned"}
    supervisor.request_stop()
    assert supervisor.readiness() == {"process": "stopping"}


async def test_finished_does_not_wait_for_what_ignores_its_cancellation() -> None:
    async def stubborn() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue

    task = asyncio.ensure_future(stubborn())
    began = time.monotonic()
    assert not await finished(task, 0.1)
    assert time.monotonic() - began < 0.9
    task.cancel()
    task.cancel()


class Broker:
    """FastStream's broker as far as the role knows it."""

    def __init__(self, *, stop_hangs: bool = False, start_hangs: bool = False) -> None:
        self.calls: list[str] = []
        self._stop_hangs = stop_hangs
        self._start_hangs = start_hangs

    async def start(self) -> None:
        self.calls.append("start")
        if self._start_hangs:
            await asyncio.sleep(3600)

    async def stop(self) -> None:
        self.calls.append("stop")
        if self._stop_hangs:
            await asyncio.sleep(3600)


class Subscription:
    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None

    def ready(self) -> str | None:
        return "no partitions assigned"


def batch_role(broker: Broker, subscription: Subscription, turns: Turns) -> BatchRole:
    double: Any = broker
    subscriptions: Any = [subscription]
    return BatchRole("intake", double, subscriptions, SETTINGS, turns)


async def test_a_stopped_broker_that_never_answers_is_left_behind() -> None:
    broker, stop, turns = Broker(stop_hangs=True), asyncio.Event(), Turns()
    role = batch_role(broker, Subscription(), turns)
    assert role.ready() == "not connected to the broker yet"
    running = asyncio.create_task(role.run(stop))
    await asyncio.sleep(0.05)
    assert role.ready() == "no partitions assigned"
    assert list(turns.ages()) == ["intake"]
    stop.set()
    await asyncio.wait_for(running, 3)
    assert broker.calls == ["start", "stop"]
    assert turns.ages() == {}


async def test_a_start_that_hangs_ends_by_itself_or_with_the_stop() -> None:
    settings = Settings.load(graceful_stop_seconds=0.6, watchdog_stuck_seconds=0.2)
    double: Any = Broker(start_hangs=True)
    turns = Turns()
    with pytest.raises(TimeoutError, match="CERTEX_KAFKA_BOOTSTRAP_SERVERS"):
        await asyncio.wait_for(BatchRole("intake", double, [], settings, turns).run(asyncio.Event()), 5)
    assert double.calls == ["start", "stop"]
    stop = asyncio.Event()
    running = asyncio.create_task(batch_role(Broker(start_hangs=True), Subscription(), turns).run(stop))
    await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_a_subscription_that_stopped_for_good_fails_the_role() -> None:
    subscription, broker = Subscription(), Broker()
    running = asyncio.create_task(batch_role(broker, subscription, Turns()).run(asyncio.Event()))
    await asyncio.sleep(0.05)
    subscription.failure = ValueError("a defect")
    subscription.failed.set()
    with pytest.raises(ValueError, match="a defect"):
        await asyncio.wait_for(running, 3)
    assert broker.calls == ["start", "stop"]


PROGRAM = """
import asyncio, sys
from certex_bridge.platform.logs import configure_logging
from certex_bridge.platform.runtime import Supervisor, leave, run_process
from certex_bridge.platform.settings import Settings

class Role:
    name = "role"
    def ready(self): return None
    async def run(self, stop):
        print("started", flush=True)
        await stop.wait()
        if "hang" in sys.argv:
            import time, threading
            threading.Thread(target=time.sleep, args=(60,)).start()
            await asyncio.sleep(60)
        print("finished", flush=True)

async def main():
    return await Supervisor([Role()], Settings.load(graceful_stop_seconds=30 if "slow" in sys.argv else 1)).run()

configure_logging(Settings.load())
leave(run_process(main))
"""


def signalled(*arguments: str, signals: int = 1, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, float]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        began = time.monotonic()
        for _ in range(signals):
            process.send_signal(number)
            time.sleep(0.3)
        rest = process.stdout.read()
        return process.wait(timeout=30), rest, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_in_order(number: signal.Signals) -> None:
    assert signalled(number=number)[:2] == (0, "finished\n")


def test_a_process_that_hangs_still_ends() -> None:
    code, output, seconds = signalled("hang")
    assert (code, output) == (1, "")
    assert seconds < 10


def test_the_second_signal_ends_it_at_once() -> None:
    code, _, seconds = signalled("hang", "slow", signals=2)
    assert code == 128 + signal.SIGTERM
    assert seconds < 5


def test_run_process_gives_the_exit_code_and_leaves_no_task() -> None:
    async def main() -> int:
        asyncio.create_task(asyncio.sleep(60))  # noqa: RUF006  # left behind on purpose
        return 7

    assert run_process(main) == 7
