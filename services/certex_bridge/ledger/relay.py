"""The relay role: outbox rows to Kafka, at least once, in order per aggregate.

One leader at a time. Batches are read in the order of their ids, which were drawn under the locks of the aggregates;
rows are sent in order with an idempotent producer, acknowledged, and only then marked. A crash in between sends again
the same messages with the same ids. What the broker refuses for good is held, with all later versions of its
aggregate; everything else goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.platform.failpoints import failpoint
from certex_bridge.platform.kafka_publisher import REFUSED, HeldBack, Record


class Batch(NamedTuple):
    """The messages of one transaction."""

    batch_id: int
    rows: list[OutboxRow]


class Refused(NamedTuple):
    """A message the broker will never take."""

    row: OutboxRow
    code: str


class Outbox(Protocol):
    """What is to be published."""

    def leadership(self) -> AbstractAsyncContextManager[bool]:
        """Try to become the one relay; yields whether we are."""

    async def unsent(self, rows_max: int, in_flight: Collection[int]) -> list[Batch]:
        """The oldest batches not sent and not in flight, in order."""

    async def mark_sent(self, batch_ids: Sequence[int], refused: Sequence[Refused]) -> None:
        """Everything in these batches is acknowledged or held."""

    async def held(self) -> set[tuple[str, str]]:
        """Aggregates that are held back."""


class Publisher(Protocol):
    """Sends records; the result has an error per record, or None once the broker has it."""

    async def send_all(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        """Send in order per key; returns when each is acknowledged or refused."""


SPECVERSION = b"1.0"


class Envelopes:
    """Turns outbox rows into CloudEvents in binary mode."""

    def __init__(self, topics: Mapping[str, str], source: str) -> None:
        self._topics = topics
        self._fixed = {
            agg_type: (
                ("ce_specversion", SPECVERSION),
                ("ce_type", f"certex.{agg_type}.v1".encode()),
                ("ce_source", source.encode()),
                ("ce_dataschema", data_schema(agg_type).encode()),
                ("content-type", b"application/xml" if agg_type in _XML else b"application/json"),
            )
            for agg_type in topics
        }

    def message(self, row: OutboxRow) -> Record:
        """The message of a row; its id is the row's identity, so a repeated one is recognised."""
        identity = f"{row.agg_type}:{row.agg_id}:{row.agg_ver}".encode()
        headers = (*self._fixed[row.agg_type], ("ce_id", identity), ("ce_time", row.at.encode()))
        return Record(self._topics[row.agg_type], row.key.encode(), row.body, headers)


_XML = {"certificate": "urn:certex-bridge:certificate:1", "outcome": "urn:certex-bridge:quantity-movement:1"}
"""Namespace of the documents that are XML."""


def data_schema(agg_type: str) -> str:
    """The exact schema of a message's data: `$id` of its JSON Schema, or its XML namespace."""
    return _XML.get(agg_type) or f"urn:certex-bridge:events:certex.{agg_type}:1"


class Relay:
    """Publishes the outbox while it leads."""

    name = "relay"

    def __init__(  # noqa: PLR0913  # three partners, and settings with defaults
        self,
        outbox: Outbox,
        publisher: Publisher,
        envelopes: Envelopes,
        *,
        rows_max: int = 1000,
        idle_seconds: float = 0.05,
        sent: Callable[[Sequence[OutboxRow]], None] | None = None,
        led: Callable[[float], None] | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._envelopes = envelopes
        self._rows_max = rows_max
        self._idle_seconds = idle_seconds
        self._sent = sent
        self._led = led or (lambda _leads: None)
        self._transient = transient
        """Label of a failure that can pass (broker or database away), or None."""

    async def run(self, stop: asyncio.Event) -> None:
        """Lead when possible, publish until told to stop; the batch in hand is finished first."""
        while not stop.is_set():
            try:
                async with self._outbox.leadership() as leads:
                    self._led(float(leads))
                    if leads:
                        await self._lead(stop)
            except Exception as error:
                self._led(0)
                if self._transient(error) is None:
                    raise
            await _pause(stop, self._idle_seconds * 10)
        self._led(0)

    async def _lead(self, stop: asyncio.Event) -> None:
        held = await self._outbox.held()
        while not stop.is_set():
            if not await self.publish_some(held):
                await _pause(stop, self._idle_seconds)
        while await self.publish_some(held):  # what was committed before the stop goes out; the supervisor bounds it
            pass

    async def publish_some(self, held: set[tuple[str, str]]) -> int:
        """Publish the oldest batches; returns how many rows went out (0: nothing to do)."""
        batches = await self._outbox.unsent(self._rows_max, ())
        if not batches:
            return 0
        rows = [row for batch in batches for row in batch.rows]
        ready = [row for row in rows if (row.agg_type, row.agg_id) not in held]
        behind = [Refused(row, "HELD_BEHIND") for row in rows if (row.agg_type, row.agg_id) in held]
        failpoint("relay.before_send")
        errors = await self._publisher.send_all([self._envelopes.message(row) for row in ready])
        failpoint("relay.after_send")
        refused = _refused(ready, errors)
        held.update((row.agg_type, row.agg_id) for row, _ in refused)
        await self._outbox.mark_sent([batch.batch_id for batch in batches], [*behind, *refused])
        failpoint("relay.after_mark")
        if self._sent is not None:
            self._sent(ready)
        return len(rows)


def _refused(rows: Sequence[OutboxRow], errors: Sequence[Exception | None]) -> list[Refused]:
    """What the broker will never take; anything else that went wrong is raised, and all is sent again."""
    refused = []
    for row, error in zip(rows, errors, strict=True):
        if isinstance(error, (*REFUSED, HeldBack)):
            refused.append(Refused(row, type(error).__name__))
        elif error is not None:
            raise error
    return refused


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
