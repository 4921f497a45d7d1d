"""Where the demo runs: servers named in the environment, or embedded ones that live as long as it does."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from certex_bridge.kernel.errors import BridgeError

if TYPE_CHECKING:
    from certex_bridge.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Server:
    """A server as the settings name it, and as people read it."""

    address: str
    shown: str
    """Without password."""
    named: bool = False
    """Whether the environment named it: then its password is nobody's business."""


class LedgerInUse(BridgeError):
    """A ledger that is not the demo's to play with."""

    code = "LEDGER_IN_USE"


async def refuse_a_ledger(settings: Settings) -> None:
    """Look whether the database of the settings has taken in anything.

    Raises:
        LedgerInUse: it has.
        OSError, asyncpg.PostgresError: it cannot be reached.
    """
    from certex_bridge.operations.reading import connection

    async with connection(settings) as database:
        if await database.fetchval("SELECT to_regclass('inbox')") is None:
            return
        if await database.fetchval("SELECT EXISTS (SELECT FROM inbox)"):
            raise LedgerInUse(
                f"{without_password(settings.database_url.get_secret_value())} holds a ledger: the demo plays in an "
                "empty database only. Name another in CERTEX_DATABASE_URL, or none for the embedded one.",
                field="CERTEX_DATABASE_URL",
            )


class Servers:
    """Starts what the settings do not name, and removes it when the stack unwinds."""

    def __init__(self, stack: AsyncExitStack, given: Settings) -> None:
        self._stack = stack
        self._given = given
        self._folder: Path | None = None

    async def database(self) -> Server:
        """The database named in the environment, else an embedded one.

        Raises:
            LedgerInUse: the named database holds a ledger; the demo would mix its day with it.
            ConfigurationError: the wheel of the embedded server is not installed.
            ServerFailed: the embedded server did not start.
        """
        url = self._given.database_url.get_secret_value()
        if url:
            await refuse_a_ledger(self._given)
            return Server(url, without_password(url), named=True)
        from certex_bridge.platform.embedded import EmbeddedPostgres

        server = EmbeddedPostgres(self._place("postgres"))
        await self._stack.enter_async_context(server)
        return Server(server.url, f"embedded, {without_password(server.url)}")

    async def broker(self) -> Server:
        """The broker named in the environment, else an embedded one; raises like `database`."""
        named = self._given.kafka_bootstrap_servers
        if named:
            return Server(named, named, named=True)
        from certex_bridge.platform.embedded import EmbeddedBroker

        server = EmbeddedBroker(self._place("broker"))
        await self._stack.enter_async_context(server)
        return Server(server.bootstrap_servers, f"embedded, {server.bootstrap_servers}")

    def _place(self, name: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="certex-bridge-"))
            self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / name


def without_password(url: str) -> str:
    """host:port/database of a PostgreSQL address; several hosts as they are written."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2] or 'localhost'}{parts.path}"
