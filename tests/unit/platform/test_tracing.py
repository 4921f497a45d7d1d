"""Trace context: what is read, what is decided, what is recorded, and that off is off."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.logs import with_trace
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.tracing import (
    OFF,
    ROOT,
    Kind,
    current_trace,
    exemplar,
    of_record,
    parse,
    recorded,
    tracing_of,
    within,
)
from tests.support.push_receiver import receiver
from tests.support.traced_bridge import UPSTREAM, Spans, below

if TYPE_CHECKING:
    from certex_bridge.platform.tracing import Tracing

SILENT = below(3, flags="00")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (UPSTREAM, UPSTREAM),
        (SILENT, SILENT),
        ("01" + UPSTREAM[2:], UPSTREAM),  # a later version is read as far as this one knows it
        ("cc" + UPSTREAM[2:] + "-what-comes", UPSTREAM),
        ("ff" + UPSTREAM[2:], ""),
        (UPSTREAM + "-more", ""),
        (UPSTREAM.upper(), ""),
        (UPSTREAM[:-1], ""),
        (UPSTREAM + "\n", ""),
        (f"00-{'0' * 32}-{'1' * 16}-01", ""),
        (f"00-{'1' * 32}-{'0' * 16}-01", ""),
        ("", ""),
    ],
)
def test_only_a_sound_traceparent_is_read(text: str, read: str) -> None:
    assert parse(text) == read


def test_a_records_header_is_found_by_its_name_in_any_capitals() -> None:
    assert of_record((("ce_id", b"1"), ("Traceparent", UPSTREAM.encode()))) == UPSTREAM
    assert of_record((("ce_id", b"1"), ("tracestate", b"a=b"))) == ""
    assert of_record((("traceparent", None),)) == ""
    assert of_record((("traceparent", b"\xff\xfe"),)) == ""


def test_the_flag_says_whether_it_is_recorded() -> None:
    assert [recorded(one) for one in (UPSTREAM, SILENT, "", ROOT, below(1, "03"))] == [True, False, False, True, True]
    assert exemplar(UPSTREAM) == {"trace_id": UPSTREAM[3:35]}
    assert exemplar(SILENT) is exemplar("") is None


def tracing(ratio: float, chances: tuple[float, ...] = ()) -> Tracing:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from certex_bridge.platform.tracing_otlp import RecordingTracing

    told = iter(chances)
    return RecordingTracing(SimpleSpanProcessor(InMemorySpanExporter()), ratio, lambda: next(told))


def test_a_share_of_what_has_no_trace_begins_one() -> None:
    some = tracing(0.25, (0.0, 0.24, 0.25, 0.9))
    assert [some.sample("") for _ in range(4)] == [ROOT, ROOT, "", ""]
    assert (some.sample(UPSTREAM), some.sample(SILENT)) == (UPSTREAM, SILENT), "nobody throws dice for a trace"


async def test_a_span_tells_its_parent_its_links_and_its_error() -> None:
    spans = Spans()
    made = spans.tracing(1.0)
    root = made.begin("root", Kind.CONSUMER, ROOT, {"a": 1})
    child = made.begin("child", Kind.CLIENT, root.trace, links=[UPSTREAM])
    child.mark("half")
    child.name("renamed", {"b": "2"})
    child.end("KeyError", {"c": 3})
    root.end()
    first, second = spans.all()
    assert (first.name, first.status.status_code.name, dict(first.attributes or {})) == (
        "renamed", "ERROR", {"b": "2", "c": 3, "error.type": "KeyError"},
    )  # fmt: skip
    assert [one.name for one in first.events] == ["half"]
    assert [f"{one.context.trace_id:032x}" for one in first.links] == [UPSTREAM[3:35]]
    assert first.parent is not None
    assert (first.parent.span_id, second.parent) == (second.context.span_id, None)
    assert root.trace[:-2] == f"00-{second.context.trace_id:032x}-{second.context.span_id:016x}-"
    assert recorded(root.trace)
    await made.stop()


def test_a_sdk_that_is_disabled_carries_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    span = Spans().tracing(1.0).begin("x", Kind.INTERNAL, ROOT)
    assert span.trace == ""
    span.end()


async def test_off_is_nothing() -> None:
    assert tracing_of(Settings.load(traces="off")) is OFF
    assert (OFF.on, OFF.sample(UPSTREAM)) == (False, "")
    span = OFF.begin("x", Kind.INTERNAL, UPSTREAM)
    span.mark("a")
    span.name("y", {})
    span.end("E")
    assert span.trace == UPSTREAM
    await OFF.stop()


def test_off_does_not_even_import_the_sdk() -> None:
    """Neither its memory nor its threads: what the command line and a process without traces load."""
    code = (
        "import sys; from certex_bridge.operations.cli import main\n"
        "from certex_bridge.operations import serve\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exp'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


async def test_spans_reach_the_collector_over_http() -> None:
    requests: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        requests.append((request.path, await request.read()))
        return web.Response(status=200)

    async with receiver(take) as url:
        made = tracing_of(Settings.load(traces="otlp", traces_endpoint=url, traces_sample=1))
        span = made.begin("one", Kind.INTERNAL, UPSTREAM)
        span.end()
        await made.stop()
    assert [path for path, _ in requests] == ["/pushes"], "the address is taken as it is told"
    sent = ExportTraceServiceRequest.FromString(requests[0][1])
    resource = {one.key: one.value.string_value for one in sent.resource_spans[0].resource.attributes}
    assert resource["service.name"] == "certex-bridge"
    (told,) = sent.resource_spans[0].scope_spans[0].spans
    assert (told.name, told.trace_id.hex(), told.parent_span_id.hex()) == ("one", UPSTREAM[3:35], UPSTREAM[36:52])


async def test_a_collector_that_is_away_does_not_hold_up_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    made = tracing_of(Settings.load(traces="otlp", traces_endpoint="http://127.0.0.1:9/v1/traces"))
    made.begin("one", Kind.INTERNAL, ROOT).end()
    await made.stop()


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        ({"traces": "otlp"}, "CERTEX_TRACES_ENDPOINT: is needed with CERTEX_TRACES=otlp"),
        ({"traces_endpoint": "collector:4318"}, "CERTEX_TRACES_ENDPOINT: must look like http://host:4318/v1/traces"),
        ({"traces_endpoint": "http://me:secret@host/v1"}, "CERTEX_TRACES_ENDPOINT: must look like"),
        ({"traces_sample": 1.5}, "CERTEX_TRACES_SAMPLE"),
        ({"traces": "jaeger"}, "CERTEX_TRACES"),
    ],
)
def test_settings_that_cannot_work_are_named(wrong: dict[str, object], variable: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(**wrong)
    assert variable in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_log_lines_name_trace_and_span_while_one_is_recorded() -> None:
    with within(UPSTREAM):
        line = with_trace(None, "", {"event": "x"})
        with within(SILENT):
            assert with_trace(None, "", {"event": "x"}) == {"event": "x"}
        assert current_trace() == UPSTREAM
    assert line == {"event": "x", "trace_id": UPSTREAM[3:35], "span_id": UPSTREAM[36:52]}
    assert with_trace(None, "", {"event": "x"}) == {"event": "x"}
