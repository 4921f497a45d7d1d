"""Where reading is put, by what database and broker say; on doubles, one partition after the other."""

from __future__ import annotations

import asyncio
import types
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from aiokafka.protocol.metadata import MetadataResponse_v2

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.positions import InMemoryPositions
from certex_bridge.platform.kafka_batches import BatchSubscription
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.position_keeper import PositionKeeper, kept
from certex_bridge.platform.positions import Gap, LogId, Position, PositionsFell, Reached
from certex_bridge.platform.settings import Settings
from tests.support.waiting import until

ONE = TopicPartition("t", 0)
PLACE = ("t", 0)
HERE, THERE = LogId("c1"), LogId("c2")


class Client:
    def __init__(self) -> None:
        self.cluster = HERE.cluster
        self.away = False

    def get_random_node(self) -> int:
        return 0

    async def send(self, _node: int, _request: Any) -> Any:
        if self.away:
            raise KafkaConnectionError
        return MetadataResponse_v2([], self.cluster, 0, [(0, "t", False, [])])


class Consumer:
    """One partition, its log, and what aiokafka would do with it."""

    def __init__(self, first: int, end: int, committed: int | None) -> None:
        self._client = Client()
        self.first, self.end, self.group = first, end, committed
        self.at = committed if committed is not None else first
        self.paused = False
        self.assigned = {ONE}

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def seek(self, _one: TopicPartition, offset: int) -> None:
        self._ours()
        self.at = offset

    def pause(self, _one: TopicPartition) -> None:
        self._ours()
        self.paused = True

    def resume(self, _one: TopicPartition) -> None:
        self.paused = False

    def _ours(self) -> None:
        if not self.assigned:
            raise IllegalStateError

    async def position(self, _one: TopicPartition) -> int:
        return self.at

    async def committed(self, _one: TopicPartition) -> int | None:
        return self.group

    async def commit(self, _offsets: object) -> None:
        """The group's number is of no interest here."""

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.first)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.end)


