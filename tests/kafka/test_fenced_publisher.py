"""What one record or one topic does to the others, when the relay writes in transactions on Apache Kafka."""

from __future__ import annotations

from functools import partial

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from certex_bridge.platform.kafka import FencedPublisher, HeldBack, Record, create_consumer, ensure_topics
from certex_bridge.platform.settings import Settings
from tests.support.kafka_server import KafkaServer
from tests.support.topic_reading import read_topics
from tests.support.wire_feed import until

pytestmark = pytest.mark.kafka_only

OUTCOMES, BALANCES = "certex.outcomes.v1", "licensing.balances.v1"


async def leads() -> None:
    """The database says that we do."""


async def committed(settings: Settings, topic: str, number: int) -> list[tuple[bytes, bytes]]:
    """So many records of a topic, of committed transactions."""
    consumer = create_consumer(settings, topic)
    await consumer.start()
    try:
        found: list[tuple[bytes, bytes]] = []
        while len(found) < number:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        await consumer.stop()


async def test_what_the_broker_refuses_and_a_topic_it_does_not_know_hold_up_nobody_else(
    bootstrap_servers: str, topic_prefix: str
) -> None:
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        topic_prefix=topic_prefix,
        topic_partitions=2,
        topics_create=True,
        kafka_message_bytes_max=5_000_000,
        kafka_batch_bytes_max=900_000,
    )
    await ensure_topics(settings)
    publisher = FencedPublisher(settings)
    await publisher.lead(leads)
    records = [
        *(Record(OUTCOMES, b"k%d" % (number % 5), b"%d" % number) for number in range(20)),
        Record(OUTCOMES, b"k1", b"x" * 2_000_000),
        *(Record(OUTCOMES, b"k%d" % (number % 5), b"%d" % number) for number in range(20, 30)),
        *(Record("no.such.topic.v1", b"k", b"v") for _ in range(2)),
        *(Record(BALANCES, b"k", b"%d" % number) for number in range(3)),
    ]
    try:
        errors = await publisher.send_all(records)
        refused = [number for number, error in enumerate(errors) if isinstance(error, MessageSizeTooLargeError)]
        behind = [number for number, error in enumerate(errors) if isinstance(error, HeldBack)]
        assert (refused, behind) == ([20], [22, 27])
        assert all(errors[31:33])
        assert [error for number, error in enumerate(errors) if number not in {20, 22, 27, 31, 32}] == [None] * 31
        assert await publisher.send_all([Record(OUTCOMES, b"k0", b"30")]) == [None]
        assert [value for _, value in await committed(settings, BALANCES, 3)] == [b"0", b"1", b"2"]
        found = await committed(settings, OUTCOMES, 29)
        assert len(found) == 29, "nothing twice"
        for key in range(5):
            values = [int(value) for at, value in found if at == b"k%d" % key]
            assert values == sorted(values)
    finally:
        await publisher.stop()


async def test_what_the_broker_confirmed_before_it_was_killed_is_seen_by_readers(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    """Killed between its answer and the markers, Kafka leaves those out when it starts again (KAFKA-20734)."""
    settings = Settings.load(
        kafka_bootstrap_servers=kafka_server.bootstrap_servers,
        topic_prefix=topic_prefix,
        topic_partitions=6,
        topics_create=True,
    )
    await ensure_topics(settings)
    topics = (BALANCES, OUTCOMES)
    publisher = FencedPublisher(settings)
    await publisher.lead(leads)
    try:
        assert await publisher.complete(topics) == 0
        for number in range(2):
            records = [Record(topic, b"k%d" % key, b"%d" % number) for topic in topics for key in range(24)]
            await until(partial(_sent, publisher, records), what="the broker to take what is sent")
            await kafka_server.kill()
            await kafka_server.start()
            await until(partial(_complete, publisher, topics), what="nothing to be kept back")
            seen = {(one.topic, one.key, one.value) for one in await read_topics(settings, *topics)}
            missing = {(topic_prefix + one.topic, one.key, one.value) for one in records} - seen
            assert missing == set()
    finally:
        await publisher.stop()


async def _sent(publisher: FencedPublisher, records: list[Record]) -> bool:
    return not any(await publisher.send_all(records))


async def _complete(publisher: FencedPublisher, topics: tuple[str, ...]) -> bool:
    return await publisher.complete(topics) == 0
