"""One attempt to deliver a push: a signed POST that can neither be led astray nor kept waiting.

TLS is verified, redirects are not followed, no proxy of the environment is used, the answer is read up to a limit, and
each connection goes to an address that pushes may go to, whatever the name led to when the caller subscribed.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from certex_bridge.platform.tracing import OFF, TRACEPARENT, Kind, Span, Tracing, recorded
from certex_bridge.singlewindow.pushes.addresses import may_connect
from certex_bridge.singlewindow.pushes.signing import PushKeys, signature

if TYPE_CHECKING:
    import socket
    from datetime import datetime
    from pathlib import Path

    from certex_bridge.singlewindow.pushes.model import Push, Subscription

_ANSWER_BYTES_MAX = 4096
"""Read so that a connection can be used again; a longer answer ends it."""
_ERROR_LENGTH = 200


class Attempt(NamedTuple):
    """What came of it."""

    status: int
    """HTTP status; 0: there was no answer."""
    error: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more under this address."""
        return self.status == 410


class Sender(Protocol):
    """Who makes attempts."""

    async def send(self, subscription: Subscription, push: Push, now: datetime) -> Attempt:
        """Try once; never raises for what receivers or the network do."""


class HttpSender:
    """Sends over HTTP; use it as a context."""

    def __init__(
        self, keys: PushKeys, *, seconds: float, private: bool, cafile: Path | None = None, tracing: Tracing = OFF
    ) -> None:
        self._keys = keys
        self._seconds = seconds
        self._private = private
        self._cafile = cafile
        self._tracing = tracing
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        context = ssl.create_default_context(cafile=self._cafile)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # No limit over all receivers: one that keeps connections waiting must not take them from others.
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(private=self._private), ssl=context, limit=0, limit_per_host=8, use_dns_cache=False
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, subscription: Subscription, push: Push, now: datetime) -> Attempt:
        """Try once; the time in the signature is `now`."""
        secret = self._keys.secret(subscription.subscription_id, subscription.key_check)
        if secret is None:
            return Attempt(0, "KEY_MISSING: the key it was made under is not in CERTEX_PUSH_KEYS")
        host = urlsplit(subscription.url).hostname or ""
        if not may_connect(host, private=self._private):
            return Attempt(0, f"ADDRESS: {host} is not where pushes may go")
        timestamp = int(now.timestamp())
        headers = {
            "content-type": push.content_type,
            "webhook-id": push.webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, push.webhook_id, timestamp, push.body),
            "user-agent": "certex-bridge",
        }
        span = self._span(push.trace)
        if span.trace:
            headers[TRACEPARENT] = span.trace
        attempt = Attempt(0, "CANCELLED")
        try:
            attempt = await self._attempt(subscription.url, push.body, headers)
        finally:
            error = "" if attempt.delivered else str(attempt.status or attempt.error.partition(":")[0])
            span.end(error, {"http.response.status_code": attempt.status} if attempt.status else None)
        return attempt

    def _span(self, trace: str) -> Span:
        if not (self._tracing.on and recorded(trace)):
            return Span(trace)
        return self._tracing.begin("POST push", Kind.CLIENT, trace, {"http.request.method": "POST"})

    async def _attempt(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        try:
            return await self._post(url, body, headers)
        except TimeoutError:
            return Attempt(0, f"TIMEOUT: no answer within {self._seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Attempt(0, printable(f"{type(error).__name__}: {error}"))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        assert self._session is not None, "use it as a context"
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            told = await answer.content.read(_ANSWER_BYTES_MAX)
            if not answer.content.at_eof():
                answer.close()
            if 200 <= answer.status < 300:
                return Attempt(answer.status)
            return Attempt(
                answer.status, printable(f"HTTP {answer.status} {told[:_ERROR_LENGTH].decode('utf-8', 'replace')}")
            )


class GuardedResolver(AbstractResolver):
    """Resolves names and leaves out what pushes may not go to; asked at each connection."""

    def __init__(self, *, private: bool, inner: AbstractResolver | None = None) -> None:
        self._private = private
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = 0,  # type: ignore[assignment]  # as aiohttp has it
    ) -> list[ResolveResult]:
        """Addresses of the host that may be connected to.

        Raises:
            OSError: there is none.
        """
        found: Sequence[ResolveResult] = await self._inner.resolve(host, port, family)
        fine = [one for one in found if may_connect(one["host"], private=self._private)]
        if not fine:
            raise OSError(errno.EACCES, f"{host} leads only where pushes may not go")
        return fine

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._inner.close()


def printable(text: str) -> str:
    """One line for the operator, whatever a receiver wrote."""
    line = " ".join(text.split())
    return "".join(one if one.isprintable() else "?" for one in line)[:_ERROR_LENGTH]
