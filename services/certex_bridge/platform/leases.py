"""A few connections for small reads, kept for a moment between two of them.

Taking a connection of a pool and giving it back costs our processor more than a small statement: a task, two time-outs
and a proxy each time. Under load the same few connections go from one read to the next, in the order in which the reads
came; without load they go back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

KEPT_SECONDS = 0.05
"""How long a connection that nobody uses is kept."""
LEASED_MAX = 3
"""Most connections at a time; the pool has other users."""


class Leases:
    """Connections of one pool; use from one event loop."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float) -> None:
        """`wait_seconds` is how long to wait for a connection."""
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._leased = 0
        """Taken from the pool and not given back: in use, kept, or on the way."""
        self._kept: list[Any] = []
        self._used: set[Any] = set()
        """Of those that are kept: used since they were looked at."""
        self._waiting: deque[asyncio.Future[Any]] = deque()
        """Reads in the order in which they came; each gets a connection, or None where a place became free."""
        self._looking: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Any]:
        """A connection for one block; what fails in the block may have left it unfit, so it goes back then.

        Raises:
            TimeoutError, OSError, asyncpg.PostgresError: there is none.
        """
        connection = await self.take()
        try:
            yield connection
        except BaseException:  # a cancelled statement too: its connection is not clean
            await self.give_back(connection)
            raise
        self.keep(connection)

    async def take(self) -> Any:
        """A connection, to be given to `keep` or to `give_back`.

        Raises:
            TimeoutError, OSError, asyncpg.PostgresError: there is none.
        """
        while True:
            if self._kept:
                connection = self._kept.pop()
            elif self._leased < LEASED_MAX:
                return await self._lease()
            else:
                connection = await self._wait()
            if connection is None:
                continue
            if _is_open(connection):
                return connection
            await self.give_back(connection)

    def keep(self, connection: Any) -> None:
        """Hand a connection whose read went well to who waits longest, or keep it for the next."""
        if self._hand(connection):
            return
        self._kept.append(connection)
        self._used.add(connection)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._look)

    async def give_back(self, connection: Any) -> None:
        """Give a connection back to its pool."""
        self._used.discard(connection)
        try:
            await self._pool.release(connection)
        finally:
            self._freed()

    async def _lease(self) -> Any:
        self._leased += 1
        try:
            return await self._pool.acquire(timeout=self._wait_seconds)
        except BaseException:  # who is cancelled while it waits must not hold a place for ever
            self._freed()
            raise

    async def _wait(self) -> Any:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await waiter
        except BaseException:  # cancelled or too late, at the very moment in which it was given something
            if waiter.done() and not waiter.cancelled():
                if waiter.result() is None:
                    self._hand(None)
                else:
                    self.keep(waiter.result())
            raise

    def _freed(self) -> None:
        self._leased -= 1
        self._hand(None)

    def _hand(self, connection: Any) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _look(self) -> None:
        """Give back what was not used since the last look."""
        idle = [one for one in self._kept if one not in self._used]
        self._kept = [one for one in self._kept if one in self._used]
        self._used.clear()
        for connection in idle:
            task = asyncio.create_task(self.give_back(connection))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(KEPT_SECONDS, self._look) if self._kept else None


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False  # the pool took it back when the server closed it
