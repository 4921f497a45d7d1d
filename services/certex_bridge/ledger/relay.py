"""The relay role: outbox rows to Kafka, at least once, in order per aggregate.

One leader at a time. Batches are read in the order of their ids, which were drawn under the locks of the aggregates;
rows are sent in order, in a transaction per topic, and only then marked, all on the connection that holds the leader's
lock: whoever loses it cannot mark anything any more, and the broker takes nothing from him once his successor has sent.
A crash between the end of a transaction and the mark sends again the same messages with the same ids.

What the broker refuses for good is held, with all later versions of its aggregate; everything else goes on. A topic
that takes nothing (missing, no right to write) is left alone for a while, its rows wait in order; what the broker has
confirmed of a batch that waits for such a topic is remembered and not sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from certex_bridge.ledger.envelopes import Envelopes
from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.relay_topics import Pending, TopicPauses
from certex_bridge.ledger.tracing import PublishSpans
from certex_bridge.platform.failpoints import failpoint
from certex_bridge.platform.kafka_publisher import REFUSED, HeldBack, Record
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import OFF, Tracing

LOG = get_logger("certex_bridge.relay")

Aggregate = tuple[str, str]
"""(type, id) of what has dense versions."""


class Batch(NamedTuple):
    """The messages of one transaction."""

    batch_id: int
    rows: list[OutboxRow]


class Refused(NamedTuple):
    """A message the broker will never take."""

    row: OutboxRow
    code: str


class LeadLost(ConnectionError):
    """The session that held the leader's lock does not hold it any more."""


class Lead(Protocol):
    """What is to be published, for the one who leads; raises once the lead is lost."""

    async def prove(self) -> None:
        """Ask the database whether we still lead.

        Raises:
            LeadLost: we do not.
        """

    async def unsent(self, rows_max: int, waiting: Collection[int], last: int | None) -> list[Batch]:
        """The oldest batches not sent and not waiting for a topic, in order, up to batch `last`."""

    async def last_batch(self) -> int:
        """The newest batch there is, 0 when there is none."""

    async def mark_sent(self, done: Sequence[int], refused: Sequence[Refused], read: Sequence[int]) -> None:
        """Everything in the batches `done` is acknowledged or held; `refused` are of the batches that were `read`."""

    async def held(self) -> set[Aggregate]:
        """Aggregates that are held back."""


class Outbox(Protocol):
    """Where messages wait for the relay."""

    def leadership(self) -> AbstractAsyncContextManager[Lead | None]:
        """Try to become the one relay; yields None while another leads."""


