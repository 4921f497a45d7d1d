"""Counting what lies on Kafka over time, from outside the bridge.

The relay publishes in transactions, whose markers take offsets as well: what it published is counted by its outbox while
the clock runs, and read from Kafka afterwards (`readable`). The naive consumer's records are counted by end offsets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.servers import Place
from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.platform.kafka import Publisher, Record, consumer_arguments, create_consumer

CHUNK = 4_000
POLL_SECONDS = 0.1


class NotDone(Exception):
    """What was awaited did not come in time."""


@dataclass(slots=True)
class Curve:
    """How many records of a topic there were, by wall clock."""

    points: list[tuple[float, int]] = field(default_factory=list)

    def rate_between(self, low: float, high: float) -> float:
        """Records a second between two shares (0 to 1) of the final count."""
        last = self.points[-1][1]
        began, ended = self._reached(low * last), self._reached(high * last)
        seconds = ended[0] - began[0]
        return (ended[1] - began[1]) / seconds if seconds > 0 else 0.0

    def _reached(self, count: float) -> tuple[float, int]:
        return next(point for point in self.points if point[1] >= count)


class Counting(Protocol):
    """How many records of a topic are published."""

    async def count(self, topic: str) -> int:
        """By the topic's name at the broker."""


class Outbox:
    """Asks the database what the relay had confirmed by the broker."""

    def __init__(self, connection: Any, prefix: str) -> None:
        self._connection = connection
        self._kinds = {prefix + topic: kind for kind, topic in TOPIC_OF.items()}

    async def count(self, topic: str) -> int:
        """Rows of the outbox that no longer wait."""
        return int(await self._connection.fetchval(_CONFIRMED, self._kinds[topic]))


_CONFIRMED = """
SELECT (SELECT count(*) FROM outbox WHERE agg_type = $1)
     - (SELECT count(*) FROM unsent JOIN outbox USING (batch_id) WHERE agg_type = $1)
"""


@asynccontextmanager
async def outbox(place: Place) -> AsyncIterator[Outbox]:
    """A connection of its own."""
    connection = await asyncpg.connect(place.database, timeout=30)
    try:
        yield Outbox(connection, place.settings.topic_prefix)
    finally:
        await connection.close()


async def readable(place: Place, topic: str) -> int:
    """Records that a reader of committed transactions gets, from the topic's beginning to its end."""
    consumer = create_consumer(place.settings, topic)
    await consumer.start()
    try:
        partitions = consumer.assignment()
        ends, count = await consumer.end_offsets([*partitions]), 0
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for records in (await consumer.getmany(timeout_ms=500, max_records=CHUNK)).values():
                count += len(records)
        return count
    finally:
        await consumer.stop()


class Counter:
    """Asks the broker for end offsets."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def count(self, topic: str) -> int:
        """Records of a topic (nothing of it is ever deleted during the run)."""
        partitions = self._consumer.partitions_for_topic(topic)
        if not partitions:
            await self._consumer._client.force_metadata_update()  # noqa: SLF001  # no public way to learn of topics
            return 0
        ends = await self._consumer.end_offsets([TopicPartition(topic, number) for number in partitions])
        return sum(ends.values())


@asynccontextmanager
async def counter(place: Place, topics: Iterable[str]) -> AsyncIterator[Counter]:
    """A consumer that reads nothing."""
    consumer = AIOKafkaConsumer(**consumer_arguments(place.settings))
    await consumer.start()
    try:
        consumer.assign([TopicPartition(place.topic(topic), 0) for topic in topics])
        await consumer._client.force_metadata_update()  # noqa: SLF001  # so that all partitions are known
        yield Counter(consumer)
    finally:
        await consumer.stop()


async def watch(
    counting: Counting, topic: str, wanted: int, check: Callable[[], None], seconds: float = 600.0
) -> Curve:
    """Count until there are so many.

    Raises:
        NotDone: they did not come in time.
    """
    curve = Curve()
    deadline = time.monotonic() + seconds
    while True:
        count = await counting.count(topic)
        curve.points.append((time.time(), count))
        if count >= wanted:
            return curve
        check()
        if time.monotonic() > deadline:
            raise NotDone(f"{topic}: {count} of {wanted} records after {seconds:g} s")
        await asyncio.sleep(POLL_SECONDS)


async def publish(place: Place, records: Sequence[Record]) -> None:
    """Put records on Kafka.

    Raises:
        Exception: the broker refused one.
    """
    publisher = Publisher(place.settings)
    await publisher.start()
    try:
        for start in range(0, len(records), CHUNK):
            for error in await publisher.send_all(records[start : start + CHUNK]):
                if error is not None:
                    raise error
    finally:
        await publisher.stop()
