"""Batches in: one subscriber over several topics, at least once, in order of each partition.

Lifecycle of a batch. FastStream's loop waits until the handler has returned; nothing else of this process is read
meanwhile, heartbeats go on. When the handler raises, every partition is rewound to the batch's first record and the
batch comes again after a pause: for ever while the database is away or others hold its locks, else
`retry_attempts_max` times, after which reading stops and `failure` is set. In a rebalance the batch in work gets a
moment to finish before its partitions are given up; if it takes longer, its commit is refused by the broker and the
next owner sees the same records again, which is harmless. Where reading begins is the business of `PositionKeeper`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka.message import KafkaAckableMessage

from certex_bridge.platform.database_errors import STATEMENT_TIMEOUT, retry_cause, sentence
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka_clients import subscriber_arguments
from certex_bridge.platform.position_keeper import PositionKeeper
from certex_bridge.platform.positions import PositionsFell

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord
    from faststream.kafka import KafkaBroker

    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.positions import Positions
    from certex_bridge.platform.settings import Settings

LOG = logging.getLogger("certex_bridge.kafka")


class Commit(Protocol):
    """Moves the group's offsets behind the batch; call it after the effects are on disk."""

    async def __call__(self, count: int | None = None) -> None:
        """With `count` only the first so many records were taken, and the others come again at once."""


Handler = Callable[[list[Envelope], Commit], Awaitable[None]]

LAG_SECONDS = 5.0
"""Limit of one question to the broker about end offsets."""