class Publisher(Protocol):
    """Sends records; the result has an error per record, or None once the broker has it.

    After `lead` of one publisher, what any other one sends under a lead of before is refused by the broker.
    """

    async def lead(self, proof: Callable[[], Awaitable[None]]) -> None:
        """Begin a lead; `proof` is asked after each beginning on the broker, and raises when the lead is lost."""

    async def send_all(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        """Send in order per lane; returns when each is acknowledged or refused."""

    async def complete(self, topics: Collection[str]) -> int | None:
        """See to it that readers see what was sent; in how many partitions they did not, None: they may not yet."""


class Meter(Protocol):
    """Who counts what the relay does."""

    def sent(self, rows: Sequence[OutboxRow]) -> None:
        """These are published."""

    def led(self, leads: float) -> None:
        """1 while this process leads, else 0."""

    def retry(self, cause: str) -> None:
        """Publishing failed for a cause that can pass."""

    def topic_paused(self, topic: str, paused: float) -> None:
        """1 while a topic takes nothing, else 0."""

    def kept_back(self, unknown: float) -> None:
        """1 while it is not sure that readers see all that was sent, else 0."""


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
        complete_seconds: float = 10.0,
        meter: Meter | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
        turned: Callable[[], None] = lambda: None,
        pauses: TopicPauses | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._envelopes = envelopes
        self._rows_max = rows_max
        self._idle_seconds = idle_seconds
        self._complete_seconds = complete_seconds
        self._meter = meter
        self._transient = transient
        """Label of a failure that can pass (broker or database away), or None."""
        self._turned = turned
        self._pauses = pauses or TopicPauses()
        self._tracing = tracing
        self._pending = Pending()
        self._cause = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Lead when possible, publish until told to stop; what is committed by then goes out first.

        Raises:
            Exception: a failure that cannot pass.
        """
        while not stop.is_set():
            self._turned()
            try:
                async with self._outbox.leadership() as lead:
                    self._led(lead is not None)
                    if lead is not None:
                        await self._lead(lead, stop)
            except Exception as error:  # noqa: BLE001  # raised again unless it can pass
                self._led(leads=False)
                self._failed(error)
            await _pause(stop, self._idle_seconds * 10)
        self._led(leads=False)

    def _led(self, leads: bool) -> None:  # noqa: FBT001  # becomes the figure 1 or 0
        if not leads:
            self._pending = Pending()
        if self._meter is not None:
            self._meter.led(float(leads))

    def _failed(self, error: Exception) -> None:
        """Go on after a failure that can pass; it is told once, not at every attempt."""
        cause = self._transient(error)
        if cause is None:
            raise error
        if self._meter is not None:
            self._meter.retry(cause)
        if cause != self._cause:
            LOG.warning("relay.waits", cause=cause, error=type(error).__name__)
        self._cause = cause

    def _works(self) -> None:
        if self._cause:
            LOG.info("relay.works_again", after=self._cause)
        self._cause = ""

    async def _lead(self, lead: Lead, stop: asyncio.Event) -> None:
        await self._publisher.lead(lead.prove)
        held = await lead.held()
        clock, due = asyncio.get_running_loop().time, 0.0
        while not stop.is_set():
            if clock() >= due:
                await self._complete()
                due = clock() + self._complete_seconds
            if not await self.publish_some(lead, held):
                await _pause(stop, self._idle_seconds)
        last = await lead.last_batch()  # others go on writing: only what was there at the stop must go out
        while await self.publish_some(lead, held, last):
            pass

    async def _complete(self) -> None:
        """See to it that readers see what was sent: the broker may have left out that a transaction ended."""
        self._turned()
        kept_back = await self._publisher.complete(self._envelopes.topics())
        if kept_back:
            LOG.warning("relay.seen_late", partitions=kept_back)
        if self._meter is not None:
            self._meter.kept_back(float(kept_back is None))

    async def publish_some(self, lead: Lead, held: set[Aggregate], last: int | None = None) -> int:
        """Publish the oldest batches; returns how many rows were dealt with (0: nothing can be done now)."""
        self._turned()
        if held:  # an operator may have released some
            held &= await lead.held()
        batches = await lead.unsent(self._rows_max, self._pending.waiting(self._pauses.topics()), last)
        if not batches:
            self._works()
            return 0
        rows = [row for batch in batches for row in self._pending.open_rows(batch)]
        behind = [Refused(row, "HELD_BEHIND") for row in rows if row[:2] in held]
        paused = self._pauses.topics()
        ready = [row for row in rows if row[:2] not in held and self._envelopes.topic(row) not in paused]
        errors = await self._send(ready)
        refused = _refused(ready, errors)
        self._tell(refused)
        held.update(row[:2] for row, _ in refused)
        open_rows = self._judge_topics(rows, ready, errors, held)
        done = self._pending.keep(batches, open_rows, self._envelopes.topic)
        await lead.mark_sent(done, [*behind, *refused], [batch.batch_id for batch in batches])
        failpoint("relay.after_mark")
        self._turned()
        sent = [row for row, error in zip(ready, errors, strict=True) if error is None]
        if sent:
            self._works()
        if self._meter is not None and sent:
            self._meter.sent(sent)
        return len(sent) + len(behind) + len(refused) or len(done)

    async def _send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        failpoint("relay.before_send")
        with PublishSpans(self._tracing) as spans:
            traces = spans.begin(rows, self._envelopes.topic)
            records = [self._envelopes.message(row, trace) for row, trace in zip(rows, traces, strict=True)]
            errors = await self._publisher.send_all(records) if rows else []
            spans.sent(errors)
        failpoint("relay.after_send")
        return errors

    def _tell(self, refused: Sequence[Refused]) -> None:
        for row, code in refused:
            LOG.error(
                "relay.held", aggregate=f"{row.agg_type}:{row.agg_id}", version=row.agg_ver, code=code,
                bytes=len(row.body), topic=self._envelopes.topic(row),
            )  # fmt: skip

    def _judge_topics(
        self,
        rows: Sequence[OutboxRow],
        ready: Sequence[OutboxRow],
        errors: Sequence[Exception | None],
        held: Collection[Aggregate],
    ) -> list[OutboxRow]:
        """Pause topics that take nothing; returns the rows that are still to be sent.

        Raises:
            Exception: no topic took anything, for a reason that is no topic's own.
        """
        failed: dict[str, Exception] = {}
        took: set[str] = set()
        for row, error in zip(ready, errors, strict=True):
            if error is None:
                took.add(self._envelopes.topic(row))
            elif not isinstance(error, (*REFUSED, HeldBack)):
                failed.setdefault(self._envelopes.topic(row), error)
        outage = self._pauses.outage(failed, took)
        if outage is not None:
            raise outage
        for topic in self._pauses.note(failed, took):
            if self._meter is not None:
                self._meter.topic_paused(topic, float(topic in self._pauses.topics()))
        confirmed = {row[:3] for row, error in zip(ready, errors, strict=True) if error is None}
        return [row for row in rows if row[:3] not in confirmed and row[:2] not in held]


def _refused(rows: Sequence[OutboxRow], errors: Sequence[Exception | None]) -> list[Refused]:
    """What the broker will never take."""
    return [
        Refused(row, type(error).__name__)
        for row, error in zip(rows, errors, strict=True)
        if isinstance(error, (*REFUSED, HeldBack))
    ]


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
