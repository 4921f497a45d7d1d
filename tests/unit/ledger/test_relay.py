"""The relay's decisions: topics that take nothing, aggregates that are held, an end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from certex_bridge.ledger.envelopes import Envelopes
from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.relay import Aggregate, Batch, Refused, Relay
from certex_bridge.ledger.relay_topics import TopicPauses
from certex_bridge.operations.composition import TOPIC_OF, transient
from certex_bridge.platform.kafka import HeldBack, Record
from tests.support.traced_bridge import UPSTREAM, Spans, below

ENVELOPES = Envelopes(TOPIC_OF, "urn:test")


def message(agg_type: str, agg_id: str, version: int, key: str = "k") -> OutboxRow:
    return OutboxRow(agg_type, agg_id, version, key, b"{}", "2026-01-01T00:00:00Z")


class Lead:
    """The outbox in memory."""

    def __init__(self) -> None:
        self.batches: dict[int, list[OutboxRow]] = {}
        self.holding: dict[tuple[str, str, int], str] = {}

    def add(self, *rows: OutboxRow) -> None:
        self.batches[max(self.batches, default=0) + 1] = list(rows)

    async def prove(self) -> None:
        """It is ours for ever."""

    async def unsent(self, rows_max: int, waiting: Collection[int], last: int | None) -> list[Batch]:
        found = [one for one in sorted(self.batches) if one not in waiting and (last is None or one <= last)]
        return [Batch(one, self.batches[one]) for one in found[:4]]

    async def last_batch(self) -> int:
        return max(self.batches, default=0)

    async def mark_sent(self, done: Sequence[int], refused: Sequence[Refused], read: Sequence[int]) -> None:
        for row, code in refused:
            self.holding.setdefault(row[:3], code)
        for one in done:
            del self.batches[one]

    async def held(self) -> set[Aggregate]:
        return {identity[:2] for identity in self.holding}


class Publisher:
    """A broker on which some topics fail, and some messages are refused."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.refusing: set[str] = set()
        self.answers: list[int | None] = []
        self.completed: list[Collection[str]] = []
        self.asked_often = asyncio.Event()

    async def complete(self, topics: Collection[str]) -> int | None:
        self.completed.append(topics)
        if len(self.completed) > 3:
            self.asked_often.set()
        return self.answers.pop(0) if self.answers else 0

    async def lead(self, proof: Callable[[], Awaitable[None]]) -> None:
        await proof()

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        self._behind = set[bytes]()
        return [self._one(record) for record in records]

    def _one(self, record: Record) -> Exception | None:
        identity = dict(record.headers)["ce_id"].decode()
        if record.lane in self._behind:
            return HeldBack()
        if record.topic in self.failing:
            return self.failing[record.topic]
        if identity in self.refusing:
            self._behind.add(record.lane)
            return MessageSizeTooLargeError()
        self.sent.append(identity)
        return None


class Meter:
    def __init__(self) -> None:
        self.paused: dict[str, float] = {}
        self.retries: list[str] = []
        self.unknown: list[float] = []

    def sent(self, rows: Sequence[OutboxRow]) -> None:
        """Not looked at."""

    def led(self, leads: float) -> None:
        """Not looked at."""

    def retry(self, cause: str) -> None:
        self.retries.append(cause)

    def topic_paused(self, topic: str, paused: float) -> None:
        self.paused[topic] = paused

    def kept_back(self, unknown: float) -> None:
        self.unknown.append(unknown)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """A relay that leads."""

    def __init__(self) -> None:
        self.lead, self.publisher, self.meter, self.clock = Lead(), Publisher(), Meter(), Clock()
        self.held: set[Aggregate] = set()
        self.relay = Relay(
            _outbox(self.lead), self.publisher, ENVELOPES,
            idle_seconds=0.001, meter=self.meter, transient=transient, pauses=TopicPauses(self.clock),
        )  # fmt: skip

    async def rounds(self, number: int = 10) -> None:
        for _ in range(number):
            await self.relay.publish_some(self.lead, self.held)


