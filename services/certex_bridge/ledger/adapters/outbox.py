"""The outbox on PostgreSQL: leadership by an advisory lock, batches in the order of their ids."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

import asyncpg

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.relay import Batch, Refused

_LEADER_LOCK = 0x6365727465780002
"""Key of the advisory lock: "certex" and the shard."""

_UNSENT = """
SELECT batch_id FROM unsent WHERE batch_id <> ALL($2::bigint[]) ORDER BY batch_id LIMIT $1
"""
_ROWS = """
SELECT batch_id, agg_type, agg_id, agg_ver, key, body, at FROM outbox
WHERE batch_id = ANY($1::bigint[]) ORDER BY batch_id, pos
"""


class PostgresOutbox:
    """What is to be published, on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._batches_max = 4

    @asynccontextmanager
    async def leadership(self) -> AsyncIterator[bool]:
        """Hold the advisory lock on a connection of its own for as long as the block runs."""
        async with self._pool.acquire() as connection:
            leads = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER_LOCK))
            try:
                yield leads
            finally:
                if leads:
                    await connection.execute("SELECT pg_advisory_unlock($1)", _LEADER_LOCK)

    async def unsent(self, rows_max: int, in_flight: Collection[int]) -> list[Batch]:
        """The oldest batches; at least one, whatever its size, since a batch is marked as a whole."""
        async with self._pool.acquire() as connection:
            ids = [row[0] for row in await connection.fetch(_UNSENT, self._batches_max, list(in_flight))]
            if not ids:
                return []
            batches: dict[int, list[OutboxRow]] = {batch_id: [] for batch_id in ids}
            total = 0
            for batch_id, *row in await connection.fetch(_ROWS, ids):
                batches[batch_id].append(OutboxRow(*row))
                total += 1
        self._batches_max = max(1, min(64, self._batches_max * rows_max // max(total, 1)))
        return [Batch(batch_id, rows) for batch_id, rows in batches.items()]

    async def mark_sent(self, batch_ids: Sequence[int], refused: Sequence[Refused]) -> None:
        """Forget the batches, remember what is held."""
        async with self._pool.acquire() as connection, connection.transaction():
            if refused:
                await connection.executemany(
                    "INSERT INTO held (agg_type, agg_id, agg_ver, code) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    [(row.agg_type, row.agg_id, row.agg_ver, code) for row, code in refused],
                )
            await connection.execute("DELETE FROM unsent WHERE batch_id = ANY($1::bigint[])", list(batch_ids))

    async def held(self) -> set[tuple[str, str]]:
        """Aggregates that are held back."""
        rows = await self._pool.fetch("SELECT DISTINCT agg_type, agg_id FROM held")
        return {(row[0], row[1]) for row in rows}

    async def release(self, agg_type: str, agg_id: str) -> int:
        """Send a held aggregate's messages again, in order, as a batch of their own; returns how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            batch_id = await connection.fetchval("INSERT INTO unsent DEFAULT VALUES RETURNING batch_id")
            moved = await connection.execute(
                "UPDATE outbox o SET batch_id = $3 FROM held h WHERE h.agg_type = $1 AND h.agg_id = $2 "
                "AND (o.agg_type, o.agg_id, o.agg_ver) = (h.agg_type, h.agg_id, h.agg_ver)",
                agg_type, agg_id, batch_id,
            )  # fmt: skip
            await connection.execute("DELETE FROM held WHERE agg_type = $1 AND agg_id = $2", agg_type, agg_id)
        return int(moved.split()[-1])
