"""What both stores promise of positions: nobody passes over records, and what was left stays known."""

from __future__ import annotations

import asyncpg
import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.positions import InMemoryPositions, PostgresPositions
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.ports import Changes
from certex_bridge.platform.positions import Cause, Gap, LogId, Position, PositionsFell, Reached
from tests.support.ledger_contents import contents_of

Store = InMemoryStore | PostgresStore
Positions = InMemoryPositions | PostgresPositions
HERE, THERE = LogId("c1", "t1"), LogId("c2", "t2")
A, B = ("t", 0), ("t", 1)
GAP = Gap("t", 0, 0, 4, 9)


@pytest.fixture
def positions(store: Store) -> Positions:
    return InMemoryPositions(store) if isinstance(store, InMemoryStore) else PostgresPositions(store._pool)


async def write(store: Store, offsets: dict[tuple[str, int], int], reached: dict[tuple[str, int], Reached]) -> None:
    async with store.transaction() as unit:
        await unit.write(Changes(offsets=offsets, reached=reached))


async def history(store: Store) -> list[tuple[int, int, LogId, str, int]]:
    if isinstance(store, InMemoryStore):
        return [
            (before.epoch, before.next_record, before.log, cause.value, to)
            for _, before, cause, to in store.contents.position_history
        ]
    rows = await store._pool.fetch("SELECT * FROM position_history ORDER BY moved_at")
    return [
        (row["epoch"], row["next_record"], LogId(row["cluster_id"], row["topic_id"]), row["cause"], row["moved_to"])
        for row in rows
    ]


async def test_a_position_begins_and_grows_with_what_is_taken_in(store: Store, positions: Positions) -> None:
    assert await positions.known([A, B]) == {}
    assert await positions.move(A, None, Position(4, HERE), Cause.NEW)
    assert not await positions.move(A, None, Position(5, HERE), Cause.NEW), "somebody else was faster"
    await write(store, {A: 7}, {A: Reached(0, 4)})
    assert await positions.known([A, B]) == {A: Position(7, HERE)}
    assert await history(store) == []


@pytest.mark.parametrize("reached", [Reached(0, 8), Reached(1, 4), Reached(1, 8)])
async def test_nothing_is_written_when_the_database_is_behind_what_was_read(
    store: Store, positions: Positions, reached: Reached
) -> None:
    await positions.move(A, None, Position(7, HERE), Cause.NEW)
    await positions.move(B, None, Position(7, HERE), Cause.NEW)
    with pytest.raises(PositionsFell, match="behind what was read of t partition 0"):
        await write(store, {A: 12, B: 9}, {A: reached, B: Reached(0, 7)})
    assert await positions.known([A, B]) == {A: Position(7, HERE), B: Position(7, HERE)}


async def test_a_partition_that_the_database_does_not_know_is_behind_too(store: Store, positions: Positions) -> None:
    with pytest.raises(PositionsFell):
        await write(store, {A: 12}, {A: Reached(0, 0)})
    assert await positions.known([A]) == {}


async def test_a_repeated_batch_does_not_move_a_position_back(store: Store, positions: Positions) -> None:
    await positions.move(A, None, Position(7, HERE), Cause.NEW)
    await write(store, {A: 12}, {A: Reached(0, 7)})
    await write(store, {A: 9}, {A: Reached(0, 7)})
    assert await positions.known([A]) == {A: Position(12, HERE)}


async def test_another_log_takes_the_place_of_one_that_is_kept_as_history(store: Store, positions: Positions) -> None:
    await positions.move(A, None, Position(7, HERE), Cause.NEW)
    assert not await positions.move(A, Position(6, HERE), Position(0, THERE, 1), Cause.OTHER_LOG)
    assert await positions.move(A, Position(7, HERE), Position(0, THERE, 1), Cause.OTHER_LOG)
    assert await positions.known([A]) == {A: Position(0, THERE, 1)}
    assert await history(store) == [(0, 7, HERE, "OTHER_LOG", 0)]
    with pytest.raises(PositionsFell):
        await write(store, {A: 9}, {A: Reached(0, 0)})


async def test_to_name_a_log_leaves_no_history(store: Store, positions: Positions) -> None:
    await positions.move(A, None, Position(7), Cause.NEW)
    assert await positions.move(A, Position(7), Position(7, HERE), Cause.NAMED)
    assert await positions.known([A]) == {A: Position(7, HERE)}
    assert await history(store) == []


async def test_a_gap_is_kept_until_somebody_accepts_it_and_then_too(store: Store, positions: Positions) -> None:
    await positions.move(A, None, Position(4, HERE), Cause.NEW)
    assert await positions.gap(GAP, HERE) is None
    assert await positions.gap(GAP, HERE) is None, "it is the same gap"
    if isinstance(positions, InMemoryPositions):
        positions._store.contents.gaps_accepted.add(GAP)
    else:
        assert [row.is_open for row in await positions.gaps()] == [True]
        await positions.accept(GAP, "ann", "sent again")
    larger = GAP._replace(to_record=12)
    assert await positions.gap(larger, HERE) == 9, "of a larger gap only what was accepted"
    assert await positions.move(A, Position(4, HERE), Position(9, HERE), Cause.GAP_ACCEPTED)
    assert await history(store) == [(0, 4, HERE, "GAP_ACCEPTED", 9)]
    assert await positions.gap(Gap("t", 0, 0, 9, 12), HERE) is None
    assert (await contents_of(store)).positions == {A: Position(9, HERE)}


@pytest.mark.postgres
async def test_what_is_known_of_gaps_and_moves_is_never_changed(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        positions = PostgresPositions(pool)
        await positions.move(A, None, Position(4, HERE), Cause.NEW)
        await positions.gap(GAP, HERE)
        await positions.gap(GAP._replace(to_record=12), HERE)
        assert [(row.to_record, row.is_open) for row in await positions.gaps()] == [(9, False), (12, True)]
        await positions.accept(GAP, "ann", "sent again")
        await positions.move(A, Position(4, HERE), Position(9, HERE), Cause.GAP_ACCEPTED)
        for table in ("position_gap", "position_gap_accepted", "position_history"):
            for change in (f"UPDATE {table} SET topic = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await pool.execute(change)
