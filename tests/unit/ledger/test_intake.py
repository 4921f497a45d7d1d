"""The intake: what is isolated, what is waited for, what stops reading, and what is kept of the worst record."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import pytest

from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.executor import Applied
from certex_bridge.ledger.intake import Intake, Limits, QuarantineRun
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.ledger.quarantine import bare, key_text, storable
from certex_bridge.operations.composition import transient
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.time_limit import timed
from certex_bridge.platform.tracing import current_trace
from tests.support.traced_bridge import UPSTREAM, Spans

TOPIC = "customs.declarations.v1"


class Executor:
    """Takes deliveries unless told otherwise; `broken` gives the error a delivery meets."""

    def __init__(self, broken: Callable[[Delivery], BaseException | None] = lambda _delivery: None) -> None:
        self.taken: list[Delivery] = []
        self.batches: list[int] = []
        self._broken = broken

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        self.batches.append(len(deliveries))
        for delivery in deliveries:
            if error := self._broken(delivery):
                raise error
        self.taken += deliveries
        return Applied([], {"taken": len(deliveries)})

    @property
    def quarantined(self) -> list[QuarantineRow]:
        return [delivery.refused for delivery in self.taken if delivery.refused is not None]


class Meter:
    def __init__(self) -> None:
        self.retries: list[str] = []
        self.failures: list[BaseException] = []
        self.ages: dict[str, float] = {}

    def batch(self, _topics: Any, _counts: Any, _seconds: Any, ages: Any) -> None:
        self.ages = ages

    def retry(self, cause: str) -> None:
        self.retries.append(cause)

    def failed(self, error: BaseException) -> None:
        self.failures.append(error)


def record(offset: int, value: bytes = b"v", **more: Any) -> Envelope:
    return Envelope(TOPIC, 0, offset, b"k", value, **more)


def decode(envelope: Envelope) -> Any:
    if envelope.value == b"poison":
        raise Poison("JSON_SYNTAX", "no")
    if envelope.value == b"bug":
        raise AttributeError("a defect of ours")
    return (types.SimpleNamespace(event_id=f"e{envelope.offset}"),)


def intake(executor: Executor, meter: Meter | None = None, **more: Any) -> Intake:
    double: Any = executor
    return Intake(double, {TOPIC: decode}, transient, meter, **more)


class Commit:
    def __init__(self) -> None:
        self.times = 0
        self.counts: list[int | None] = []

    async def __call__(self, count: int | None = None) -> None:
        self.times += 1
        self.counts.append(count)


async def test_a_decoder_that_breaks_puts_its_record_aside_and_no_other() -> None:
    executor, commit, meter = Executor(), Commit(), Meter()
    await intake(executor, meter).on_batch([record(0), record(1, b"bug"), record(2)], commit)
    assert [(row.code, row.origin.offset, row.raw) for row in executor.quarantined] == [("INTERNAL", 1, b"bug")]
    assert len(executor.taken) == 3
    assert commit.times == 1
    assert isinstance(meter.failures[0], AttributeError)


async def test_a_record_that_takes_too_long_goes_to_quarantine_and_the_others_go_on() -> None:
    executor, commit = Executor(), Commit()

    def endless(envelope: Envelope) -> Any:
        while envelope.value == b"endless":
            pass
        return decode(envelope)

    double: Any = executor
    here = Intake(double, {TOPIC: timed(endless, 0.05)}, transient)
    await here.on_batch([record(0), record(1, b"endless"), record(2)], commit)
    assert [(row.code, row.origin.offset, row.raw) for row in executor.quarantined] == [("DECODE_TIME", 1, b"endless")]
    assert (len(executor.taken), commit.times) == (3, 1)


@pytest.mark.parametrize(("size", "turns"), [(65_536, 0), (65_537, 3)])
async def test_large_records_let_others_have_their_turn(size: int, turns: int) -> None:
    taken = 0

    async def count() -> None:
        nonlocal taken
        while True:
            await asyncio.sleep(0)
            taken += 1

    other = asyncio.create_task(count())
    await asyncio.sleep(0)
    before = taken
    await intake(Executor()).decode([record(n, b"v" * size) for n in range(3)])
    assert taken - before == turns
    other.cancel()


async def test_many_slow_records_in_a_row_are_taken_in_as_they_come() -> None:
    """With all of the time used up by the first record, each is a batch of its own."""
    executor, commit = Executor(), Commit()
    here = intake(executor, limits=Limits(decode_seconds=0.0))
    left = [record(n, b"poison" if n == 1 else b"v") for n in range(3)]
    while left:
        await here.on_batch(left, commit)
        left = left[commit.counts[-1] :]
    assert commit.counts == executor.batches == [1, 1, 1]
    assert [delivery.origin.offset for delivery in executor.taken] == [0, 1, 2]
    assert [row.code for row in executor.quarantined] == ["JSON_SYNTAX"]


async def test_after_a_slow_record_others_have_time_and_not_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certex_bridge.ledger.intake._SLOW_SECONDS", -1.0)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(count())
    await intake(Executor()).decode([record(n) for n in range(2)])
    other.cancel()
    assert turns > 8, "a heartbeat needs to be written, sent, answered and read"


def integrity(delivery: Delivery) -> BaseException | None:
    broken = delivery.command is not None and delivery.command.event_id == "e7"
    error = asyncpg.CheckViolationError('new row violates check constraint "c"')
    error.detail = "Failing row contains (BE/SECRET)."  # type: ignore[attr-defined]
    return error if broken else None


async def test_a_record_that_breaks_its_transaction_is_put_aside_without_the_row_the_database_quotes() -> None:
    executor, meter = Executor(integrity), Meter()
    await intake(executor, meter).on_batch([record(n) for n in range(10)], Commit())
    row = executor.quarantined[0]
    assert (row.code, row.event_id, row.value) == ("INTERNAL", "e7", "CheckViolationError")
    assert "violates check" in row.message
    assert "SECRET" not in row.message
    assert len(executor.taken) == 10


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InsufficientPrivilegeError("permission denied for table claim"),
        asyncpg.UndefinedTableError("no table"),
        asyncpg.UndefinedColumnError("no column"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_that_meets_every_record_alike_drains_nothing(error: Exception) -> None:
    executor, commit = Executor(lambda delivery: error if delivery.command else None), Commit()
    with pytest.raises(type(error)):
        await intake(executor).on_batch([record(n) for n in range(50)], commit)
    assert executor.taken == []
    assert executor.batches == [50]
    assert commit.times == 0


async def test_an_outage_is_raised_and_counted() -> None:
    executor, meter = Executor(lambda _delivery: ConnectionResetError()), Meter()
    with pytest.raises(ConnectionResetError):
        await intake(executor, meter).on_batch([record(0)], Commit())
    assert meter.retries == ["connection"]


async def test_statements_that_time_out_again_and_again_are_made_smaller() -> None:
    executor = Executor()

    async def apply(deliveries: Sequence[Delivery]) -> Applied:
        executor.batches.append(len(deliveries))
        if len(deliveries) > 1:
            raise asyncpg.QueryCanceledError("statement timeout")
        executor.taken += deliveries
        return Applied([], {})

    executor.apply = apply  # type: ignore[method-assign]
    one = intake(executor)
    for _ in range(2):
        with pytest.raises(asyncpg.QueryCanceledError):
            await one.on_batch([record(0), record(1)], Commit())
    await one.on_batch([record(0), record(1)], Commit())
    assert executor.batches == [2, 2, 2, 1, 1]
    assert len(executor.taken) == 2


async def test_what_cannot_even_be_put_aside_leaves_its_place_and_hash() -> None:
    def broken(delivery: Delivery) -> BaseException | None:
        kept = delivery.refused
        return asyncpg.DataError("invalid byte sequence") if kept is None or kept.raw is not None else None

    executor = Executor(broken)
    await intake(executor).on_batch([record(0, b"poison"), record(1)], Commit())
    assert [(row.code, row.origin.offset, row.raw) for row in executor.quarantined] == [
        ("JSON_SYNTAX", 0, None),
        ("INTERNAL", 1, None),
    ]
    assert "6 bytes have sha256" in executor.quarantined[0].message


async def test_quarantine_that_fails_for_a_right_stops_reading() -> None:
    executor = Executor(lambda _delivery: asyncpg.InsufficientPrivilegeError("permission denied for quarantine"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await intake(executor).on_batch([record(0, b"poison")], Commit())


async def test_a_long_run_of_refused_records_stops_reading_before_anything_is_taken() -> None:
    executor = Executor()
    one = intake(executor, limits=Limits(quarantine_run=5))
    await one.on_batch([record(n, b"poison") for n in range(3)], Commit())
    await one.on_batch([record(3)], Commit())
    await one.on_batch([record(n, b"poison") for n in range(4, 9)], Commit())
    with pytest.raises(QuarantineRun, match="6 records of customs") as caught:
        await one.on_batch([record(9, b"poison")], Commit())
    assert caught.value.code == "QUARANTINE_RUN"
    assert len(executor.taken) == 9
    with pytest.raises(QuarantineRun):
        await one.on_batch([record(9, b"poison")], Commit())


async def test_a_defect_that_meets_every_record_stops_reading_after_some() -> None:
    executor = Executor(lambda delivery: AssertionError("negative balance") if delivery.command else None)
    with pytest.raises(AssertionError):
        await intake(executor, limits=Limits(quarantine_run=1000)).on_batch([record(n) for n in range(500)], Commit())
    assert len(executor.quarantined) == 50


async def test_the_age_of_the_oldest_record_is_measured() -> None:
    meter = Meter()
    await intake(Executor(), meter).on_batch([record(0, timestamp_ms=1000), record(1, timestamp_ms=9000)], Commit())
    assert meter.ages[TOPIC] > 1_000_000


def row(**more: Any) -> QuarantineRow:
    made = QuarantineRow("q", Origin(TOPIC, 0, 1), "CODE", "", "", "", "", b"k", b"raw", ())
    return made._replace(**more)


def test_texts_are_made_storable() -> None:
    made = storable(row(value="a\x00b\ud800", event_id="\x00", headers=(("n\x00\udfff", None),), message="x" * 5000))
    assert (made.value, made.event_id, made.headers) == ("a\\0b\\ud800", "\\0", (("n\\0\\udfff", None),))
    assert len(made.message) == 1000
    assert (made.raw, made.key) == (b"raw", b"k")


@pytest.mark.parametrize("key", [None, b"\x00\x00\x00\x07", b"\xff\xfe", b"k" * 700_000])
def test_a_key_becomes_text_that_can_be_stored(key: bytes | None) -> None:
    text = key_text(key)
    assert "\x00" not in text
    assert len(text) <= 256
    text.encode()


def test_the_bare_row_holds_nothing_of_the_senders() -> None:
    made = bare(row(headers=(("h", b"v"),), event_id="e", value="v"))
    assert (made.quarantine_id, made.code, made.origin.offset) == ("q", "CODE", 1)
    assert (made.value, made.event_id, made.key, made.raw, made.headers) == ("", "", None, None, ())


# -- traces


async def test_a_batch_that_fails_ends_its_spans_with_the_class_of_the_error() -> None:
    spans = Spans()
    broken = asyncpg.DeadlockDetectedError("one was chosen")
    executor = Executor(lambda _delivery: broken)
    envelope = record(1, headers=(("traceparent", UPSTREAM.encode()),))
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await intake(executor, tracing=spans.tracing(0.0), group="bridge").on_batch([envelope, record(2)], Commit())
    assert {span.name: (span.attributes or {})["error.type"] for span in spans.all()} == {
        f"process {TOPIC}": "DeadlockDetectedError", "process batch": "DeadlockDetectedError",
    }  # fmt: skip
    batch, taken = spans.all()
    assert dict(taken.attributes or {}) == {
        "messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process",
        "messaging.consumer.group.name": "bridge", "messaging.destination.name": TOPIC,
        "messaging.destination.partition.id": "0", "messaging.kafka.offset": 1, "error.type": "DeadlockDetectedError",
    }  # fmt: skip
    assert (batch.attributes or {})["messaging.batch.message_count"] == 2
    assert current_trace() == ""


async def test_what_the_intake_logs_names_the_trace_of_its_batch() -> None:
    spans, seen = Spans(), []

    def look(_delivery: Delivery) -> None:
        seen.append(current_trace())

    envelope = record(1, headers=(("traceparent", UPSTREAM.encode()),))
    await intake(Executor(look), tracing=spans.tracing(0.0)).on_batch([envelope], Commit())
    assert [f"{span.context.trace_id:032x}" for span in spans.all() if span.name == "process batch"] == [seen[0][3:35]]
