"""What only PostgreSQL can show: orders of locks and of batches, pauses that grow, days that end in the east first."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import pytest

from certex_bridge.ledger.adapters.calendar import PostgresCalendar
from certex_bridge.ledger.adapters.outbox import PostgresOutbox
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.ports import Changes
from certex_bridge.ledger.worker import WAKE_AGAIN_SECONDS
from tests.support.ledger_words import licence
from tests.support.scenario import Scenario
from tests.support.wire_feed import until

pytestmark = pytest.mark.postgres
P, Q, R = "BE/P", "BE/Q", "BE/R"


async def waiting(pool: asyncpg.Pool) -> int:
    """Sessions of this database that wait for a lock."""
    return int(
        await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_licences_are_locked_in_one_order_whatever_the_order_in_which_they_are_named(database_url: str) -> None:
    """Another session holds the middle one, so that both stand exactly where two orders would meet."""
    async with asyncpg.create_pool(database_url, min_size=4, max_size=4) as pool:
        store = PostgresStore(pool)
        await Scenario(store).issue(*[licence(name, "10 NAR") for name in "PQR"])

        async def lock(*names: str) -> list[str]:
            async with store.transaction() as unit:
                return sorted(await unit.lock_licences(list(names)))

        async def both_wait() -> bool:
            return await waiting(pool) == 2

        async with pool.acquire() as holder:
            transaction = holder.transaction()
            await transaction.start()
            await holder.execute("SELECT FROM licence WHERE licence_id = $1 FOR UPDATE", Q)
            locking = [asyncio.create_task(lock(P, Q, R)), asyncio.create_task(lock(R, Q, P))]
            await until(both_wait)
            await transaction.commit()
        assert await asyncio.gather(*locking) == [[P, Q, R], [P, Q, R]]


async def test_a_batch_that_drew_its_number_first_and_was_committed_last_is_published(database_url: str) -> None:
    """The leader looks at what is unsent, never only beyond the greatest number it has seen."""
    message = "INSERT INTO outbox VALUES ('balance', $1, 1, $2, 1, 'k', '', '2026-01-01T00:00:00Z')"
    draw = "INSERT INTO unsent DEFAULT VALUES RETURNING batch_id"
    async with asyncpg.create_pool(database_url, min_size=3, max_size=3) as pool, pool.acquire() as slow:
        writing = slow.transaction()
        await writing.start()
        early = await slow.fetchval(draw)
        await slow.execute(message, P, early)
        async with pool.acquire() as quick, quick.transaction():
            late = await quick.fetchval(draw)
            await quick.execute(message, Q, late)
        async with PostgresOutbox(pool).leadership() as lead:
            assert lead is not None
            assert [batch.batch_id for batch in await lead.unsent(100, (), None)] == [late]
            await lead.mark_sent([late], [], [late])
            await writing.commit()
            assert [batch.batch_id for batch in await lead.unsent(100, (), None)] == [early]


async def test_a_wake_that_fails_again_and_again_comes_after_longer_and_longer_pauses(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        store = PostgresStore(pool)
        async with store.transaction() as unit:
            await unit.lock_declarations({"26BE1"}, ())
            await unit.write(Changes(wakes=[("26BE1", "e1", "2026-03-01T10:00:00Z", "")]))
        wake_id = await pool.fetchval("SELECT wake_id FROM wake")

        async def put_off() -> float:
            async with store.transaction() as unit:
                await unit.postpone_wake(wake_id, WAKE_AGAIN_SECONDS)
                # now() is the transaction's own begin, so that nothing depends on how long it takes.
                pause = "SELECT extract(epoch FROM not_before - now())::float8 FROM wake"
                return float(await unit._connection.fetchval(pause))

        assert [await put_off() for _ in range(4)] == [60.0, 120.0, 240.0, 480.0]
        for _ in range(20):
            longest = await put_off()
        assert longest == 86_400.0
        async with store.transaction() as unit:
            assert list(await unit.take_wakes(10)) == []


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        (datetime(2026, 12, 31, 22, 30, tzinfo=UTC), True),  # in Cyprus the last day is over
        (datetime(2026, 12, 31, 9, 59, tzinfo=UTC), False),  # nowhere on earth
    ],
)
async def test_a_licence_is_offered_to_the_clock_once_its_last_day_is_over_in_the_east(
    database_url: str, now: datetime, offered: bool
) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await Scenario(PostgresStore(pool)).issue(licence("CY/A", "10 NAR", valid_to=date(2026, 12, 31)))
        found = await PostgresCalendar(pool).expiring(now, 10)
        assert [one.licence_id for one in found] == (["CY/A"] if offered else [])
