"""Every panel on a real Prometheus that watches a bridge playing a day: none is empty, and a good day wakes nobody."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from certex_bridge.laboratory.day import make_day
from certex_bridge.laboratory.publish import Sender
from certex_bridge.platform.processes import free_port
from tests.ops.expressions import metrics_of
from tests.ops.test_dashboards import FILES, load, panels
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.prometheus import PrometheusServer
from tests.support.wire_feed import until

RULES = sorted((Path(__file__).resolve().parents[2] / "helm" / "certex-bridge" / "files" / "rules").glob("*.yaml"))

EMPTY_HERE = {
    "Calls, by operation": "no process here has the gateway's role",
    "Time to answer, by operation": "no process here has the gateway's role",
    "Refused, by code": "no process here has the gateway's role",
    "Certificates end in": "nothing here speaks TLS",
    "Pushes, by result": "nobody subscribes here",
}
"""Panels without data in this run, and why."""
EMPTY_QUERIES = {'slo="check-latency"'}

EXPECTED_PAGES = {"LicenceCertificatesLate", "DeclarationOutcomesLate"}
"""The day that is played was yesterday, so everything is late."""


async def play(world: BridgeWorld, prometheus: PrometheusServer) -> None:
    """Wave after wave; Prometheus has seen each before the next comes."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    day = make_day(licences=40, declarations=80, seed=7, day=yesterday)
    sent = 0
    async with Sender(world.settings) as sender:
        for wave in day.waves:
            for messages in (wave.messages[: len(wave.messages) // 2], wave.messages[len(wave.messages) // 2 :]):
                if not messages:
                    continue
                await sender.send(messages)
                sent += len(messages)
                await until(lambda sent=sent: seen(prometheus, sent), 60, what=f"{sent} records seen")  # type: ignore[misc]

    async def published() -> bool:
        written = await world.connection.fetchval("SELECT count(*) FROM outbox")
        return await prometheus.value("sum(certex_bridge_relay_sent_total)") == written

    await until(published, 60, what="all published and seen")
    # The rules look at what was scraped before: one more evaluation with everything there.
    moment = time.time()

    async def measured() -> bool:
        stamp = await prometheus.value("min(timestamp(slo:current_burn_rate:ratio))")
        return (stamp or 0) > moment + 1

    await until(measured, what="rules evaluated again")


async def seen(prometheus: PrometheusServer, records: int) -> bool:
    taken = await prometheus.value('sum(certex_bridge_events_total{outcome="taken"})')
    return taken is not None and taken >= records


async def has_data(prometheus: PrometheusServer, expression: str, since: float) -> bool:
    for name, value in (("$__rate_interval", "30s"), ("$__range", "5m"), ("$job", ".+"), ("$instance", ".+")):
        expression = expression.replace(name, value)
    found = await prometheus.ask("query_range", query=expression, start=str(since), end=str(time.time()), step="1")
    return any(math.isfinite(float(value)) for series in found for _, value in series["values"])


@pytest.mark.timeout(240)
async def test_no_panel_is_empty_while_a_day_is_played(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    port = free_port()
    began = time.time()
    # Without the small batches of the fault tests there would be one sample of everything.
    options = {
        "http_port": str(port),
        "batch_records_max": "50",
        "timers_poll_seconds": "1",
        "verify_poll_seconds": "1",
    }
    async with (
        bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world,
        PrometheusServer(tmp_path, port, RULES) as prometheus,
    ):
        world.process = process_of(world, tmp_path, **options)
        await world.process.start()
        await play(world, prometheus)
        empty: dict[str, list[str]] = {}
        for path in FILES:
            for panel in panels(load(path)):
                for target in panel["targets"]:
                    if not await has_data(prometheus, target["expr"], began):
                        empty.setdefault(panel["title"], []).append(target["expr"])
        pages = {
            series["metric"]["alertname"]
            for series in await prometheus.ask("query", query='ALERTS{alertstate="firing", severity="page"}')
        }
    unexpected = {
        title: queries
        for title, queries in empty.items()
        if title not in EMPTY_HERE and not all(any(part in query for part in EMPTY_QUERIES) for query in queries)
    }
    assert not unexpected, json.dumps(unexpected, indent=1)
    assert set(EMPTY_HERE) <= set(empty), "a panel said to be empty has data: take it off the list"
    assert pages <= EXPECTED_PAGES


def process_of(world: BridgeWorld, folder: Path, **options: str) -> Any:
    from tests.support.killable import KillableBridge

    settings = world.settings
    return KillableBridge(
        folder / "serve.log",
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        database_url=world.database_url,
        topic_prefix=settings.topic_prefix,
        kafka_group=settings.kafka_group,
        topics_create="true",
        database_async_commit="true",
        **options,
    )


def test_the_panels_said_to_be_empty_ask_for_what_nobody_tells_here() -> None:
    titles: dict[str, set[str]] = {}
    for path in FILES:
        for panel in panels(load(path)):
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "1m").replace("$__range", "1h")
                titles.setdefault(panel["title"], set()).update(metrics_of(expression))
    for title in EMPTY_HERE:
        assert (
            "push" in str(titles[title])
            or "gateway" in str(titles[title])
            or "certificate_expiry" in str(titles[title])
        )


async def test_the_measured_figures_of_an_idle_bridge_are_there(database_url: str) -> None:
    """Panels and alerts rest on figures that are 0, not absent, in an empty ledger."""
    from certex_bridge.ledger.adapters.calendar import PostgresCalendar

    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        depths = await PostgresCalendar(pool).depths()
    assert set(depths.values()) == {0.0}
