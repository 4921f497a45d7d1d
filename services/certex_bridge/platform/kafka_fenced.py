"""Records out, from one publisher at a time: whoever leads shuts out all who led before, on the broker itself.

A process that stands still between reading and sending (a paused machine, SIGSTOP, a long swap) goes on later and does
not know that another one took its place. What it then sends would follow newer versions. Nothing on our side can stop
it; the broker can. Each topic is written in transactions under a fixed `transactional.id`. To begin under that name
ends the transactions of whoever used it before, and the broker takes nothing more from them (`ProducerFenced`).

Each new beginning is followed by a proof that we still lead, asked of the database before anything is sent. So a
beginning that belongs to a lead of the past may disturb the present leader, who begins anew, but can publish nothing.
docs/adr/0019-one-relay-on-the-broker.md has the argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError, KafkaTimeoutError, ProducerFenced

from certex_bridge.platform.kafka_clients import create_client, create_producer
from certex_bridge.platform.kafka_kept_back import kept_back
from certex_bridge.platform.kafka_publisher import ABANDON_SECONDS, Outcome, Publisher, Record, abandon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from aiokafka import AIOKafkaProducer, TopicPartition
    from aiokafka.client import AIOKafkaClient

    from certex_bridge.platform.settings import Settings

LOG = logging.getLogger("certex_bridge.kafka")

MARKER_SECONDS = 1.0
"""A broker that is well has long written by then that a transaction ended."""


def transactional_id(settings: Settings, topic: str) -> str:
    """The name under which one topic (without prefix) is written; its right is given by prefix."""
    return f"{settings.topic_prefix}{settings.kafka_group}.relay.{topic}"


class FencedPublisher:
    """Publishes for whoever leads; `lead` at each beginning of a lead, stop it after its use.

    A topic has a producer of its own, so that one whose transaction cannot end keeps no other waiting.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._proof: Callable[[], Awaitable[None]] | None = None
        self._topics: dict[str, _TopicPublisher] = {}
        self._client: AIOKafkaClient | None = None

    async def lead(self, proof: Callable[[], Awaitable[None]]) -> None:
        """Begin a lead: every producer is made anew before it sends, and shuts out those of leads before.

        `proof` raises unless we still lead, as the database has it when it is asked.
        """
        await self.stop()
        turn = asyncio.Lock()

        async def one_at_a_time() -> None:  # all topics may begin at once, and the lead has one connection
            async with turn:
                await proof()

        self._proof = one_at_a_time

    async def stop(self) -> None:
        """Disconnect within bounded time; a lead ends with it."""
        topics, self._topics, self._proof = self._topics, {}, None
        await asyncio.gather(*(one.stop() for one in topics.values()), self._disconnect())

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        """Publish and wait; per record None, or why it is not (or may not be) published.

        What one call publishes into one topic is seen as a whole or not at all by readers of committed transactions.

        Raises:
            ProducerFenced: another one leads now, or did for a moment; begin the lead anew.
            Exception: what the proof raised.
        """
        assert self._proof is not None, "lead() first"
        topics: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            topics[record.topic].append(index)
        parts = await asyncio.gather(
            *(self._topic(topic).send_all([records[index] for index in part]) for topic, part in topics.items()),
            return_exceptions=True,
        )
        errors: list[Exception | None] = [None] * len(records)
        for part, found in zip(topics.values(), parts, strict=True):
            if isinstance(found, BaseException):
                raise found
            for index, error in zip(part, found, strict=True):
                errors[index] = error
        return errors

    async def complete(self, topics: Collection[str]) -> int | None:
        """End what the broker left unended of the transactions on these topics (names without prefix).

        Returns how many partitions had messages that no reader saw and that they see now; None: the broker cannot say,
        or does not end them.

        Raises:
            ProducerFenced: another one leads now, or did for a moment; begin the lead anew.
            Exception: what the proof raised.
        """
        try:
            stuck = await self._kept_back(topics)
            if not stuck:
                return 0
            LOG.error(
                "committed, but seen by no reader: %s", ", ".join(f"{one.topic}/{one.partition}" for one in stuck)
            )
            by_topic: dict[str, list[TopicPartition]] = defaultdict(list)
            for one in stuck:
                by_topic[one.topic.removeprefix(self._settings.topic_prefix)].append(one)
            for topic, partitions in by_topic.items():
                await self._topic(topic).complete(partitions)
            return None if await self._kept_back(topics) else len(stuck)
        except ProducerFenced:
            raise
        except KafkaError as error:
            LOG.warning("which messages readers see is not known: %r", error)
            await self._disconnect()
            return None

    async def _kept_back(self, topics: Collection[str]) -> set[TopicPartition]:
        """Partitions that stand still before their end; no transaction of ours is open while this is asked.

        Raises:
            KafkaError: the brokers do not say it.
        """
        names = [self._settings.topic_prefix + topic for topic in topics]
        try:
            if self._client is None:
                client = create_client(self._settings)
                try:
                    await client.bootstrap()
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            first = await kept_back(self._client, names)
            if not first:
                return set()
            await asyncio.sleep(MARKER_SECONDS)
            second = await kept_back(self._client, names)
        except TimeoutError as error:
            raise KafkaTimeoutError from error
        return {one for one, offset in second.items() if first.get(one) == offset}

    def _topic(self, topic: str) -> _TopicPublisher:
        assert self._proof is not None, "lead() first"
        return self._topics.setdefault(topic, _TopicPublisher(self._settings, topic, self._proof))

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class _TopicPublisher(Publisher):
    """One topic's records, in transactions."""

    _transactional = True

    def __init__(self, settings: Settings, topic: str, proof: Callable[[], Awaitable[None]]) -> None:
        super().__init__(settings)
        self._name = transactional_id(settings, topic)
        self._proof = proof

    async def start(self) -> None:
        """Connect, end what others began under our name, and prove that it is ours to do.

        Raises:
            KafkaError: no broker answers, or the transaction before cannot be ended yet.
            Exception: what the proof raised.
        """
        if self._producer is not None:
            return
        producer = create_producer(self._settings, self._name)
        try:
            await producer.start()
            await self._proof()
        except BaseException:
            await abandon(producer)
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect; a transaction that is open is given up, so that no reader waits for its end."""
        if self._producer is not None:
            await _give_up(self._producer)
        await super().stop()

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        """Publish in one transaction; what stands in its way is left out, and the rest tried again.

        Bounded by twice `kafka_delivery_seconds`: the client itself would try some requests for ever.

        Raises:
            ProducerFenced: another one leads.
            Exception: what the proof raised.
        """
        outcome = Outcome(records)
        await self._too_large(outcome)
        limit = 2 * self._settings.kafka_delivery_seconds
        bound = asyncio.timeout(limit)
        try:
            async with bound:
                await self._send_open(outcome)
        except TimeoutError:
            self._spoilt = True
            if not bound.expired():  # the database's, of the proof
                raise
            outcome.fail_rest(KafkaTimeoutError(f"{self._name}: not committed within {limit:g} s"))
        except BaseException as error:
            self._spoilt = True
            if isinstance(error, ProducerFenced) or not isinstance(error, KafkaError):
                raise
            outcome.fail_rest(error)
        return outcome.errors

    async def complete(self, partitions: Collection[TopicPartition]) -> None:
        """End the transactions of our name in these partitions by one that has no records.

        What is seen with it was committed, or given up and published again behind it: the same messages, first seen in
        their order.

        Raises:
            KafkaError: it could not be done.
            Exception: what the proof raised.
        """
        try:
            async with asyncio.timeout(self._settings.kafka_delivery_seconds):
                await self._begin()
                for one in partitions:
                    self._connected()._txn_manager.maybe_add_partition_to_txn(one)  # noqa: SLF001  # aiokafka adds none without a record
                await self._commit()
        except TimeoutError as error:
            self._spoilt = True
            raise KafkaTimeoutError(self._name) from error
        except BaseException:
            self._spoilt = True
            raise

    async def _send_open(self, outcome: Outcome) -> None:
        singly: set[int] = set()
        while indexes := [index for index in outcome.still_open() if index not in singly]:
            await self._begin()
            singly.update(await self._together(outcome, indexes))
        for index in sorted(singly):
            if outcome.open(index):
                await self._alone(outcome, index)

    async def _begin(self) -> None:
        if self._spoilt or (self._producer is not None and self._producer._txn_manager.is_fatal_error()):  # noqa: SLF001
            await self._reset()
        await self.start()
        await self._connected().begin_transaction()

    async def _together(self, outcome: Outcome, indexes: Sequence[int]) -> list[int]:
        """All of these in one transaction; what is to be tried singly, after the others.

        A transaction in which something failed counts for nothing: those that nothing was wrong with stay open.
        """
        trial = Outcome([outcome.records[index] for index in indexes])
        refused = await self._send_batches(trial)
        fenced = next((error for error in trial.errors if isinstance(error, ProducerFenced)), None)
        if fenced is not None:
            raise fenced
        if not self._spoilt:
            await self._commit()
        for index, error in zip(indexes, trial.errors, strict=True):
            if error is not None:
                outcome.errors[index] = error
            elif not self._spoilt:
                outcome.confirm(index)
        return [indexes[at] for at in refused]

    async def _alone(self, outcome: Outcome, index: int) -> None:
        """One record in a transaction of its own; a refused one holds back its lane and no other."""
        await self._begin()
        trial = Outcome([outcome.records[index]])
        refused = await self._send_batches(trial)
        error = trial.errors[0]
        if error is not None:
            raise error
        if not refused:
            await self._commit()
            outcome.confirm(index)
            return
        outcome.refuse(index, trial.refusals[0])

    async def _commit(self) -> None:
        """End the transaction; when nobody knows whether it ended, the next beginning ends it one way or the other."""
        await self._connected().commit_transaction()


async def _give_up(producer: AIOKafkaProducer) -> None:
    """Abort what is open, if the client is still able to; its failures were told, and none is reported as forgotten."""
    # aiokafka shows its state in no other way.
    transactions, waiting = producer._txn_manager, producer._message_accumulator._batches  # noqa: SLF001
    ended = transactions.wait_for_transaction_end()
    for future in (ended, *(batch._drain_waiter for queue in waiting.values() for batch in queue)):  # noqa: SLF001
        if future is not None and future.done() and not future.cancelled():
            future.exception()
    if transactions.is_in_transaction():
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(producer.abort_transaction(), ABANDON_SECONDS)
