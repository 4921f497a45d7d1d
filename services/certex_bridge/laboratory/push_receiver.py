"""A subscriber's server on this machine: takes pushes (F2, periodic lists, notices) and checks who sent them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from aiohttp import web

_MARK = "whsec_"
"""What secrets of the Standard Webhooks specification begin with."""


@dataclass
class PushReceiver:
    """Listens while it is a context; each subscriber has an address of its own, so that its key is known."""

    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    """(subscriber, webhook-id, body) of every push with a right signature, repetitions left out."""
    refused: Counter[str] = field(default_factory=Counter)
    """Pushes that were not taken, by reason."""

    def __post_init__(self) -> None:
        self._secrets: dict[str, bytes] = {}
        self._ids: set[tuple[str, str]] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        """Listen on a free port of this machine."""
        from aiohttp import web

        application = web.Application()
        application.router.add_post("/pushes/{subscriber}", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def address(self, subscriber: str) -> str:
        """Where this subscriber's pushes go."""
        return f"http://127.0.0.1:{self._port}/pushes/{subscriber}"

    def trust(self, subscriber: str, secret: str) -> None:
        """The key that signs the subscriber's pushes, as SUBSCRIBE answers it."""
        self._secrets[subscriber] = base64.b64decode(secret.removeprefix(_MARK))

    def kinds(self) -> Counter[str]:
        """Pushes by messageType."""
        return Counter(str(json.loads(body)["messageType"]) for _, _, body in self.taken)

    async def _take(self, request: web.Request) -> web.Response:
        from aiohttp import web

        subscriber, body = request.match_info["subscriber"], await request.read()
        webhook_id = request.headers.get("webhook-id", "")
        secret = self._secrets.get(subscriber)
        if secret is None:
            self.refused["KEY_UNKNOWN"] += 1
            return web.Response(status=503)
        stamp, told = request.headers.get("webhook-timestamp", ""), request.headers.get("webhook-signature", "")
        if not signed(secret, webhook_id, stamp, body, told):
            self.refused["SIGNATURE_WRONG"] += 1
            return web.Response(status=401)
        if (subscriber, webhook_id) not in self._ids:
            self._ids.add((subscriber, webhook_id))
            self.taken.append((subscriber, webhook_id, body))
        return web.Response(status=204)


def signed(secret: bytes, webhook_id: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether one of the signatures (`v1,<base64>`, separated by blanks) is right: Standard Webhooks."""
    right = hmac.digest(secret, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    for one in signature.split():
        version, _, told = one.partition(",")
        try:
            if version == "v1" and hmac.compare_digest(base64.b64decode(told, validate=True), right):
                return True
        except binascii.Error:
            continue
    return False
