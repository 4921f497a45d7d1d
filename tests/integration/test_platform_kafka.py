"""What the platform promises about Kafka, on a broker: nothing lost, order kept, a bad record fails alone."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.positions import InMemoryPositions
from certex_bridge.platform.kafka import (
    HeldBack,
    Publisher,
    Record,
    create_broker,
    create_consumer,
    ensure_topics,
    subscribe_batches,
)
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.position_keeper import kept
from certex_bridge.platform.positions import Position, Reached
from certex_bridge.platform.runtime import BatchRole
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from certex_bridge.platform.envelope import Envelope
    from certex_bridge.platform.kafka import BatchSubscription, Commit, Handler
    from certex_bridge.platform.positions import Positions
    from tests.support.kafka_server import KafkaServer

DECLARATIONS = "customs.declarations.v1"
LICENCES = "licensing.licences.v1"


@pytest.fixture
def settings(bootstrap_servers: str, topic_prefix: str) -> Settings:
    return Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        topic_prefix=topic_prefix,
        topic_partitions=3,
        topics_create=True,
        kafka_group=f"{topic_prefix}group",
        kafka_session_timeout_ms=6000,
        kafka_heartbeat_ms=500,
        kafka_message_bytes_max=200_000,
        retry_backoff_ms=20,
        retry_attempts_max=3,
        graceful_stop_seconds=5,
    )


async def publish(settings: Settings, records: Sequence[Record]) -> list[Exception | None]:
    publisher = Publisher(settings)
    try:
        return await publisher.send_all(records)
    finally:
        await publisher.stop()


@asynccontextmanager
async def reading(
    settings: Settings,
    handler: Handler,
    *,
    metrics: Metrics | None = None,
    positions: Positions | None = None,
    topics: Sequence[str] = (DECLARATIONS, LICENCES),
) -> AsyncIterator[BatchSubscription]:
    broker = create_broker(settings)
    subscription = subscribe_batches(
        broker, topics, settings.kafka_group, handler, settings=settings, metrics=metrics, positions=positions
    )
    await broker.start()
    try:
        async with kept(subscription.keeper):
            yield subscription
    finally:
        await asyncio.wait_for(broker.stop(), 20)


async def until(condition: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the condition is about other tasks' figures
            await asyncio.sleep(0.02)


async def committed(settings: Settings, topic: str) -> int:
    consumer = create_consumer(settings, group=settings.kafka_group)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topic_prefix + topic, number) for number in range(3)]
        return sum([await consumer.committed(one) or 0 for one in partitions])
    finally:
        await consumer.stop()


class Collector:
    """A handler that keeps what it saw and commits, unless told to fail."""

    def __init__(self) -> None:
        self.seen: list[Envelope] = []
        self.batches: list[int] = []
        self.failures: list[Exception] = []

    async def __call__(self, batch: list[Envelope], commit: Commit) -> None:
        self.batches.append(len(batch))
        if self.failures:
            raise self.failures.pop(0)
        self.seen += batch
        await commit()


def identities(*handlers: Collector) -> int:
    return len({(one.topic, one.partition, one.offset) for handler in handlers for one in handler.seen})


def lines(topic: str, keys: int, each: int) -> list[Record]:
    return [
        Record(topic, b"k%d" % key, b"%d" % number, (("ce_id", b"%d-%d" % (key, number)),))
        for number in range(each)
        for key in range(keys)
    ]


async def test_topics_are_made_as_the_contract_says(settings: Settings) -> None:
    assert (await ensure_topics(settings, create=False)).missing
    report = await ensure_topics(settings)
    assert DECLARATIONS in report.created
    again = await ensure_topics(settings)
    assert (again.created, again.missing, again.narrow) == ((), (), ())
    wider = settings.model_copy(update={"topic_partitions": 6})
    assert DECLARATIONS in (await ensure_topics(wider)).narrow


async def test_batches_mix_topics_and_keep_the_order_of_each_key(settings: Settings) -> None:
    await ensure_topics(settings)
    sent = lines(DECLARATIONS, 7, 40) + lines(LICENCES, 5, 40)
    assert await publish(settings, sent) == [None] * len(sent)
    handler, metrics = Collector(), Metrics()
    async with reading(settings, handler, metrics=metrics) as subscription:
        # A handler that saw a record may still be committing: only the subscription knows when a batch is done.
        await until(lambda: subscription.records_handled >= len(sent))
        assert subscription.ready() is None
        assert await subscription.waiting() == 0
    assert len(handler.seen) == len(sent)
    assert {one.topic for one in handler.seen} == {DECLARATIONS, LICENCES}
    for topic, key in {(one.topic, one.key) for one in handler.seen}:
        assert [int(one.value or b"") for one in handler.seen if (one.topic, one.key) == (topic, key)] == list(
            range(40)
        )
    assert metrics.registry.get_sample_value("certex_bridge_partitions_assigned") == 6
    assert await committed(settings, DECLARATIONS) == 280


async def test_nothing_is_committed_unless_the_handler_says_so(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 3, 5))
    seen: list[Envelope] = []

    async def reads_only(batch: list[Envelope], commit: Commit) -> None:
        seen.extend(batch)

    async with reading(settings, reads_only):
        await until(lambda: len(seen) == 15)
    # Leaving the group in order did not commit either: the next member gets everything.
    handler = Collector()
    async with reading(settings, handler) as subscription:
        await until(lambda: subscription.records_handled == 15)
    assert len(handler.seen) == 15
    assert await committed(settings, DECLARATIONS) == 15


async def test_a_failed_batch_comes_again_whole_before_anything_else(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 4, 10))
    handler, metrics = Collector(), Metrics()
    handler.failures = [ValueError("a defect"), ConnectionError("database away")]
    async with reading(settings, handler, metrics=metrics) as subscription:
        await until(lambda: subscription.records_handled >= 40)
        assert subscription.retrying == ""
    assert len({(one.partition, one.offset) for one in handler.seen}) == len(handler.seen) == 40
    counted = metrics.registry.get_sample_value
    assert counted("certex_bridge_intake_failures_total", {"cause": "database"}) == 1
    assert counted("certex_bridge_intake_failures_total", {"cause": "error"}) == 1


async def test_a_batch_that_never_works_stops_reading_and_moves_no_offset(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 1, 3))
    handler = Collector()
    handler.failures = [ValueError("a defect")] * 99
    async with reading(settings, handler) as subscription:
        await asyncio.wait_for(subscription.failed.wait(), 20)
        calls = len(handler.batches)
        await publish(settings, lines(DECLARATIONS, 1, 3))
        await asyncio.sleep(0.5)
        assert len(handler.batches) == calls == 3
        assert "reading stopped" in (subscription.ready() or "")
    assert await committed(settings, DECLARATIONS) == 0


async def test_an_absent_database_is_waited_for_without_limit(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 1, 3))
    handler = Collector()
    handler.failures = [ConnectionError("database away")] * 6
    async with reading(settings, handler) as subscription:
        await until(lambda: subscription.retrying == "connection")
        assert "tried again" in (subscription.ready() or "")
        await until(lambda: len(handler.seen) == 3)
        assert subscription.failure is None


async def test_headers_that_are_no_text_reach_the_handler(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(
        settings, [Record(DECLARATIONS, b"k", b"v", (("ce_id", b"\xff\xfe"),)), Record(DECLARATIONS, b"k", b"w")]
    )
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: len(handler.seen) == 2)
    assert [one.headers for one in handler.seen] == [(("ce_id", b"\xff\xfe"),), ()]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_batches_arrive(settings: Settings, codec: str) -> None:
    await ensure_topics(settings)
    sent = lines(DECLARATIONS, 5, 200)
    assert not any(await publish(settings.model_copy(update={"kafka_compression": codec}), sent))
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: identities(handler) == 1000)


async def test_a_tombstone_and_a_missing_key_reach_the_handler(settings: Settings) -> None:
    await ensure_topics(settings)
    sent = [Record(DECLARATIONS, b"k", None), Record(DECLARATIONS, None, b"v")]
    assert await publish(settings, sent) == [None, None]
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: len(handler.seen) == 2)
    assert {(one.key, one.value) for one in handler.seen} == {(b"k", None), (None, b"v")}


async def test_a_header_name_that_is_no_text_stops_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kafka_records aiokafka raises at this batch for ever."""
    from aiokafka.producer import message_accumulator
    from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

    class BadName(str):
        __slots__ = ()

        def encode(self, *_: Any, **__: Any) -> bytes:
            return b"\xff\xfe"

    await ensure_topics(settings)
    with monkeypatch.context() as patched:
        patched.setattr(message_accumulator, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
        await publish(settings, [Record(DECLARATIONS, b"k", b"poison", ((BadName("x"), b"v"),))])
    await publish(settings, [Record(DECLARATIONS, b"k", b"after")])
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: len(handler.seen) == 2)
    assert [one.value for one in handler.seen] == [b"poison", b"after"]
    assert handler.seen[0].headers == (("\\xff\\xfe", b"v"),)


