"""The gateway on a loopback port, with all its functions on a real database, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.gateway_role import Gateway, GatewayParts, parts_of
from certex_bridge.platform.health import HttpRole, PublicApp
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.http.access import Access
from tests.support.echo import ECHO, PLACE, EchoRequest, Mood, echo
from tests.support.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certex_bridge.singlewindow.operation import Call, Operation, Reply

NAME = "NSW.BE"
CALLERS = f"""
[[caller]]
name = "{NAME}"
member_state = "BE"
roles = ["clearance", "customs_officer", "licensing_officer", "auditor"]
limits = {{ rate = 100000.0, burst = 100000, concurrent = 1000 }}
"""


async def _sound(call: Call, request: EchoRequest) -> Reply:
    """An echo that never breaks."""
    moody = request.mood in {Mood.AWAY, Mood.BROKEN}
    return await echo(call, request.model_copy(update={"mood": Mood.GOOD}) if moody else request)


@dataclass(frozen=True, slots=True)
class LiveGateway:
    """Where it listens and what it does."""

    url: str
    operations: tuple[Operation, ...]


@contextmanager
def live_gateway(database_url: str, folder: Path) -> Iterator[LiveGateway]:
    """Serve in a thread until the end of the block."""
    callers = folder / "callers.toml"
    callers.write_text(CALLERS, "utf-8")
    settings = Settings.load(
        roles="gateway",
        http_host="127.0.0.1",
        http_port=0,
        callers_file=callers,
        database_url=database_url,
        database_async_commit=True,
    )
    found: list[LiveGateway] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        bridge = Bridge(settings)
        await bridge.open()
        try:
            own = parts_of(bridge)
            operations = (*own.operations, replace(ECHO, handler=_sound))
            parts = GatewayParts(operations, [*own.reads, PLACE], own.tasks)
            metrics = Metrics()
            gateway = Gateway(settings, Access(settings, metrics), parts)
            role = HttpRole(settings, PublicApp(settings, bridge.turns, gateway.application))
            stop = asyncio.Event()
            tasks = asyncio.create_task(gateway.run(stop))
            async with serving(role) as port:
                found.append(LiveGateway(f"http://127.0.0.1:{port}", operations))
                ready.set()
                await asyncio.to_thread(done.wait)
            stop.set()
            await tasks
        finally:
            await bridge.close()

    with ThreadPoolExecutor(1, "live-gateway") as threads:
        running = threads.submit(asyncio.run, serve())
        running.add_done_callback(lambda _: ready.set())
        try:
            assert ready.wait(60)
            if not found:
                running.result(30)
            yield found[0]
        finally:
            done.set()
        running.result(30)
