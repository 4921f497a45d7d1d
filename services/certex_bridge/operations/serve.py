"""`certex-bridge serve`: the roles of the settings, health and metrics over HTTP, the watchdog, an orderly stop."""

from __future__ import annotations

import asyncio

from certex_bridge.operations.composition import Bridge
from certex_bridge.platform.collector import tune_collector
from certex_bridge.platform.health import HealthApp, HttpRole
from certex_bridge.platform.kafka import ensure_topics
from certex_bridge.platform.logs import configure_logging, get_logger
from certex_bridge.platform.metrics import Metrics, bridge_version
from certex_bridge.platform.migrations import schema_state
from certex_bridge.platform.runtime import Supervisor
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Watchdog, tick

LOG = get_logger("certex_bridge.operations")


async def serve(settings: Settings) -> int:
    """Run until a signal or a failure; returns the exit code.

    Raises:
        ConfigurationError, DatabaseUnfit, SchemaMismatch: the process must not start; nothing was read.
    """
    settings.require_servers()
    configure_logging(settings)
    metrics = Metrics()
    bridge = Bridge(settings, metrics)
    await bridge.open()
    try:
        await ensure_topics(settings)
        return await _supervise(bridge, settings, metrics)
    finally:
        await bridge.close()


async def _supervise(bridge: Bridge, settings: Settings, metrics: Metrics) -> int:
    roles = bridge.roles(settings.roles)

    async def database() -> str | None:
        await bridge.pool.fetchval("SELECT 1")
        return None

    async def schema() -> str | None:
        return (await schema_state(bridge.pool)).problem

    supervisor: Supervisor | None = None

    def readiness() -> dict[str, str]:
        return supervisor.readiness() if supervisor else {"process": "starting"}

    checks = {"database": database, "schema": schema}
    http = HttpRole(settings, HealthApp(settings, metrics, bridge.turns, readiness, checks))
    supervisor = Supervisor([*roles, http], settings)
    stop = asyncio.Event()
    watchdog = Watchdog(settings, bridge.turns, bridge.subscriptions, metrics)
    background = [asyncio.create_task(watchdog.run(stop)), asyncio.create_task(tick(settings, stop, metrics))]
    tune_collector()
    LOG.info("process.started", version=bridge_version(), roles=list(settings.roles))
    try:
        return await supervisor.run()
    finally:
        stop.set()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        LOG.info("process.stopped")
