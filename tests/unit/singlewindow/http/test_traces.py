"""Spans of calls: below the caller's trace, without its name or the address, wrong only where the fault is ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.http.gateway import gateway_application
from tests.support.asgi import call
from tests.support.echo import ECHO, PLACE, SENDER, known, sample
from tests.support.traced_bridge import UPSTREAM, Spans, below

CALLER = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))


class Gateway:
    """A gateway that records what arrives with a trace."""

    def __init__(self, ratio: float = 0.0) -> None:
        self.spans = Spans()
        self.seen: list[str] = []
        application = gateway_application(
            [ECHO], Metrics(), SENDER, [PLACE],
            recorder=lambda *_what: self.seen.append(current_trace()), tracing=self.spans.tracing(ratio),
        )  # fmt: skip
        self._application = known(application, CALLER)

    async def ask(self, method: str, path: str, body: bytes = b"", traceparent: str = UPSTREAM) -> int:
        headers = [(b"content-type", b"application/json")]
        headers += [(b"traceparent", traceparent.encode())] if traceparent else []
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "headers": headers,
            "server": ("bridge.test", 443), "scheme": "https", "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        return (await call(self._application, scope, body)).status

    def told(self) -> dict[str, Any]:
        (span,) = self.spans.all()
        assert span.parent is not None
        assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (UPSTREAM[3:35], UPSTREAM[36:52])
        assert span.kind.name == "SERVER"
        return {"name": span.name, **(span.attributes or {})}


def echoed(**changes: Any) -> bytes:
    return json.dumps(sample(**changes)).encode()


async def test_a_call_is_a_span_below_its_callers_and_current_meanwhile() -> None:
    gateway = Gateway()
    assert await gateway.ask("POST", "/v1/echoes", echoed()) == 200
    assert gateway.told() == {
        "name": "POST echo", "certex.operation": "echo", "http.request.method": "POST", "url.scheme": "https",
        "http.response.status_code": 200,
    }  # fmt: skip
    span = gateway.spans.all()[0].context
    assert gateway.seen == [f"00-{UPSTREAM[3:35]}-{span.span_id:016x}-01"]
    assert current_trace() == ""


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (echoed(mood="BROKEN"), 500, "INTERNAL"),
        (echoed(mood="AWAY"), 503, "NOT_AVAILABLE"),
        (b"{}", 400, None),
        (echoed(messageSender="NSW.DE"), 403, None),
    ],
)
async def test_only_our_own_failures_are_errors(body: bytes, status: int, error: str | None) -> None:
    gateway = Gateway()
    assert await gateway.ask("POST", "/v1/echoes", body) == status
    told = gateway.told()
    assert (told["http.response.status_code"], told.get("error.type")) == (status, error)
    assert (gateway.spans.all()[0].status.status_code.name == "ERROR") == bool(error)


async def test_the_address_of_a_read_is_not_in_its_span() -> None:
    gateway = Gateway()
    await gateway.ask("GET", PLACE.path.replace("{", "").replace("}", ""))
    assert gateway.told()["name"] == f"GET {PLACE.name}"
    other = Gateway()
    assert await other.ask("GET", "/v1/licences/BE/SECRET") == 404
    assert other.told()["name"] == "GET none"


async def test_without_a_trace_a_share_is_recorded_and_with_a_silent_one_nothing() -> None:
    gateway = Gateway(ratio=1.0)
    await gateway.ask("POST", "/v1/echoes", echoed(), traceparent="")
    assert [span.parent for span in gateway.spans.all()] == [None]
    silent = Gateway(ratio=1.0)
    await silent.ask("POST", "/v1/echoes", echoed(), traceparent=below(2, flags="00"))
    assert (silent.spans.all(), silent.seen) == ((), [below(2, flags="00")])
    none = Gateway(ratio=0.0)
    await none.ask("POST", "/v1/echoes", echoed(), traceparent="broken")
    assert (none.spans.all(), none.seen) == ((), [""])
