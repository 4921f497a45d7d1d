"""A subscriber and its server on this machine."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.subscriptions import Subscribing
from certex_bridge.singlewindow.messages.subscription import SubscriptionRequest, SubscriptionResponse
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.pushes.signing import PushKeys

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    import asyncpg

KEY = "the key of workers and gateways is long enough"
CALLER = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))


@asynccontextmanager
async def receiver(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Every request goes to the handler; yields the address for pushes."""
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}/pushes"
    finally:
        await runner.cleanup()


class Server:
    """A subscriber that refuses its first pushes."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.seen: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500, text="not now")
        self.seen.append(body)
        return web.Response(status=204)

    def statuses(self) -> list[str]:
        return [f"{one['pushNumber']} {one['NewVerdict']['status']}" for one in self.seen]

    async def has(self, number: int) -> bool:
        return bool(self.seen) and self.seen[-1]["pushNumber"] == number


async def subscribe(pool: asyncpg.Pool[Any], url: str) -> str:
    """Belgian customs subscribe; the id of their subscription."""
    handler = Subscribing(PostgresPushes(pool, PostgresStatusChanges()), PushKeys([KEY]), "BRIDGE", private=True)
    request = SubscriptionRequest.model_validate(
        {
            "messageSender": "NSW.BE", "messageRecipient": "BRIDGE", "messageIdentification": "M1",
            "preparationDateAndTime": "2026-02-01T09:00:00", "messageType": "CBSUBQ", "action": "SUBSCRIBE",
            "SubscriptionTerms": {"scope": "INTEREST", "url": url},
        }
    )  # fmt: skip
    first = await handler(Call(CALLER, datetime.now(UTC)), request)
    again = await handler(Call(CALLER, datetime.now(UTC)), request)
    assert (first.repeated, again.repeated) == (False, True)
    assert isinstance(first.message, SubscriptionResponse)
    assert first.message == again.message
    return first.message.subscription[0].subscription_identification
