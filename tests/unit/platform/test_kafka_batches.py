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

from certex_bridge.platform.kafka_batches import BatchSubscription
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings

PLACE = TopicPartition("t", 0)


class Consumer:
    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int] = {}
        self.offsets: dict[TopicPartition, int | None] = {}
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

    async def committed(self, partition: TopicPartition) -> int | None:
        return self.offsets.get(partition)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.ends[one] for one in partitions}

    async def topics(self) -> set[str]:
        if self.away:
            raise KafkaConnectionError
        return {"t"}


def subscription(handler: Any, consumer: Consumer, **more: Any) -> BatchSubscription:
    start = more.pop("start_offsets", None)
    settings = Settings.load(
        **{"retry_backoff_ms": 1, "retry_backoff_ms_max": 1, "retry_attempts_max": 3, "kafka_request_timeout_ms": 100}
        | more
    )
    made = BatchSubscription(handler, settings, Metrics(), start)
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
    await asyncio.wait_for(one.on_batch((RECORD,)), 5)
    assert one.records_handled == 1


@pytest.mark.row("E152")
async def test_a_log_that_ends_before_what_was_taken_in_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    async def known(places: Any) -> dict[tuple[str, int], int]:
        return dict.fromkeys(places, 100)

    consumer = Consumer()
    consumer.ends = {PLACE: 3}
    one = subscription(failing(), consumer, start_offsets=known)
    await one.on_partitions_assigned({PLACE})
    assert "the log of TopicPartition(topic='t', partition=0) ends at 3, but 100 records were taken in" in caplog.text
    assert consumer.sought == {}, "the inbox makes reading from the beginning harmless"
    assert one._metrics is not None
    assert one._metrics.registry.get_sample_value("certex_bridge_partitions_cut") == 1


@pytest.mark.row("E153")
@pytest.mark.parametrize(("committed", "sought"), [(None, {PLACE: 100}), (40, {})])
async def test_lost_offsets_are_those_of_the_database(committed: int | None, sought: dict[TopicPartition, int]) -> None:
    async def known(places: Any) -> dict[tuple[str, int], int]:
        return dict.fromkeys(places, 100)

    consumer = Consumer()
    consumer.ends, consumer.offsets = {PLACE: 200}, {PLACE: committed}
    await subscription(failing(), consumer, start_offsets=known).on_partitions_assigned({PLACE})
    assert consumer.sought == sought


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
