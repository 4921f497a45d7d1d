"""`certex-bridge serve`: the roles of the settings, health and metrics over HTTP, the watchdog, an orderly stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.console_role import open_gateway
from certex_bridge.operations.gateway_role import Gateway, application_of, in_stop_order
from certex_bridge.operations.surroundings import watch_certificates
from certex_bridge.platform.collector import tune_collector
from certex_bridge.platform.health import HealthApp, HttpRole, Listener, PublicApp
from certex_bridge.platform.kafka import TopicCatalogue, TopicReport, ensure_topics
from certex_bridge.platform.logs import configure_logging, get_logger
from certex_bridge.platform.metrics import Metrics, bridge_version
from certex_bridge.platform.migrations import schema_state
from certex_bridge.platform.runtime import Supervisor
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.settings_reference import misspelt_variables
from certex_bridge.platform.watchdog import Watchdog, tick
from certex_bridge.singlewindow.http.access import Access

LOG = get_logger("certex_bridge.operations")

KAFKA_ROLES = frozenset({"intake", "relay", "gateway"})
"""A process without one of these never speaks to a broker, and needs no login there."""


async def serve(settings: Settings) -> int:
    """Run until a signal or a failure; returns the exit code.

    Raises:
        ConfigurationError, DatabaseUnfit, SchemaMismatch: the process must not start; nothing was read.
    """
    kafka = not KAFKA_ROLES.isdisjoint(settings.roles)
    settings.require_servers(kafka=kafka)
    configure_logging(settings)
    for name, meant in misspelt_variables(os.environ).items():
        LOG.warning("setting.unknown", variable=name, perhaps=meant)
    metrics = Metrics()
    # Before anything is connected: a wrong file of callers is told at once.
    access = Access(settings, metrics) if "gateway" in settings.roles else None
    bridge = Bridge(settings, metrics)
    if access:
        bridge.callers = lambda: access.registry.current.by_name
    await bridge.open()
    try:
        if kafka:
            judge_topics(await ensure_topics(settings), settings)
        factory = partial(application_of, tracing=bridge.tracing)
        gateway = open_gateway(bridge, access, factory) if access else None
        return await _supervise(bridge, gateway)
    finally:
        await bridge.close()


def judge_topics(report: TopicReport, settings: Settings) -> None:
    """Say what is wrong with the topics of our roles.

    Raises:
        ConfigurationError: a topic to read is missing; reading would wait for ever without a word.
    """
    catalogue = TopicCatalogue.load()
    if report.narrow:
        LOG.warning("topics.narrow", topics=list(report.narrow), meaning="keys move when partitions are added later")
    unread = [name for name in report.missing if name in catalogue.names("in")]
    unwritten = [name for name in report.missing if name in catalogue.names("out")]
    if unwritten and "relay" in settings.roles:
        LOG.error("topics.missing", topics=unwritten, meaning="their messages wait until they are created")
    if unread and "intake" in settings.roles:
        raise ConfigurationError(
            f"the broker has no topic {', '.join(settings.topic_prefix + name for name in unread)}: create it as "
            "contracts/topics.yaml says, or let the bridge do it with CERTEX_TOPICS_CREATE=true",
            field="CERTEX_TOPICS_CREATE",
        )


async def _supervise(bridge: Bridge, gateway: Gateway | None) -> int:
    settings, metrics = bridge.settings, bridge.metrics
    supervisor: Supervisor | None = None

    def readiness() -> dict[str, str]:
        return supervisor.readiness() if supervisor else {"process": "starting"}

    # A gateway answers without the database too: see gateway_role.
    checks = {} if gateway else _checks(bridge)
    health = HealthApp(settings, metrics, bridge.turns, readiness, checks)
    probes = HttpRole(settings, health, Listener.health(settings))
    public = HttpRole(settings, PublicApp(settings, bridge.turns, gateway.application)) if gateway else None
    serving = (public, gateway) if public and gateway else ()
    supervisor = Supervisor([*in_stop_order(bridge.roles(settings.roles), *serving), probes], settings)
    stop = asyncio.Event()
    watchdog = Watchdog(settings, bridge.turns, bridge.subscriptions, metrics)
    background = {
        "watchdog": asyncio.create_task(watchdog.run(stop)),
        "tick": asyncio.create_task(tick(settings, stop, metrics)),
        "certificates": asyncio.create_task(watch_certificates(settings, stop, metrics)),
    }
    for name, task in background.items():
        task.add_done_callback(partial(_unwatched, name, stop, supervisor))
    tune_collector()
    LOG.info("process.started", version=bridge_version(), roles=list(settings.roles))
    try:
        return await supervisor.run()
    finally:
        stop.set()
        for task in background.values():
            task.cancel()
        await asyncio.gather(*background.values(), return_exceptions=True)
        LOG.info("process.stopped")


def _checks(bridge: Bridge) -> dict[str, Callable[[], Awaitable[str | None]]]:
    async def database() -> str | None:
        await bridge.pool.fetchval("SELECT 1")
        return None

    async def schema() -> str | None:
        return (await schema_state(bridge.pool)).problem

    return {"database": database, "schema": schema}


def _unwatched(name: str, stop: asyncio.Event, supervisor: Supervisor, task: asyncio.Task[None]) -> None:
    """A process that nobody watches any more ends itself, to be started again."""
    if not stop.is_set():
        error = None if task.cancelled() else task.exception()
        LOG.critical("process.unwatched", task=name, exc_info=error)
        supervisor.request_stop(failed=True)
