"""The outbox on PostgreSQL: leadership by an advisory lock, batches in the order of their ids."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.relay import Aggregate, Batch, LeadLost, Refused
from certex_bridge.platform.postgres import load_queries, session_lock

_LEADER_LOCK = 0x6365727465780002
"""Key of the advisory lock: "certex" and the shard."""
HOLD_LOCK = 0x6365727465780003
"""Holding and releasing messages exclude each other: both move rows between batches and the table of held ones."""


class PostgresOutbox:
    """What is to be published, on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "outbox.sql")

    @asynccontextmanager
    async def leadership(self) -> AsyncIterator[PostgresLead | None]:
        """Hold the advisory lock for as long as the block runs; what the leader does runs on the lock's connection.

        Without the connection there is no lock, and without the lock nothing can be read or marked.
        """
        async with self._pool.acquire() as connection, session_lock(connection, _LEADER_LOCK) as leads:
            yield PostgresLead(connection, self._queries) if leads else None


class PostgresLead:
    """The outbox in the hands of the leader."""

    def __init__(self, connection: Any, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries
        self._batches_max = 4

    async def prove(self) -> None:
        """Ask the database whether the session that answers holds the leader's lock."""
        key = (_LEADER_LOCK >> 32, _LEADER_LOCK & 0xFFFFFFFF)
        if not await self._connection.fetchval(self._queries["leads"], *key):
            raise LeadLost("the session does not hold the leader's lock")

    async def unsent(self, rows_max: int, waiting: Collection[int], last: int | None) -> list[Batch]:
        """The oldest batches; at least one, whatever its size, since a batch is marked as a whole."""
        found = await self._connection.fetch(self._queries["unsent"], self._batches_max, list(waiting), last)
        ids = [row[0] for row in found]
        if not ids:
            return []
        batches: dict[int, list[OutboxRow]] = {batch_id: [] for batch_id in ids}
        total = 0
        for batch_id, *row in await self._connection.fetch(self._queries["rows"], ids):
            batches[batch_id].append(OutboxRow(*row))
            total += 1
        self._batches_max = max(1, min(64, self._batches_max * rows_max // max(total, 1)))
        return [Batch(batch_id, rows) for batch_id, rows in batches.items()]

    async def last_batch(self) -> int:
        """The newest batch there is, 0 when there is none."""
        return int(await self._connection.fetchval("SELECT coalesce(max(batch_id), 0) FROM unsent"))

    async def mark_sent(self, done: Sequence[int], refused: Sequence[Refused], read: Sequence[int]) -> None:
        """Forget the batches, remember what is held."""
        if not refused:
            if done:
                await self._connection.execute(self._queries["sent"], list(done))
            return
        columns = list(zip(*((*row[:3], code) for row, code in refused), strict=True))
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", HOLD_LOCK)
            await self._connection.execute(self._queries["hold"], *columns, list(read))
            await self._connection.execute(self._queries["sent"], list(done))

    async def held(self) -> set[Aggregate]:
        """Aggregates that are held back."""
        return {(row[0], row[1]) for row in await self._connection.fetch(self._queries["held"])}
