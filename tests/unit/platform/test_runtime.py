"""The supervisor: one failing role stops all, a signal stops in order, nothing that hangs keeps the process alive."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

import pytest

from certex_bridge.platform.runtime import BatchRole, Supervisor, finished, run_process
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns
from tests.support.waiting import BOUND_SECONDS, until

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
                await asyncio.Event().wait()
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
    assert await asyncio.wait_for(supervisor.run(), 30) == 1
    assert diary == ["intake starts", "relay starts", "intake ends"]


async def test_a_role_that_returns_unasked_has_failed() -> None:
    assert await Supervisor([Worker("relay", [], returns=True), Worker("intake", [])], SETTINGS).run() == 1


async def test_a_role_that_hangs_is_cut_off_and_the_rest_still_stops() -> None:
    diary: list[str] = []
    supervisor = Supervisor([Worker("intake", diary, hangs=True), Worker("relay", diary)], SETTINGS)
    asyncio.get_running_loop().call_later(0.05, supervisor.request_stop)
    assert await asyncio.wait_for(supervisor.run(), BOUND_SECONDS) == 1
    assert "relay ends" in diary
    for task in asyncio.all_tasks():
        if task.get_name() == "intake":
            task.get_coro().close()


async def test_a_closer_that_fails_or_hangs_does_not_stop_the_others() -> None:
    diary: list[str] = []

    async def fails() -> None:
        raise ConnectionError("gone")

    async def hangs() -> None:
        await asyncio.Event().wait()

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
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.ensure_future(stubborn())
    assert not await asyncio.wait_for(finished(task, 0.1), BOUND_SECONDS)
    assert not task.done()
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
        self.keeper = None

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
    await until(lambda: role.ready() == "no partitions assigned")
    assert list(turns.ages()) == ["intake"]
    stop.set()
    await asyncio.wait_for(running, 30)
    assert broker.calls == ["start", "stop"]
    assert turns.ages() == {}


async def test_a_start_that_hangs_ends_by_itself_or_with_the_stop() -> None:
    settings = Settings.load(graceful_stop_seconds=0.6, watchdog_stuck_seconds=0.2)
    double: Any = Broker(start_hangs=True)
    turns = Turns()
    with pytest.raises(TimeoutError, match="CERTEX_KAFKA_BOOTSTRAP_SERVERS"):
        await asyncio.wait_for(BatchRole("intake", double, [], settings, turns).run(asyncio.Event()), 30)
    assert double.calls == ["start", "stop"]
    stop = asyncio.Event()
    broker = Broker(start_hangs=True)
    running = asyncio.create_task(batch_role(broker, Subscription(), turns).run(stop))
    await until(lambda: broker.calls == ["start"])
    stop.set()
    await asyncio.wait_for(running, 30)


async def test_a_subscription_that_stopped_for_good_fails_the_role() -> None:
    subscription, broker = Subscription(), Broker()
    role = batch_role(broker, subscription, Turns())
    running = asyncio.create_task(role.run(asyncio.Event()))
    await until(lambda: role.ready() == "no partitions assigned")
    subscription.failure = ValueError("a defect")
    subscription.failed.set()
    with pytest.raises(ValueError, match="a defect"):
        await asyncio.wait_for(running, 30)
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
        print("stopping", flush=True)
        if "hang" in sys.argv:
            import time, threading
            threading.Thread(target=time.sleep, args=(600,)).start()
            await asyncio.sleep(600)
        print("finished", flush=True)

async def main():
    return await Supervisor([Role()], Settings.load(graceful_stop_seconds=600 if "slow" in sys.argv else 1)).run()

configure_logging(Settings.load())
leave(run_process(main))
"""


def signalled(*arguments: str, signals: int = 1, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    """Exit code and the rest of what was printed; what hangs in the program hangs for longer than the bound."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        try:
            process.send_signal(number)
            if signals == 2:
                assert process.stdout.readline() == "stopping\n"
                process.send_signal(number)
            rest = process.communicate(timeout=60)[0]
        finally:
            process.kill()
        return process.returncode, rest.removeprefix("stopping\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_in_order(number: signal.Signals) -> None:
    assert signalled(number=number) == (0, "finished\n")


def test_a_process_that_hangs_still_ends() -> None:
    assert signalled("hang") == (1, "")


def test_the_second_signal_ends_it_at_once() -> None:
    assert signalled("hang", "slow", signals=2)[0] == 128 + signal.SIGTERM


def test_run_process_gives_the_exit_code_and_leaves_no_task() -> None:
    async def main() -> int:
        asyncio.create_task(asyncio.sleep(60))  # noqa: RUF006  # left behind on purpose
        return 7

    assert run_process(main) == 7
