"""Figures that warn before somebody stands at the border: licences near their limits, idle reservations, old records."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import asyncpg
import pytest

from certex_bridge.ledger.adapters.calendar import PostgresCalendar
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.operations.database_size import DatabaseSize
from certex_bridge.operations.licence_measures import LicenceMeasures
from certex_bridge.operations.surroundings import clock_skew
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import load_queries
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.ledger_words import Authority, Customs, licence, mrn_of

pytestmark = pytest.mark.postgres
PREFIX = "certex_bridge_"


async def fill(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Five licences: A nearly used up, B and C barely used, D reserved, E untouched."""
    executor = Executor(PostgresStore(pool), BridgeDocuments("CERTEX-BRIDGE", "EU-CSW-CERTEX"), Policy())
    authority, customs = Authority(), Customs()
    commands: list[object] = [authority.event(licence(name, "100"), LicenceEventKind.ISSUED) for name in "ABCDE"]
    for number, (name, quantity) in enumerate([("A", 95), ("B", 10), ("C", 5), ("D", 7)]):
        commands.append(customs.accepted(f"M{number}", **{name: quantity}))
    await executor.apply(
        [Delivery(Origin("customs", 0, n), command, raw=b"{}", key=b"key") for n, command in enumerate(commands)]  # type: ignore[arg-type]  # a dictionary of fields
    )
    await pool.execute("UPDATE licence SET valid_to = current_date + 400")


async def figures(pool: asyncpg.Pool[asyncpg.Record], **options: int) -> tuple[float, ...]:
    metrics = Metrics()
    await LicenceMeasures(pool, metrics, idle_days=90, **options).measure()
    return read(metrics)


def read(metrics: Metrics) -> tuple[float, ...]:
    value = metrics.registry.get_sample_value
    near = [value(PREFIX + "licences_near_limit", {"what": what}) for what in ("quantity", "validity")]
    return tuple(float("nan") if one is None else one for one in (*near, value(PREFIX + "reservations_idle")))


async def test_a_licence_nearly_used_up_counts_while_it_is_used(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await fill(pool)
        assert await figures(pool) == (1, 0, 0)
        await pool.execute("ALTER TABLE movement DISABLE TRIGGER append_only")
        await pool.execute("UPDATE movement SET written_at = now() - interval '31 days' WHERE licence_id = 'BE/A'")
        assert await figures(pool) == (0, 0, 0)


async def test_a_licence_whose_last_day_is_near_counts_once_it_is_valid(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await fill(pool)
        for name, days in (("A", 30), ("B", 31), ("C", -1), ("D", 0)):
            await pool.execute(
                "UPDATE licence SET valid_to = current_date + $2::int WHERE licence_id = $1", f"BE/{name}", days
            )
        assert (await figures(pool))[1] == 2
        await pool.execute("UPDATE licence SET status = 'Revoked' WHERE licence_id = 'BE/A'")
        assert await figures(pool) == (0, 1, 0)


async def test_a_reservation_counts_as_idle_after_the_days_of_the_setting(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await fill(pool)
        age = f"UPDATE declaration SET touched_at = now() - $1::interval WHERE decl_id = '{mrn_of('M1')}'"
        await pool.execute(age, timedelta(days=89, hours=23))
        assert (await figures(pool))[2] == 0
        await pool.execute(age, timedelta(days=90, hours=1))
        assert (await figures(pool))[2] == 1
        await pool.execute(
            f"UPDATE declaration SET touched_at = now() - interval '100 days' WHERE decl_id = '{mrn_of('M3')}'"
        )
        assert (await figures(pool))[2] == 2


async def test_a_round_over_many_licences_takes_several_measurements_and_says_the_same(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        await fill(pool)
        await pool.execute("UPDATE declaration SET touched_at = now() - interval '100 days'")
        metrics = Metrics()
        measures = LicenceMeasures(pool, metrics, idle_days=90, licences_max=2, page_licences=1)
        seen = []
        for _ in range(6):
            await measures.measure()
            seen.append(read(metrics)[2])
        assert seen == [2, 4, 4, 4, 4, 4], "the figure of the last whole round stays until the next has as many"


async def test_the_measurement_reads_no_table_from_end_to_end(database_url: str) -> None:
    """With sequential reading made dear, a plan that still reads a whole table has no index to use."""
    queries = load_queries("certex_bridge.operations", "measure.sql")
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        await pool.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        for name, arguments in (("short", ("", 10)), ("idle", ("", "z", 90)), ("ending", ())):
            plan = "\n".join(row[0] for row in await pool.fetch(f"EXPLAIN {queries[name]}", *arguments))
            assert "Seq Scan" not in plan, plan
            expected = {"short": "movement_pkey", "idle": "claim_open", "ending": "licence_to_expire"}[name]
            assert re.search(rf"using {expected}\b", plan), plan


async def test_ages_of_what_waits(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        calendar = PostgresCalendar(pool)
        before = await calendar.depths()
        assert (before["unacknowledged_oldest_seconds"], before["quarantine_oldest_seconds"]) == (0, 0)
        await fill(pool)
        await pool.execute("UPDATE unsent SET at = now() - interval '70 seconds'")
        rows = "INSERT INTO quarantine VALUES ($1, 't', 0, 0, 'X', '', '', '', '', NULL, NULL, '', now() - $2::interval, $3)"
        await pool.execute(rows, "old", timedelta(hours=9), "discarded")
        await pool.execute(rows, "open", timedelta(hours=2), "")
        after = await calendar.depths()
        assert after["unacknowledged_oldest_seconds"] == pytest.approx(70, abs=30)
        assert after["quarantine_oldest_seconds"] == pytest.approx(7200, abs=60)
        gone = "DELETE FROM outbox WHERE agg_type = 'acknowledgement'"
        await pool.execute(f"SET session_replication_role = replica; {gone}; RESET session_replication_role")
        assert (await calendar.depths())["unacknowledged_oldest_seconds"] == 0


async def test_a_clock_that_went_wrong_shows_with_its_sign(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        import time

        assert abs(await clock_skew(pool)) < 5
        assert await clock_skew(pool, lambda: time.time() - 60) == pytest.approx(60, abs=5)
        assert await clock_skew(pool, lambda: time.time() + 60) == pytest.approx(-60, abs=5)


async def test_the_database_s_size_is_told_table_by_table(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        metrics = Metrics()
        value = metrics.registry.get_sample_value
        await DatabaseSize(pool, metrics, capacity_bytes=0).measure()
        before = value(PREFIX + "table_size_bytes", {"table": "quarantine"}) or 0
        assert (value(PREFIX + "database_size_bytes") or 0) > before > 0
        assert value(PREFIX + "database_capacity_bytes") is None, "nobody said how large the disk is"
        rows = "INSERT INTO quarantine VALUES ($1, 't', 0, 0, 'X', '', '', '', '', NULL, $2, '')"
        await pool.execute(rows, "large", secrets.token_bytes(1_000_000))
        await DatabaseSize(pool, metrics, capacity_bytes=50_000_000_000).measure()
        assert (value(PREFIX + "table_size_bytes", {"table": "quarantine"}) or 0) - before >= 1_000_000
        assert value(PREFIX + "database_capacity_bytes") == 50_000_000_000