async def test_lost_group_offsets_are_replaced_by_the_databases(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 1, 10))
    store = InMemoryStore()
    store.contents.positions = {(DECLARATIONS, number): Position(7) for number in range(3)}
    # The key's partition is the only one that has so many records; the others are read from their beginning.
    handler = Collector()
    async with reading(settings, handler, positions=InMemoryPositions(store), topics=[DECLARATIONS]):
        await until(lambda: len(handler.seen) == 3)
    assert [one.offset for one in handler.seen] == [7, 8, 9]
    assert {one.reached for one in handler.seen} == {Reached(0, 7)}
    assert all(one.log.cluster for one in store.contents.positions.values())


@pytest.mark.kafka_only
async def test_two_members_share_and_take_over_without_loss(settings: Settings) -> None:
    await ensure_topics(settings)
    first, second = Collector(), Collector()
    async with reading(settings, first) as one:
        await until(lambda: one.ready() is None)
        async with reading(settings, second) as other:
            await until(lambda: other.ready() is None)
            await publish(settings, lines(DECLARATIONS, 30, 5))
            await until(lambda: identities(first, second) == 150)
            assert first.seen
            assert second.seen
        await publish(settings, lines(DECLARATIONS, 30, 5))
        # A commit in the middle of a rebalance is refused: a record may be seen twice, never not at all.
        await until(lambda: identities(first, second) == 300)


