"""Making seals: in the worker, at an interval, in transactions of their own that hold up nothing that is booked."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certex_bridge.kernel.canonical import GENESIS
from certex_bridge.operations.seals import Seal, sign
from certex_bridge.operations.verify_heads import EVER, SESSION, heads_queries, of_written
from certex_bridge.platform.migrations import load_queries

AGGREGATE = ("seal", "ledger")
_LOCK = 0x6365727465780004
"""Key of the advisory lock."""
CATCH_UP = 5
"""A seal covers at most so many intervals: after a pause there are several, none of which takes long."""
SHORTER = 4
SHORTEST = timedelta(seconds=1)
BUDGET_SECONDS = 5.0
"""No further seal is begun in the same turn after this."""
_LOCAL = SESSION.replace("SET ", "SET LOCAL ").replace("SET LOCAL statement_timeout = 0; ", "")
"""For one transaction; the limit of statements stays that of the pool."""


class Sealer:
    """Seals what was written since the last seal."""

    def __init__(self, pool: asyncpg.Pool[Any], seconds: float, key: Ed25519PrivateKey | None = None) -> None:
        """`seconds` is the interval; without a key seals are not signed."""
        self._pool = pool
        self._interval = timedelta(seconds=seconds)
        self._longest = CATCH_UP * self._interval
        """What one seal covers at most; less after one took longer than a statement may."""
        self._key = key
        self._queries = load_queries("certex_bridge.operations", "seals.sql")
        self._append = load_queries("certex_bridge.ledger.adapters.sql", "queries.sql")["append_outbox"]

    async def seal(self) -> int:
        """Make the seals that are due; returns how many.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        began, made = time.monotonic(), 0
        try:
            while time.monotonic() - began < BUDGET_SECONDS and await self._one():
                made += 1
        except (asyncpg.QueryCanceledError, TimeoutError):
            self._longest = max(self._longest / SHORTER, SHORTEST)
            raise
        return made

    async def behind(self) -> float:
        """Seconds by which the next seal is late, 0 while it is not.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        last = await self._pool.fetchrow(self._queries["last"])
        # Only where there is no seal yet: it may read whole tables.
        since = last["as_of"] if last else await self._pool.fetchval(heads_queries()["first_written"])
        if since is None:
            return 0.0
        unsealed = await self._pool.fetchval(self._queries["unsealed_seconds"], since)
        return max(0.0, float(unsealed) - self._interval.total_seconds())

    async def _one(self) -> bool:
        """One seal; False: none is due, or another process makes it."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            if not await connection.fetchval(self._queries["alone"], _LOCK):
                return False
            await connection.execute(_LOCAL)
            last = await connection.fetchrow(self._queries["last"])
            # In this order: what began before `as_of` has ended, so the next statement sees it.
            as_of = await connection.fetchval(heads_queries()["as_of"])
            since = last["as_of"] if last else EVER
            if last and as_of - since < self._interval:
                return False
            until = await self._until(connection, since, as_of)
            rows = await connection.fetch(of_written("by_window"), since, until, [since])
            seal = Seal(
                last["seal_no"] + 1 if last else 1,
                since,
                until,
                tuple([(row["name"], row["number"], row["digest"]) for row in rows]),
                last["chain"] if last else GENESIS.hex(),
            )
            await self._write(connection, seal)
            return True

    async def _until(self, connection: Any, since: datetime, as_of: datetime) -> datetime:
        begin = since
        if since == EVER:
            begin = await connection.fetchval(heads_queries()["first_written"]) or as_of
        return min(as_of, begin + self._longest)

    async def _write(self, connection: Any, seal: Seal) -> None:
        if self._key is not None:
            name, signature = sign(seal.chain, self._key)
            signed = (seal.number, seal.since, seal.as_of, seal.rows, seal.before, name, signature)
            seal = Seal(*signed)
        row = (seal.number, seal.as_of, seal.line, seal.chain, seal.key_id, seal.signature)
        await connection.execute(self._queries["write"], *row)
        at = seal.as_of.isoformat().replace("+00:00", "Z")
        message = (*AGGREGATE, seal.number, 1, AGGREGATE[1], seal.body(), at, "")
        await connection.execute(self._append, *([column] for column in message))