class Bench:
    """A subscription on doubles."""

    def __init__(self, known: Position | None, first: int = 0, end: int = 10, committed: int | None = 7) -> None:
        self.store = InMemoryStore()
        if known is not None:
            self.store.contents.positions[PLACE] = known
        self.consumer = Consumer(first, end, committed)
        self.metrics = Metrics()
        self.taken: list[int] = []
        self.failures: list[Exception] = []
        double: Any = self.consumer
        self.subscription = BatchSubscription(self._take, Settings.load(), self.metrics, InMemoryPositions(self.store))
        self.subscription._consumer_of = lambda: double
        assert self.subscription.keeper is not None
        self.keeper: PositionKeeper = self.subscription.keeper

    async def _take(self, batch: Any, _commit: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for one in batch:
            held = self.known
            assert held is not None
            if one.reached is None or Reached(held.epoch, held.next_record) < one.reached:
                raise PositionsFell("behind")
        for one in batch:
            self.taken.append(one.offset)
            self.store.contents.positions[PLACE] = self.known._replace(next_record=one.offset + 1)

    @property
    def known(self) -> Position:
        return self.store.contents.positions[PLACE]

    async def assign(self) -> None:
        """An assignment, and as many looks as it wants."""
        await self.subscription.on_partitions_assigned({ONE})
        assert self.consumer.paused, "nothing is read before it was compared"
        await self.looked()

    async def looked(self) -> None:
        self.keeper._wake.set()
        while self.keeper._wake.is_set():
            self.keeper._wake.clear()
            assert await self.keeper.look()

    async def fetch(self, *offsets: int) -> None:
        """These records come."""
        self.consumer.at = offsets[-1] + 1
        await self.subscription.on_batch(
            tuple(
                types.SimpleNamespace(
                    topic="t", partition=0, offset=offset, key=b"", value=b"", headers=(), timestamp=1
                )
                for offset in offsets
            )  # type: ignore[arg-type]
        )

    def moved(self, cause: str) -> float:
        told = self.metrics.registry.get_sample_value("certex_bridge_positions_moved_total", {"cause": cause})
        return told or 0


@pytest.mark.row("E153")
@pytest.mark.parametrize("committed", [None, 4, 7])
async def test_reading_begins_where_the_database_says(committed: int | None) -> None:
    bench = Bench(Position(7, HERE), committed=committed)
    await bench.assign()
    assert (bench.consumer.at, bench.consumer.paused, bench.subscription.ready()) == (7, False, None)
    lag = bench.metrics.registry.get_sample_value("certex_bridge_consumer_lag", {"topic": "t", "partition": "0"})
    assert lag == 3, "told at once"
    await bench.fetch(7, 8)
    await bench.fetch(9)
    assert bench.taken == [7, 8, 9]
    assert bench.moved("BEHIND_GROUP") == 0


async def test_a_database_behind_the_group_is_told(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Position(3, HERE))
    await bench.assign()
    assert bench.consumer.at == 3
    assert "is read again from 3, the group was at 7" in caplog.text
    assert bench.moved("BEHIND_GROUP") == 1


@pytest.mark.parametrize(("committed", "told"), [(7, True), (None, False)])
async def test_a_database_that_knows_nothing_begins_with_the_log(
    committed: int | None, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(None, first=2, committed=committed)
    await bench.assign()
    assert (bench.consumer.at, bench.known) == (2, Position(2, HERE))
    assert ("it is read from 2, the group was at 7" in caplog.text) is told
    assert bench.moved("BEHIND_GROUP") == told


async def test_a_number_without_a_log_gets_one_and_is_compared_all_the_same() -> None:
    bench = Bench(Position(3))
    await bench.assign()
    assert bench.known == Position(3, HERE)
    assert bench.moved("BEHIND_GROUP") == 1


async def test_a_gap_stands_still_until_it_is_accepted(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Position(3, HERE), first=5)
    await bench.assign()
    await bench.looked()
    gap = Gap("t", 0, 0, 3, 5)
    assert caplog.text.count("t partition 0: records 3 to 4 are gone and were never read") == 1
    assert "records 3 to 4 are gone" in (bench.subscription.ready() or "")
    place = {"topic": "t", "partition": "0", "from": "3", "to": "5"}
    assert bench.metrics.registry.get_sample_value("certex_bridge_position_gap_records", place) == 2
    await bench.fetch(5, 6)
    assert (bench.taken, bench.consumer.paused, bench.store.contents.gaps) == ([], True, {gap: HERE})
    bench.consumer.first = 6  # the log loses one more meanwhile
    bench.store.contents.gaps_accepted.add(gap)
    await bench.looked()
    assert bench.known.next_record == 5
    assert "records 5 to 5 are gone" in (bench.subscription.ready() or "")
    bench.store.contents.gaps_accepted.add(Gap("t", 0, 0, 5, 6))
    await bench.looked()
    assert (bench.consumer.at, bench.consumer.paused, bench.subscription.ready()) == (6, False, None)
    assert bench.metrics.registry.get_sample_value("certex_bridge_position_gap_records", place) is None
    assert bench.moved("GAP_ACCEPTED") == 2


async def test_another_log_is_read_from_its_beginning_and_what_it_lost_is_a_gap() -> None:
    bench = Bench(Position(7, THERE), first=0, committed=None)
    await bench.assign()
    assert (bench.consumer.at, bench.known) == (0, Position(0, HERE, 1))
    assert bench.moved("OTHER_LOG") == 1
    late = Bench(Position(7, THERE), first=2, committed=None)
    await late.assign()
    assert set(late.store.contents.gaps) == {Gap("t", 0, 1, 0, 2)}


@pytest.mark.row("E152")
async def test_a_log_that_ends_before_what_was_taken_in_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Position(100, HERE), end=3)
    await bench.assign()
    assert "ends at 3, but it was read to 100: it is read again from 0" in caplog.text
    assert (bench.consumer.at, bench.known) == (0, Position(0, HERE, 1))
    assert bench.metrics.registry.get_sample_value("certex_bridge_partitions_cut") == 1


async def test_a_database_that_goes_back_is_noticed_by_the_next_batch(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Position(7, HERE))
    await bench.assign()
    await bench.fetch(7, 8)
    bench.store.contents.positions[PLACE] = Position(4, HERE)
    await bench.fetch(9)
    assert bench.taken == [7, 8]
    assert "compared" in (bench.subscription.ready() or "")
    await bench.looked()
    assert bench.consumer.at == 4
    assert "was read to 9, the database has it to 4" in caplog.text
    assert bench.moved("DATABASE_WENT_BACK") == 1
    await bench.fetch(4, 5)
    assert bench.taken == [7, 8, 4, 5]


async def test_a_database_that_goes_back_is_noticed_without_a_batch() -> None:
    bench = Bench(Position(7, HERE))
    await bench.assign()
    bench.store.contents.positions[PLACE] = Position(4, HERE)
    await bench.looked()
    assert (bench.consumer.at, bench.moved("DATABASE_WENT_BACK")) == (4, 1)


async def test_records_fetched_before_reading_was_put_back_are_not_taken_in() -> None:
    bench = Bench(Position(7, HERE))
    await bench.assign()
    await bench.fetch(7, 8)
    record: Any = types.SimpleNamespace(topic="t", partition=0, offset=9)
    bench.consumer.at = 4
    assert await bench.keeper.usable((record,)) == ()


async def test_holes_are_passed_and_a_log_that_begins_later_is_not() -> None:
    bench = Bench(Position(3, HERE), committed=3)
    await bench.assign()
    await bench.fetch(5)
    assert bench.taken == [5], "a compacted or aborted record"
    bench.consumer.first = 8
    await bench.fetch(8, 9)
    assert bench.taken == [5]
    await bench.looked()
    assert set(bench.store.contents.gaps) == {Gap("t", 0, 0, 6, 8)}


async def test_records_from_before_what_was_read_mean_a_log_made_anew() -> None:
    bench = Bench(Position(7, HERE))
    await bench.assign()
    await bench.fetch(0, 1)
    assert bench.taken == []
    await bench.looked()
    assert (bench.consumer.at, bench.known, bench.moved("LOG_CUT")) == (0, Position(0, HERE, 1), 1)


async def test_a_broker_that_does_not_say_where_the_log_begins_is_asked_again() -> None:
    bench = Bench(Position(3, HERE), committed=3)
    await bench.assign()

    async def away(_: object) -> Any:
        raise KafkaConnectionError

    bench.consumer.beginning_offsets = away  # type: ignore[method-assign]
    await bench.fetch(5)
    assert bench.taken == []
    assert bench.consumer.paused


async def test_nothing_is_read_while_it_cannot_be_compared(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Position(7, HERE))
    bench.consumer._client.away = True
    await bench.subscription.on_partitions_assigned({ONE})
    assert not await bench.keeper.look()
    assert not await bench.keeper.look()
    assert caplog.text.count("positions cannot be compared") == 1, "an outage is told once"
    assert "compared" in (bench.subscription.ready() or "")
    await bench.fetch(7)
    assert bench.taken == []
    async with kept(bench.keeper):
        bench.consumer._client.away = False
        await until(lambda: bench.subscription.ready() is None)
    assert not bench.consumer.paused


async def test_a_position_that_somebody_else_moves_is_looked_at_again() -> None:
    bench = Bench(Position(7, THERE), committed=None)
    asked = bench.keeper._positions.move

    async def slow(*told: Any) -> bool:
        bench.store.contents.positions[PLACE] = Position(4, HERE, 1)
        bench.keeper._positions.move = asked  # type: ignore[method-assign]
        return await asked(*told)

    bench.keeper._positions.move = slow  # type: ignore[method-assign]
    await bench.assign()
    assert (bench.consumer.at, bench.known) == (4, Position(4, HERE, 1))


async def test_a_partition_that_went_to_another_member_is_left_alone() -> None:
    bench = Bench(Position(7, HERE))
    await bench.assign()
    bench.consumer.assigned = set()
    bench.keeper.fell()
    await bench.looked()
    assert bench.moved("DATABASE_WENT_BACK") == 0


async def test_a_new_assignment_ends_a_look_at_the_one_before() -> None:
    bench = Bench(Position(7, HERE))
    await bench.subscription.on_partitions_assigned({ONE})
    asked = bench.keeper._positions.known

    async def known(places: Any) -> Any:
        bench.keeper.assigned({ONE})
        return await asked(places)

    bench.keeper._positions.known = known  # type: ignore[method-assign]
    assert await bench.keeper.look()
    assert bench.consumer.paused


async def test_a_database_that_refuses_for_good_ends_the_role() -> None:
    bench = Bench(Position(7, HERE))

    async def refuse(_: object) -> Any:
        raise asyncpg.InsufficientPrivilegeError("no")

    bench.keeper._positions.known = refuse  # type: ignore[method-assign]
    await bench.subscription.on_partitions_assigned({ONE})
    async with kept(bench.keeper) as task:
        assert task is not None
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncio.wait_for(asyncio.shield(task), 10)