async def test_a_record_too_large_fails_alone_and_holds_back_its_key(settings: Settings) -> None:
    await ensure_topics(settings)
    large = Record(DECLARATIONS, b"k1", random.Random(1).randbytes(300_000))
    sent = [*lines(DECLARATIONS, 3, 2), large, *lines(DECLARATIONS, 3, 1)]
    errors = await publish(settings, sent)
    assert isinstance(errors[6], MessageSizeTooLargeError)
    assert isinstance(errors[8], HeldBack)
    assert [error for number, error in enumerate(errors) if number not in {6, 8}] == [None] * 8


@pytest.mark.parametrize("codec", ["none", "gzip", "lz4"])
async def test_a_record_that_is_too_large_as_it_is_goes_out_compressed_in_its_place(
    settings: Settings, codec: str
) -> None:
    """Whatever the others are compressed with; order within the key holds."""
    await ensure_topics(settings)
    told = settings.model_copy(update={"kafka_compression": codec})
    values = [b"first", b"<Claim>" * 300_000, b"second", b"<claim>" * 200_000, b"third"]
    assert await publish(told, [Record(DECLARATIONS, b"k1", value) for value in values]) == [None] * 5
    handler = Collector()
    async with reading(told, handler):
        await until(lambda: len(handler.seen) == 5)
    assert [one.value for one in handler.seen] == values


@pytest.mark.kafka_only
async def test_a_record_the_broker_refuses_fails_alone(settings: Settings) -> None:
    """The broker's limit is below ours: its refusal leaves a gap in the producer's sequence numbers."""
    await ensure_topics(settings)
    generous = settings.model_copy(update={"kafka_message_bytes_max": 5_000_000, "kafka_batch_bytes_max": 900_000})
    large = Record(DECLARATIONS, b"k1", b"x" * 2_000_000)
    sent = [*lines(DECLARATIONS, 9, 2), large, *lines(DECLARATIONS, 9, 1)]
    publisher = Publisher(generous)
    errors = await publisher.send_all(sent)
    assert isinstance(errors[18], MessageSizeTooLargeError)
    assert [number for number, error in enumerate(errors) if isinstance(error, HeldBack)] == [20]
    assert [error for number, error in enumerate(errors) if number not in {18, 20}] == [None] * 26
    assert await publisher.send_all(sent[:18]) == [None] * 18
    await publisher.stop()
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: identities(handler) >= 44)
    assert [one.value for one in handler.seen if one.key == b"k1"][:2] == [b"0", b"1"]


