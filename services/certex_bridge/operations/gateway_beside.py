"""The gateway beside other work of a process: for the demo, and for tests that call it over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from certex_bridge.operations.console_role import open_gateway
from certex_bridge.platform.health import HttpRole, PublicApp
from certex_bridge.singlewindow.http.access import Access
from certex_bridge.singlewindow.http.gateway import gateway_application

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.operations.gateway_role import Background, GatewayParts
    from certex_bridge.platform.health import Application
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.callers import Caller
    from certex_bridge.singlewindow.http.gateway import Recorder

_LOOK_SECONDS = 0.01


@asynccontextmanager
async def gateway_beside(
    bridge: Bridge, *, callers: Mapping[str, Caller] | None = None, recorder: Recorder | None = None
) -> AsyncIterator[str]:
    """Serve all functions of an opened bridge until the end of the block; gives the address.

    Args:
        bridge: opened; its settings say where the gateway listens.
        callers: who is known to periodic lists and notices, where no file of callers says so.
        recorder: sees every call that was answered.

    Raises:
        OSError: the address is taken.
        Exception: a task of the gateway failed, at the end of the block.
    """
    settings = bridge.settings
    access = Access(settings, bridge.metrics)
    bridge.callers = lambda: access.registry.current.by_name if callers is None else callers

    def application(parts: GatewayParts, settings: Settings, metrics: Metrics) -> Application:
        return gateway_application(parts.operations, metrics, settings.message_sender, parts.reads, recorder=recorder)

    gateway = open_gateway(bridge, access, application)
    http = HttpRole(settings, PublicApp(settings, bridge.turns, gateway.application))
    scheme = "https" if settings.http_ssl_certfile else "http"
    # The server goes before the tasks: calls in work depend on them.
    async with _running(gateway.run), _running(http.run) as serving:
        while http.ready() and not serving.done():  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(_LOOK_SECONDS)
        if serving.done():
            serving.result()
        yield f"{scheme}://{settings.http_host}:{http.port}"


@asynccontextmanager
async def _running(run: Background) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task
