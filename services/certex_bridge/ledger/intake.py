"""The intake role: records in, one transaction per batch, offsets committed after it.

    batch -> decode (never raises) -> Executor.apply -> commit offsets

What a step may do: decoding only turns bytes into commands or quarantine rows. `apply` raises only what the store
raises; then nothing happened. A failure that can pass is raised: the subscription rewinds and the batch comes again
after a pause. One that can be a record's fault is isolated by applying each record alone, and the record that fails
again goes to quarantine as INTERNAL. Any other (a missing right, a missing table) would meet every record alike: it is
raised too, and reading stops. At shutdown the batch in hand is finished; in a rebalance two members may finish it,
which the inbox absorbs.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.ledger.answers import Answer
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.executor import Applied, Executor
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.ledger.quarantine import bare, internal_row, refused_row, undecoded_row
from certex_bridge.ledger.tracing import BatchSpans
from certex_bridge.platform.database_errors import STATEMENT_TIMEOUT, of_one_record, sentence
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.failpoints import failpoint
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import OFF, Tracing

LOG = get_logger("certex_bridge.intake")

Decoder = Callable[[Envelope], Sequence[Command | Poison]]
"""From a record to commands, and to the refusals of those of its messages that can never work.

Raises:
    Poison: nothing of the record can ever work.
"""

_YIELD_EVERY = 32
_LARGE_BYTES = 65_536
"""Before each record above this size others have their turn."""

_SLOW_SECONDS = 0.1
"""After a record that took longer than this others have not one turn but time: a heartbeat needs several."""
_BREATH_SECONDS = 0.01

_TIMEOUTS_MAX = 3
"""So many statement time-outs of a batch in a row, and its records are applied one by one."""


BROKEN_RUN_MAX = 50
"""So many records in a row that break their transaction are no coincidence: the defect is ours, and reading stops."""


class QuarantineRun(BridgeError):
    """Too many records of one partition in a row cannot be used: their sender is broken, or we are."""

    code = "QUARANTINE_RUN"


class Commit(Protocol):
    """Moves the offsets behind what was taken in."""

    async def __call__(self, count: int | None = None) -> None:
        """With `count` only the first so many records were, and the others come again."""


class Meter(Protocol):
    """Who counts what the intake does."""

    def batch(
        self,
        topic_records: Mapping[str, int],
        counts: Mapping[str, int],
        seconds: Mapping[str, float],
        ages: Mapping[str, float],
    ) -> None:
        """One batch is committed; `ages` has the age of each topic's oldest record in seconds."""

    def retry(self, cause: str) -> None:
        """A batch is tried again."""

    def failed(self, error: BaseException) -> None:
        """A record failed for a reason that cannot pass."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what cannot be used, or is slow, the intake bears."""

    quarantine_run: int = 0
    """Refused records of one partition in a row that stop the intake; 0: no limit."""
    decode_seconds: float = math.inf
    """Once a batch has been decoded for so long the rest of it waits for the next one."""


