"""Where the demo runs: servers named in the environment, or embedded ones that live as long as it does."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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


class Servers:
    """Starts what the settings do not name, and removes it when the stack unwinds."""

    def __init__(self, stack: AsyncExitStack, given: Settings) -> None:
        self._stack = stack
        self._given = given
        self._folder: Path | None = None

    async def database(self) -> Server:
        """The database named in the environment, else an embedded one.

        Raises:
            ConfigurationError: the wheel of the embedded server is not installed.
            ServerFailed: the embedded server did not start.
        """
        url = self._given.database_url.get_secret_value()
        if url:
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
    """host:port/database of a PostgreSQL address."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'localhost'}{port}{parts.path}"
