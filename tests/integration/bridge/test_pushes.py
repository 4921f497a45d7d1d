"""Pushes of a worker process: from a change of status to a subscriber's server, over a refusal and a kill."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from tests.support.bridge_world import bridge_world
from tests.support.ledger_words import licence, mrn_of
from tests.support.push_receiver import KEY, Server, receiver, subscribe
from tests.support.scenario import Scenario
from tests.support.wire_feed import until


@pytest.mark.slow
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
) -> None:
    more = {"push_keys": KEY, "push_private_networks": "true", "roles": "worker"}
    server = Server(refuses=1)
    async with (
        receiver(server.answer) as url,
        bridge_world(app_database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world,
        asyncpg.create_pool(app_database_url, min_size=1, max_size=4) as pool,
    ):
        ledger = Scenario(PostgresStore(pool))
        await subscribe(pool, url)
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


async def written(pool: asyncpg.Pool[Any]) -> bool:
    return not await pool.fetchval("SELECT count(*) FROM push WHERE delivered_at IS NULL")
