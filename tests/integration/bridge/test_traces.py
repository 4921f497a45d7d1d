"""Traces over real servers: one trace id from what comes in to what goes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from certex_bridge.platform.kafka import ensure_topics
from certex_bridge.platform.settings import Settings
from tests.support.ledger_words import mrn_of
from tests.support.push_receiver import KEY, receiver, subscribe
from tests.support.traced_bridge import UPSTREAM, Spans, TracedBridge, below, traced, traced_bridge
from tests.support.wire_feed import declaration, event, licence, mrn, until

if TYPE_CHECKING:
    from aiohttp import web
    from opentelemetry.sdk.trace import ReadableSpan

TRACE_ID = UPSTREAM[3:35]
LICENCE_TOPIC, CERTIFICATES = "licensing.licences.v1", "certex.certificates.v1"
DECLARATION_TOPIC, OUTCOMES = "customs.declarations.v1", "certex.outcomes.v1"

Running = Callable[..., AbstractAsyncContextManager[TracedBridge]]


@pytest.fixture
def running(database_url: str, bootstrap_servers: str, topic_prefix: str) -> Running:
    """A bridge that records: all events without a trace (ratio 1), or a share of them; None: traces are off."""

    @asynccontextmanager
    async def run(ratio: float | None = 1.0) -> AsyncIterator[TracedBridge]:
        settings = Settings.load(
            kafka_bootstrap_servers=bootstrap_servers, database_url=database_url, topic_prefix=topic_prefix,
            kafka_group=topic_prefix + "bridge", topics_create=True, worker_poll_ms=100, database_async_commit=True,
            push_keys=KEY, push_private_networks=True,
        )  # fmt: skip
        await ensure_topics(settings)
        spans = Spans()
        async with traced_bridge(settings, None if ratio is None else spans.tracing(ratio), spans) as world:
            yield world

    return run


def hex_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


async def test_one_trace_from_a_licence_event_to_its_published_certificate(running: Running) -> None:
    async with running(ratio=0.0) as world:
        await world.publish(traced(licence("A", "10"), UPSTREAM))
        sent = await world.span(TRACE_ID, f"send {CERTIFICATES}")
        taken = await world.span(TRACE_ID, f"process {LICENCE_TOPIC}")
        assert taken.parent is not None
        assert f"{taken.parent.span_id:016x}" == UPSTREAM[36:52], "the sender's span is the parent"
        assert world.spans.path(TRACE_ID, f"send {CERTIFICATES}") == [
            f"process {LICENCE_TOPIC}", "apply", f"send {CERTIFICATES}",
        ]  # fmt: skip
        assert world.spans.path(TRACE_ID, "transaction") == [f"process {LICENCE_TOPIC}", "apply", "transaction"]
        published = await world.traceparents()
        assert published["certificate:BE/A:1"] == f"00-{TRACE_ID}-{hex_id(sent)}-01"
        assert {text[3:35] for text in published.values()} == {TRACE_ID}, "acknowledgement and balance belong to it too"


async def test_one_trace_from_a_declaration_event_to_its_published_outcome(running: Running) -> None:
    async with running() as world:
        await world.publish(licence("A", "10"))
        await world.publish(traced(declaration(1, "accepted", 1, {"A": "4"}), UPSTREAM))
        sent = await world.span(TRACE_ID, f"send {OUTCOMES}")
        taken = await world.span(TRACE_ID, f"process {DECLARATION_TOPIC}")
        published = await world.traceparents()
        assert published[f"outcome:{mrn(1)}:1"] == f"00-{TRACE_ID}-{hex_id(sent)}-01"
        own = published["certificate:BE/A:1"][3:35]
        assert own not in {"", TRACE_ID}, "an event without a trace begins one of its own"
        assert {"process licensing.licences.v1", "apply", f"send {CERTIFICATES}"} <= world.spans.of(own).keys()
        batches = [span for span in world.spans.all() if span.name == "process batch"]
        links = {link.context.span_id for span in batches for link in span.links}
        assert taken.context.span_id in links, "the batch links to its records"
        kinds = {span.name.split()[0]: span.kind.name for span in world.spans.all()}
        assert kinds == {"process": "CONSUMER", "apply": "INTERNAL", "transaction": "CLIENT", "send": "PRODUCER"}


async def test_one_trace_from_a_call_to_its_published_outcome(running: Running) -> None:
    async with running(ratio=0.0) as world:
        await world.publish(licence("A", "10"))
        world.desk.traceparent = UPSTREAM
        assert (await world.desk.move("RESERVE", "M1", A="4")).outcomes == ["OK_RESERVED"]
        await world.settle(1)
        await world.span(TRACE_ID, f"send {OUTCOMES}")
        assert world.spans.path(TRACE_ID, f"send {OUTCOMES}") == ["POST moveQuantity", "apply", f"send {OUTCOMES}"]
        served = world.spans.of(TRACE_ID)["POST moveQuantity"]
        assert dict(served.attributes or {}) == {
            "http.request.method": "POST", "url.scheme": "https", "http.response.status_code": 200,
            "certex.operation": "moveQuantity",
        }  # fmt: skip
        assert (await world.traceparents())[f"outcome:{mrn_of('M1')}:1"][3:35] == TRACE_ID


async def test_a_wake_belongs_to_the_trace_of_the_licence_that_came_late(running: Running) -> None:
    async with running(ratio=0.0) as world:
        await world.publish(traced(declaration(1, "accepted", 1, {"A": "4"}), below(7)))
        await world.publish(traced(licence("A", "10"), UPSTREAM))
        await world.span(TRACE_ID, f"send {OUTCOMES}")
        assert world.spans.path(TRACE_ID, f"send {OUTCOMES}") == [
            f"process {LICENCE_TOPIC}", "apply", "wake", f"send {OUTCOMES}",
        ]  # fmt: skip
        published = await world.traceparents()
        assert [published[f"outcome:{mrn(1)}:{dv}"][3:35] for dv in (1, 2)] == [below(7)[3:35], TRACE_ID]


async def test_a_dead_letter_and_a_push_to_customs_belong_to_the_trace(running: Running) -> None:
    async with running(ratio=0.0) as world:
        await world.publish(licence("A", "10"), declaration(1, "accepted", 1, {"A": "4"}))
        await world.publish(traced(licence("A", "10", version=2, status="SUSPENDED", kind="suspended"), UPSTREAM))
        poison = event(DECLARATION_TOPIC, "k", "bad", "customs.declaration.accepted.v1", b"{", "2026-03-01T08:00:00Z")
        assert await world.publisher.send_all([traced(poison, below(9))]) == [None]
        await world.settle(0, quarantined=1)
        published = await world.traceparents()
        assert {name.partition(":")[0]: text[3:35] for name, text in published.items() if text} == {
            "acknowledgement": TRACE_ID, "balance": TRACE_ID, "certificate": TRACE_ID, "notification": TRACE_ID,
            "deadletter": below(9)[3:35],
        }  # fmt: skip


async def test_a_push_to_a_subscriber_carries_the_trace_on(running: Running) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        seen.append(request.headers.get("traceparent", ""))
        return web.Response(status=204)

    async with receiver(answer) as url, running(ratio=0.0) as world:
        await world.publish(licence("A", "10"), declaration(1, "accepted", 1, {"A": "4"}))
        await subscribe(world.bridge.pool, url)
        await world.publish(traced(licence("A", "10", version=2, status="SUSPENDED", kind="suspended"), UPSTREAM))
        pushed = await world.span(TRACE_ID, "POST push")
        assert seen == [f"00-{TRACE_ID}-{hex_id(pushed)}-01"]
        assert world.spans.path(TRACE_ID, "POST push") == [f"process {LICENCE_TOPIC}", "apply", "POST push"]


@pytest.mark.parametrize("broken", ["00-0-0-01", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "\u00e9", UPSTREAM + "-x"])
async def test_a_broken_traceparent_is_as_good_as_none(broken: str, running: Running) -> None:
    async with running(ratio=0.0) as world:
        await world.publish(traced(licence("A", "10"), broken))
        world.desk.traceparent = "nonsense"
        assert (await world.desk.move("RESERVE", "M1", A="4")).outcomes == ["OK_RESERVED"]
        await world.settle(1)
        published = await world.traceparents()
        assert published
        assert set(published.values()) == {""}
        assert not world.spans.all()


async def test_who_began_the_trace_decides_whether_it_is_recorded(running: Running) -> None:
    silent = below(5, flags="00")
    async with running(ratio=1.0) as world:
        await world.publish(traced(licence("A", "10"), silent))
        world.desk.traceparent = silent
        assert (await world.desk.move("RESERVE", "M1", A="4")).outcomes == ["OK_RESERVED"]
        await world.settle(1)
        assert set((await world.traceparents()).values()) == {silent}, "handed on as it came"
        assert not world.spans.all()


async def test_off_means_that_nothing_is_read_written_or_recorded(running: Running) -> None:
    async with running(ratio=None) as world:
        await world.publish(traced(licence("A", "10"), UPSTREAM))
        world.desk.traceparent = UPSTREAM
        assert (await world.desk.move("RESERVE", "M1", A="4")).outcomes == ["OK_RESERVED"]
        await world.settle(1)
        assert set((await world.traceparents()).values()) == {""}
        assert not world.spans.all()


async def test_exemplars_lead_from_the_service_levels_to_the_traces(running: Running) -> None:
    async with running(ratio=0.0) as world:
        world.desk.traceparent = UPSTREAM
        await world.publish(traced(licence("A", "10"), UPSTREAM))
        assert (await world.desk.move("RESERVE", "M1", A="4")).outcomes == ["OK_RESERVED"]
        await world.settle(1)
        names = ("event_to_certificate_seconds", "event_to_outcome_seconds", "gateway_request_seconds")

        async def told() -> bool:
            page = world.bridge.metrics.exposition("application/openmetrics-text; version=1.0.0")[0].decode()
            lines = [line for line in page.splitlines() if f'# {{trace_id="{TRACE_ID}"}}' in line]
            return all(any(f"certex_bridge_{name}_bucket" in line for line in lines) for name in names)

        await until(told, what="an exemplar on each")


async def test_no_span_names_a_licence_a_declaration_or_a_person(running: Running) -> None:
    async with running() as world:
        await world.publish(licence("GEHEIM", "10"), declaration(1, "accepted", 1, {"GEHEIM": "4"}))
        assert (await world.desk.move("RESERVE", "M1", GEHEIM="4")).status == 200
        await world.settle(1)
        told = " ".join(span.to_json() for span in world.spans.all())
        assert "send certex.outcomes.v1" in told
        for secret in ("GEHEIM", mrn(1), mrn_of("M1"), "BE0123456789", world.desk.caller.name, "Holder"):
            assert secret not in told
