"""The ledger's spans: a record that is read, a transaction that applies it, a message that is published.

A batch has one transaction for hundreds of events, so each recorded event gets spans of its own with the transaction's
times, and one span for the batch links to them. No licence number, declaration or exporter is in a span: place and
offset of the record lead to them, for those who may read the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.tracing import ROOT, SYSTEM, Kind, Span, Tracing, of_record, recorded, within

_PROCESS = {**SYSTEM, "messaging.operation.name": "process", "messaging.operation.type": "process"}
_SEND = {**SYSTEM, "messaging.operation.name": "send", "messaging.operation.type": "send"}
_DATABASE = {"db.system.name": "postgresql"}


class _Spans:
    """Spans that end with a block, with the class of the error that ended it."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._open: list[Span] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is open, the innermost first."""
        while self._open:
            self._open.pop().end(kind.__name__ if kind else "")

    def _begin(
        self,
        name: str,
        kind: Kind,
        parent: str,
        attributes: Mapping[str, str | int] | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        span = self._tracing.begin(name, kind, parent, attributes, links)
        self._open.append(span)
        return span


class BatchSpans(_Spans):
    """Of the intake: what each record of a batch carries, and a span for each that is recorded."""

    def __init__(self, tracing: Tracing, envelopes: Sequence[Envelope], group: str) -> None:
        super().__init__(tracing)
        self._more = {"messaging.consumer.group.name": group} if group else {}
        self.carried = [tracing.sample(of_record(envelope.headers)) for envelope in envelopes]
        """The traceparent of each record, in order; empty: none."""
        self._stack = ExitStack()
        found = [number for number, trace in enumerate(self.carried) if recorded(trace)]
        for number in found:
            self.carried[number] = self._record(envelopes[number], self.carried[number]).trace
        if found:
            links = [trace for number in found if (trace := self.carried[number])]
            told: dict[str, str | int]
            told = {**_PROCESS, **self._more, "messaging.batch.message_count": len(envelopes)}
            batch = self._begin("process batch", Kind.CONSUMER, ROOT, told, links)
            self._stack.enter_context(within(batch.trace))

    def _record(self, envelope: Envelope, trace: str) -> Span:
        told: dict[str, str | int] = {
            **_PROCESS,
            **self._more,
            "messaging.destination.name": envelope.topic,
            "messaging.destination.partition.id": str(envelope.partition),
            "messaging.kafka.offset": envelope.offset,
        }
        return self._begin(f"process {envelope.topic}", Kind.CONSUMER, trace, told)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the batch, then its records."""
        self._stack.close()
        super().__exit__(kind, error, trace)


class ApplySpans(_Spans):
    """Of the executor: one span for each recorded trace of a transaction, with the transaction below it."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__(tracing)
        self._carried: dict[str, str] = {}
        self._transactions: list[Span] = []

    def begin(self, name: str, traces: Iterable[str]) -> None:
        """These are applied from now on; what is not recorded costs nothing."""
        if not self._tracing.on:
            return
        for trace in {one for one in traces if recorded(one)}:
            span = self._begin(name, Kind.INTERNAL, trace)
            self._carried[trace] = span.trace
            if recorded(span.trace):
                self._transactions.append(self._begin("transaction", Kind.CLIENT, span.trace, _DATABASE))

    def carried(self, trace: str) -> str:
        """The traceparent of what follows from an event that carried this one."""
        return self._carried.get(trace, trace)

    def mark(self, what: str) -> None:
        """So far is the transaction."""
        for span in self._transactions:
            span.mark(what)


class PublishSpans(_Spans):
    """Of the relay: a span for each recorded message, whose traceparent travels with it."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__(tracing)
        self._spans: dict[int, Span] = {}

    def begin(self, rows: Sequence[OutboxRow], topic_of: Callable[[OutboxRow], str]) -> list[str]:
        """Begin; the traceparent that each message goes out with."""
        traces = [row.trace for row in rows]
        for number, trace in enumerate(traces):
            if self._tracing.on and recorded(trace):
                topic = topic_of(rows[number])
                told = {**_SEND, "messaging.destination.name": topic}
                span = self._begin(f"send {topic}", Kind.PRODUCER, trace, told)
                self._spans[number] = span
                traces[number] = span.trace
        return traces

    def sent(self, errors: Sequence[Exception | None]) -> None:
        """What became of each message."""
        for number, span in self._spans.items():
            error = errors[number]
            span.end(type(error).__name__ if error is not None else "")
        self._open.clear()
