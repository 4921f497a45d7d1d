"""Calls while PostgreSQL is really away: fast refusals, kept events, and nothing lost, doubled or said too early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from certex_bridge.operations import gateway_ledger
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.gateway_ledger import ledger_functions
from certex_bridge.operations.gateway_role import GatewayTimes
from certex_bridge.platform.embedded import EmbeddedPostgres, free_port
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.http.gateway import gateway_application
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.clearance import SENDER, Desk, Replied
from tests.support.wire_feed import licence, until

TIME_OUT_SECONDS = 600.0
"""Of a call, in these tests: one that waited for it would not be back within the bound."""
BOUND_SECONDS = 60.0


class Calls(Desk):
    """A desk whose gateway is wired as in production."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.caller = Desk.__dataclass_fields__["caller"].default_factory()  # type: ignore[misc]  # it has one
        self.count = 0

    async def in_time(self, movement: str, name: str, **told: Any) -> Replied:
        """The reply, which must not wait for any time-out."""
        async with asyncio.timeout(BOUND_SECONDS):
            return await self.move(movement, name, **told)


@asynccontextmanager
async def calls_on(settings: Settings) -> AsyncIterator[Calls]:
    bridge = Bridge(settings.model_copy(update={"gateway_handler_seconds": TIME_OUT_SECONDS}))
    await bridge.open()
    stop = asyncio.Event()
    parts = ledger_functions(bridge, GatewayTimes.of(settings))
    tasks = [asyncio.create_task(task(stop)) for task in parts.tasks.values()]
    try:
        yield Calls(gateway_application(parts.operations, Metrics(), SENDER))
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await bridge.close()


@asynccontextmanager
async def stoppable(servers: str, prefix: str, folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, BridgeWorld]]:
    """A PostgreSQL of its own, and a process that reads the topics."""
    server = EmbeddedPostgres(folder / "postgres", durable=True, port=free_port())
    await server.start()
    try:
        url = server.database_url("postgres")
        await migrate(url)
        async with bridge_world(url, servers, prefix, folder) as world:
            await world.process.start()
            await world.publish([licence("A", "100")])
            await world.settle(1)
            yield server, world
    finally:
        await server.stop()


async def test_while_the_database_is_away_customs_lose_nothing(
    bootstrap_servers: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_ledger, "CALL_SECONDS", TIME_OUT_SECONDS)
    async with stoppable(bootstrap_servers, topic_prefix, tmp_path) as (server, world):
        async with calls_on(world.settings) as calls:
            for name in ("M1", "M2", "M3", "M4"):
                assert (await calls.move("RESERVE", name, A="10")).outcomes == ["OK_RESERVED"]
            await world.connection.close()
            await server.stop()
            refused = await calls.in_time("RESERVE", "M5", A="10")
            assert (refused.status, refused.answer.problem["code"]) == (503, "NOT_AVAILABLE")
            message = calls.message("CONSUME", "M1", call_id="kept-1")
            assert (await calls.send(message)).status == 202
            assert (await calls.in_time("UNRESERVE", "M2")).status == 202
            assert (await calls.in_time("WITHDRAW", "M3")).status == 202
            assert (await calls.in_time("ADJUST", "M4", A="7")).status == 202
            assert (await calls.send(message)).status == 202  # told twice
            await server.start()
            world.connection = await asyncpg.connect(server.database_url("postgres"))
            await world.settle(1 + 4 + 4)
            assert await world.balances() == {"BE/A": "7/10/83"}

            async def answered() -> bool:
                return (await calls.send(message)).status == 200

            await until(answered, what="the outcome of a call that was kept")
            reply = await calls.send(message)
            assert (reply.outcomes, reply.answer.headers["certex-repeated"]) == (["OK_CONSUMED"], "1")
            assert (await calls.move("RESERVE", "M5", A="10")).outcomes == ["OK_RESERVED"]
            assert await world.balances() == {"BE/A": "17/10/73"}
            await world.check_outputs()
        assert await world.process.stop() == 0


async def test_without_broker_as_well_nothing_is_taken_over(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=True)
    await server.start()
    try:
        url = server.database_url("postgres")
        await migrate(url)
        settings = Settings.load(database_url=url, kafka_bootstrap_servers="127.0.0.1:1")
        async with calls_on(settings) as calls:
            assert (await calls.move("RESERVE", "M1", A="1")).outcomes[0].startswith("WAITING")
            await server.stop()
            reply = await calls.move("CONSUME", "M1")
            assert (reply.status, reply.answer.problem["code"]) == (503, "NOT_AVAILABLE")
    finally:
        await server.stop()
