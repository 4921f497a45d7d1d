"""Compares positions and puts reading where the database says: at every assignment, every few seconds, at every batch.

A partition is held (paused) from its assignment until its numbers were compared, and while records that were never read
are gone from its log. Three things keep records from being passed over while the bridge runs: a batch that does not
follow on what was read before is looked at first; the transaction of a batch fails when the database is behind what was
read (`PositionsFell`); and all numbers are compared again every few seconds, for partitions in which nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from aiokafka.errors import IllegalStateError, KafkaError

from certex_bridge.platform.database_errors import retry_cause, sentence
from certex_bridge.platform.kafka_logs import ANSWER_SECONDS, read_logs
from certex_bridge.platform.positions import (
    Cause,
    Gap,
    LogNumbers,
    Position,
    Positions,
    Reached,
    judge,
    moved,
)

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from certex_bridge.platform.metrics import Metrics

LOG = logging.getLogger("certex_bridge.kafka")

LOOK_SECONDS = 3.0
"""How often the numbers are compared while nothing asks for it."""
AGAIN_SECONDS = 0.5
"""Pause before the next try when database or broker did not answer and partitions are held."""

NOT_COMPARED = "positions are not compared with the database yet"


class PositionKeeper:
    """Where one process reads, partition by partition."""

    def __init__(
        self,
        positions: Positions,
        prefix: int,
        consumer_of: Callable[[], AIOKafkaConsumer | None],
        metrics: Metrics | None = None,
    ) -> None:
        """`prefix` is the length of the topics' prefix."""
        self._positions = positions
        self._prefix = prefix
        self._consumer_of = consumer_of
        self._metrics = metrics
        self._generation = 0
        self._held: dict[TopicPartition, str] = {}
        """Partitions that stand still, and why."""
        self._reached: dict[TopicPartition, Reached] = {}
        self._reset: set[TopicPartition] = set()
        """Partitions whose records came from before what was read: their log was made anew or cut."""
        self._cut: set[TopicPartition] = set()
        self._told: set[TopicPartition] = set()
        """Partitions whose begin was told already."""
        self._gaps: dict[TopicPartition, Gap] = {}
        self._wake = asyncio.Event()
        self._trouble = ""
        self.lock = asyncio.Lock()
        """Held while a batch is in work, and while numbers are compared."""

    # --- what the subscription tells

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are ours now: they stand still until they were compared."""
        self._generation += 1
        for kept in (self._held, self._reached, self._reset, self._cut, self._told, self._gaps):
            kept.clear()
        self._hold(partitions)
        self._show()

    def advanced(self, ends: Mapping[TopicPartition, int]) -> None:
        """These records are in the database."""
        for one, end in ends.items():
            if one in self._reached and one not in self._held:
                self._reached[one] = self._reached[one]._replace(next_record=end)

    def fell(self) -> None:
        """The database refused a batch because it is behind: nothing is read before it was asked where it is."""
        self._hold([*self._reached])

    def reached(self, partition: TopicPartition) -> Reached | None:
        """How far the database must be when the next records of a partition are taken in."""
        return self._reached.get(partition)

    def reason(self) -> str | None:
        """Why this process is not ready, or None."""
        if self._gaps:
            return f"{next(iter(self._gaps.values()))} are gone and were never read: certex-bridge positions show"
        return next(iter(self._held.values()), None)

    async def usable(
        self, records: tuple[ConsumerRecord[bytes, bytes], ...]
    ) -> tuple[ConsumerRecord[bytes, bytes], ...]:
        """Those of partitions that go on where they were; the others are read again from where they belong."""
        bounds: dict[TopicPartition, tuple[int, int]] = {}
        for one, record in _with_partition(records):
            bounds[one] = (bounds[one][0] if one in bounds else record.offset, record.offset + 1)
        refused = {one for one, (first, end) in bounds.items() if not await self._follows(one, first, end)}
        if not refused:
            return records
        return tuple(record for one, record in _with_partition(records) if one not in refused)

    async def _follows(self, one: TopicPartition, first: int, end: int) -> bool:
        consumer, reached = self._consumer_of(), self._reached.get(one)
        if consumer is None or one in self._held or reached is None:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if await consumer.position(one) < end:
                    return False  # it was put back after these records had been fetched
                if first == reached.next_record:
                    return True
                if first < reached.next_record:
                    self._reset.add(one)
                # Compacted or aborted records leave holes; only a log that begins later has lost some.
                elif (await consumer.beginning_offsets([one]))[one] <= reached.next_record:
                    return True
        except (KafkaError, IllegalStateError, TimeoutError):
            LOG.info("%s: cannot be compared now", one)
        self._hold([one])
        return False

    def _hold(self, partitions: Collection[TopicPartition]) -> None:
        consumer = self._consumer_of()
        for one in partitions:
            self._held[one] = NOT_COMPARED
            if consumer is not None:
                with suppress(IllegalStateError):  # it went to another member
                    consumer.pause(one)
        self._wake.set()

    # --- comparing

    async def run(self) -> None:
        """Compare for ever: at once when something asks for it, else every few seconds.

        Raises:
            Exception: the database refuses for a reason that cannot pass.
        """
        while True:
            self._wake.clear()
            answered = await self.look()
            pause = LOOK_SECONDS if answered else AGAIN_SECONDS
            if answered or not self._held:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
            else:
                await asyncio.sleep(pause)

    async def look(self) -> bool:
        """Compare every partition of ours once; False when database or broker did not answer."""
        async with self.lock:
            try:
                await self._look()
            except Exception as error:
                told = sentence(error) or type(error).__name__
                passing = isinstance(error, (KafkaError, IllegalStateError, TimeoutError))
                if not passing and retry_cause(error) is None:
                    raise
                if told != self._trouble:
                    LOG.warning("positions cannot be compared: %s", told)
                self._trouble = told
                return False
            self._trouble = ""
            return True

    async def _look(self) -> None:
        consumer, generation = self._consumer_of(), self._generation
        partitions = sorted(consumer.assignment()) if consumer is not None else []
        if consumer is None or not partitions:
            return
        places = {one: (one.topic[self._prefix :], one.partition) for one in partitions}
        # The database first: what it has was in the log before.
        known = await self._positions.known([*places.values()])
        fresh = [one for one in partitions if one in self._held and one not in self._reached]
        logs = await read_logs(consumer, partitions, fresh)
        for one, told in logs.items():
            if generation != self._generation:
                return
            with suppress(IllegalStateError):  # it went to another member
                await self._compare(consumer, one, places[one], known.get(places[one]), told)
        self._show()

    async def _compare(  # one partition, and what is known of it
        self,
        consumer: AIOKafkaConsumer,
        one: TopicPartition,
        place: tuple[str, int],
        known: Position | None,
        told: LogNumbers,
    ) -> None:
        cause, start = judge(known, told, was_reset=one in self._reset)
        if cause is Cause.KEPT and known is not None:
            self._gaps.pop(one, None)
            self._go_on(consumer, one, known, told)
            return
        if cause is Cause.GAP and known is not None:
            gap = Gap(*place, known.epoch, known.next_record, start)
            accepted = await self._positions.gap(gap, told.log.completed(known.log))
            if accepted is None:
                self._stand_still(consumer, one, gap)
                return
            cause, start = Cause.GAP_ACCEPTED, min(accepted, start)
        log = told.log if known is None or cause is Cause.OTHER_LOG else told.log.completed(known.log)
        if one not in self._held:
            self._hold([one])
        if await self._positions.move(place, known, moved(known, start, log, cause), cause):
            self._tell_move(one, cause, known, start, told)
        self._wake.set()  # compared again, with what stands there now

    def _go_on(self, consumer: AIOKafkaConsumer, one: TopicPartition, known: Position, told: LogNumbers) -> None:
        reached = self._reached.get(one)
        there = Reached(known.epoch, known.next_record)
        went_back = reached is not None and there < reached
        if went_back and reached is not None and one not in self._told:
            LOG.error("the database went back: %s was read to %d, the database has it to %d, reading goes on there",
                      one, reached.next_record, known.next_record)  # fmt: skip
            self._count("DATABASE_WENT_BACK")
        if one not in self._held and not went_back:
            return
        if reached is None and one not in self._told:
            self._tell_start(one, known, told)
        consumer.seek(one, known.next_record)
        consumer.resume(one)
        self._held.pop(one, None)
        self._told.discard(one)
        self._reached[one] = there
        if self._metrics:
            lag = self._metrics.consumer_lag.labels(one.topic[self._prefix :], str(one.partition))
            lag.set(max(0, told.end - known.next_record))

    def _stand_still(self, consumer: AIOKafkaConsumer, one: TopicPartition, gap: Gap) -> None:
        consumer.pause(one)
        if self._gaps.get(one) != gap:
            LOG.error("%s are gone and were never read: the log begins at %d. Nothing more is read of this partition "
                      "before somebody accepts that: certex-bridge positions accept", gap, gap.to_record)  # fmt: skip
        self._gaps[one] = gap
        self._held[one] = f"{gap} are gone"

    # --- what is told

    def _tell_start(self, one: TopicPartition, known: Position, told: LogNumbers) -> None:
        if told.committed is None:
            LOG.info("the group has no offset for %s: starting at %d as the database says", one, known.next_record)
        elif told.committed > known.next_record:
            LOG.warning("the database is behind the group: %s is read again from %d, the group was at %d",
                        one, known.next_record, told.committed)  # fmt: skip
            self._count("BEHIND_GROUP")

    def _tell_move(
        self, one: TopicPartition, cause: Cause, known: Position | None, start: int, told: LogNumbers
    ) -> None:
        self._reset.discard(one)
        if known is None:
            if told.committed is not None and told.committed > start:
                LOG.warning("the database knows nothing of %s: it is read from %d, the group was at %d",
                            one, start, told.committed)  # fmt: skip
                self._count("BEHIND_GROUP")
        elif cause is Cause.OTHER_LOG:
            LOG.error("%s is another log than the one read to %d: it is read from its beginning",
                      one, known.next_record)  # fmt: skip
        elif cause is Cause.LOG_CUT:
            LOG.error("the log of %s ends at %d, but it was read to %d: it is read again from %d",
                      one, told.end, known.next_record, start)  # fmt: skip
            self._cut.add(one)
        elif cause is Cause.GAP_ACCEPTED:
            LOG.warning("%s: reading goes on at %d, the gap from %d on is accepted", one, start, known.next_record)
        if cause is not Cause.NAMED:
            self._told.add(one)
            if known is not None:
                self._count(cause.value)

    def _count(self, cause: str) -> None:
        if self._metrics:
            self._metrics.positions_moved_total.labels(cause).inc()

    def _show(self) -> None:
        if self._metrics is None:
            return
        self._metrics.partitions_cut.set(len(self._cut))
        self._metrics.position_gap_records.clear()
        for gap in self._gaps.values():
            place = (gap.topic, str(gap.partition), str(gap.from_record), str(gap.to_record))
            self._metrics.position_gap_records.labels(*place).set(gap.to_record - gap.from_record)


@asynccontextmanager
async def kept(keeper: PositionKeeper | None) -> AsyncIterator[asyncio.Task[None] | None]:
    """Positions compared in the background for as long as the block runs."""
    task = asyncio.create_task(keeper.run()) if keeper is not None else None
    try:
        yield task
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


def _with_partition(
    records: Sequence[ConsumerRecord[bytes, bytes]],
) -> Iterator[tuple[TopicPartition, ConsumerRecord[bytes, bytes]]]:
    from aiokafka import TopicPartition

    at = TopicPartition("", -1)
    for record in records:
        if (record.topic, record.partition) != at:
            at = TopicPartition(record.topic, record.partition)
        yield at, record
