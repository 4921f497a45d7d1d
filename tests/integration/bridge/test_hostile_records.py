"""The intake on PostgreSQL, under the rights it has in production: no record stops its partition."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from certex_bridge.ledger.intake import Intake
from certex_bridge.operations.composition import Bridge, decoders_of, transient
from certex_bridge.operations.verify import verify
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.settings import Settings
from tests.support.wire_feed import declaration, licence, mrn

TOPIC = "customs.declarations.v1"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def record(offset: int, key: bytes | None, value: bytes | None, *headers: Any) -> Envelope:
    return Envelope(TOPIC, 0, offset, key, value, headers)


HOSTILE = {
    "a plain refusal": record(1, b"k", b"{}"),
    "NUL in the key": record(2, b"\x00\x00\x00\x07", b"{}"),
    "a header without value": record(3, b"k", b"{}", ("trace", None)),
    "NUL in a header's name": record(4, b"k", b"{}", ("a\x00b", b"1")),
    "NUL in the event id": record(5, b"k", b"{}", ("ce_id", b"a\x00b")),
    "a lone surrogate as id": record(6, b"k", b'{"specversion":"1.0","id":"x\\ud800"}', *STRUCTURED),
    "a key of 700 kB": record(7, b"k" * 700_000, b"{}"),
    "nothing at all": record(8, None, None),
    "headers of 900 kB": record(9, b"k", b"{}", *((f"h{n}", b"\xff" * 9_000) for n in range(100))),
    "a value of 3 MB": record(10, b"k", b"\x00" * 3_000_000),
}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Bridge]:
    settings = Settings.load(database_url=url, kafka_bootstrap_servers="127.0.0.1:1", database_async_commit=True)
    bridge = Bridge(settings)
    await bridge.open()
    try:
        yield bridge
    finally:
        await bridge.close()


async def nothing(_count: int | None = None) -> None:
    """No offsets here."""


def intake(bridge: Bridge) -> Intake:
    return Intake(bridge.executor, decoders_of(bridge.settings), transient, bridge.meter)


@pytest.mark.row("E157")
@pytest.mark.parametrize("name", HOSTILE)
async def test_it_is_put_aside_and_the_next_record_is_applied(name: str, app_database_url: str) -> None:
    hostile = HOSTILE[name]
    good = licence("A", "10")
    after = Envelope("licensing.licences.v1", 0, 1, good.key, good.value, good.headers)
    async with opened(app_database_url) as bridge:
        await intake(bridge).on_batch([hostile, after], nothing)
        row = await bridge.pool.fetchrow("SELECT record, raw, key FROM quarantine")
        assert row is not None
        assert (row["record"], row["raw"], row["key"]) == (hostile.offset, hostile.value, hostile.key)
        assert await bridge.pool.fetchval("SELECT count(*) FROM inbox") == 1
        letter = await bridge.pool.fetchrow("SELECT key, body FROM outbox WHERE agg_type = 'deadletter'")
        assert letter is not None
        assert len(letter["key"]) <= 256
        assert len(letter["body"]) < bridge.settings.kafka_message_bytes_max - 4096
    assert (await verify(app_database_url)).ok


async def test_a_record_the_database_refuses_is_put_aside_alone(database_url: str) -> None:
    """A constraint that only one declaration breaks; the driver's DETAIL would quote its row."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"ALTER TABLE declaration ADD CHECK (decl_id <> '{mrn(2)}')")
    await owner.close()
    records = [licence("A", "10"), *(declaration(n, "accepted", n, {"A": "1"}) for n in (1, 2, 3))]
    batch = [
        Envelope(one.topic, 0, offset, one.key, one.value, one.headers)  # type: ignore[arg-type]  # our own records
        for offset, one in enumerate(records)
    ]
    async with opened(database_url) as bridge:
        await intake(bridge).on_batch(batch, nothing)
        row = await bridge.pool.fetchrow("SELECT code, event_id, message, value FROM quarantine")
        assert row is not None
        assert (row["code"], row["event_id"], row["value"]) == ("INTERNAL", "d2-accepted-2", "CheckViolationError")
        assert "Failing row" not in row["message"]
        assert await bridge.pool.fetchval("SELECT sum(reserved) FROM account") == 2
        assert bridge.metrics.registry.get_sample_value(
            "certex_bridge_quarantined_total", {"reason": "INTERNAL"}
        ) == 1  # fmt: skip


async def test_memory_of_a_lost_server_is_dropped(database_url: str) -> None:
    """A failover to a server that lacks the last commits: the first transaction fails, the next one sees the truth."""
    async with opened(database_url) as bridge:
        bridge.store._existing.add("BE/LOST")
        with pytest.raises(ConnectionError):
            async with bridge.store.transaction() as unit:
                await unit.lock_licences({"BE/LOST"})
        async with bridge.store.transaction() as unit:
            assert not (await unit.lock_licences({"BE/LOST"}))["BE/LOST"].known
        bridge.store._existing.add("BE/LOST")
        await bridge.pool.expire_connections()
        assert await bridge.pool.fetchval("SELECT 1") == 1
        assert not bridge.store._existing, "a new connection may lead to another server"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE movement SET kind = 'CAP'", "DELETE FROM inbox", "TRUNCATE movement", "DELETE FROM outbox",
        "UPDATE outbox SET body = ''", "DELETE FROM licence", "ALTER TABLE movement DISABLE TRIGGER ALL",
    ],
)  # fmt: skip
async def test_the_service_cannot_change_what_was_written(statement: str, app_database_url: str) -> None:
    connection = await asyncpg.connect(app_database_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("table", ["movement", "inbox", "answer", "licence_version", "licence CASCADE"])
async def test_not_even_the_owner_empties_the_journal(table: str, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute(f"TRUNCATE {table}")
    await connection.close()


async def test_an_owner_who_may_not_make_roles_is_told_which_to_make(empty_database_url: str) -> None:
    """The role belongs to the server and is there already, so the migration looks for another."""
    from certex_bridge.platform.migrations import list_migrations

    text = list_migrations()[0].sql.replace("certex_app", "certex_absent")
    block = text[text.index("DO $$") : text.index("GRANT SELECT ON schema_version")]
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("CREATE ROLE certex_plain NOLOGIN")
    try:
        await connection.execute("SET ROLE certex_plain")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CREATE ROLE certex_absent NOLOGIN"):
            await connection.execute(block)
    finally:
        await connection.execute("RESET ROLE; DROP ROLE certex_plain")
        await connection.close()
    assert await migrate(empty_database_url) == len(list_migrations())
