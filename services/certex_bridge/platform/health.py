"""HTTP of every process: /livez, /readyz, /startupz and /metrics, and whatever application is mounted behind them.

/livez says that the loops turn. It never asks whether the broker or the database is there: restarting this process
would not bring them back. /readyz says why each role is not ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import uvicorn

from certex_bridge.platform.http_connection import Connection, server_context
from certex_bridge.platform.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping

    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings
    from certex_bridge.platform.watchdog import Turns

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = get_logger("certex_bridge.http")

CHECK_SECONDS = 2.0
"""Limit of one readiness check."""

PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"


class HealthApp:
    """An ASGI application: own paths first, the mounted application for the rest."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        turns: Turns,
        readiness: Callable[[], Mapping[str, str]],
        checks: Mapping[str, Callable[[], Awaitable[str | None]]] | None = None,
        application: Application | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._turns = turns
        self._readiness = readiness
        self._checks = dict(checks or {})
        self._application = application
        self._was_ready = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path in {"/livez", "/readyz", "/startupz", "/metrics"}:
            status, body, content_type = await self._own(path, scope)
            await respond(send, status, body, content_type)
        elif self._application is not None:
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            await respond(send, 404, b"not found\n", PLAIN)

    async def _own(self, path: str, scope: Scope) -> tuple[int, bytes, str]:
        if scope.get("method") not in {"GET", "HEAD"}:
            return 405, b"only GET\n", PLAIN
        if path == "/metrics":
            accept = dict(scope.get("headers", ())).get(b"accept", b"").decode("latin-1")
            return 200, *self._metrics.exposition(accept)
        reasons = self.stuck() if path == "/livez" else await self.not_ready()
        if path == "/readyz" and not reasons:
            self._was_ready = True
        if path == "/startupz" and (self._was_ready or not reasons):
            self._was_ready, reasons = True, {}
        body = json.dumps({"ok": not reasons, "reasons": reasons}, ensure_ascii=False).encode() + b"\n"
        return (503 if reasons else 200), body, JSON

    def stuck(self) -> dict[str, str]:
        """Roles whose loop has not turned for as long as the watchdog allows."""
        limit = self._settings.watchdog_stuck_seconds
        ages = self._turns.ages().items()
        return {role: f"has not turned for {age:.0f} s" for role, age in ages if age > limit}

    async def not_ready(self) -> dict[str, str]:
        """Why this process is not ready: each role's word, then the checks, all at once and bounded."""
        reasons = dict(self._readiness())
        results = await asyncio.gather(*(_bounded(check) for check in self._checks.values()))
        return reasons | {name: reason for name, reason in zip(self._checks, results, strict=True) if reason}


async def _bounded(check: Callable[[], Awaitable[str | None]]) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001  # a check that breaks is a reason, never a broken probe
        return f"{type(error).__name__}: {error}"


async def respond(send: Send, status: int, body: bytes, content_type: str) -> None:
    """One complete answer."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


class HttpRole:
    """Serves an ASGI application inside this process.

    Raises:
        ConfigurationError: certificate, key or authorities cannot be used.
    """

    name = "http"

    def __init__(self, settings: Settings, application: Application) -> None:
        limit = max(1, int(settings.graceful_stop_seconds / 3))
        context = server_context(settings) if settings.http_ssl_certfile else None
        config = uvicorn.Config(
            application,
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            http=Connection,
            ws="none",
            # Nothing here may depend on what a client claims in X-Forwarded-For.
            proxy_headers=False,
            ssl_context_factory=(lambda *_: context) if context else None,
            timeout_graceful_shutdown=limit,
        )
        self._server = _Server(config)
        self._settings = settings

    @property
    def port(self) -> int:
        """The port in use; 0 before the start."""
        if not self._server.started:
            return 0
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port

    def ready(self) -> str | None:
        """Why the server is not ready, or None."""
        return None if self._server.started else "not listening yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then finish the requests in work.

        Raises:
            OSError: the address is taken.
        """
        serving = asyncio.create_task(self._serve(), name="uvicorn")
        asked = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            await serving
        finally:
            asked.cancel()

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit:
            # uvicorn ends the process when it cannot listen; ours must stop its other roles first.
            address = f"{self._settings.http_host}:{self._settings.http_port}"
            raise OSError(f"cannot listen on {address}: CERTEX_HTTP_HOST, CERTEX_HTTP_PORT") from None
