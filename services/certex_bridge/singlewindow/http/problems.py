"""Refusals as answers: a problem document (RFC 9457), or what another form of the interface makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from certex_bridge.platform.health import Application, Receive, Scope, Send
    from certex_bridge.platform.metrics import Metrics

    Renderer = Callable[[Scope, Refusal], tuple[bytes, str]]
    """A refusal's body and content type, in the form the request asks for (XML requests get XML)."""

LOG = get_logger("certex_bridge.gateway")

PROBLEM_JSON = "application/problem+json"
PROBLEM_TYPE = "urn:certex-bridge:problem:"


def problem_document(_scope: Scope, refusal: Refusal) -> tuple[bytes, str]:
    """The problem document of a refusal.

    `errors` has the parts of functional errors, as the customs systems name them, and a sentence each.
    """
    document = {
        "type": PROBLEM_TYPE + refusal.code.lower().replace("_", "-"),
        "title": refusal.kind.title,
        "status": refusal.kind.status,
        "detail": refusal.message,
        "code": refusal.code,
        "errors": [
            {
                "errorPointer": one.pointer,
                "errorCode": one.error_code,
                "errorReason": one.reason,
                "originalAttributeValue": one.value,
                "detail": one.message,
            }
            for one in refusal.errors
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n", PROBLEM_JSON


class RefusalAnswers:
    """Turns a `Refusal` raised by what is inside into the answer, as long as no other answer has begun.

    Any other exception is a defect of ours: the log has it, the answer says so without its words.
    """

    def __init__(self, application: Application, metrics: Metrics, render: Renderer = problem_document) -> None:
        self._application = application
        self._metrics = metrics
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._application(scope, receive, noting)
        except Refusal as refusal:
            if begun:
                raise
            await self._answer(scope, refusal, send)
        except Exception:
            if begun:
                raise
            LOG.exception("gateway.failed", path=scope["path"])
            message = "a defect of the bridge; ask again with the same message identification to learn the result"
            await self._answer(scope, Refusal("INTERNAL", message), send)

    async def _answer(self, scope: Scope, refusal: Refusal, send: Send) -> None:
        self._metrics.gateway_refusals_total.labels(refusal.code).inc()
        body, content_type = self._render(scope, refusal)
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **refusal.headers}
        encoded = [
            (name.lower().encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": refusal.kind.status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})
