"""Records out: batches of our own per partition, confirmed by every in-sync replica, in order of each key.

aiokafka's `send` makes one future per record and cannot hold back the later records of a key whose earlier one failed;
FastStream's `publish_batch` ignores keys. Here the caller learns for each record whether it is on the broker, and a
record never overtakes an earlier one of its key: when one fails, the later ones of that key fail too. A record too
large for the broker is compressed, in a batch of its own; it is refused only when that is too large as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from aiokafka import codec
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerClosed,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from certex_bridge.platform.kafka_clients import create_producer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import AIOKafkaProducer

    from certex_bridge.platform.settings import Settings

LOG = logging.getLogger("certex_bridge.kafka")

REFUSED: tuple[type[Exception], ...] = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    PolicyViolationError,
)
"""The broker's answers that are about the record, not about the moment."""

PACKED_WITH = "zstd"
"""Compression of a record that is too large as it is, where the settings name none (ADR 0024)."""
UNPACKED_BYTES_MAX = 32 << 20
"""Largest record before compression: more no reader is asked to unpack at once."""
_CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""Numbers of the compressions in Kafka's record batches."""
RECORD_OVERHEAD = 96
"""Bytes of a batch's and a record's framing, rounded up, that the broker counts with the largest message."""

ABANDON_SECONDS = 1.0
METADATA_SECONDS = 3.0
"""How long a topic may be unknown; the client itself would ask for as long as a request may take."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish; the topic is without prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    lane: bytes = b""
    """What must stay in order; empty: the records of the same key."""

    def size(self) -> int:
        """Bytes on the wire without compression, never less than the broker counts."""
        headers = sum(len(name.encode()) + len(value) + 10 for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + RECORD_OVERHEAD


class HeldBack(KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """Not sent, because an earlier record of the same lane was refused."""


@lru_cache(maxsize=65_536)
def _hash(key: bytes) -> int:
    """The hash of the Java client, so that every producer puts a key into the same partition."""
    return int(murmur2(key)) & 0x7FFFFFFF


class Publisher:
    """Publishes batches of records; start and stop it around its use."""

    _transactional = False
    """Whether batches belong to a transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._spoilt = False

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaError: no broker answers.
        """
        if self._producer is None:
            producer = create_producer(self._settings)
            try:
                await producer.start()
            except BaseException:
                await abandon(producer)
                raise
            self._producer = producer

    async def stop(self) -> None:
        """Disconnect within bounded time; what is not confirmed by then may or may not be on the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        """Publish and wait; the answer has None for a confirmed record, and otherwise why it is not (or may not be).

        Bounded by `kafka_delivery_seconds`. Publishing again after an error is right: the broker may then hold the
        record twice, and readers know the message id.
        """
        outcome = Outcome(records)
        await self._too_large(outcome)
        try:
            if self._spoilt:
                await self._reset()
            await self.start()
            again = await self._send_batches(outcome)
            if again:
                await self._send_singly(outcome, again)
        except KafkaError as error:
            outcome.fail_rest(error)
        return outcome.errors

    async def _too_large(self, outcome: Outcome) -> None:
        limit = self._settings.kafka_message_bytes_max
        for index in range(len(outcome.records)):
            if outcome.open(index) and (size := outcome.records[index].size()) > limit:
                packed = await self._packed_size(outcome.records[index]) if size <= UNPACKED_BYTES_MAX else size
                if packed > limit:
                    told = f"{size} bytes, compressed {packed}, more than {limit}"
                    outcome.refuse(index, MessageSizeTooLargeError(told))

    async def _packed_size(self, record: Record) -> int:
        """Bytes that the broker counts when the record is compressed; found in a thread, since it takes a moment."""
        value = record.value or b""
        encode = getattr(codec, f"{self._packing}_encode")
        packed = await asyncio.to_thread(encode, value)
        return record.size() - len(value) + len(packed)

    @property
    def _packing(self) -> str:
        return PACKED_WITH if self._settings.kafka_compression == "none" else self._settings.kafka_compression

    def _batch(self, record: Record) -> tuple[BatchBuilder, bool]:
        """A batch to begin with this record, and whether it is for this one alone: what is too large is compressed."""
        if record.size() <= self._settings.kafka_message_bytes_max:
            return self._connected().create_batch(), False
        return (
            BatchBuilder(
                self._settings.kafka_batch_bytes_max, _CODECS[self._packing], is_transactional=self._transactional
            ),
            True,
        )

    async def _send_batches(self, outcome: Outcome) -> list[int]:
        """Everything, all partitions at once; returns what must be tried singly because its batch was refused."""
        topics = outcome.by_topic().items()
        lists = await asyncio.gather(*(self._topic(outcome, topic, indexes) for topic, indexes in topics))
        return sorted(index for one in lists for index in one)

    async def _topic(self, outcome: Outcome, topic: str, indexes: list[int]) -> list[int]:
        """One topic's records, so that a topic nobody knows delays no other."""
        groups = await self._group(outcome, topic, indexes)
        lists = await asyncio.gather(*(self._partition(outcome, *at, part) for at, part in groups.items()))
        return [index for one in lists for index in one]

    async def _group(self, outcome: Outcome, topic: str, indexes: list[int]) -> dict[tuple[str, int], list[int]]:
        """Records by (topic with prefix, partition); none when the topic is not to be had."""
        producer = self._connected()
        name = self._settings.topic_prefix + topic
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        try:
            async with asyncio.timeout(METADATA_SECONDS):
                partitions = sorted(await producer.partitions_for(name))
        except (KafkaError, TimeoutError) as error:
            why = error if isinstance(error, KafkaError) else UnknownTopicOrPartitionError(name)
            for index in indexes:
                outcome.errors[index] = why
            return {}
        for index in indexes:
            key = outcome.records[index].key
            chosen = random.randrange(len(partitions)) if key is None else _hash(key) % len(partitions)  # noqa: S311  # spreads load, guards nothing
            groups[name, partitions[chosen]].append(index)
        return groups

    async def _partition(self, outcome: Outcome, topic: str, partition: int, indexes: list[int]) -> list[int]:
        """One partition's records, one batch after the other; what is left when a batch is refused."""
        while indexes:
            error, taken = await self._deliver(outcome, topic, partition, indexes)
            if isinstance(error, REFUSED):
                self._spoilt = True
                outcome.refusals[indexes[0]] = error
                return indexes
            if error is not None:
                self._spoilt = True
                for index in indexes:
                    outcome.errors[index] = error
                return []
            for index in indexes[:taken]:
                outcome.confirm(index)
            indexes = indexes[taken:]
        return []

    async def _send_singly(self, outcome: Outcome, indexes: list[int]) -> None:
        """One record at a time; a refused one holds back its lane and no other.

        After a refusal the producer is made anew: its sequence numbers have a gap that the broker would not accept.
        """
        for index in indexes:
            if self._spoilt:
                await self._reset()
            if not outcome.open(index):
                continue
            for at in await self._group(outcome, outcome.records[index].topic, [index]):
                error, _ = await self._deliver(outcome, *at, [index])
                if error is None:
                    outcome.confirm(index)
                    continue
                self._spoilt = True
                if not isinstance(error, REFUSED):
                    outcome.fail_rest(error)
                    return
                outcome.refuse(index, error)

    async def _deliver(
        self, outcome: Outcome, topic: str, partition: int, indexes: list[int]
    ) -> tuple[Exception | None, int]:
        """Send one batch from the head of `indexes`; the error, and how many records the batch took."""
        producer = self._connected()
        batch, alone = self._batch(outcome.records[indexes[0]])
        taken = 0
        for index in indexes:
            record = outcome.records[index]
            if taken and (alone or record.size() > self._settings.kafka_message_bytes_max):
                break
            if not batch.append(key=record.key, value=record.value, timestamp=None, headers=[*record.headers]):
                break
            taken += 1
        batch.close()
        try:
            async with asyncio.timeout(self._settings.kafka_delivery_seconds):
                delivery = await producer.send_batch(batch, topic, partition=partition)
                delivery.add_done_callback(_retrieve)
                await delivery
        except TimeoutError:
            return KafkaTimeoutError(f"not confirmed within {self._settings.kafka_delivery_seconds:g} s"), taken
        except KafkaError as error:
            return error, taken
        return None, taken

    def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise ProducerClosed("stopped while publishing")
        return self._producer

    async def _reset(self) -> None:
        LOG.warning("the producer is made anew after an error")
        await self.stop()
        await self.start()
        self._spoilt = False


