"""Connections for small reads, kept for a moment between two of them.

Taking a connection of a pool and giving it back costs our processor more than a small statement: a task, two time-outs
and a proxy each time. Under load the same few connections go from one read to the next; without load they go back.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

KEPT_SECONDS = 0.05
"""How long a connection that nobody uses is kept."""
KEPT_MAX = 2
"""Most connections that are kept; the pool has other users."""


class Leases:
    """Connections of one pool; use from one event loop."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float) -> None:
        """`wait_seconds` is how long to wait for a connection of the pool."""
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._kept: list[Any] = []
        self._used: set[Any] = set()
        """Of those that are kept: used since they were looked at."""
        self._looking: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()

    async def take(self) -> Any:
        """A connection, to be given to `keep` or to `give_back`.

        Raises:
            TimeoutError, OSError, asyncpg.PostgresError: the pool has none.
        """
        while self._kept:
            connection = self._kept.pop()
            if _is_open(connection):
                return connection
            await self.give_back(connection)
        return await self._pool.acquire(timeout=self._wait_seconds)

    async def keep(self, connection: Any) -> None:
        """Keep a connection whose read went well for the next one."""
        if len(self._kept) >= KEPT_MAX:
            await self.give_back(connection)
            return
        self._kept.append(connection)
        self._used.add(connection)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._look)

    async def give_back(self, connection: Any) -> None:
        """Give a connection back to its pool."""
        self._used.discard(connection)
        await self._pool.release(connection)

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
