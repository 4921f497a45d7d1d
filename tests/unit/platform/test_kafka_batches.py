"""What a subscription does with failures: outages without limit, failures with, and commits that hang."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from certex_bridge.platform.kafka_batches import BatchSubscription, backoff_seconds
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings

PLACE = TopicPartition("t", 0)


class Consumer:
    def __init__(self) -> None:
        self.sought: dict[TopicPartition, int] = {}
        self.commit_hangs = False
        self.away = False

    def assignment(self) -> set[TopicPartition]:
        return set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    def pause(self, *_partitions: TopicPartition) -> None:
        """Nothing to pause."""

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.commit_hangs:
            await asyncio.sleep(3600)

    async def topics(self) -> set[str]:
        if self.away:
            raise KafkaConnectionError
        return {"t"}


def subscription(handler: Any, consumer: Consumer, **more: Any) -> BatchSubscription:
    settings = Settings.load(
        **{"retry_backoff_ms": 1, "retry_backoff_ms_max": 1, "retry_attempts_max": 3, "kafka_request_timeout_ms": 100}
        | more
    )
    made = BatchSubscription(handler, settings, Metrics())
    double: Any = consumer
    made._consumer_of = lambda: double
    return made


RECORD: Any = types.SimpleNamespace(topic="t", partition=0, offset=5, key=b"k", value=b"v", headers=(), timestamp=1)


def failing(*errors: Exception) -> Callable[..., Awaitable[None]]:
    left = list(errors)

    async def handler(_batch: Any, commit: Any) -> None:
        if left:
            raise left.pop(0)
        await commit()

    return handler


async def test_outages_do_not_use_up_the_attempts_of_a_failure() -> None:
    outages = [ConnectionRefusedError()] * 10
    one = subscription(failing(*outages, ValueError("a hiccup"), ValueError("again")), Consumer())
    for _ in range(12):
        await one.on_batch((RECORD,))
    assert not one.failed.is_set()
    await one.on_batch((RECORD,))
    assert one.records_handled == 1


@pytest.mark.parametrize("error", [ValueError("a defect"), asyncpg.QueryCanceledError("statement timeout")])
async def test_failures_and_statement_timeouts_are_bounded(error: Exception) -> None:
    one = subscription(failing(*[error] * 9), Consumer())
    for _ in range(9):
        await one.on_batch((RECORD,))
    assert one.failed.is_set()
    assert one._failures == 3


@pytest.mark.parametrize("error", [asyncpg.LockNotAvailableError("lock"), asyncpg.DeadlockDetectedError("deadlock")])
async def test_locks_of_others_are_waited_for(error: Exception) -> None:
    one = subscription(failing(*[error] * 9), Consumer())
    for _ in range(10):
        await one.on_batch((RECORD,))
    assert not one.failed.is_set()
    assert one.records_handled == 1


async def test_the_line_about_an_outage_names_its_cause_and_comes_once(caplog: pytest.LogCaptureFixture) -> None:
    error = asyncpg.CannotConnectNowError("the database system is starting up")
    error.detail = "secret"  # type: ignore[attr-defined]
    one = subscription(failing(*[error] * 5), Consumer())
    for _ in range(6):
        await one.on_batch((RECORD,))
    told = [line.getMessage() for line in caplog.records if line.levelname == "ERROR"]
    assert told == [
        "batch failed, it comes again until it works: connection (the database system is starting up)"
    ]  # fmt: skip
    assert "worked after 5 attempts" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.row("E150")
async def test_a_commit_that_never_ends_is_given_up_and_reading_goes_on() -> None:
    consumer = Consumer()
    consumer.commit_hangs = True
    one = subscription(failing(), consumer)
    await asyncio.wait_for(one.on_batch((RECORD,)), 30)
    assert one.records_handled == 1


async def test_it_says_since_when_it_is_outside_its_group() -> None:
    consumer = Consumer()
    one = subscription(failing(), consumer)
    assert one.outside_since is not None
    await one.on_partitions_assigned(set())
    assert one.outside_since is None, "a member without partitions is a member"
    await one.on_partitions_revoked(set())
    assert one.outside_since is not None
    assert await one.broker_answers()
    consumer.away = True
    assert not await one.broker_answers()


def at(partition: int, offset: int) -> Any:
    return types.SimpleNamespace(
        topic="t", partition=partition, offset=offset, key=b"k", value=b"v", headers=(), timestamp=1
    )


async def test_a_handler_may_take_the_first_records_only_and_the_others_come_next() -> None:
    consumer, committed = Consumer(), []
    consumer.commit = lambda ends: _kept(committed, ends)  # type: ignore[method-assign]

    async def handler(batch: Any, commit: Any) -> None:
        await commit(3)

    one = subscription(handler, consumer)
    await one.on_batch((at(0, 5), at(0, 6), at(1, 7), at(1, 8), at(2, 9)))
    assert committed == [{TopicPartition("t", 0): 7, TopicPartition("t", 1): 8}]
    assert consumer.sought == {TopicPartition("t", 1): 8, TopicPartition("t", 2): 9}
    assert one.records_handled == 3
    assert one.busy_since is None, "the time of the rest is that of the next batch"


async def _kept(places: list[Any], ends: Any) -> None:
    places.append(ends)


async def test_partitions_are_given_up_when_the_batch_in_work_is_done() -> None:
    """Its commit must still be accepted: the next owner begins behind it."""
    begun, finish = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def handler(_batch: Any, commit: Any) -> None:
        begun.set()
        await finish.wait()
        await commit()
        order.append("committed")

    one = subscription(handler, Consumer(), kafka_session_timeout_ms=300_000)

    async def give_up() -> None:
        await one.on_partitions_revoked({PLACE})
        order.append("given up")

    working = asyncio.create_task(one.on_batch((RECORD,)))
    await begun.wait()
    giving_up = asyncio.create_task(give_up())
    for _ in range(10):  # turns enough for whoever does not wait
        await asyncio.sleep(0)
    finish.set()
    await asyncio.gather(working, giving_up)
    assert order == ["committed", "given up"]


async def test_a_batch_that_never_ends_keeps_partitions_for_a_third_of_the_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = asyncio.Event()

    async def handler(_batch: Any, _commit: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    one = subscription(handler, Consumer(), kafka_session_timeout_ms=1_000, kafka_heartbeat_ms=300)
    working = asyncio.create_task(one.on_batch((RECORD,)))
    await begun.wait()
    await one.on_partitions_revoked({PLACE})
    assert "given up while a batch is in work" in caplog.text
    working.cancel()


def test_pauses_double_up_to_the_longest() -> None:
    settings = Settings.load(retry_backoff_ms=100, retry_backoff_ms_max=1_000)
    for attempt, full in ((1, 0.1), (2, 0.2), (4, 0.8), (5, 1.0), (40, 1.0), (4_000, 1.0)):
        assert all(full / 2 <= backoff_seconds(settings, attempt) <= full for _ in range(50))
