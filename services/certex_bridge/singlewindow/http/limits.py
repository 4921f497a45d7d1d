"""Limits of one request and of one caller, and the headers of every answer: plain ASGI, each refusal with its code."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certex_bridge.singlewindow.http.identity import caller_of
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from certex_bridge.platform.health import Application, Receive, Scope, Send
    from certex_bridge.singlewindow.callers import Caller

SECURE_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer that does not say otherwise itself."""

CALLERS_REMEMBERED_MAX = 10_000
"""Without proof of identity (loopback only) names are made up at will."""


class SecureHeaders:
    """Adds `SECURE_HEADERS`."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""

        async def adding(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                message["headers"] = headers + [pair for pair in SECURE_HEADERS if pair[0] not in present]
            await send(message)

        await self._application(scope, receive, adding)


@dataclass(slots=True)
class _Use:
    """What one caller has used up."""

    tokens: float
    at: float
    running: int = 0


class CallerLimits:
    """Rate (token bucket) and number of calls at once, per caller, in this process."""

    def __init__(self, application: Application, clock: Callable[[], float] = time.monotonic) -> None:
        self._application = application
        self._clock = clock
        self._uses: OrderedDict[str, _Use] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on.

        Raises:
            Refusal: CONCURRENCY_EXCEEDED, RATE_EXCEEDED.
        """
        caller = caller_of(scope)
        use = self._enter(caller)
        use.running += 1
        try:
            await self._application(scope, receive, send)
        finally:
            use.running -= 1

    def _enter(self, caller: Caller) -> _Use:
        limits, now = caller.limits, self._clock()
        use = self._uses.get(caller.name)
        if use is None:
            use = self._uses[caller.name] = _Use(limits.burst, now)
            self._forget()
        self._uses.move_to_end(caller.name)
        use.tokens = min(limits.burst, use.tokens + (now - use.at) * limits.rate)
        use.at = now
        if use.running >= limits.concurrent:
            message = f"at most {limits.concurrent} calls of {caller.name} are in work at the same time"
            raise _too_many("CONCURRENCY_EXCEEDED", message, value=use.running, seconds=1)
        if use.tokens < 1:
            message = f"{caller.name} has {limits.rate:g} calls a second, {limits.burst} after a pause"
            seconds = math.ceil((1 - use.tokens) / limits.rate)
            raise _too_many("RATE_EXCEEDED", message, value=f"{limits.rate:g}", seconds=seconds)
        use.tokens -= 1
        return use

    def _forget(self) -> None:
        while len(self._uses) > CALLERS_REMEMBERED_MAX:
            self._uses.popitem(last=False)


def _too_many(code: str, message: str, *, value: object, seconds: int) -> Refusal:
    return Refusal(code, message, field="messageSender", value=value, headers={"Retry-After": str(max(1, seconds))})


class BodyLimits:
    """Reads the body whole, within its size and time, before anything is done with it."""

    def __init__(self, application: Application, bytes_max: int, seconds: float) -> None:
        self._application = application
        self._bytes_max = bytes_max
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with its complete body.

        Raises:
            Refusal: BODY_TOO_LARGE, BODY_TOO_SLOW.
        """
        self._declared(scope)
        body = await self._read(receive)
        if body is None:
            return  # the client is gone: nobody waits for an answer, and half a body has no effect
        given = False

        async def again() -> MutableMapping[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._application(scope, again, send)

    def _declared(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > self._bytes_max:
                raise self._too_large(int(value[:20]), "Content-Length")

    async def _read(self, receive: Receive) -> bytes | None:
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._bytes_max:
                        raise self._too_large(len(body), "body")
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Refusal(
                "BODY_TOO_SLOW",
                f"the body must arrive within {self._seconds:g} s",
                field="body",
                value=len(body),
                headers={"Connection": "close"},
            ) from None

    def _too_large(self, size: int, field: str) -> Refusal:
        message = f"at most {self._bytes_max} bytes are accepted"
        # Close: what is still under way is not read.
        return Refusal("BODY_TOO_LARGE", message, field=field, value=size, headers={"Connection": "close"})


class HandlerTime:
    """Ends a call that has no answer in time. It may have been committed: the same message again gets its answer."""

    def __init__(self, application: Application, seconds: float) -> None:
        self._application = application
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on.

        Raises:
            Refusal: TIME_EXCEEDED.
            TimeoutError: the inside's own, or an answer that began and did not end.
        """
        begun = False

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._application(scope, receive, noting)
        except TimeoutError:
            if begun or not limit.expired():
                raise
            raise Refusal(
                "TIME_EXCEEDED",
                "no answer in time; ask again with the same message identification to learn the result",
                field="",
                value=f"{self._seconds:g}",
                headers={"Retry-After": "1"},
            ) from None
