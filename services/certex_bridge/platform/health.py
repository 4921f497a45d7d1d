"""HTTP of every process: /livez, /readyz, /startupz and /metrics on a port of their own, and the server of both ports.

/livez says that the loops turn. It never asks whether the broker or the database is there: restarting this process
would not bring them back. /readyz says why each role is not ready. The port of the gateway has /livez alone, without a
word of the inside: for balancers in front of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
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


PATHS = frozenset({"/livez", "/readyz", "/startupz", "/metrics"})


def stuck(settings: Settings, turns: Turns) -> dict[str, str]:
    """Roles whose loop has not turned for as long as the watchdog allows."""
    limit = settings.watchdog_stuck_seconds
    return {role: f"has not turned for {age:.0f} s" for role, age in turns.ages().items() if age > limit}


class HealthApp:
    """An ASGI application: probes and metrics of a process."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        turns: Turns,
        readiness: Callable[[], Mapping[str, str]],
        checks: Mapping[str, Callable[[], Awaitable[str | None]]] | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._turns = turns
        self._readiness = readiness
        self._checks = dict(checks or {})
        self._was_ready = False
        self._failing: set[str] = set()
        """Checks that broke at the last look."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path in PATHS:
            status, body, content_type = await self._own(path, scope)
            await respond(send, status, body, content_type)
        elif scope["type"] == "http":
            await respond(send, 404, b"not found\n", PLAIN)

    async def _own(self, path: str, scope: Scope) -> tuple[int, bytes, str]:
        if scope.get("method") not in {"GET", "HEAD"}:
            return 405, b"only GET\n", PLAIN
        if path == "/metrics":
            accept = dict(scope.get("headers", ())).get(b"accept", b"").decode("latin-1")
            return 200, *self._metrics.exposition(accept)
        reasons = stuck(self._settings, self._turns) if path == "/livez" else await self.not_ready()
        if path == "/readyz" and not reasons:
            self._was_ready = True
        if path == "/startupz" and (self._was_ready or not reasons):
            self._was_ready, reasons = True, {}
        body = json.dumps({"ok": not reasons, "reasons": reasons}, ensure_ascii=False).encode() + b"\n"
        return (503 if reasons else 200), body, JSON

    async def not_ready(self) -> dict[str, str]:
        """Why this process is not ready: each role's word, then the checks, all at once and bounded."""
        reasons = dict(self._readiness())
        results = await asyncio.gather(*(self._bounded(*named) for named in self._checks.items()))
        return reasons | {name: reason for name, reason in zip(self._checks, results, strict=True) if reason}

    async def _bounded(self, name: str, check: Callable[[], Awaitable[str | None]]) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                reason = await check()
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001  # a check that breaks is a reason, never a broken probe
            # Whoever may ask reads that it failed; addresses and names in the error's text are for the log, once.
            if name not in self._failing:
                self._failing.add(name)
                LOG.warning("readiness.failed", check=name, error=f"{type(error).__name__}: {error}")
            return "failed"
        self._failing.discard(name)
        return reason


class PublicApp:
    """An ASGI application: what callers and browsers reach, and /livez, which tells them nothing but its status."""

    def __init__(self, settings: Settings, turns: Turns, application: Application) -> None:
        self._settings = settings
        self._turns = turns
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope.get("path") != "/livez":
            await self._application(scope, receive, send)
        elif scope.get("method") not in {"GET", "HEAD"}:
            await respond(send, 405, b"only GET\n", PLAIN)
        else:
            await respond(send, 503 if stuck(self._settings, self._turns) else 200, b"", PLAIN)


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


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server of this process listens."""

    name: str
    """Of its role."""
    host: str
    port: int
    variables: str
    """The settings that say so."""
    tls: bool

    @classmethod
    def public(cls, settings: Settings) -> Listener:
        """For callers and browsers."""
        tls = settings.http_ssl_certfile is not None
        return cls("http", settings.http_host, settings.http_port, "CERTEX_HTTP_HOST, CERTEX_HTTP_PORT", tls)

    @classmethod
    def health(cls, settings: Settings) -> Listener:
        """For probes and Prometheus."""
        variables = "CERTEX_HEALTH_HOST, CERTEX_HEALTH_PORT"
        return cls("health", settings.health_host, settings.health_port, variables, tls=False)


class HttpRole:
    """Serves an ASGI application inside this process, for callers unless told otherwise.

    Raises:
        ConfigurationError: certificate, key or authorities cannot be used.
    """

    def __init__(self, settings: Settings, application: Application, listener: Listener | None = None) -> None:
        self._listener = listener or Listener.public(settings)
        self.name = self._listener.name
        limit = max(1, int(settings.graceful_stop_seconds / 3))
        context = server_context(settings) if self._listener.tls else None
        config = uvicorn.Config(
            application,
            host=self._listener.host,
            port=self._listener.port,
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
            where = self._listener
            raise OSError(f"cannot listen on {where.host}:{where.port}: {where.variables}") from None