class BatchSubscription(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One process's share of the topics: what it reads, how far it is, whether it has failed."""

    def __init__(
        self,
        handler: Handler,
        settings: Settings,
        metrics: Metrics | None = None,
        positions: Positions | None = None,
    ) -> None:
        """Without `positions` reading goes on where the group says."""
        self._handler = handler
        self._settings = settings
        self._metrics = metrics
        self._prefix = len(settings.topic_prefix)
        self._consumer_of: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self.keeper = PositionKeeper(positions, self._prefix, self._consumer, metrics) if positions else None
        """Puts reading where the database says; whoever runs the subscription runs it, too."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._attempts = 0
        """Since the last batch that worked, whatever the cause: makes the pauses longer."""
        self._failures = 0
        """Those of them that no outage explains: they are bounded."""
        self.outside_since: float | None = time.monotonic()
        """Since when this member is no part of the group (before it joined, or in a rebalance); None: it is."""
        self.failure: BaseException | None = None
        """The error after which reading stopped for good."""
        self.failed = asyncio.Event()
        self.retrying = ""
        """Cause of the present retries, empty when all is well."""
        self.records_handled = 0
        self.busy_since: float | None = None
        """Monotonic time at which the batch in work came, None between batches."""

    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._consumer_of()

    # --- the hot path

    async def on_batch(self, records: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
        """One batch from FastStream; never raises, because FastStream would go on behind a failed batch."""
        consumer = self._consumer_of()
        if not records or consumer is None or self.failure is not None:
            return
        self._idle.clear()
        self.busy_since = time.monotonic()
        try:
            if self.keeper is None:
                await self._handle(records, consumer)
            else:
                async with self.keeper.lock:
                    if following := await self.keeper.usable(records):
                        await self._handle(following, consumer)
        finally:
            self.busy_since = None
            self._idle.set()

    async def _handle(self, records: tuple[ConsumerRecord[bytes, bytes], ...], consumer: AIOKafkaConsumer) -> None:
        starts = _bounds(records)[1]
        taken = records

        async def commit(count: int | None = None) -> None:
            nonlocal taken
            taken = records[:count]
            await self._commit(consumer, _bounds(taken)[0])

        try:
            await self._handler(self._envelopes(records), commit)
        except PositionsFell as error:
            LOG.warning("%s", error.message)
            if self.keeper is not None:
                self.keeper.fell()
        except Exception as error:  # noqa: BLE001  # whatever it is, the batch must come again or reading must stop
            await self._come_again(consumer, starts, error)
        else:
            if self.keeper is not None:
                self.keeper.advanced(_bounds(taken)[0])
            self._put_back(consumer, _bounds(records[len(taken) :])[1])
            if self.retrying:
                LOG.info("the batch worked after %d attempts", self._attempts)
            self._attempts, self._failures, self.retrying = 0, 0, ""
            self.records_handled += len(taken)

    def _envelopes(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[Envelope]:
        cut, keeper = self._prefix, self.keeper
        return [
            Envelope(
                record.topic[cut:], record.partition, record.offset, record.key, record.value,
                tuple(record.headers), record.timestamp if record.timestamp is not None else -1,
                keeper.reached(TopicPartition(record.topic, record.partition)) if keeper is not None else None,
            )
            for record in records
        ]  # fmt: skip

    async def _commit(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        try:
            async with asyncio.timeout(self._settings.kafka_request_timeout_ms / 1000):
                await consumer.commit(ends)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            # The partition went to another member, or the broker is away. The effects are on disk: the worst that
            # follows is that somebody sees these records again.
            LOG.warning("offsets not committed: %s", error or type(error).__name__)

    async def _come_again(
        self, consumer: AIOKafkaConsumer, starts: dict[TopicPartition, int], error: Exception
    ) -> None:
        cause = retry_cause(error)
        bounded = cause is None or cause == STATEMENT_TIMEOUT
        self._attempts += 1
        self._failures += bounded
        before, self.retrying = self.retrying, cause or "error"
        if self._metrics:
            self._metrics.intake_failures_total.labels("error" if cause is None else "database").inc()
        if bounded and self._failures >= self._settings.retry_attempts_max:
            LOG.critical("batch failed %d times, reading stops", self._failures, exc_info=error)
            self.failure = error
            self.failed.set()
        elif cause is None:
            LOG.error("batch failed (attempt %d), it comes again", self._attempts, exc_info=error)
        elif cause != before:  # an outage is told once, not at every attempt
            LOG.error("batch failed, it comes again until it works: %s (%s)", cause, sentence(error))
        self._put_back(consumer, starts)
        if not self.failure:
            await asyncio.sleep(backoff_seconds(self._settings, self._attempts))

    def _put_back(self, consumer: AIOKafkaConsumer, starts: dict[TopicPartition, int]) -> None:
        """Let these be the next records; nothing more is read once reading has stopped."""
        for partition, offset in starts.items():
            try:
                consumer.seek(partition, offset)
                if self.failure:
                    consumer.pause(partition)
            except IllegalStateError:  # given to another member meanwhile, who starts at the committed offset
                LOG.info("%s is no longer ours", partition)

    # --- rebalances

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let the batch in work finish, so that its commit is still accepted."""
        if self.outside_since is None:
            self.outside_since = time.monotonic()
        if revoked:
            with_limit = self._settings.kafka_session_timeout_ms / 3000
            try:
                await asyncio.wait_for(self._idle.wait(), with_limit)
            except TimeoutError:
                LOG.warning("partitions are given up while a batch is in work")

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Count; nothing is read before the positions of these partitions were compared."""
        self.outside_since = None
        if self._metrics:
            self._metrics.partitions_assigned.set(len(assigned))
            self._metrics.consumer_lag.clear()
        if self.keeper is not None:
            self.keeper.assigned(assigned)

    # --- what others ask

    def ready(self) -> str | None:
        """Why this subscription is not ready, or None."""
        consumer = self._consumer_of()
        if self.failure is not None:
            return f"reading stopped: {type(self.failure).__name__}"
        if self.retrying:
            return f"a batch is tried again: {self.retrying}"
        if consumer is None or not consumer.assignment():
            return "no partitions assigned"
        return self.keeper.reason() if self.keeper is not None else None

    async def broker_answers(self) -> bool:
        """Whether a broker answers a question within a few seconds."""
        consumer = self._consumer_of()
        if consumer is None:
            return False
        try:
            async with asyncio.timeout(LAG_SECONDS):
                await consumer.topics()
        except (KafkaError, TimeoutError):
            return False
        return True

    async def waiting(self) -> int | None:
        """Records that wait in our partitions, None when the broker cannot say. Sets consumer_lag."""
        consumer = self._consumer_of()
        if consumer is None:
            return None
        partitions = consumer.assignment()
        if not partitions:
            return 0
        try:
            async with asyncio.timeout(LAG_SECONDS):
                ends = await consumer.end_offsets(list(partitions))
                lags: dict[TopicPartition, int] = {
                    one: max(0, end - await consumer.position(one)) for one, end in ends.items()
                }
        except (KafkaError, IllegalStateError, TimeoutError):
            return None
        if self._metrics:
            for one, lag in lags.items():
                self._metrics.consumer_lag.labels(one.topic[self._prefix :], str(one.partition)).set(lag)
        return sum(lags.values())


def _bounds(
    records: Sequence[ConsumerRecord[bytes, bytes]],
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Offsets behind the last and at the first record of each partition; records of a partition are in order."""
    ends: dict[TopicPartition, int] = {}
    starts: dict[TopicPartition, int] = {}
    at = ("", -1)
    one = TopicPartition("", -1)
    for record in records:
        if at != (record.topic, record.partition):
            at = (record.topic, record.partition)
            one = TopicPartition(*at)
            starts.setdefault(one, record.offset)
        ends[one] = record.offset + 1
    return ends, starts


def backoff_seconds(settings: Settings, attempt: int) -> float:
    """Pause before the attempt after number `attempt` (from 1): doubling, capped, with jitter of a half."""
    full: int = min(settings.retry_backoff_ms_max, settings.retry_backoff_ms * 2 ** min(attempt - 1, 30))
    return full / 1000 * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, protects nothing


def subscribe_batches(
    broker: KafkaBroker,
    topics: Sequence[str],
    group: str,
    handler: Handler,
    *,
    settings: Settings,
    metrics: Metrics | None = None,
    positions: Positions | None = None,
) -> BatchSubscription:
    """Register `handler` for batches that may mix all of `topics` (names without prefix).

    Reading begins with `broker.start()`. The handler gets the raw records in order and commits when their effects are
    on disk. It raises only what makes the whole batch impossible now; a bad record is its own business.
    """
    subscription = BatchSubscription(handler, settings, metrics, positions)

    async def parser(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaAckableMessage:
        # FastStream's own parser decodes header values as UTF-8 and drops the whole batch when it cannot.
        return KafkaAckableMessage(
            raw_message=records, body=b"", headers={}, message_id="", correlation_id="", consumer=_consumer()
        )

    async def decoder(message: Any) -> Any:
        return message.raw_message  # the records themselves: nothing is parsed twice

    subscriber = broker.subscriber(
        *(settings.topic_prefix + topic for topic in topics),
        parser=parser,
        decoder=decoder,
        listener=subscription,
        **subscriber_arguments(settings, group),
    )

    def _consumer() -> Any:
        return subscriber.consumer

    subscription._consumer_of = _consumer  # noqa: SLF001  # the subscriber needs the listener first
    subscriber(subscription.on_batch)
    return subscription
