"""Spans of the gateway: one for each call of somebody known, below the traceparent that it brought.

Strangers are refused before this, so that nobody else can have the bridge record. Neither the address nor the caller's
name is in a span: addresses of reads hold licence and declaration numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from certex_bridge.platform.tracing import TRACEPARENT, Kind, Span, parse, recorded, within
from certex_bridge.singlewindow.http.forms import header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.platform.tracing import Tracing
    from certex_bridge.singlewindow.http.exchange import Exchange

_NOTHING = Span()


@contextmanager
def served(tracing: Tracing, exchange: Exchange) -> Iterator[Span]:
    """The span of one call, which is current in the block; what the call leads to carries it on."""
    scope = exchange.scope
    trace = tracing.sample(parse(header(scope, TRACEPARENT.encode()))) if tracing.on else ""
    if not trace:
        yield _NOTHING
    elif not recorded(trace):
        with within(trace):
            yield Span(trace)
    else:
        method: str = scope["method"]
        told = {"http.request.method": method, "url.scheme": scope["scheme"]}
        span = tracing.begin(method, Kind.SERVER, trace, told)
        try:
            with within(span.trace):
                yield span
        finally:
            span.name(f"{method} {exchange.operation}", {"certex.operation": exchange.operation})
            span.end(exchange.error, {"http.response.status_code": exchange.status} if exchange.status else None)
