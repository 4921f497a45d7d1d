"""Traces: one trace id from the event that comes in to the message that goes out (W3C Trace Context).

What is carried is the text of a `traceparent`: in record headers, in HTTP headers, and in the rows in which messages
and wakes wait. A traceparent that asks for no recording is handed on as it came. With traces off nothing is read,
carried or recorded, and OpenTelemetry's SDK is not even imported.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from certex_bridge.platform.settings import Settings

    Attributes = Mapping[str, str | int]

TRACEPARENT = "traceparent"
"""Name of the header, of records and over HTTP."""
ROOT = "new-01"
"""Stands for a traceparent where nobody began a trace and one is to be recorded: with the first span it begins."""

SYSTEM = {"messaging.system": "kafka"}
"""Of every span that is about a record."""

_NAME_LENGTH = len(TRACEPARENT)
_IDS = r"((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
_THIS_VERSION = re.compile(f"00-{_IDS}").fullmatch
_LATER_VERSION = re.compile(f"(?!00|ff)[0-9a-f]{{2}}-{_IDS}(?:-.*)?").fullmatch
_SAMPLED = frozenset("13579bdf")
_current: ContextVar[str] = ContextVar("traceparent", default="")


class Kind(StrEnum):
    """OpenTelemetry's kinds of spans."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span:
    """A span in work; this one is recorded nowhere and carries on what came."""

    def __init__(self, trace: str = "") -> None:
        self.trace = trace
        """The traceparent for whatever follows from the span."""

    def name(self, name: str, attributes: Attributes) -> None:
        """Say more precisely what it is, once that is known."""

    def mark(self, what: str) -> None:
        """Note a moment in it."""

    def end(self, error: str = "", attributes: Attributes | None = None) -> None:
        """It is over, here and now; `error` is a class of errors or a code, never a sentence."""


class Tracing:
    """Traces are off."""

    on = False

    def sample(self, trace: str) -> str:  # noqa: ARG002  # for those that are on
        """Decide about an event that arrived with this traceparent (empty: none): what it carries from here on.

        Who began the trace has decided already; without a trace the answer is ROOT or empty.
        """
        return ""

    def begin(
        self, name: str, kind: Kind, parent: str, attributes: Attributes | None = None, links: Sequence[str] = ()
    ) -> Span:
        """Begin a span below a traceparent that is recorded, or a trace (ROOT); end it, whatever happens."""
        del name, kind, attributes, links
        return Span(parent)

    async def stop(self) -> None:
        """Send what was recorded, within bounded time."""


OFF = Tracing()


def tracing_of(settings: Settings) -> Tracing:
    """What the settings ask for."""
    if settings.traces == "off":
        return OFF
    # Imported here only: a process without traces has none of its memory and none of its threads.
    from certex_bridge.platform.tracing_otlp import otlp_tracing

    return otlp_tracing(settings)


def parse(text: str) -> str:
    """A traceparent in the form of version 00; empty when it is none: a broken one is as good as none."""
    if _THIS_VERSION(text):
        return text
    later = _LATER_VERSION(text)
    return f"00-{later[1]}" if later else ""


def of_record(headers: Sequence[tuple[str, bytes | None]]) -> str:
    """The traceparent among a record's headers; empty when there is none, or a broken one."""
    for name, value in headers:
        if len(name) == _NAME_LENGTH and value is not None and name.lower() == TRACEPARENT:
            return parse(value.decode("latin-1"))
    return ""


def recorded(trace: str) -> bool:
    """Whether spans below this traceparent are recorded."""
    return trace != "" and trace[-1] in _SAMPLED


def exemplar(trace: str) -> dict[str, str] | None:
    """Labels of an exemplar that leads from a figure to the trace; None where nothing is recorded."""
    return {"trace_id": trace[3:35]} if recorded(trace) else None


def current_trace() -> str:
    """The traceparent of what this task works on, empty when there is none."""
    return _current.get()


def ids_of(trace: str) -> tuple[str, str]:
    """Trace id and span id in hexadecimal."""
    return trace[3:35], trace[36:52]


@contextmanager
def within(trace: str) -> Iterator[None]:
    """What this task does in the block belongs to the trace: its logs, and what it hands on."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)
