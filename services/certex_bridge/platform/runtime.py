"""The process: roles run as tasks of one event loop, and stop in order within bounded time.

Stop order (roles in the order given, then the closers): stop reading, finish the batch in work, commit, leave the
group; flush the relay; close the pools. Each step has what is left of `graceful_stop_seconds`; a step that takes longer
is cut off, which loses nothing, since offsets move only behind effects that are on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.position_keeper import kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from faststream.kafka import KafkaBroker

    from certex_bridge.platform.kafka_batches import BatchSubscription
    from certex_bridge.platform.settings import Settings
    from certex_bridge.platform.watchdog import Turns

LOG = get_logger("certex_bridge.runtime")

EXIT_FAILED = 1
CUT_OFF_SECONDS = 0.5
"""How long a cancelled step may still take."""


class Role(Protocol):
    """One job of the process."""

    @property
    def name(self) -> str:
        """Short name for logs, metrics and readiness."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what was begun and return; returning earlier counts as a failure."""

    def ready(self) -> str | None:
        """Why the role is not ready, or None."""


Closer = tuple[str, "Callable[[], Awaitable[object]]"]
"""Name and function of something to close after the roles (pool, publisher)."""


class Supervisor:
    """Runs the roles; when one fails or a signal comes, stops all of them in order."""

    def __init__(self, roles: Sequence[Role], settings: Settings, closers: Sequence[Closer] = ()) -> None:
        self._roles = list(roles)
        self._settings = settings
        self._closers = list(closers)
        self._stops = {role.name: asyncio.Event() for role in roles}
        self._asked = asyncio.Event()
        self._clean = True

    @property
    def stopping(self) -> bool:
        """Whether the stop has begun."""
        return self._asked.is_set()

    def request_stop(self, *, failed: bool = False) -> None:
        """Begin the orderly stop; `failed` makes the exit code tell of a failure."""
        self._clean = self._clean and not failed
        self._asked.set()

    def readiness(self) -> dict[str, str]:
        """Role -> why it is not ready; empty when all are."""
        if self.stopping:
            return {"process": "stopping"}
        return {role.name: reason for role in self._roles if (reason := role.ready())}

    async def run(self) -> int:
        """Run until a signal or a failure; the process's exit code (0: orderly)."""
        restore = self._take_signals()
        tasks = {
            role.name: asyncio.create_task(role.run(self._stops[role.name]), name=role.name) for role in self._roles
        }
        asked = asyncio.create_task(self._asked.wait(), name="stop asked")
        try:
            await asyncio.wait([asked, *tasks.values()], return_when=asyncio.FIRST_COMPLETED)
            failed = [name for name, task in tasks.items() if task.done()]
            for name in failed:
                _report(name, tasks[name])
            self.request_stop()
            await self._stop(tasks)
        finally:
            asked.cancel()
            restore()
        return 0 if self._clean and not failed else EXIT_FAILED

    def _take_signals(self) -> Callable[[], None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        try:
            for number in signals:
                loop.add_signal_handler(number, self._signalled, number)
        except (ValueError, RuntimeError, NotImplementedError):  # not the main thread: the caller asks for the stop
            return lambda: None

        def restore() -> None:
            for number in signals:
                loop.remove_signal_handler(number)

        return restore

    def _signalled(self, number: signal.Signals) -> None:
        if self.stopping:
            # The second one comes from somebody who does not want to wait.
            LOG.warning("process.impatient", signal=number.name)
            os._exit(128 + number)
        LOG.info("process.stopping", signal=number.name)
        self.request_stop()

    async def _stop(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        deadline = time.monotonic() + self._settings.graceful_stop_seconds
        for role in self._roles:
            task = tasks[role.name]
            done_before = task.done()
            self._stops[role.name].set()
            await self._step(role.name, task, deadline)
            if not done_before and task.done():
                _report(role.name, task, expected=True)
        for name, close in self._closers:
            await self._step(f"close {name}", asyncio.ensure_future(close()), deadline)

    async def _step(self, name: str, task: asyncio.Future[Any], deadline: float) -> None:
        """Wait for one step within what is left of the time, then cut it off."""
        began = time.monotonic()
        if not await finished(task, max(deadline - began, CUT_OFF_SECONDS)):
            self._clean = False
            LOG.error("stop.cut_off", step=name, seconds=round(time.monotonic() - began, 2))
        elif not task.cancelled() and task.exception() is not None:
            self._clean = False
            LOG.error("stop.failed", step=name, exc_info=task.exception())


async def finished(task: asyncio.Future[Any], seconds: float) -> bool:
    """Whether the task ended in time; one that did not is cancelled and not waited for longer than a moment.

    `asyncio.wait_for` would wait for a task that swallows its cancellation, and for ever at that.
    """
    done, _ = await asyncio.wait([task], timeout=seconds)
    if done:
        return True
    task.cancel()
    await asyncio.wait([task], timeout=CUT_OFF_SECONDS)
    return False


def _report(name: str, task: asyncio.Task[None], *, expected: bool = False) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        LOG.critical("role.failed", role=name, exc_info=error)
    elif not expected:
        LOG.critical("role.ended", role=name, reason="it returned although nobody asked it to stop")


class BatchRole:
    """Reads batches until asked to stop; fails when a subscription has stopped for good."""

    def __init__(
        self,
        name: str,
        broker: KafkaBroker,
        subscriptions: Sequence[BatchSubscription],
        settings: Settings,
        turns: Turns,
    ) -> None:
        self.name = name
        self._broker = broker
        self._subscriptions = subscriptions
        self._settings = settings
        self._turns = turns
        self._started = False

    def ready(self) -> str | None:
        """Why the role is not ready, or None."""
        if not self._started:
            return "not connected to the broker yet"
        return next((reason for one in self._subscriptions if (reason := one.ready())), None)

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`; the batch in work is finished, and the group is left within bounded time.

        Raises:
            Exception: the failure of a subscription.
        """
        try:
            if await self._start(stop):
                self._started = True
                async with AsyncExitStack() as stack:
                    keepers = [await stack.enter_async_context(kept(one.keeper)) for one in self._subscriptions]
                    await self._watch(stop, [one for one in keepers if one is not None])
        finally:
            self._started = False
            self._turns.forget(self.name)
            # Without a broker FastStream's stop never returns: aiokafka keeps trying to leave the group.
            if not await finished(asyncio.ensure_future(self._broker.stop()), self._settings.graceful_stop_seconds):
                LOG.warning("broker.left_behind", role=self.name)

    async def _start(self, stop: asyncio.Event) -> bool:
        """Connect and join; False when the stop came first.

        Raises:
            KafkaError, TimeoutError: no broker lets us in within the watchdog's time.
        """
        limit = self._settings.watchdog_stuck_seconds
        self._turns.mark(self.name, grace=limit)
        starting = asyncio.ensure_future(self._broker.start())
        asked = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([starting, asked], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            elif not asked.done():
                raise TimeoutError(f"no broker let us in within {limit:g} s: CERTEX_KAFKA_BOOTSTRAP_SERVERS")
            return starting.done()
        finally:
            asked.cancel()
            starting.cancel()

    async def _watch(self, stop: asyncio.Event, keepers: Sequence[asyncio.Task[None]]) -> None:
        waits = [
            *keepers,
            asyncio.ensure_future(stop.wait()),
            *(asyncio.ensure_future(one.failed.wait()) for one in self._subscriptions),
        ]
        try:
            while not any(one.done() for one in waits):
                self._turns.mark(self.name)
                await asyncio.wait(waits, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits[len(keepers) :]:
                one.cancel()
        for keeper in keepers:
            if keeper.done():
                keeper.result()
        for one in self._subscriptions:
            if one.failure is not None:
                raise one.failure


def run_process(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run `main` on a fresh event loop (uvloop where there is one) and return its exit code.

    Tasks that are still there afterwards are cancelled and not waited for longer than a moment: nothing that hangs may
    keep a stopped process alive. Threads neither: the caller should leave with `leave`.
    """
    loop = _new_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main())
    finally:
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.wait(rest, timeout=CUT_OFF_SECONDS))
        with contextlib.suppress(TimeoutError):
            loop.run_until_complete(asyncio.wait_for(loop.shutdown_asyncgens(), CUT_OFF_SECONDS))
        asyncio.set_event_loop(None)
        loop.close()


def leave(code: int) -> None:
    """End the process at once with its logs written, whatever threads are still waiting for the network."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