class Outcome:
    """What is known of each record of one call to `send_all`."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.errors: list[Exception | None] = [None] * len(records)
        self.refusals: dict[int, Exception] = {}
        """Why a batch was refused that begins with this record, until its records are tried singly."""
        self._confirmed = [False] * len(records)
        self._held: dict[tuple[str, bytes], int] = {}
        """Lanes with a refused record, and which one."""

    def open(self, index: int) -> bool:
        """Whether the record is still to be sent; one behind a refused record of its lane is not."""
        if self._held and not self._confirmed[index] and self.errors[index] is None:
            record = self.records[index]
            lane = record.lane or record.key
            refused = index if lane is None else self._held.get((record.topic, lane), index)
            if refused < index:
                self.errors[index] = HeldBack(str(self.errors[refused]))
        return self.errors[index] is None and not self._confirmed[index]

    def refuse(self, index: int, error: Exception) -> None:
        """The record can never be published: it and the later ones of its lane fail."""
        record = self.records[index]
        self.errors[index] = error
        lane = record.lane or record.key
        if lane is not None:
            self._held.setdefault((record.topic, lane), index)

    def confirm(self, index: int) -> None:
        """The broker has it."""
        self._confirmed[index] = True

    def by_topic(self) -> dict[str, list[int]]:
        """Records still to be sent, in order."""
        topics: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(self.records):
            if self.open(index):
                topics[record.topic].append(index)
        return topics

    def still_open(self) -> list[int]:
        """Records still to be sent, in order."""
        return [index for index in range(len(self.records)) if self.open(index)]

    def fail_rest(self, error: Exception) -> None:
        """Everything not confirmed and not failed yet fails."""
        for index in range(len(self.records)):
            if self.open(index):
                self.errors[index] = error


def _retrieve(delivery: asyncio.Future[object]) -> None:
    """Look at the outcome, so that an abandoned delivery is not reported as a forgotten error."""
    if not delivery.cancelled():
        delivery.exception()


async def abandon(producer: AIOKafkaProducer) -> None:
    """Stop a producer; `stop` waits for ever for a broker that is away, so its parts are closed after a moment."""
    with contextlib.suppress(KafkaError, TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(producer.stop(), ABANDON_SECONDS)
        return
    with contextlib.suppress(KafkaError, TimeoutError):
        await producer._sender.close()  # noqa: SLF001  # aiokafka has no public way to give up
        await producer.client.close()
