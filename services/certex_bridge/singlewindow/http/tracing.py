"""Spans of the gateway: one for each call of somebody known, below the traceparent that it brought.

Strangers are refused before this, so that nobody else can have the bridge record. Neither the address nor the caller's
name is in a span: addresses of reads hold licence and declaration numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from certex_bridge.platform.tracing import TRACEPARENT, Kind, Span, parse, recorded, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from certex_bridge.platform.tracing import Tracing
    from certex_bridge.singlewindow.http.exchange import Exchange

_NOTHING = Span()


@contextmanager
def served(tracing: Tracing, request: Request, exchange: Exchange) -> Iterator[Span]:
    """The span of one call, which is current in the block; what the call leads to carries it on."""
    trace = tracing.sample(parse(request.headers.get(TRACEPARENT, ""))) if tracing.on else ""
    if not trace:
        yield _NOTHING
    elif not recorded(trace):
        with within(trace):
            yield Span(trace)
    else:
        told = {"http.request.method": request.method, "url.scheme": request.url.scheme}
        span = tracing.begin(request.method, Kind.SERVER, trace, told)
        try:
            with within(span.trace):
                yield span
        finally:
            span.name(f"{request.method} {exchange.operation}", {"certex.operation": exchange.operation})
            span.end(exchange.error, {"http.response.status_code": exchange.status} if exchange.status else None)
