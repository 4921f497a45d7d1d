"""Probes: alive is not ready, and neither asks more than it should."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.health import HealthApp, HttpRole, respond
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.processes import free_port
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Site:
    """An application with a clock and reasons of ours."""

    def __init__(self, application: Any = None, **checks: Callable[[], Awaitable[str | None]]) -> None:
        self.now = 0.0
        self.reasons: dict[str, str] = {}
        self.turns = Turns(lambda: self.now)
        self.settings = Settings.load(watchdog_stuck_seconds=60, http_port=0)
        self.app = HealthApp(self.settings, Metrics(), self.turns, lambda: self.reasons, checks, application)

    async def get(self, path: str, method: str = "GET", accept: bytes = b"") -> tuple[int, Any]:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        scope = {"type": "http", "path": path, "method": method, "headers": [(b"accept", accept)]}
        await self.app(scope, receive, send)
        body = sent[1]["body"]
        is_json = dict(sent[0]["headers"])[b"content-type"] == b"application/json"
        return sent[0]["status"], json.loads(body) if is_json else body.decode()


async def test_alive_as_long_as_the_loops_turn_whatever_else_is_away() -> None:
    site = Site()
    site.reasons = {"intake": "no partitions assigned"}
    site.turns.mark("relay")
    site.now = 59
    assert await site.get("/livez") == (200, {"ok": True, "reasons": {}})
    site.now = 61
    assert await site.get("/livez") == (503, {"ok": False, "reasons": {"relay": "has not turned for 61 s"}})


async def test_ready_when_every_role_and_check_says_so() -> None:
    async def database() -> str | None:
        return database_reason

    database_reason: str | None = None
    site = Site(database=database)
    site.reasons = {"intake": "no partitions assigned"}
    assert await site.get("/readyz") == (503, {"ok": False, "reasons": {"intake": "no partitions assigned"}})
    site.reasons = {}
    assert (await site.get("/readyz"))[0] == 200
    database_reason = "the schema is older than this release"
    status, answer = await site.get("/readyz")
    assert (status, answer["reasons"]) == (503, {"database": "the schema is older than this release"})


async def test_a_check_that_hangs_or_breaks_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certex_bridge.platform.health.CHECK_SECONDS", 0.05)

    async def hangs() -> str | None:
        await asyncio.sleep(60)
        return None

    async def breaks() -> str | None:
        raise ConnectionError("refused")

    status, answer = await Site(hangs=hangs, breaks=breaks).get("/readyz")
    assert status == 503
    assert answer["reasons"] == {"hangs": "no answer within 0.05 s", "breaks": "ConnectionError: refused"}


async def test_started_once_is_started_for_good() -> None:
    site = Site()
    site.reasons = {"intake": "not connected to the broker yet"}
    assert (await site.get("/startupz"))[0] == 503
    site.reasons = {}
    assert (await site.get("/startupz"))[0] == 200
    site.reasons = {"intake": "no partitions assigned"}
    assert (await site.get("/startupz"))[0] == 200


async def test_metrics_other_paths_and_methods() -> None:
    site = Site()
    status, text = await site.get("/metrics")
    assert status == 200
    assert "certex_bridge_deadlocks_total 0.0" in text
    assert (await site.get("/metrics", accept=b"application/openmetrics-text"))[1].endswith("# EOF\n")
    assert (await site.get("/elsewhere"))[0] == 404
    assert (await site.get("/livez", method="POST"))[0] == 405


async def test_other_paths_belong_to_the_mounted_application() -> None:
    async def gateway(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, 201, scope["path"].encode(), "text/plain")

    assert await Site(gateway).get("/v1/reservations") == (201, "/v1/reservations")


async def fetch(url: str) -> int:
    def get() -> int:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # loopback
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    return await asyncio.to_thread(get)


async def test_it_serves_and_stops_in_order() -> None:
    site, stop = Site(), asyncio.Event()
    role = HttpRole(site.settings, site.app)
    assert role.ready() == "not listening yet"
    running = asyncio.create_task(role.run(stop))
    async with asyncio.timeout(10):
        while role.ready():  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)
    assert await fetch(f"http://127.0.0.1:{role.port}/livez") == 200
    site.reasons = {"process": "stopping"}
    assert await fetch(f"http://127.0.0.1:{role.port}/readyz") == 503
    stop.set()
    await asyncio.wait_for(running, 10)


async def test_a_taken_port_is_an_error_that_names_the_setting() -> None:
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port())
    port = holder.sockets[0].getsockname()[1]
    role = HttpRole(Settings.load(http_port=port), Site().app)
    with pytest.raises(OSError, match="CERTEX_HTTP_PORT"):
        await asyncio.wait_for(role.run(asyncio.Event()), 10)
    holder.close()
