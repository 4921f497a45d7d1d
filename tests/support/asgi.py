"""Calling an ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from tests.support.waiting import BOUND_SECONDS


@dataclass
class Answer:
    """What the application sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        return document


def scope_of(state: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    """A POST with these headers (underscores for hyphens), to this machine unless `host` says otherwise."""
    told = {"host": "127.0.0.1"} | headers
    pairs = [(name.replace("_", "-").lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    return {"type": "http", "method": "POST", "path": "/v1/checks", "headers": pairs, "state": dict(state or {})}


async def call(
    application: Any, scope: dict[str, Any] | None = None, *parts: bytes, hang_after: bool = False
) -> Answer:
    """Send a body in parts; `hang_after`: the last one never comes."""
    waiting = list(parts or (b"",))
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            if hang_after:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or hang_after}

    async def send(message: Any) -> None:
        sent.append(message)

    bound = asyncio.timeout(BOUND_SECONDS)
    try:
        async with bound:
            await application(scope or scope_of(), receive, send)
    except TimeoutError:
        if not bound.expired():
            raise
        raise AssertionError(f"no answer within {BOUND_SECONDS:g} s; so far: {sent}") from None
    if not sent:
        return Answer(0, {}, b"")
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
