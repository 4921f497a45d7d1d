"""Documents that were published, looked up again: the outbox keeps every one."""

from __future__ import annotations

import asyncpg

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.answers import OutcomeDocument
from certex_bridge.platform.postgres import load_queries


class PostgresAnswers:
    """The port `Answers` on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float | None = None) -> None:
        """`wait_seconds` is how long to wait for a connection; None: as long as the pool says."""
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._query = load_queries("certex_bridge.ledger.adapters.sql", "queries.sql")["outcome_document"]

    async def document(self, decl_id: str, dv: int) -> OutcomeDocument | None:
        """The outcome of a declaration in this version."""
        async with self._pool.acquire(timeout=self._wait_seconds) as connection:
            body = await connection.fetchval(self._query, decl_id, dv)
        return None if body is None else OutcomeDocument(decl_id, dv, body)


class InMemoryAnswers:
    """The port `Answers` on the store in memory."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def document(self, decl_id: str, dv: int) -> OutcomeDocument | None:
        """The outcome of a declaration in this version."""
        row = self._store.contents.outbox.get(("outcome", decl_id, dv))
        return None if row is None else OutcomeDocument(decl_id, dv, row.body)
