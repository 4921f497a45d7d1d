"""Every panel on a real Prometheus that watches a bridge playing a day: none is empty, and a good day wakes nobody."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
import trustme

from certex_bridge.laboratory.clearance import Split, split_day
from certex_bridge.laboratory.customs_channel import Account
from certex_bridge.laboratory.customs_client import CustomsClient
from certex_bridge.laboratory.customs_comparison import Mismatch
from certex_bridge.laboratory.customs_expectation import Expectation
from certex_bridge.laboratory.day import make_day
from certex_bridge.laboratory.publish import Sender
from certex_bridge.operations.demo_clearance import Clearance, callers_of, clearance
from certex_bridge.platform.processes import free_port
from certex_bridge.singlewindow.callers import Caller
from tests.ops.test_dashboards import FILES, load, panels
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.killable import KillableBridge
from tests.support.prometheus import PrometheusServer
from tests.support.wire_feed import until

RULES = sorted((Path(__file__).resolve().parents[2] / "helm" / "certex-bridge" / "files" / "rules").glob("*.yaml"))

EXPECTED_PAGES = {"LicenceCertificatesLate", "DeclarationOutcomesLate", "AvailabilityChecksSlow"}
"""The day that is played was yesterday, so everything is late; and one process does all at once on a busy machine."""


async def play(world: BridgeWorld, prometheus: PrometheusServer, split: Split, customs: Clearance) -> None:
    """Wave after wave, over the topics and over HTTP; Prometheus has seen each before the next comes."""
    sent = 0
    # Rates see what comes after the first scrape.
    await until(lambda: scraped(prometheus), what="the first scrape")
    stranger = CustomsClient(customs.channel, Account("NOBODY.XX", "XX"), Expectation())
    with pytest.raises(Mismatch, match="CALLER_UNKNOWN"):
        await stranger.list_documents({"status": ["Valid"]}, at=datetime.now(UTC))
    await customs.subscribe()
    async with Sender(world.settings) as sender:
        for wave, calls in zip(split.records.waves, split.calls, strict=True):
            for messages in (wave.messages[: len(wave.messages) // 2], wave.messages[len(wave.messages) // 2 :]):
                if not messages:
                    continue
                await sender.send(messages)
                sent += len(messages)
                await until(partial(seen, prometheus, sent), what=f"{sent} records seen")
            await customs.clear(calls, lambda _: None)
    await customs.at_the_desk()

    async def published() -> bool:
        written = await world.connection.fetchval("SELECT count(*) FROM outbox")
        return await prometheus.value("sum(certex_bridge_relay_sent_total)") == written

    await until(published, what="all published and seen")
    # A rate needs two samples of the series that were born last; a scrape that a busy machine makes late is none.
    for _ in range(2):
        await until(partial(scraped_after, prometheus, time.time()), what="one more scrape")
    # The rules look at what was scraped before: one more evaluation with everything there.
    moment = time.time()

    async def measured() -> bool:
        stamp = await prometheus.value("min(timestamp(slo:current_burn_rate:ratio))")
        return (stamp or 0) > moment

    await until(measured, what="rules evaluated again")


async def scraped(prometheus: PrometheusServer) -> bool:
    return await prometheus.value("sum(up)") == 1


async def scraped_after(prometheus: PrometheusServer, moment: float) -> bool:
    """Whether a scrape that began after the moment went well."""
    return (await prometheus.value("min(timestamp(process_start_time_seconds))") or 0) > moment


async def seen(prometheus: PrometheusServer, records: int) -> bool:
    taken = await prometheus.value('sum(certex_bridge_events_total{outcome="taken"})')
    return taken is not None and taken >= records


async def has_data(prometheus: PrometheusServer, expression: str, since: float) -> bool:
    for name, value in (("$__rate_interval", "30s"), ("$__range", "5m"), ("$job", ".+"), ("$instance", ".+")):
        expression = expression.replace(name, value)
    found = await prometheus.ask("query_range", query=expression, start=str(since), end=str(time.time()), step="1")
    return any(math.isfinite(float(value)) for series in found for _, value in series["values"])


@pytest.mark.timeout(600)
async def test_no_panel_is_empty_while_a_day_is_played(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    port, health = free_port(), free_port()
    began = time.time()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    split = split_day(make_day(licences=40, declarations=80, seed=7, day=yesterday))
    callers = callers_of(split.declarations)
    async with (
        bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world,
        PrometheusServer(tmp_path, health, RULES) as prometheus,
        clearance(f"http://127.0.0.1:{port}", callers) as customs,
    ):
        world.process = process_of(world, tmp_path, (port, health), callers)
        await world.process.start()
        await until(lambda: listens(port), what="the gateway listens")
        await play(world, prometheus, split, customs)
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
    assert empty == {}
    assert pages <= EXPECTED_PAGES


async def listens(port: int) -> bool:
    """Whether something takes connections there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def process_of(
    world: BridgeWorld, folder: Path, ports: tuple[int, int], callers: Mapping[str, Caller]
) -> KillableBridge:
    """A bridge with all roles, a gateway that knows these callers, and a client certificate that ends one day."""
    settings = world.settings
    known = [
        f'[[caller]]\nname = "{one.name}"\nmember_state = "{one.member_state}"\n'
        f"roles = {json.dumps(sorted(one.roles))}\n"
        "limits = { rate = 1000, burst = 1000, concurrent = 100 }\n"
        for one in callers.values()
    ]
    (folder / "callers.toml").write_text("\n".join(known), "utf-8")
    client = trustme.CA().issue_cert("certex-bridge.example")
    client.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    return KillableBridge(
        folder / "serve.log",
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        kafka_ssl_certfile=str(folder / "client.pem"),
        kafka_ssl_keyfile=str(folder / "client.key"),
        database_url=world.database_url,
        topic_prefix=settings.topic_prefix,
        kafka_group=settings.kafka_group,
        topics_create="true",
        database_async_commit="true",
        database_capacity_bytes="50000000000",
        roles="intake,worker,relay,gateway",
        http_host="127.0.0.1",
        http_port=str(ports[0]),
        health_port=str(ports[1]),
        callers_file=str(folder / "callers.toml"),
        gateway_check_budget_ms="5000",  # the machine of the tests may be a slow one
        gateway_database_wait_ms="5000",
        push_keys=secrets.token_hex(32),
        push_private_networks="true",
        # Without the small batches of the fault tests there would be one sample of everything.
        batch_records_max="50",
        timers_poll_seconds="1",
        verify_poll_seconds="1",
    )


async def test_the_measured_figures_of_an_idle_bridge_are_there(database_url: str) -> None:
    """Panels and alerts rest on figures that are 0, not absent, in an empty ledger."""
    from certex_bridge.ledger.adapters.calendar import PostgresCalendar

    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        depths = await PostgresCalendar(pool).depths()
    assert set(depths.values()) == {0.0}
