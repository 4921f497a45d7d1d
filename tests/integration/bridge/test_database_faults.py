"""A database that goes silent, cuts the connection in the middle of a COMMIT, restarts or lets everybody wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.intake import Intake
from certex_bridge.ledger.ports import Origin
from certex_bridge.ledger.worker import ClocksApart, Unpresented, Worker, not_presented
from certex_bridge.operations.composition import Bridge, decoders_of, transient
from certex_bridge.operations.verify import verify
from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.postgres import create_pool
from certex_bridge.platform.settings import Settings
from tests.support.bridge_world import bridge_world
from tests.support.wire_feed import declaration, licence, until


class Proxy:
    """Between the bridge and its database: forwards, until it is told to misbehave."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self.port = parts.hostname or "", parts.port or 5432
        self._parts = parts
        self.silent = asyncio.Event()
        self.at_commit = ""
        """swallow: COMMIT never arrives; answer: it arrives and its answer does not. Once."""
        self.cut = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The address to use instead."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        credentials = self._parts.netloc.rpartition("@")[0]
        try:
            yield urlunsplit(self._parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(self._host, self.port)
        except OSError:
            writer.close()
            return
        doomed = asyncio.Event()
        ways = [
            asyncio.create_task(self._requests(reader, back, doomed)),
            asyncio.create_task(self._answers(there, writer, doomed)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, back):
            end.close()

    async def _requests(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            if self.silent.is_set():
                continue
            if b"COMMIT;" in data and self.at_commit:
                told, self.at_commit = self.at_commit, ""
                self.cut += 1
                if told == "swallow":
                    return
                doomed.set()
            back.write(data)
            await back.drain()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        while data := await there.read(65_536):
            if self.silent.is_set():
                continue
            if doomed.is_set():
                return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def bridge_on(url: str, **more: Any) -> AsyncIterator[Bridge]:
    bridge = Bridge(
        Settings.load(database_url=url, kafka_bootstrap_servers="127.0.0.1:1", database_async_commit=True, **more)
    )
    await bridge.open()
    try:
        yield bridge
    finally:
        await bridge.close()


async def nothing(_count: int | None = None) -> None:
    """No offsets here."""


def batch() -> list[Envelope]:
    records = [licence("A", "10"), declaration(1, "accepted", 1, {"A": "4"})]
    return [
        Envelope(one.topic, 0, offset, one.key, one.value, one.headers)  # type: ignore[arg-type]  # our own records
        for offset, one in enumerate(records)
    ]


@pytest.mark.row("E144")
@pytest.mark.parametrize("at_commit", ["swallow", "answer"])
async def test_a_commit_in_doubt_has_one_effect(at_commit: str, database_url: str) -> None:
    proxy = Proxy(database_url)
    async with proxy.running() as url, bridge_on(url) as bridge:
        intake = Intake(bridge.executor, decoders_of(bridge.settings), transient)
        proxy.at_commit = at_commit
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:
            await intake.on_batch(batch(), nothing)
        assert transient(caught.value) == "connection"
        assert proxy.cut == 1
        answers = await intake.on_batch(batch(), nothing)
        assert [answer.repeated for answer in answers] == [at_commit == "answer"] * 2
        assert await bridge.pool.fetchval("SELECT sum(reserved) FROM account WHERE line_no = 1") == 4
        assert await bridge.pool.fetchval("SELECT count(*) FROM inbox") == 2
    assert (await verify(database_url)).ok


async def test_a_database_that_goes_silent_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certex_bridge.platform.postgres.ANSWER_SECONDS", 0.2)
    proxy = Proxy(database_url)
    async with proxy.running() as url, bridge_on(url, statement_timeout_ms=300, database_connect_seconds=1) as bridge:
        async with bridge.outbox.leadership() as lead:
            assert lead is not None
        proxy.silent.set()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(20), bridge.outbox.leadership():
                pytest.fail("nobody leads on a silent connection")
        assert transient(caught.value) == "connection"
        with pytest.raises((OSError, asyncpg.InterfaceError)):
            await asyncio.wait_for(bridge.pool.fetchval("SELECT 1"), 10)
        proxy.silent.clear()
        bridge.pool.terminate()


async def test_the_kernel_watches_idle_connections(database_url: str) -> None:
    pool = await create_pool(Settings.load(database_url=database_url, database_async_commit=True))
    async with pool.acquire() as connection:
        channel = connection._con._transport.get_extra_info("socket")
        assert channel.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
    await pool.close()


async def test_waiting_for_a_connection_has_an_end(database_url: str) -> None:
    settings = Settings.load(
        database_url=database_url, database_async_commit=True, database_connect_seconds=0.2, database_pool_max=10
    ).model_copy(update={"database_pool_max": 1})
    pool = await create_pool(settings)
    async with pool.acquire():
        with pytest.raises(TimeoutError) as caught:
            await pool.fetchval("SELECT 1")
        assert transient(caught.value) == "connection"
    await pool.close()


def lodged(decl: str, at: datetime, *, presented: bool) -> Delivery:
    told = Facts(
        lodged=Stamp(at, f"l-{decl}"),
        presented=Stamp(at + timedelta(days=1), f"p-{decl}") if presented else None,
        lrn=decl,
        exporter="BE0400000000",
    )
    kind = EventKind.PRESENTED if presented else EventKind.LODGED
    return Delivery(
        Origin("customs.declarations.v1", 0, 0),
        DeclarationCommand(f"e-{decl}", at, kind, "0" * 64, told, "", decl, "BE0400000000"),
    )


async def test_goods_that_were_presented_are_not_told_to_be_missing(database_url: str) -> None:
    now = datetime.now(UTC)
    async with bridge_on(database_url) as bridge:
        long_ago = now - timedelta(days=31)
        await bridge.executor.apply([lodged("L1", long_ago, presented=True), lodged("L2", long_ago, presented=False)])
        assert await Worker(bridge.executor, bridge.calendar).fire_timers() == 1
        states = dict(await bridge.pool.fetch("SELECT lrn, state FROM declaration"))
        assert states == {"L1": "LODGED", "L2": "NOT_PRESENTED"}
        # The timer that read before the goods came finds out under the lock.
        late = not_presented(Unpresented("BE0400000000/L1", "", "L1", "BE0400000000"), now)
        (answer,) = (await bridge.executor.apply([Delivery(Origin("internal", 0, -1), late)])).answers
        assert '"SUPERSEDED"' in answer.body
        assert dict(await bridge.pool.fetch("SELECT lrn, state FROM declaration"))["L1"] == "LODGED"


async def test_the_worker_compares_its_clock_with_the_database_s(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def two_days_behind(_pool: object) -> float:
        return -172_800.0

    now = datetime.now(UTC)
    async with bridge_on(database_url) as bridge:
        await bridge.executor.apply([lodged("L1", now - timedelta(days=31), presented=False)])
        (worker,) = (role for role in bridge.roles({"worker"}) if isinstance(role, Worker))
        with monkeypatch.context() as patch:
            patch.setattr("certex_bridge.operations.composition.clock_skew", two_days_behind)
            with pytest.raises(ClocksApart):
                await worker.fire_timers()
        assert dict(await bridge.pool.fetch("SELECT lrn, state FROM declaration")) == {"L1": "LODGED"}
        assert await worker.fire_timers() == 1


@pytest.mark.row("E145", "E146")
async def test_a_database_that_restarts_loses_nothing(
    bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Immediate shutdown in the middle of the stream; not ready while it is away, then everything is taken in."""
    server = EmbeddedPostgres(tmp_path / "postgres", durable=True)
    await server.start()
    try:
        proxy = Proxy(server.database_url("postgres"))
        async with proxy.running() as url, bridge_world(url, bootstrap_servers, topic_prefix, tmp_path) as world:
            await migrate(url)
            await world.process.start()
            stream = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(1, 81)]

            async def waits_for_the_database() -> bool:
                return "it comes again until it works" in (tmp_path / "serve.log").read_text("utf-8")

            await world.publish([licence("A", "1000"), *stream[:40]])
            await world.begun(5)
            await world.connection.close()
            await server.stop()
            await world.publish(stream[40:])
            await until(waits_for_the_database, what="a word about the database")
            assert world.process.running
            await server.start()
            proxy.port = server.port
            world.connection = await asyncpg.connect(url)
            await world.settle(81)
            assert await world.balances() == {"BE/A": "80/0/920"}
            await world.check_outputs()
            assert await world.process.stop() == 0
    finally:
        await server.stop()
