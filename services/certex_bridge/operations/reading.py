"""The database as the commands use it: one short-lived connection, nothing changed unless the command says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from certex_bridge.kernel.errors import BridgeError, ConfigurationError
from certex_bridge.platform.settings import Settings

T = TypeVar("T")


class NotFound(BridgeError):
    """The ledger holds nothing under this name."""

    code = "NOT_FOUND"


class OneConnection:
    """A command's only connection where a pool is expected."""

    def __init__(self, connection: Any) -> None:
        self.fetch = connection.fetch
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """The connection."""
        yield self._connection


@asynccontextmanager
async def connection(settings: Settings, *, readonly: bool = True) -> AsyncIterator[Any]:
    """A connection to the database of the settings, read-only unless said otherwise.

    Raises:
        ConfigurationError: the settings name no database.
        OSError, asyncpg.PostgresError: it cannot be reached.
    """
    import asyncpg

    from certex_bridge.platform.postgres import connection_arguments

    if not settings.database_url.get_secret_value():
        raise ConfigurationError("CERTEX_DATABASE_URL must be set: it names the ledger's database")
    opened = await asyncpg.connect(**connection_arguments(settings))
    try:
        if readonly:
            await opened.execute("SET default_transaction_read_only = on")
        yield opened
    finally:
        await opened.close()


def read(query: Callable[[Any], Awaitable[T]]) -> T:
    """Run `query` on a connection and return what it found."""

    async def run() -> T:
        async with (
            connection(Settings.load()) as opened,
            opened.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await query(opened)

    return asyncio.run(run())


def write(work: Callable[[Any], Awaitable[T]]) -> T:
    """Run `work` on a connection that may change something; transactions are its business."""

    async def run() -> T:
        async with connection(Settings.load(), readonly=False) as opened:
            return await work(opened)

    return asyncio.run(run())
