"""Licences that will soon be in the way, and reservations nobody uses, counted in rounds over the licences.

Each measurement reads the next licences by primary key, with the newest of their journal entries and their open claims
(index claim_open), so that it costs the same with a million licences as with a thousand.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import load_queries

LICENCES_MAX = 20_000
"""Licences of one measurement."""
PAGE_LICENCES = 1_000


class LicenceMeasures:
    """Measures a part of the licences at each call; a figure counts the present round or the last, the larger."""

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        metrics: Metrics,
        idle_days: int,
        licences_max: int = LICENCES_MAX,
        page_licences: int = PAGE_LICENCES,
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._idle_days = idle_days
        self._licences_max = licences_max
        self._page_licences = page_licences
        self._queries = load_queries("certex_bridge.operations", "measure.sql")
        self._last_short = self._last_idle = 0
        self._begin()

    def _begin(self) -> None:
        self._at = ""
        self._short = self._idle = 0

    async def measure(self) -> None:
        """Read on, and tell.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        ended, seen = False, 0
        while not ended and seen < self._licences_max:
            row = await self._pool.fetchrow(self._queries["short"], self._at, self._page_licences)
            assert row is not None, "an aggregate has one row"
            number, last, short = row
            if number:
                self._short += short
                self._idle += await self._pool.fetchval(self._queries["idle"], self._at, last, self._idle_days)
                self._at = last
            seen += number
            ended = number < self._page_licences
        metrics = self._metrics
        metrics.measured("licences_near_limit", max(self._short, self._last_short), "quantity")
        metrics.measured("licences_near_limit", await self._pool.fetchval(self._queries["ending"]), "validity")
        metrics.measured("reservations_idle", max(self._idle, self._last_idle))
        if ended:
            self._last_short, self._last_idle = self._short, self._idle
            self._begin()