def _outbox(lead: Lead) -> Any:
    class Outbox:
        @asynccontextmanager
        async def leadership(self) -> AsyncIterator[Lead]:
            yield lead

    return Outbox()


@pytest.mark.parametrize("error", [UnknownTopicOrPartitionError(), TopicAuthorizationFailedError()])
async def test_a_topic_that_takes_nothing_stops_no_other_and_repeats_nothing(error: Exception) -> None:
    world = World()
    world.publisher.failing[TOPIC_OF["deadletter"]] = error
    for version in range(1, 4):
        world.lead.add(message("balance", "L", version), message("deadletter", f"q{version}", 1))
    await world.rounds()
    assert world.publisher.sent == ["balance:L:1", "balance:L:2", "balance:L:3"]
    assert len(world.lead.batches) == 3
    assert world.meter.paused == {TOPIC_OF["deadletter"]: 1.0}
    world.clock.now += 0.9
    await world.rounds()
    assert len(world.publisher.sent) == 3
    del world.publisher.failing[TOPIC_OF["deadletter"]]
    world.clock.now += 100
    await world.rounds()
    assert world.publisher.sent[3:] == ["deadletter:q1:1", "deadletter:q2:1", "deadletter:q3:1"]
    assert world.lead.batches == {}
    assert world.meter.paused == {TOPIC_OF["deadletter"]: 0.0}


async def test_the_pauses_of_a_topic_grow() -> None:
    world = World()
    world.publisher.failing[TOPIC_OF["balance"]] = UnknownTopicOrPartitionError()
    world.lead.add(message("balance", "L", 1))
    tried = []
    for second in range(70):
        world.clock.now = second
        before = world.relay._pauses._times.get(TOPIC_OF["balance"], 0)
        await world.rounds(1)
        if world.relay._pauses._times[TOPIC_OF["balance"]] > before:
            tried.append(second)
    assert tried == [0, 1, 3, 7, 15, 31, 63]


async def test_a_broker_that_is_away_is_no_topics_fault() -> None:
    world = World()
    for topic in TOPIC_OF.values():
        world.publisher.failing[topic] = KafkaConnectionError()
    world.lead.add(message("balance", "L", 1), message("outcome", "D", 1))
    with pytest.raises(KafkaConnectionError):
        await world.rounds(1)
    assert world.meter.paused == {}


@pytest.mark.row("E166")
async def test_a_refused_message_holds_its_aggregate_and_nobody_else_of_its_key() -> None:
    world = World()
    world.publisher.refusing = {"balance:A:2"}
    world.lead.add(*(message("balance", name, version, key="same") for version in (1, 2, 3) for name in "AB"))
    world.lead.add(message("balance", "A", 4, key="same"), message("notification", "A", 1, key="same"))
    await world.rounds()
    others = ["balance:B:1", "balance:B:2", "balance:B:3", "notification:A:1"]
    assert sorted(world.publisher.sent) == ["balance:A:1", *others]
    assert world.lead.holding == {
        ("balance", "A", 2): "MessageSizeTooLargeError",
        ("balance", "A", 3): "HeldBack",
        ("balance", "A", 4): "HeldBack",
    }
    world.lead.add(message("balance", "A", 5))
    await world.rounds()
    assert world.lead.holding["balance", "A", 5] == "HELD_BEHIND"
    assert world.lead.batches == {}


async def test_a_released_aggregate_is_sent_again() -> None:
    world = World()
    world.publisher.refusing = {"balance:A:1"}
    world.lead.add(message("balance", "A", 1))
    await world.rounds()
    assert world.held == {("balance", "A")}
    world.publisher.refusing = set()
    world.lead.holding.clear()
    world.lead.add(message("balance", "A", 1), message("balance", "A", 2))
    await world.rounds()
    assert world.publisher.sent == ["balance:A:1", "balance:A:2"]