class Intake:
    """Applies batches of records of any topic."""

    def __init__(
        self,
        executor: Executor,
        decoders: Mapping[str, Decoder],
        transient: Callable[[BaseException], str | None],
        meter: Meter | None = None,
        limits: Limits = Limits(),  # frozen
        tracing: Tracing = OFF,
        group: str = "",
    ) -> None:
        self._executor = executor
        self._decoders = decoders
        self._transient = transient
        """Label of a failure that can pass, or None."""
        self._meter = meter
        self._limits = limits
        self._tracing = tracing
        self._group = group
        """Consumer group that spans name."""
        self._runs: dict[tuple[str, int], int] = {}
        self._timeouts = 0
        self._broken = 0
        """Records in a row whose transaction failed for a reason that seemed their own."""

    async def on_batch(self, envelopes: Sequence[Envelope], commit: Commit) -> list[Answer]:
        """Take in one batch; returns the answers once they are committed.

        Raises:
            QuarantineRun: nothing of the batch was taken in.
            Exception: a failure that can pass, or that is no record's fault; the offsets stay where they were.
        """
        if not self._tracing.on:
            return await self._take_in(envelopes, commit)
        with BatchSpans(self._tracing, envelopes, self._group) as spans:
            return await self._take_in(envelopes, commit, spans.carried)

    async def _take_in(self, envelopes: Sequence[Envelope], commit: Commit, traces: Sequence[str] = ()) -> list[Answer]:
        clock = asyncio.get_running_loop().time
        started = clock()
        ages = _ages(envelopes, time.time())
        deliveries, count = await self.decode(envelopes, traces)
        if count < len(envelopes):
            LOG.warning("batch.slow", decoded=count, of=len(envelopes), seconds=round(clock() - started, 1))
            envelopes = envelopes[:count]
        runs = self._count_runs(deliveries)
        decoded = clock()
        failpoint("intake.after_decode")
        applied = await self.apply(deliveries)
        self._runs, self._timeouts = runs, 0
        done = clock()
        failpoint("intake.before_offset_commit")
        await commit(count)
        failpoint("intake.after_offset_commit")
        if self._meter is not None:
            records: dict[str, int] = {}
            for envelope in envelopes:
                records[envelope.topic] = records.get(envelope.topic, 0) + 1
            seconds = {"decode": decoded - started, "apply": done - decoded, "batch": clock() - started}
            self._meter.batch(records, applied.counts, seconds, ages)
        return applied.answers

    async def decode(self, envelopes: Sequence[Envelope], traces: Sequence[str] = ()) -> tuple[list[Delivery], int]:
        """Every record becomes commands or a quarantine row, and how many records that were; nothing raises.

        Fewer than all when they take too long together: what is decoded is then taken in first, or many slow records in
        a row would look to the watchdog and to the broker like a process that stands still.

        `traces` has the traceparent that each record carries on, unless traces are off.
        """
        clock = asyncio.get_running_loop().time
        began = before = clock()
        deliveries: list[Delivery] = []
        for number, envelope in enumerate(envelopes, start=1):
            if number % _YIELD_EVERY == 0 or len(envelope.value or b"") > _LARGE_BYTES:
                await asyncio.sleep(0)
            deliveries += self._decode_one(envelope, traces[number - 1] if traces else "")
            now = clock()
            if now - began >= self._limits.decode_seconds:
                return deliveries, number
            if now - before > _SLOW_SECONDS:
                await asyncio.sleep(_BREATH_SECONDS)
            before = clock()
        return deliveries, len(envelopes)

    def _decode_one(self, envelope: Envelope, trace: str) -> list[Delivery]:
        origin, reached = Origin(envelope.topic, envelope.partition, envelope.offset), envelope.reached
        try:
            commands = self._decoders[envelope.topic](envelope)
        except Poison as poison:
            return [Delivery(origin, None, refused_row(envelope, origin, poison), trace=trace, reached=reached)]
        except Exception as error:
            LOG.exception("decoder.failed", topic=origin.topic, partition=origin.partition, offset=origin.offset)
            self._failed(error)
            return [Delivery(origin, None, undecoded_row(envelope, origin, error), trace=trace, reached=reached)]
        return [
            Delivery(origin, None, refused_row(envelope, origin, command, position), trace=trace, reached=reached)
            if isinstance(command, Poison)
            else Delivery(origin, command, None, envelope.value, envelope.key, envelope.headers, trace, reached)
            for position, command in enumerate(commands)
        ]

    def _count_runs(self, deliveries: Sequence[Delivery]) -> dict[tuple[str, int], int]:
        """How many records of each partition in a row were refused, this batch included."""
        runs = dict(self._runs)
        for delivery in deliveries:
            place = (delivery.origin.topic, delivery.origin.partition)
            runs[place] = runs.get(place, 0) + 1 if delivery.refused is not None else 0
            if self._limits.quarantine_run and runs[place] > self._limits.quarantine_run:
                raise QuarantineRun(
                    f"{runs[place]} records of {place[0]} partition {place[1]} in a row cannot be used, the last with "
                    f"{delivery.refused.code if delivery.refused else ''}. See to their sender, then raise "
                    "CERTEX_QUARANTINE_RUN_MAX (0: no limit) for one start.",
                    field=place[0],
                )
        return runs

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        """Apply; a record that breaks its transaction for good is put aside alone.

        Raises:
            Exception: a failure that can pass, or that is no record's fault.
        """
        try:
            applied = await self._executor.apply(deliveries)
        except Exception as error:
            if not self._alone(error, len(deliveries)):
                raise
            broken = error
        else:
            self._broken = 0
            return applied
        if len(deliveries) > 1:
            return await self._one_by_one(deliveries)
        return await self._put_aside(deliveries[0], broken)

    def _alone(self, error: Exception, records: int) -> bool:
        """Whether each record is to be tried alone; counts what is tried again."""
        cause = self._transient(error)
        if cause is None:
            return of_one_record(error)
        if self._meter is not None:
            self._meter.retry(cause)
        if cause != STATEMENT_TIMEOUT or records == 1:
            return False
        self._timeouts += 1
        return self._timeouts >= _TIMEOUTS_MAX

    async def _one_by_one(self, deliveries: Sequence[Delivery]) -> Applied:
        answers: list[Answer] = []
        counts: dict[str, int] = {}
        for delivery in deliveries:
            applied = await self.apply([delivery])
            answers += applied.answers
            for name, times in applied.counts.items():
                counts[name] = counts.get(name, 0) + times
        return Applied(answers, counts)

    async def _put_aside(self, delivery: Delivery, error: Exception) -> Applied:
        """Quarantine instead of the effects; when even that fails, what cannot fail on the record's content.

        Raises:
            Exception: the record's own error, when too many in a row had one.
        """
        self._failed(error)
        self._broken += delivery.refused is None
        if self._limits.quarantine_run and self._broken > min(self._limits.quarantine_run, BROKEN_RUN_MAX):
            raise error
        origin = delivery.origin
        place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        LOG.error("record.failed", **place, exc_info=error)
        row = delivery.refused or internal_row(delivery, type(error).__name__, sentence(error))
        if delivery.refused is None:
            try:
                return await self._executor.apply([_refused(row, delivery)])
            except Exception as again:
                if self._transient(again) is not None or not of_one_record(again):
                    raise
                LOG.exception("quarantine.failed", **place)
        return await self._executor.apply([_refused(bare(row), delivery)])

    def _failed(self, error: Exception) -> None:
        if self._meter is not None:
            self._meter.failed(error)


def _refused(row: QuarantineRow, delivery: Delivery) -> Delivery:
    return Delivery(row.origin, None, row, trace=delivery.trace, reached=delivery.reached)


def _ages(envelopes: Sequence[Envelope], now: float) -> dict[str, float]:
    """Age of each topic's oldest record in seconds, of those whose broker gave them a time."""
    oldest: dict[str, int] = {}
    for envelope in envelopes:
        if envelope.timestamp_ms >= 0:
            known = oldest.get(envelope.topic, envelope.timestamp_ms)
            oldest[envelope.topic] = min(known, envelope.timestamp_ms)
    return {topic: max(0.0, now - stamp / 1000) for topic, stamp in oldest.items()}
