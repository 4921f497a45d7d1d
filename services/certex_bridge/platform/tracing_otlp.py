"""Traces recorded by OpenTelemetry and sent to a collector with OTLP over HTTP.

The sender is a thread with a bounded queue: a collector that is slow or away costs spans and nothing else. Names follow
the semantic conventions of `SCHEMA`. Headers, certificates and the size of the queue come from OpenTelemetry's own
variables (OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_BSP_…).
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context
from opentelemetry.trace.status import StatusCode

from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.metrics import bridge_version
from certex_bridge.platform.tracing import ROOT, Kind, Span, Tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor

    from certex_bridge.platform.settings import Settings
    from certex_bridge.platform.tracing import Attributes

LOG = get_logger("certex_bridge.tracing")

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
STOP_SECONDS = 3.0
"""Limit of sending what was recorded when the process stops."""
_KINDS = {kind: SpanKind[kind.name] for kind in Kind}


def otlp_tracing(settings: Settings) -> RecordingTracing:
    """Traces that go to the collector of the settings."""
    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint)
    return RecordingTracing(BatchSpanProcessor(exporter), settings.traces_sample)


class RecordingTracing(Tracing):
    """Traces are on."""

    on = True

    def __init__(self, processor: SpanProcessor, ratio: float, chance: Callable[[], float] = random.random) -> None:
        """`ratio` of the events that come without a trace are recorded; `chance` gives numbers from 0 to below 1."""
        name = os.environ.get("OTEL_SERVICE_NAME", "certex-bridge")
        resource = Resource.create({"service.name": name, "service.version": bridge_version()})
        # Whether a trace begins is decided by `sample`, before a span is made: most events never cost one.
        self._provider = TracerProvider(ParentBased(ALWAYS_ON), resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("certex_bridge", bridge_version(), schema_url=SCHEMA)
        self._ratio = ratio
        self._chance = chance

    def sample(self, trace: str) -> str:
        """What an event carries from here on."""
        return trace or (ROOT if self._chance() < self._ratio else "")

    def begin(
        self, name: str, kind: Kind, parent: str, attributes: Attributes | None = None, links: Sequence[str] = ()
    ) -> Span:
        """Begin a span."""
        # Never below a span of another instrumentation that happens to be current: causes are told, not guessed.
        context = Context()
        if parent != ROOT:
            context = set_span_in_context(NonRecordingSpan(_context(parent)), context)
        others = [Link(_context(one)) for one in links]
        return RecordedSpan(self._tracer.start_span(name, context, _KINDS[kind], attributes, others))

    async def stop(self) -> None:
        """Send what was recorded."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._provider.shutdown), STOP_SECONDS)
        except TimeoutError:
            LOG.warning("traces.lost", reason="the collector did not take them in time")


class RecordedSpan(Span):
    """A span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        told = span.get_span_context()
        valid = told.is_valid  # it is not where OTEL_SDK_DISABLED says so
        super().__init__(f"00-{told.trace_id:032x}-{told.span_id:016x}-{told.trace_flags:02x}" if valid else "")
        self._span = span

    def name(self, name: str, attributes: Attributes) -> None:
        """Say more precisely what it is."""
        self._span.update_name(name)
        self._span.set_attributes(attributes)

    def mark(self, what: str) -> None:
        """Note a moment in it."""
        self._span.add_event(what)

    def end(self, error: str = "", attributes: Attributes | None = None) -> None:
        """It is over."""
        if attributes:
            self._span.set_attributes(attributes)
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _context(traceparent: str) -> SpanContext:
    trace_id, span_id, flags = traceparent[3:].split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
