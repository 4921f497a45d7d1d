"""The ledger's invariants as figures: balances against the journal, the journal's hash chain, in rounds.

Each measurement reads the next part of the journal, so that it costs the same at a million rows as at a thousand; when
the end is reached a new round begins. A figure counts what is wrong in the present round or was in the last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg

from certex_bridge.kernel.canonical import GENESIS
from certex_bridge.ledger.domain.model import Status
from certex_bridge.operations.verify_checks import continues_chain
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import load_queries

ROWS_MAX = 20_000
"""Journal rows of one measurement: a fifth of a second of this process, in small pieces."""
PAGE_ROWS = 2_000

_YIELD_EVERY = 200
_GENESIS = GENESIS.hex()
_START = ("", 0, 0)


class LedgerMeasures:
    """Measures a part of the ledger at each call."""

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        metrics: Metrics,
        rows_max: int = ROWS_MAX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._metrics = metrics
        self._rows_max = rows_max
        self._clock = clock
        self._queries = load_queries("certex_bridge.operations", "measure.sql")
        self._last_round = (0, 0)
        """Accounts and links that were wrong in the last whole round."""
        self._begin()

    def _begin(self) -> None:
        self._at: tuple[str, int, int] = _START
        self._chain, self._head = _GENESIS, _GENESIS
        self._from = ""
        """First licence whose balances are still to be compared."""
        self._accounts = self._links = 0

    async def measure(self) -> None:
        """Read on, and tell.

        Raises:
            OSError, asyncpg.PostgresError: the database is away.
        """
        ended, rows = False, 0
        while not ended and rows < self._rows_max:
            page = await self._pool.fetch(self._queries["journal_page"], *self._at, PAGE_ROWS)
            rows += len(page)
            for number, row in enumerate(page):
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
                self._look(row)
            ended = len(page) < PAGE_ROWS
        await self._compare(None if ended else self._at[0])
        metrics = self._metrics
        metrics.measured("ledger_imbalance", max(self._accounts, self._last_round[0]))
        metrics.measured("ledger_chain_breaks", max(self._links, self._last_round[1]))
        metrics.measured("ledger_over_accounts", await self._pool.fetchval(self._queries["over_accounts"]))
        numbers = dict(await self._pool.fetch(self._queries["licences"]))
        for status in Status:  # a status that no licence has any more falls to 0
            metrics.measured("licences", numbers.get(status, 0), status)
        metrics.measured("ledger_verified_timestamp_seconds", self._clock())
        if ended:
            self._begin()

    def _look(self, row: Mapping[str, Any]) -> None:
        """One row: the link to the one before, and at a licence's end the link to the licence."""
        if row["licence_id"] != self._at[0]:
            self._close()
            self._chain = _GENESIS
        self._links += not continues_chain(self._chain, row)
        self._chain, self._head = row["chain"], row["head"]
        self._at = (row["licence_id"], row["lv"], row["seq"])

    def _close(self) -> None:
        self._links += self._chain != self._head

    async def _compare(self, up_to: str | None) -> None:
        """Balances of the licences before this one, whose rows may go on; None: of all that are left."""
        if up_to is None:
            self._close()
        if up_to is None or up_to > self._from:
            self._accounts += await self._pool.fetchval(self._queries["imbalance"], self._from, up_to)
            self._from = up_to or ""
        if up_to is None:
            self._last_round = (self._accounts, self._links)
