"""The outbox on PostgreSQL: who leads, what is held, and that sending again keeps the order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiokafka.errors import MessageSizeTooLargeError

from certex_bridge.ledger.adapters.outbox import PostgresLead, PostgresOutbox
from certex_bridge.ledger.adapters.resend import NotQueued, Resending
from certex_bridge.ledger.envelopes import Envelopes
from certex_bridge.ledger.relay import LeadLost, Relay
from certex_bridge.operations.composition import TOPIC_OF, transient
from certex_bridge.platform.kafka import Record
from certex_bridge.platform.postgres import create_pool
from certex_bridge.platform.settings import Settings
from tests.support.wire_feed import until


class Publisher:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refusing: set[str] = set()

    async def lead(self, proof: Callable[[], Awaitable[None]]) -> None:
        await proof()

    async def complete(self, topics: Collection[str]) -> int:
        return 0

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        answers: list[Exception | None] = []
        for record in records:
            identity = dict(record.headers)["ce_id"].decode()
            refused = identity in self.refusing
            answers.append(MessageSizeTooLargeError() if refused else None)
            if not refused:
                self.sent.append(identity)
        return answers


@asynccontextmanager
async def pool_on(url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(Settings.load(database_url=url, database_async_commit=True))
    try:
        yield pool
    finally:
        await pool.close()


async def put(pool: asyncpg.Pool, agg_type: str, agg_id: str, *versions: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
        batch = await connection.fetchval("INSERT INTO unsent DEFAULT VALUES RETURNING batch_id")
        rows = [(agg_type, agg_id, version, batch, pos, "k", b"{}", "2026-01-01T00:00:00Z")
                for pos, version in enumerate(versions)]  # fmt: skip
        await connection.executemany("INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", rows)


def relay(pool: asyncpg.Pool, publisher: Publisher) -> Relay:
    envelopes = Envelopes(TOPIC_OF, "urn:test")
    return Relay(PostgresOutbox(pool), publisher, envelopes, idle_seconds=0.01, transient=transient)


async def drain(pool: asyncpg.Pool, publisher: Publisher) -> None:
    one = relay(pool, publisher)
    async with PostgresOutbox(pool).leadership() as lead:
        assert lead is not None
        held = await lead.held()
        while await one.publish_some(lead, held):
            pass


async def test_one_leads_and_the_next_takes_over_with_the_connection(app_database_url: str, database_url: str) -> None:
    """Whoever loses the connection of the lock has lost the lead, and cannot mark anything any more."""
    async with pool_on(app_database_url) as pool_a, pool_on(app_database_url) as pool_b:
        first, second = Publisher(), Publisher()
        stop = asyncio.Event()
        tasks = [asyncio.create_task(relay(pool_a, first).run(stop))]
        await put(pool_a, "balance", "BE/L", 1)

        async def some(publisher: Publisher, number: int) -> bool:
            return len(publisher.sent) >= number

        await until(lambda: some(first, 1))
        tasks.append(asyncio.create_task(relay(pool_b, second).run(stop)))
        owner = await asyncpg.connect(database_url)
        await pool_a.fetchval("SELECT 1")
        version = 1
        while not second.sent:
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
            version += 1
            await put(pool_a, "balance", "BE/L", version)
            await asyncio.sleep(0.05)

        async def led_elsewhere() -> bool:  # the last one terminated may have been the second, which takes it again
            async with PostgresOutbox(pool_a).leadership() as lead:
                return lead is None

        await until(led_elsewhere)

        async def all_sent() -> bool:
            return await owner.fetchval("SELECT count(*) FROM unsent") == 0

        await until(all_sent)
        stop.set()
        await asyncio.gather(*tasks)
        seen = list(dict.fromkeys([*first.sent, *second.sent]))
        assert set(seen) == {f"balance:BE/L:{number}" for number in range(1, version + 1)}
        await owner.close()


async def test_a_lead_on_a_dead_connection_can_do_nothing(database_url: str) -> None:
    async with pool_on(database_url) as pool:
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:
            async with PostgresOutbox(pool).leadership() as lead:
                assert lead is not None
                await pool.execute(  # waits for its end
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )
                await lead.mark_sent([1], [], [1])
        assert transient(caught.value) == "connection"


async def test_the_proof_asks_the_session_that_holds_the_lock(app_database_url: str) -> None:
    async with pool_on(app_database_url) as pool, PostgresOutbox(pool).leadership() as lead:
        assert lead is not None
        await lead.prove()
        async with pool.acquire() as other:
            with pytest.raises(LeadLost) as caught:
                await PostgresLead(other, lead._queries).prove()
        assert transient(caught.value) == "connection"


@pytest.mark.row("E166", "E168")
async def test_what_was_held_goes_out_in_order_with_what_came_after(app_database_url: str, database_url: str) -> None:
    async with pool_on(app_database_url) as pool:
        publisher = Publisher()
        publisher.refusing = {"balance:BE/A:2"}
        await put(pool, "balance", "BE/A", 1, 2)
        await put(pool, "balance", "BE/B", 1)
        await drain(pool, publisher)
        await put(pool, "balance", "BE/A", 3)
        await put(pool, "balance", "BE/B", 2)
        await drain(pool, publisher)
        assert publisher.sent == ["balance:BE/A:1", "balance:BE/B:1", "balance:BE/B:2"]
        await put(pool, "balance", "BE/A", 4)  # not sent yet: the release must take it along
        async with pool.acquire() as connection:
            resending = Resending(connection)
            (held,) = await resending.held()
            assert (held.agg_id, held.first, held.last, held.messages, held.code) == (
                "BE/A", 2, 3, 2, "MessageSizeTooLargeError",
            )  # fmt: skip
            publisher.refusing = set()
            assert await resending.release("balance", "BE/A") == 3
            assert list(await resending.held()) == []
            with pytest.raises(NotQueued):
                await resending.release("balance", "BE/A")
        await drain(pool, publisher)
        assert publisher.sent[3:] == ["balance:BE/A:2", "balance:BE/A:3", "balance:BE/A:4"]
        assert await pool.fetchval("SELECT count(*) FROM unsent") == 0


@pytest.mark.row("E168")
async def test_any_version_can_be_sent_again_in_order_with_equal_ids(app_database_url: str) -> None:
    async with pool_on(app_database_url) as pool:
        publisher = Publisher()
        for version in (1, 2, 3):
            await put(pool, "outcome", "26BE1", version)
        await drain(pool, publisher)
        await put(pool, "outcome", "26BE1", 4)
        async with pool.acquire() as connection:
            assert await Resending(connection).resend("outcome", "26BE1", 2) == 3
            with pytest.raises(NotQueued, match="the last is 4"):
                await Resending(connection).resend("outcome", "26BE1", 5)
            with pytest.raises(NotQueued):
                await Resending(connection).resend("outcome", "26BE9")
        await drain(pool, publisher)
        assert publisher.sent == [f"outcome:26BE1:{version}" for version in (1, 2, 3, 2, 3, 4)]


async def test_a_release_waits_for_whoever_is_writing_about_the_same_licence(database_url: str) -> None:
    """A transaction that drew an older batch id for a later version commits first, or the order would be lost."""
    async with pool_on(database_url) as pool:
        publisher = Publisher()
        await pool.execute("INSERT INTO licence (licence_id) VALUES ('BE/A')")
        publisher.refusing = {"balance:BE/A:1"}
        await put(pool, "balance", "BE/A", 1)
        await drain(pool, publisher)
        publisher.refusing = set()
        async with pool.acquire() as writing, pool.acquire() as operating:
            transaction = writing.transaction()
            await transaction.start()
            await writing.execute("SELECT 1 FROM licence WHERE licence_id = 'BE/A' FOR UPDATE")
            batch = await writing.fetchval("INSERT INTO unsent DEFAULT VALUES RETURNING batch_id")
            await writing.execute(
                "INSERT INTO outbox VALUES ('balance', 'BE/A', 2, $1, 1, 'k', '', '2026-01-01T00:00:00Z')", batch
            )
            released = asyncio.create_task(Resending(operating).release("balance", "BE/A"))

            async def waits() -> bool:
                return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

            await until(waits)
            await transaction.commit()
            assert await released == 2
        await drain(pool, publisher)
        assert publisher.sent == ["balance:BE/A:1", "balance:BE/A:2"]


async def test_a_row_that_an_operator_moved_meanwhile_is_not_held(database_url: str) -> None:
    async with pool_on(database_url) as pool:
        publisher = Publisher()
        publisher.refusing = {"balance:BE/A:1"}
        await put(pool, "balance", "BE/A", 1)
        await drain(pool, publisher)
        await put(pool, "balance", "BE/A", 2)
        async with PostgresOutbox(pool).leadership() as lead, pool.acquire() as operating:
            assert lead is not None
            (batch,) = await lead.unsent(100, (), None)
            assert await Resending(operating).release("balance", "BE/A") == 2
            from certex_bridge.ledger.relay import Refused

            await lead.mark_sent([batch.batch_id], [Refused(batch.rows[0], "HELD_BEHIND")], [batch.batch_id])
            assert await lead.held() == set()
        publisher.refusing = set()
        await drain(pool, publisher)
        assert publisher.sent == ["balance:BE/A:1", "balance:BE/A:2"]
