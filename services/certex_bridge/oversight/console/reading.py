"""What the pages read: the ledger's, the single window's and the console's own tables, in short read-only transactions.

The console looks across the contexts, as the commands of an operator do; it changes nothing of the ledger.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from certex_bridge.platform.migrations import load_queries

if TYPE_CHECKING:
    import asyncpg

WAIT_SECONDS = 2.0
"""For a connection; past it the page says that the database is away."""
STATEMENT_SECONDS = 10.0


class Reading:
    """Reads on the pool of the process."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self.pool = pool
        self.queries = load_queries("certex_bridge.oversight.console", "sql/console.sql")
        self.desk = load_queries("certex_bridge.singlewindow.adapters.sql", "push_desk.sql")
        self.ledger = load_queries("certex_bridge.ledger.adapters.sql", "mismatches.sql")

    @asynccontextmanager
    async def picture(self) -> AsyncIterator[Picture]:
        """Reads that belong together: one page shows one state of the database.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError: the database is away, or too slow for a page.
        """
        async with (
            self.pool.acquire(timeout=WAIT_SECONDS) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            foreign = {f"desk.{name}": text for name, text in self.desk.items()}
            foreign |= {f"ledger.{name}": text for name, text in self.ledger.items()}
            yield Picture(connection, self.queries | foreign)


class Picture:
    """One transaction."""

    def __init__(self, connection: Any, queries: dict[str, str]) -> None:
        self._connection = connection
        self._queries = queries

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """All rows."""
        found = await self._connection.fetch(self._queries[query], *arguments, timeout=STATEMENT_SECONDS)
        return [dict(row) for row in found]

    async def row(self, query: str, *arguments: object) -> dict[str, Any] | None:
        """The first row, or None."""
        found = await self.rows(query, *arguments)
        return found[0] if found else None

    async def value(self, query: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        found = await self.row(query, *arguments)
        return next(iter(found.values())) if found else None