def test_a_record_behind_a_refused_one_is_of_the_same_aggregate() -> None:
    from certex_bridge.platform.kafka_publisher import Outcome

    records = [ENVELOPES.message(message("deadletter", name, 1, key="same")) for name in ("a", "b")]
    outcome = Outcome([*records, records[0]])
    outcome.refuse(0, MessageSizeTooLargeError())
    assert [outcome.open(index) for index in range(3)] == [False, True, False]
    assert isinstance(outcome.errors[2], HeldBack)


async def test_it_ends_although_others_go_on_writing() -> None:
    world = World()
    world.lead.add(message("balance", "L", 1))
    version = 1
    unsent = world.lead.unsent

    async def busy(*arguments: Any) -> list[Batch]:
        nonlocal version
        version += 1
        world.lead.add(message("balance", "L", version))
        await asyncio.sleep(0)
        return await unsent(*arguments)

    world.lead.unsent = busy  # type: ignore[method-assign]
    stop = asyncio.Event()
    running = asyncio.create_task(world.relay.run(stop))
    while len(world.publisher.sent) < 20:  # noqa: ASYNC110  # the figure is another task's
        await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 30)
    assert world.lead.batches, "what came after the stop stays for the next leader"


async def test_it_sees_to_it_again_and_again_that_readers_see_what_was_sent() -> None:
    world = World()
    world.publisher.answers = [2, None, 0]
    relay = Relay(
        _outbox(world.lead), world.publisher, ENVELOPES, idle_seconds=0.001, complete_seconds=0, meter=world.meter
    )
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    await world.publisher.asked_often.wait()
    stop.set()
    await running
    assert world.meter.unknown[:3] == [0.0, 1.0, 0.0]
    assert world.publisher.completed[0] == ENVELOPES.topics()


async def test_a_passing_failure_is_counted_and_a_lasting_one_ends_the_role() -> None:
    world = World()
    errors: list[Exception] = [ConnectionResetError(), ConnectionResetError(), ValueError("a defect")]

    async def broken(*_arguments: Any) -> list[Batch]:
        raise errors.pop(0)

    world.lead.unsent = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="a defect"):
        await asyncio.wait_for(world.relay.run(asyncio.Event()), 30)
    assert world.meter.retries == ["connection", "connection"]


# -- traces


async def test_a_message_that_is_refused_says_so_in_its_span_and_the_others_go_on() -> None:
    spans, lead, publisher = Spans(), Lead(), Publisher()
    lead.add(
        message("outcome", "a", 1)._replace(trace=UPSTREAM),
        message("outcome", "b", 1)._replace(trace=below(8)),
        message("outcome", "c", 1)._replace(trace=below(9, flags="00")),
        message("outcome", "d", 1),
    )
    publisher.refusing.add("outcome:b:1")
    relay = Relay(None, publisher, ENVELOPES, tracing=spans.tracing(1.0))  # type: ignore[arg-type]  # leads at once
    await relay.publish_some(lead, set())
    told = {f"{span.context.trace_id:032x}": (span.attributes or {}).get("error.type") for span in spans.all()}
    assert told == {UPSTREAM[3:35]: None, below(8)[3:35]: "MessageSizeTooLargeError"}
    assert publisher.sent == ["outcome:a:1", "outcome:c:1", "outcome:d:1"]


async def test_an_outage_of_the_broker_ends_the_spans_of_what_was_not_sent() -> None:
    spans, lead, publisher = Spans(), Lead(), Publisher()
    lead.add(message("outcome", "a", 1)._replace(trace=UPSTREAM))
    publisher.failing["certex.outcomes.v1"] = KafkaConnectionError()
    relay = Relay(None, publisher, ENVELOPES, tracing=spans.tracing(1.0))  # type: ignore[arg-type]  # leads at once
    with pytest.raises(KafkaConnectionError):
        await relay.publish_some(lead, set())
    (span,) = spans.all()
    assert (span.attributes or {})["error.type"] == "KafkaConnectionError"
