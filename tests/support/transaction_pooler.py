"""A pooler between the bridge and PostgreSQL, as PgBouncer is one, over connections of a real server.

A client proves itself to a server connection of its own. In transaction mode that connection then joins all others, and each
transaction of any client runs on the one that is idle: in the order of `turns`, the one used last (PgBouncer's way) or the one
idle longest (`server_round_robin`). In session mode the client keeps it.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102


class Server(NamedTuple):
    """One connection to the real server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Pooler:
    """Hands server connections on; `dropped` are startup parameters that it does not pass on."""

    def __init__(
        self,
        url: str,
        mode: Literal["session", "transaction"],
        *,
        turns: Literal["newest", "oldest"] = "newest",
        size: int = 20,
        dropped: Collection[str] = (),
    ) -> None:
        self._parts = urlsplit(url)
        self._mode, self._turns, self._size = mode, turns, size
        self._dropped = {name.encode() for name in dropped}
        self._idle: deque[Server] = deque()
        self._servers = 0
        self._given_back = asyncio.Condition()
        self._clients: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The address to use instead."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        credentials = self._parts.netloc.rpartition("@")[0]
        place = f"{credentials}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield urlunsplit(self._parts._replace(netloc=place))
        finally:
            server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            for one in self._idle:
                one.writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.create_task(self._client(reader, writer))
        self._clients.add(client)
        with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            await client
        self._clients.discard(client)
        writer.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await self._startup(reader, writer)
        if startup is None:
            return
        there, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        back.write(startup)
        if not await self._log_in(reader, writer, Server(there, back)):
            back.close()
            return
        if self._mode == "session":
            ways = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                back.close()  # the session ends, and with it what it held
            return
        await self._join(Server(there, back))
        while await self._transaction(reader, writer):
            pass

    async def _transaction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Run one transaction of a client; False when it has gone."""
        kind, message = await _message(reader)
        if kind == b"X":
            return False
        server = await self._take()
        try:
            while True:
                server.writer.write(message)
                answered = kind not in {b"Q", b"S", b"H"} or await _answers(server, writer, kind)
                if answered == b"I":
                    break
                kind, message = await _message(reader)
        except BaseException:
            server.writer.close()  # a client that vanished in a transaction
            self._servers -= 1
            raise
        await self._give_back(server)
        return True

    async def _startup(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            rest = await reader.readexactly(length - 8)
            if code == CANCEL_REQUEST:
                return None
            if code != SSL_REQUEST:
                break
            writer.write(b"N")
        words = rest.rstrip(b"\0").split(b"\0")
        pairs = [
            (name, value) for name, value in zip(words[::2], words[1::2], strict=True) if name not in self._dropped
        ]
        kept = b"".join(name + b"\0" + value + b"\0" for name, value in pairs) + b"\0"
        return struct.pack("!ii", len(kept) + 8, code) + kept

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server) -> bool:
        """Let the client and the server talk until the server is ready or has refused."""
        while True:
            kind, message = await _message(server.reader)
            writer.write(message)
            if kind in {b"Z", b"E"}:
                return kind == b"Z"
            if kind == b"R" and struct.unpack("!i", message[5:9])[0] in {3, 5, 10, 11}:  # it waits for an answer
                server.writer.write((await _message(reader))[1])

    async def _join(self, server: Server) -> None:
        if self._servers >= self._size:
            server.writer.close()
            return
        self._servers += 1
        await self._give_back(server)

    async def _take(self) -> Server:
        async with self._given_back:
            await self._given_back.wait_for(lambda: self._idle)
            return self._idle.pop() if self._turns == "newest" else self._idle.popleft()

    async def _give_back(self, server: Server) -> None:
        async with self._given_back:
            self._idle.append(server)
            self._given_back.notify()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


async def _answers(server: Server, writer: asyncio.StreamWriter, asked: bytes) -> bytes:
    """Forward what the server says until it is ready, or after a flush has described; the state of its transaction."""
    while True:
        kind, message = await _message(server.reader)
        writer.write(message)
        if kind == b"Z":
            return message[5:6]
        if asked == b"H" and kind in {b"T", b"n", b"E"}:
            return b""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
