"""Interests on PostgreSQL, and in memory for tests."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from certex_bridge.platform.postgres import load_queries
from certex_bridge.singlewindow.interests import Interest


class PostgresInterests:
    """Keeps interests in table `interest`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = load_queries("certex_bridge.singlewindow.adapters.sql", "interests.sql")

    async def keep(self, interests: Sequence[Interest]) -> None:
        """Add them, each key once."""
        latest = {interest[:3]: interest for interest in sorted(interests)}
        columns = zip(*latest.values(), strict=True)
        await self._pool.execute(self._queries["keep"], *map(list, columns))


class InMemoryInterests:
    """Keeps interests in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], Interest] = {}

    async def keep(self, interests: Sequence[Interest]) -> None:
        """Add them."""
        for interest in interests:
            known = self.kept.get(interest[:3], interest)
            self.kept[interest[:3]] = max(known, interest, key=lambda one: one.asked_at)