async def test_a_broker_that_went_away_is_reported_and_met_again(kafka_server: KafkaServer, settings: Settings) -> None:
    quick = settings.model_copy(
        update={"kafka_bootstrap_servers": kafka_server.bootstrap_servers, "kafka_delivery_seconds": 2.0}
    )
    await ensure_topics(quick)
    publisher = Publisher(quick)
    assert await publisher.send_all(lines(DECLARATIONS, 3, 1)) == [None] * 3
    await kafka_server.kill()
    errors = await publisher.send_all(lines(DECLARATIONS, 3, 1))
    assert all(error is not None for error in errors)
    errors = await publisher.send_all(lines(DECLARATIONS, 3, 1))
    assert all(error is not None for error in errors)
    await kafka_server.start()
    assert await publisher.send_all(lines(DECLARATIONS, 3, 1)) == [None] * 3
    await publisher.stop()


async def test_a_stop_lets_the_batch_in_work_finish_and_commit(settings: Settings) -> None:
    await ensure_topics(settings)
    await publish(settings, lines(DECLARATIONS, 1, 3))
    begun, diary = asyncio.Event(), list[str]()

    async def slow(batch: list[Envelope], commit: Commit) -> None:
        begun.set()
        await asyncio.sleep(1)
        await commit()
        diary.append(f"committed {len(batch)}")

    broker, stop = create_broker(settings), asyncio.Event()
    subscription = subscribe_batches(broker, [DECLARATIONS], settings.kafka_group, slow, settings=settings)
    role = asyncio.create_task(BatchRole("intake", broker, [subscription], settings, Turns()).run(stop))
    await asyncio.wait_for(begun.wait(), 20)
    stop.set()
    await asyncio.wait_for(role, 30)
    assert diary == ["committed 3"]
    assert await committed(settings, DECLARATIONS) == 3


async def test_a_dead_broker_keeps_nobody_from_stopping(kafka_server: KafkaServer, settings: Settings) -> None:
    """FastStream's own stop waits for ever: aiokafka keeps trying to leave the group."""
    quick = settings.model_copy(
        update={"kafka_bootstrap_servers": kafka_server.bootstrap_servers, "graceful_stop_seconds": 2.0}
    )
    await ensure_topics(quick)
    handler, stop, broker = Collector(), asyncio.Event(), create_broker(quick)
    subscription = subscribe_batches(broker, [DECLARATIONS], quick.kafka_group, handler, settings=quick)
    role = BatchRole("intake", broker, [subscription], quick, Turns())
    running = asyncio.create_task(role.run(stop))
    await until(lambda: role.ready() is None)
    await kafka_server.kill()
    assert await subscription.waiting() is None, "unknown is not nothing"
    stop.set()
    await asyncio.wait_for(running, 30)


@pytest.mark.kafka_only
async def test_a_topic_that_does_not_exist_fails_alone(settings: Settings) -> None:
    await ensure_topics(settings)
    quick = settings.model_copy(update={"kafka_request_timeout_ms": 1500})
    errors = await publish(quick, [Record("no.such.topic.v1", b"k", b"v"), Record(DECLARATIONS, b"k", b"v")])
    assert errors[0] is not None
    assert errors[1] is None


async def test_keys_go_where_every_other_client_puts_them(settings: Settings) -> None:
    await ensure_topics(settings)
    sent = lines(DECLARATIONS, 50, 1)
    await publish(settings, sent)
    from certex_bridge.platform.kafka import create_producer

    producer = create_producer(settings)
    await producer.start()
    theirs = {}
    for record in sent:
        done = await producer.send_and_wait(settings.topic_prefix + DECLARATIONS, record.value, key=record.key)
        theirs[record.key] = done.partition
    await producer.stop()
    handler = Collector()
    async with reading(settings, handler):
        await until(lambda: len(handler.seen) == 100)
    assert {(one.key, one.partition) for one in handler.seen} == set(theirs.items())
