"""Probes: alive is not ready, and neither asks more than it should."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.health import PATHS, HealthApp, HttpRole, Listener, PublicApp, respond
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.processes import free_port
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def gateway(scope: Any, _receive: Any, send: Any) -> None:
    """What is behind the port that callers reach."""
    await respond(send, 201, scope["path"].encode(), "text/plain")


class Site:
    """An application with a clock and reasons of ours."""

    def __init__(self, **checks: Callable[[], Awaitable[str | None]]) -> None:
        self.now = 0.0
        self.reasons: dict[str, str] = {}
        self.turns = Turns(lambda: self.now)
        self.settings = Settings.load(watchdog_stuck_seconds=60, health_port=0)
        self.app = HealthApp(self.settings, Metrics(), self.turns, lambda: self.reasons, checks)
        self.public = PublicApp(self.settings, self.turns, gateway)

    async def get(
        self, path: str, method: str = "GET", accept: bytes = b"", *, public: bool = False
    ) -> tuple[int, Any]:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        scope = {"type": "http", "path": path, "method": method, "headers": [(b"accept", accept)]}
        await (self.public if public else self.app)(scope, receive, send)
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
    assert status == 503  # the error's own words may name servers and users: they are in the log
    assert answer["reasons"] == {"hangs": "no answer within 0.05 s", "breaks": "failed"}


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


async def test_callers_reach_no_probe_but_livez_and_read_nothing_there() -> None:
    site = Site()
    site.turns.mark("relay")
    assert await site.get("/livez", public=True) == (200, "")
    site.now = 61
    assert await site.get("/livez", public=True) == (503, "")
    assert await site.get("/livez", method="POST", public=True) == (405, "only GET\n")
    for path in (*sorted(PATHS - {"/livez"}), "/v1/reservations"):
        assert await site.get(path, public=True) == (201, path)


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
    role = HttpRole(site.settings, site.app, Listener.health(site.settings))
    assert role.name == "health"
    assert role.ready() == "not listening yet"
    running = asyncio.create_task(role.run(stop))
    async with asyncio.timeout(30):
        while role.ready():  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)
    assert await fetch(f"http://127.0.0.1:{role.port}/livez") == 200
    site.reasons = {"process": "stopping"}
    assert await fetch(f"http://127.0.0.1:{role.port}/readyz") == 503
    stop.set()
    await asyncio.wait_for(running, 30)


@pytest.mark.parametrize("kind", ["health", "public"])
async def test_a_taken_port_is_an_error_that_names_the_setting(kind: str) -> None:
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port())
    port = holder.sockets[0].getsockname()[1]
    settings = Settings.load(http_port=port, health_port=port, roles="intake")
    role = HttpRole(settings, Site().app, getattr(Listener, kind)(settings))
    with pytest.raises(OSError, match="CERTEX_HEALTH_PORT" if kind == "health" else "CERTEX_HTTP_PORT"):
        await asyncio.wait_for(role.run(asyncio.Event()), 30)
    holder.close()
