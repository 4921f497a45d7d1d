"""What the publisher decides without a broker."""

from __future__ import annotations

import random

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownError
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.platform.kafka_publisher import (
    REFUSED,
    UNPACKED_BYTES_MAX,
    HeldBack,
    Outcome,
    Publisher,
    Record,
    _hash,
)
from certex_bridge.platform.settings import Settings


@given(st.binary(min_size=0, max_size=60), st.integers(1, 48))
def test_a_key_has_the_partition_every_client_gives_it(key: bytes, partitions: int) -> None:
    choices = list(range(partitions))
    assert choices[_hash(key) % partitions] == DefaultPartitioner()(key, choices, choices)


def test_only_what_is_about_the_record_counts_as_refused() -> None:
    assert UnknownError not in REFUSED
    assert all(issubclass(one, KafkaError) and not getattr(one, "retriable", False) for one in REFUSED)


@given(
    st.binary(max_size=300),
    st.binary(max_size=300),
    st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=20)), max_size=5),
)
def test_the_size_is_never_less_than_the_brokers(key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
    from aiokafka.record.default_records import DefaultRecordBatchBuilder

    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1_000_000)
    builder.append(0, None, key, value, headers)
    assert Record("t", key, value, tuple(headers)).size() >= len(builder.build())


def test_later_records_of_a_refused_key_are_held_back_and_no_others() -> None:
    records = [Record("t", key, b"v") for key in (b"a", b"b", b"a", b"a", b"b")] + [
        Record("u", b"a", b"v"),
        Record("t", None, b"v"),
    ]
    outcome = Outcome(records)
    outcome.confirm(0)
    outcome.refuse(2, MessageSizeTooLargeError("big"))
    assert [outcome.open(index) for index in range(7)] == [False, True, False, False, True, True, True]
    assert outcome.by_topic() == {"t": [1, 4, 6], "u": [5]}
    outcome.fail_rest(KafkaError("away"))
    assert [type(error) for error in outcome.errors] == [
        type(None), KafkaError, MessageSizeTooLargeError, HeldBack, KafkaError, KafkaError, KafkaError,
    ]  # fmt: skip


async def test_without_a_broker_every_record_has_an_error() -> None:
    settings = Settings.load(kafka_bootstrap_servers="127.0.0.1:1", kafka_request_timeout_ms=500)
    publisher = Publisher(settings)
    dense, unpacked = random.Random(1).randbytes(2_000_000), bytes(UNPACKED_BYTES_MAX)
    errors = await publisher.send_all(
        [Record("t", one, value) for one, value in ((b"a", b"v"), (b"b", dense), (b"c", unpacked))]
    )
    assert [type(error) is MessageSizeTooLargeError for error in errors] == [False, True, True]
    assert errors[0] is not None
    await publisher.stop()


@pytest.mark.parametrize("count", [0])
async def test_nothing_to_send_needs_no_broker(count: int) -> None:
    publisher = Publisher(Settings.load(kafka_bootstrap_servers="127.0.0.1:1"))
    assert await publisher.send_all([]) == []
