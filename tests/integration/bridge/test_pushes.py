"""Pushes of a worker process: from a change of status to a subscriber's server, over a refusal and a kill."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from typer.testing import CliRunner

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.operations import cli, terminal
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.subscriptions import Subscribing
from certex_bridge.singlewindow.messages.subscription import SubscriptionRequest, SubscriptionResponse
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.pushes.signing import PushKeys
from tests.support.bridge_world import bridge_world
from tests.support.ledger_words import licence, mrn_of
from tests.support.push_receiver import receiver
from tests.support.scenario import Scenario
from tests.support.wire_feed import until

KEY = "the key of workers and gateways is long enough"
CALLER = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))


@pytest.fixture(autouse=True)
def fresh_console() -> Iterator[None]:
    terminal.console.cache_clear()
    yield
    terminal.console.cache_clear()


class Server:
    """A subscriber that refuses its first pushes."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.seen: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500, text="not now")
        self.seen.append(body)
        return web.Response(status=204)

    def statuses(self) -> list[str]:
        return [f"{one['pushNumber']} {one['NewVerdict']['status']}" for one in self.seen]

    async def has(self, number: int) -> bool:
        return bool(self.seen) and self.seen[-1]["pushNumber"] == number


async def subscribe(pool: asyncpg.Pool[Any], url: str) -> str:
    """Belgian customs subscribe; the id of their subscription."""
    handler = Subscribing(PostgresPushes(pool, PostgresStatusChanges()), PushKeys([KEY]), "BRIDGE", private=True)
    request = SubscriptionRequest.model_validate(
        {
            "messageSender": "NSW.BE", "messageRecipient": "BRIDGE", "messageIdentification": "M1",
            "preparationDateAndTime": "2026-02-01T09:00:00", "messageType": "CBSUBQ", "action": "SUBSCRIBE",
            "SubscriptionTerms": {"scope": "INTEREST", "url": url},
        }
    )  # fmt: skip
    first = await handler(Call(CALLER, datetime.now(UTC)), request)
    again = await handler(Call(CALLER, datetime.now(UTC)), request)
    assert (first.repeated, again.repeated) == (False, True)
    assert isinstance(first.message, SubscriptionResponse)
    assert first.message == again.message
    return first.message.subscription[0].subscription_identification


def certex(*arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return json.loads(result.output)


@pytest.mark.row("IR 5(2)")
@pytest.mark.parametrize(
    ("failpoint", "arrived"),
    [
        ("fan_out.before_commit:kill", ["1 Suspended", "2 Valid"]),
        ("delivery.after_sent:kill", ["1 Suspended", "1 Suspended", "2 Valid"]),  # at least once, under one number
    ],
)
async def test_a_subscriber_gets_every_change_in_order_over_failures_and_a_kill(
    failpoint: str,
    arrived: list[str],
    app_database_url: str,
    bootstrap_servers: str,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    more = {"push_keys": KEY, "push_private_networks": "true", "roles": "worker"}
    server = Server(refuses=1)
    async with (
        receiver(server.answer) as url,
        bridge_world(app_database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world,
        asyncpg.create_pool(app_database_url, min_size=1, max_size=4) as pool,
    ):
        ledger = Scenario(PostgresStore(pool))
        name = await subscribe(pool, url)
        await ledger.issue(licence("A", "10 NAR"))
        await pool.execute("DELETE FROM status_unsent")  # as if a worker had handed it out before M1 was declared
        await ledger.accepted("M1", A=4)
        await ledger.suspend("A")
        await world.process.start(failpoint=failpoint)
        assert await world.process.died() == -signal.SIGKILL
        await world.process.start()
        await until(lambda: server.has(1), what="the first push, after a refusal and a kill")
        (declared,) = server.seen[0]["Declaration"]
        assert (declared["MRN"], declared["claimState"], declared["atRisk"]) == (mrn_of("M1"), "RESERVED", True)
        await ledger.resume("A")
        await until(lambda: server.has(2), what="the second push")
        await until(lambda: written(pool), what="the second push written down")
        assert await world.process.stop() == 0
        assert await PostgresPushes(pool, PostgresStatusChanges()).depths() == {
            "push_oldest_unsent_seconds": 0.0, "subscriptions_failing": 0.0,
        }  # fmt: skip
    assert server.statuses() == arrived
    await asyncio.to_thread(seen_by_operators, name)


async def written(pool: asyncpg.Pool[Any]) -> bool:
    return not await pool.fetchval("SELECT count(*) FROM push WHERE delivered_at IS NULL")


def seen_by_operators(name: str) -> None:
    (shown,) = certex("subscriptions", "list")
    assert (shown["caller"], shown["owed"], shown["last_number"], shown["paused"]) == ("NSW.BE", 0, 2, "")
    pushes = certex("pushes", "list", "--subscription", name[:12])
    assert [(one["number"], one["attempts"] >= 1) for one in pushes] == [(2, True), (1, True)]
    assert certex("subscriptions", "pause", name[:12]) == {"subscription": name, "done": "pause"}
    assert certex("subscriptions", "list")[0]["paused"] == "OPERATOR"
    certex("subscriptions", "resume", name)
    certex("subscriptions", "retry", name)
    assert certex("subscriptions", "list", "--all")[0]["paused"] == ""
    for command in (("subscriptions", "list"), ("pushes", "list")):
        assert name[:12] in CliRunner().invoke(cli.app, command).output
    unknown = CliRunner().invoke(cli.app, ["subscriptions", "pause", "nobody"])
    assert "no subscription in force begins with nobody" in str(unknown.exception)
