"""The intake role: records in, one transaction per batch, offsets committed after it.

    batch -> decode (never raises) -> Executor.apply -> commit offsets

What a step may do: decoding only turns bytes into commands or quarantine rows. `apply` raises only what the store
raises; then nothing happened. A failure that can pass is raised: the subscription rewinds and the batch comes again
after a pause. One that cannot is isolated by applying each record alone, and the record that fails again goes to
quarantine as INTERNAL. At shutdown the batch in hand is finished; in a rebalance two members may finish it, which the
inbox absorbs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from certex_bridge.kernel.canonical import content_id, sha256_hex
from certex_bridge.ledger.answers import Answer
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.executor import Applied, Executor
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.failpoints import failpoint

Decoder = Callable[[Envelope], Sequence[Command | Poison]]
"""From a record to commands, and to the refusals of those of its messages that can never work.

Raises:
    Poison: nothing of the record can ever work.
"""

_YIELD_EVERY = 32


class Meter(Protocol):
    """Who counts what the intake does."""

    def batch(self, topic_records: Mapping[str, int], counts: Mapping[str, int], seconds: Mapping[str, float]) -> None:
        """One batch is committed."""

    def retry(self, cause: str) -> None:
        """A batch is tried again."""


class Intake:
    """Applies batches of records of any topic."""

    def __init__(
        self,
        executor: Executor,
        decoders: Mapping[str, Decoder],
        transient: Callable[[BaseException], str | None],
        meter: Meter | None = None,
    ) -> None:
        self._executor = executor
        self._decoders = decoders
        self._transient = transient
        """Label of a failure that can pass, or None."""
        self._meter = meter

    async def on_batch(self, envelopes: Sequence[Envelope], commit: Callable[[], Awaitable[None]]) -> list[Answer]:
        """Take in one batch; returns the answers once they are committed.

        Raises:
            Exception: a failure that can pass; the offsets stay where they were and nothing happened.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        deliveries = await self.decode(envelopes)
        decoded = clock()
        failpoint("intake.after_decode")
        applied = await self.apply(deliveries)
        done = clock()
        failpoint("intake.before_offset_commit")
        await commit()
        failpoint("intake.after_offset_commit")
        if self._meter is not None:
            records: dict[str, int] = {}
            for envelope in envelopes:
                records[envelope.topic] = records.get(envelope.topic, 0) + 1
            seconds = {"decode": decoded - started, "apply": done - decoded, "batch": clock() - started}
            self._meter.batch(records, applied.counts, seconds)
        return applied.answers

    async def decode(self, envelopes: Sequence[Envelope]) -> list[Delivery]:
        """Every record becomes commands or a quarantine row; nothing is dropped, nothing raises."""
        deliveries: list[Delivery] = []
        for number, envelope in enumerate(envelopes, start=1):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            deliveries += self._decode_one(envelope)
        return deliveries

    def _decode_one(self, envelope: Envelope) -> list[Delivery]:
        origin = Origin(envelope.topic, envelope.partition, envelope.offset)
        try:
            commands = self._decoders[envelope.topic](envelope)
        except Poison as poison:
            return [Delivery(origin, None, quarantine_row(envelope, origin, poison))]
        return [
            Delivery(origin, None, quarantine_row(envelope, origin, command, position))
            if isinstance(command, Poison)
            else Delivery(origin, command, None, envelope.value, envelope.key, envelope.headers)
            for position, command in enumerate(commands)
        ]

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        """Apply; a record that breaks its transaction for good is put aside alone."""
        try:
            return await self._executor.apply(deliveries)
        except Exception as error:
            cause = self._transient(error)
            if cause is None:
                return await self._one_by_one(deliveries, error)
            if self._meter is not None:
                self._meter.retry(cause)
            raise

    async def _one_by_one(self, deliveries: Sequence[Delivery], error: Exception) -> Applied:
        if len(deliveries) == 1:
            return await self.apply([_internal(deliveries[0], error)])
        answers: list[Answer] = []
        counts: dict[str, int] = {}
        for delivery in deliveries:
            applied = await self.apply([delivery])
            answers += applied.answers
            for name, times in applied.counts.items():
                counts[name] = counts.get(name, 0) + times
        return Applied(answers, counts)


def quarantine_row(envelope: Envelope, origin: Origin, poison: Poison, position: int = 0) -> QuarantineRow:
    """A refused record, or its message at this position, named by place and content: reading it again adds nothing."""
    raw = envelope.value
    place = (*map(str, origin), *([str(position)] if position else []))
    quarantine_id = content_id("refused", *place, sha256_hex(raw or b""))
    return QuarantineRow(
        quarantine_id,
        origin,
        poison.code,
        poison.field,
        poison.value,
        poison.message,
        _event_id(envelope),
        envelope.key,
        raw,
        envelope.headers,
    )


def _event_id(envelope: Envelope) -> str:
    for name, value in envelope.headers:
        if name.lower() == "ce_id":
            return value.decode("utf-8", "replace")[:128] if value else ""
    return ""


def _internal(delivery: Delivery, error: Exception) -> Delivery:
    """The record as it goes to quarantine after its transaction failed for no reason that can pass."""
    if delivery.refused is not None:
        raise error
    command = delivery.command
    event_id = command.event_id if command is not None else ""
    row = QuarantineRow(
        content_id("internal", *map(str, delivery.origin), event_id),
        delivery.origin,
        "INTERNAL",
        "",
        type(error).__name__,
        f"Applying the event failed: {error}"[:500],
        event_id,
        delivery.key,
        delivery.raw,
        delivery.headers,
    )
    return Delivery(delivery.origin, None, row)
