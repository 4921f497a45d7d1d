"""The bridge in this process with its spans in memory: what led to what, told by trace ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from certex_bridge.operations.composition import TOPIC_OF, Bridge
from certex_bridge.operations.gateway_ledger import ledger_functions
from certex_bridge.operations.gateway_role import GatewayTimes
from certex_bridge.platform.kafka import Publisher, Record
from certex_bridge.platform.tracing import TRACEPARENT, Tracing
from certex_bridge.platform.tracing_otlp import RecordingTracing
from certex_bridge.singlewindow.http.gateway import gateway_application
from tests.support.clearance import SENDER, Desk, caller
from tests.support.topic_reading import read_topics
from tests.support.wire_feed import settled, until

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from certex_bridge.platform.settings import Settings

UPSTREAM = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""Of a sender that records."""


def below(number: int, flags: str = "01") -> str:
    """The traceparent of another sender."""
    return f"00-{number:032x}-{number:016x}-{flags}"


def traced(record: Record, traceparent: str) -> Record:
    """The record with the header."""
    headers = (*record.headers, (TRACEPARENT, traceparent.encode()))
    return Record(record.topic, record.key, record.value, headers)


class Spans:
    """What was recorded."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    def tracing(self, ratio: float) -> RecordingTracing:
        """Traces that end here."""
        return RecordingTracing(SimpleSpanProcessor(self.exporter), ratio)

    def all(self) -> Sequence[ReadableSpan]:
        """All spans that have ended."""
        return self.exporter.get_finished_spans()

    def of(self, trace_id: str) -> dict[str, ReadableSpan]:
        """The spans of a trace by name."""
        return {span.name: span for span in self.all() if f"{span.context.trace_id:032x}" == trace_id}

    def path(self, trace_id: str, name: str) -> list[str]:
        """Names from the trace's first span here to this one."""
        spans = self.of(trace_id)
        by_id = {span.context.span_id: span for span in spans.values()}
        found: list[str] = []
        span: ReadableSpan | None = spans[name]
        while span is not None:
            found.insert(0, span.name)
            span = by_id.get(span.parent.span_id) if span.parent else None
        return found


@dataclass
class TracedBridge:
    """A bridge that runs, and what a test asks of it."""

    bridge: Bridge
    spans: Spans
    publisher: Publisher
    connection: asyncpg.Connection[Any]
    desk: CallsDesk
    events: int = field(default=0)

    async def publish(self, *records: Record) -> None:
        """Put records on the topics, and wait until everything that follows is published."""
        assert await self.publisher.send_all(records) == [None] * len(records)
        await self.settle(len(records))

    async def settle(self, more: int, quarantined: int = 0) -> None:
        """Wait until so many more events are in, what follows is published, and subscribers would have heard of it."""
        self.events += more

        async def done() -> bool:
            untold = await self.connection.fetchval("SELECT count(*) FROM status_unsent")
            return not untold and await settled(self.connection, self.events, quarantined)

        await until(done, what=f"{self.events} events settled")

    async def span(self, trace_id: str, name: str) -> ReadableSpan:
        """The span of that name, which may end a moment after its effects are seen."""

        async def there() -> bool:
            return name in self.spans.of(trace_id)

        await until(there, what=f"span {name} of {trace_id} among {[span.name for span in self.spans.all()]}")
        return self.spans.of(trace_id)[name]

    async def traceparents(self) -> dict[str, str]:
        """The traceparent of every message about a licence or declaration by message id, empty: none."""
        topics = [topic for kind, topic in TOPIC_OF.items() if kind != "seal"]  # these follow from no event
        found: dict[str, str] = {}
        for record in await read_topics(self.bridge.settings, *topics):
            headers = dict(record.headers)
            found[headers["ce_id"].decode()] = headers.get(TRACEPARENT, b"").decode()
        return found


class CallsDesk(Desk):
    """A customs system at the gateway as it is wired in production."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.caller = caller()
        self.count = 0


@asynccontextmanager
async def traced_bridge(
    settings: Settings, tracing: Tracing | None, spans: Spans, roles: str = "intake,relay,worker"
) -> AsyncIterator[TracedBridge]:
    """Run these roles and the ledger's functions of the gateway until the end of the block."""
    bridge = Bridge(settings, tracing=tracing)
    await bridge.open()
    parts = ledger_functions(bridge, GatewayTimes.of(settings))
    application = gateway_application(parts.operations, bridge.metrics, SENDER, tracing=bridge.tracing)
    stop = asyncio.Event()
    work = [role.run(stop) for role in bridge.roles(roles.split(","))] + [task(stop) for task in parts.tasks.values()]
    tasks = [asyncio.ensure_future(one) for one in work]
    publisher = Publisher(settings)
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        yield TracedBridge(bridge, spans, publisher, connection, CallsDesk(application))
    finally:
        stop.set()
        await asyncio.gather(*tasks, publisher.stop(), connection.close())
        await bridge.close()
