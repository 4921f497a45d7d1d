"""A worker in this process delivers, and operators see who gets what and stop or resume it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.operations import cli, terminal
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.running import running
from certex_bridge.operations.verify import verify
from certex_bridge.platform.settings import Settings
from tests.support.ledger_words import licence
from tests.support.push_receiver import KEY, Server, receiver, subscribe
from tests.support.scenario import Scenario
from tests.support.wire_feed import until


@pytest.fixture(autouse=True)
def fresh_console() -> Iterator[None]:
    terminal.console.cache_clear()
    with capture_logs():  # the worker of this process must not write into what the commands say
        yield
    terminal.console.cache_clear()


def certex(*arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return json.loads(result.output)


async def test_a_worker_delivers_and_operators_look_and_steer(
    app_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    settings = Settings.load(
        database_url=app_database_url, push_keys=KEY, push_private_networks=True, roles="worker", worker_poll_ms=20,
        database_async_commit=True,  # the run's PostgreSQL is not durable
    )  # fmt: skip
    server, bridge = Server(refuses=0), Bridge(settings)
    async with (
        receiver(server.answer) as url,
        asyncpg.create_pool(app_database_url, min_size=1, max_size=4) as pool,
    ):
        ledger = Scenario(PostgresStore(pool))
        name = await subscribe(pool, url)
        await ledger.accepted("M1", A=4)
        async with running(bridge, ["worker"]):
            await ledger.issue(licence("A", "10 NAR"))
            await until(lambda: server.has(1), what="the first push")
            await asyncio.to_thread(change, "pause", name)
            await ledger.suspend("A")
            await until(lambda: made(pool, 2), what="the push that waits")
            server.refuses = 1
            await asyncio.to_thread(change, "resume", name)
            await until(lambda: server.has(2), what="the second push, once it is resumed")
            assert (await bridge.pushes.depths())["subscriptions_failing"] in {0.0, 1.0}
            await bridge._measure()
        assert "pushes numbered" not in await wrong(app_database_url)
        await pool.execute("UPDATE subscription SET last_number = 9")
        assert "at number 9, 2 pushes up to 2" in (await wrong(app_database_url))["pushes numbered"]
        await pool.execute("UPDATE subscription SET last_number = 2")
    assert server.statuses() == ["1 Valid", "2 Suspended"]
    page = bridge.metrics.exposition()[0].decode()
    for figure in (
        'pushes_total{result="delivered"} 2.0',
        'pushes_total{result="failed"} 1.0',
        "push_oldest_unsent_seconds ",
    ):
        assert f"certex_bridge_{figure}" in page
    await asyncio.to_thread(seen_by_operators, name)


async def wrong(database_url: str) -> dict[str, str]:
    return {check.name: check.detail for check in (await verify(database_url)).failed}


async def made(pool: asyncpg.Pool[Any], number: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM push WHERE number = $1", number))


def change(verb: str, name: str) -> None:
    assert certex("subscriptions", verb, name[:12]) == {"subscription": name, "done": verb}
    paused = {"pause": "OPERATOR", "resume": ""}[verb]
    assert certex("subscriptions", "list")[0]["paused"] == paused


def seen_by_operators(name: str) -> None:
    (shown,) = certex("subscriptions", "list")
    assert (shown["caller"], shown["owed"], shown["last_number"]) == ("NSW.BE", 0, 2)
    pushes = certex("pushes", "list", "--subscription", name[:12])
    assert [(one["number"], one["attempts"]) for one in pushes] == [(2, 2), (1, 1)]
    certex("subscriptions", "retry", name)
    assert len(certex("subscriptions", "list", "--all")) == 1
    for command in (("subscriptions", "list"), ("pushes", "list")):
        assert name[:12] in CliRunner().invoke(cli.app, command).output
    assert "is tried again at once" in CliRunner().invoke(cli.app, ["subscriptions", "retry", name]).output
    unknown = CliRunner().invoke(cli.app, ["subscriptions", "pause", "nobody"])
    assert "no subscription in force begins with nobody" in str(unknown.exception)
