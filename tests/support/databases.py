"""Databases for tests: each test gets a fresh copy of a migrated template, which costs a few hundredths of a second."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine from a synchronous fixture, on a loop of its own that pytest-asyncio never sees."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(_settle())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _settle() -> None:
    """Let tasks end and closed connections say goodbye: what is left over would be reported in some later test."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)


def with_database(url: str, name: str) -> str:
    """The same server's address with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class Databases:
    """Makes and drops databases on one server; names are unique, so that runs may share the server."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._prefix = f"certex_test_{secrets.token_hex(4)}"
        self._count = 0
        self._template = ""

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def create(self, template: str = "template0") -> str:
        """Address of a fresh database made from `template`."""
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return with_database(self.admin_url, name)

    async def create_migrated(self) -> str:
        """Address of a fresh database with the bridge's schema."""
        if not self._template:
            # Imported late: most tests need no database, and a broken migration should fail only those that do.
            from certex_bridge.platform.postgres import migrate

            url = await self.create()
            await migrate(url)
            self._template = urlsplit(url).path.lstrip("/")
        return await self.create(self._template)

    async def drop(self, url: str) -> None:
        """Drop a database together with the connections still open to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path.lstrip("/")}" WITH (FORCE)')

    async def close(self) -> None:
        """Drop the template."""
        if self._template:
            await self.drop(with_database(self.admin_url, self._template))
