"""What the relay rests on: after a lead has begun on the broker, nothing of an earlier lead is published any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
from aiokafka.errors import ProducerFenced

from certex_bridge.ledger.relay import LeadLost, Publisher
from certex_bridge.platform.kafka import FencedPublisher, Record, ensure_topics
from certex_bridge.platform.settings import Settings
from tests.support.relay_broker import MemoryBroker, MemoryPublisher
from tests.support.topic_reading import read_topics

BALANCES, CERTIFICATES = "licensing.balances.v1", "certex.certificates.v1"


class Stage(Protocol):
    """A broker, and as many publishers on it as a test needs."""

    def publisher(self) -> Publisher:
        """One more."""

    async def published(self, topic: str, *, committed: bool = True) -> list[bytes]:
        """What readers of a topic find, in order; not `committed`: also what was given up."""


class InMemory:
    def __init__(self) -> None:
        self._broker = MemoryBroker()

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self._broker)

    async def published(self, topic: str, *, committed: bool = True) -> list[bytes]:
        return [record.value or b"" for record in self._broker.records[topic]]


class OnBroker:
    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings, self._stack = settings, stack

    def publisher(self) -> FencedPublisher:
        made = FencedPublisher(self._settings)
        self._stack.push_async_callback(made.stop)
        return made

    async def published(self, topic: str, *, committed: bool = True) -> list[bytes]:
        return [record.value or b"" for record in await read_topics(self._settings, topic, committed=committed)]


@pytest.fixture(params=["memory", "broker"])
async def stage(request: pytest.FixtureRequest, bootstrap_servers: str, topic_prefix: str) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield InMemory()
        return
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        topic_prefix=topic_prefix,
        topic_partitions=1,
        topics_create=True,
    )
    await ensure_topics(settings)
    async with AsyncExitStack() as stack:
        yield OnBroker(settings, stack)


def version(number: int, topic: str = BALANCES) -> Record:
    return Record(topic, b"BE/L", b"%d" % number, (("ce_id", b"balance:BE/L:%d" % number),), b"balance:BE/L")


async def leads() -> None:
    """The database says that we do."""


async def lost() -> None:
    raise LeadLost


async def test_what_is_published_is_there_in_order(stage: Stage) -> None:
    publisher = stage.publisher()
    await publisher.lead(leads)
    assert list(await publisher.send_all([version(1), version(2), version(1, CERTIFICATES)])) == [None] * 3
    assert list(await publisher.send_all([version(3)])) == [None]
    assert await publisher.complete([BALANCES, CERTIFICATES, "not.written.v1"]) == 0
    assert await stage.published(BALANCES) == [b"1", b"2", b"3"]
    assert await stage.published(CERTIFICATES) == [b"1"]


async def test_a_lead_of_the_past_publishes_nothing_any_more(stage: Stage) -> None:
    paused, successor = stage.publisher(), stage.publisher()
    await paused.lead(leads)
    assert list(await paused.send_all([version(1)])) == [None]
    await successor.lead(leads)
    assert list(await successor.send_all([version(2), version(3)])) == [None] * 2
    with pytest.raises(ProducerFenced):
        await paused.send_all([version(2)])
    assert list(await successor.send_all([version(4)])) == [None]
    for committed in (True, False):
        assert await stage.published(BALANCES, committed=committed) == [b"1", b"2", b"3", b"4"]


async def test_one_who_begins_after_his_lead_has_ended_publishes_nothing(stage: Stage) -> None:
    """He stood still before his first word to the broker; his beginning shuts out the leader, who begins anew."""
    paused, successor = stage.publisher(), stage.publisher()
    await paused.lead(lost)
    await successor.lead(leads)
    assert list(await successor.send_all([version(1), version(2)])) == [None] * 2
    with pytest.raises(LeadLost):
        await paused.send_all([version(1)])
    with pytest.raises(ProducerFenced):
        await successor.send_all([version(3)])
    await successor.lead(leads)
    assert list(await successor.send_all([version(3)])) == [None]
    for committed in (True, False):
        assert await stage.published(BALANCES, committed=committed) == [b"1", b"2", b"3"]


async def test_the_proof_is_asked_after_each_beginning_and_by_one_at_a_time(stage: Stage) -> None:
    asked: list[str] = []
    turn = asyncio.Lock()

    async def proof() -> None:
        assert not turn.locked()
        async with turn:
            await asyncio.sleep(0)
        asked.append("?")

    publisher = stage.publisher()
    await publisher.lead(proof)
    for number in (1, 2, 3):
        await publisher.send_all([version(number), version(number, CERTIFICATES)])
    assert asked == ["?"] * 2
    await publisher.lead(proof)
    await publisher.send_all([version(4)])
    assert asked == ["?"] * 3
