"""How large the database is, table by table, beside what its disk was planned for."""

from __future__ import annotations

from typing import Any

import asyncpg

from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import load_queries

SIZE_SECONDS = 300.0
"""How often the sizes are looked up."""


class DatabaseSize:
    """Measures the database and its tables."""

    def __init__(self, pool: asyncpg.Pool[Any], metrics: Metrics, capacity_bytes: int) -> None:
        """`capacity_bytes`: what the disk was planned for; 0: not told, and no figure is exposed."""
        self._pool = pool
        self._metrics = metrics
        self._capacity_bytes = capacity_bytes
        self._queries = load_queries("certex_bridge.operations", "measure.sql")

    async def measure(self) -> None:
        """Look the sizes up, in bytes.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        if self._capacity_bytes:
            self._metrics.measured("database_capacity_bytes", self._capacity_bytes)
        self._metrics.measured("database_size_bytes", await self._pool.fetchval(self._queries["database_size"]))
        for table, size in await self._pool.fetch(self._queries["table_sizes"]):
            self._metrics.measured("table_size_bytes", size, table)
