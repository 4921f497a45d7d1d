"""What an operator sees and does: quarantine and outbox on the command line, figures of the ledger's invariants."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.operations import cli, terminal
from certex_bridge.operations.measuring import LedgerMeasures
from certex_bridge.platform.kafka import Record, ensure_topics
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.postgres import create_pool
from certex_bridge.platform.settings import Settings
from tests.integration.bridge.test_whole_bridge import BALANCES, EVENTS, QUARANTINED, STORY
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.databases import run
from tests.support.wire_feed import DECLARATIONS, declaration, licence, mrn, until


@pytest.fixture(autouse=True)
def fresh_console() -> Iterator[None]:
    terminal.console.cache_clear()
    yield
    terminal.console.cache_clear()


def certex(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return result.output


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments)
    assert isinstance(result.exception, BridgeError), result.output
    return result.exception.code


async def test_a_member_of_certex_app_needs_no_other_right(
    app_database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(app_database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(STORY)
        await world.settle(EVENTS, QUARANTINED)
        assert await world.balances() == BALANCES
        await world.check_outputs()
        assert await world.process.stop() == 0


def environment(monkeypatch: pytest.MonkeyPatch, world: BridgeWorld) -> None:
    settings = world.settings
    for name in ("kafka_bootstrap_servers", "topic_prefix", "kafka_group"):
        monkeypatch.setenv(f"CERTEX_{name.upper()}", getattr(settings, name))
    monkeypatch.setenv("CERTEX_DATABASE_URL", world.database_url)


@pytest.mark.row("E158")
async def test_a_repaired_record_is_applied_once(  # one per fixture
    app_database_url: str,
    database_url: str,
    bootstrap_servers: str,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = declaration(1, "accepted", 1, {"A": "4"})
    broken = Record(good.topic, good.key, (good.value or b"") + b"}", good.headers)
    async with bridge_world(app_database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        environment(monkeypatch, world)
        await world.process.start()
        await world.publish([licence("A", "10"), broken])
        await world.settle(1, 1)
        (listed,) = json.loads(await asyncio.to_thread(certex, "quarantine", "list", "--json"))
        assert (listed["code"], listed["event_id"]) == ("JSON_SYNTAX", "d1-accepted-1")
        shown = await asyncio.to_thread(certex, "quarantine", "show", listed["quarantine_id"][:10])
        assert "d1-accepted-1" in shown
        repaired = tmp_path / "repaired.json"
        repaired.write_bytes(good.value or b"")
        name = listed["quarantine_id"][:10]
        why = ("--reason", "one brace too many", "--file", str(repaired), "--json")
        told = json.loads(await asyncio.to_thread(certex, "quarantine", "retry", name, *why))
        decision = ("--proposal", str(told["proposal"]), "--shown", told["shown"])
        assert await asyncio.to_thread(refused, "quarantine", "approve", name, *decision) == "SAME_PERSON"
        monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)  # another login
        shown = json.loads(await asyncio.to_thread(certex, "quarantine", "show", name, "--json"))["proposed"]
        assert (shown["repair_id"], shown["shown"]) == (told["proposal"], told["shown"])
        wrong = ("--proposal", str(told["proposal"]), "--shown", "0" * 64)
        for verb in ("approve", "reject"):
            assert await asyncio.to_thread(refused, "quarantine", verb, name, *wrong) == "EXCHANGED"
        assert decision[3] in await asyncio.to_thread(certex, "quarantine", "show", name)
        assert "is closed: RETRIED" in await asyncio.to_thread(certex, "quarantine", "approve", name, *decision)
        assert await asyncio.to_thread(refused, "quarantine", "approve", name, *decision) == "RESOLVED"
        monkeypatch.setenv("CERTEX_DATABASE_URL", world.database_url)
        await world.publish([good])  # under the same event id: a duplicate
        await world.publish([declaration(1, "released", 2)])
        await world.settle(3, 1)
        assert await world.balances() == {"BE/A": "0/4/6"}
        assert "Nothing is in quarantine" in await asyncio.to_thread(certex, "quarantine", "list")
        await world.check_outputs()


@pytest.mark.row("E166", "E168")
async def test_a_message_too_large_is_held_and_released_by_the_operator(
    app_database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The lint refuses a licence whose certificate is too large; an outcome is as large as its declaration.
    more = {"kafka_message_bytes_max": "6000", "kafka_batch_bytes_max": "6000"}
    others = [hashlib.sha256(bytes([number])).hexdigest()[:32].upper() for number in range(250)]
    """Numbers that no compression makes small."""
    async with bridge_world(app_database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world:
        environment(monkeypatch, world)
        await world.process.start()
        await world.publish([licence(name, "10") for name in ("A", *others)])
        await world.settle(251)
        await world.publish(
            [
                declaration(1, "accepted", 1, {"A": "4"} | dict.fromkeys(others, "1")),
                declaration(2, "accepted", 1, {"A": "2"}),
            ]
        )
        await world.settle(253)
        held = json.loads(await asyncio.to_thread(certex, "outbox", "held", "--json"))
        assert [(one["agg_type"], one["agg_id"]) for one in held] == [("outcome", mrn(1))]
        sent = {message_id for message_id, _ in await world.messages()}
        assert {"balance:BE/A:2", "balance:BE/A:3", f"outcome:{mrn(2)}:1"} <= sent, "the others go on"
        assert await world.process.stop() == 0
        generous = world.another(tmp_path / "second.log")
        await generous.start()
        world.process = generous
        for one in held:
            await asyncio.to_thread(certex, "outbox", "release", one["agg_type"], one["agg_id"])
        await world.settle(253)
        await world.check_outputs()
        again = json.loads(
            await asyncio.to_thread(certex, "outbox", "resend", "balance", "BE/A", "--from", "3", "--json")
        )
        assert again == {"messages": 1}
        await world.settle(253)
        await world.check_outputs()
        assert [one for one, _ in await world.messages()].count("balance:BE/A:3") == 2


async def test_the_invariants_are_measured_in_rounds(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(STORY)
        await world.settle(EVENTS, QUARANTINED)
    monkeypatch.setattr("certex_bridge.operations.measuring.PAGE_ROWS", 3)
    pool = await create_pool(Settings.load(database_url=database_url, database_async_commit=True))
    metrics = Metrics()
    value = metrics.registry.get_sample_value

    async def rounds(number: int = 12) -> tuple[float | None, float | None]:
        measures = LedgerMeasures(pool, metrics, rows_max=3)
        for _ in range(number):
            await measures.measure()
        return value("certex_bridge_ledger_imbalance"), value("certex_bridge_ledger_chain_breaks")

    assert value("certex_bridge_ledger_imbalance") is None
    assert await rounds() == (0, 0)
    assert value("certex_bridge_licences", {"status": "Valid"}) or value(
        "certex_bridge_licences", {"status": "Exhausted"}
    )
    assert (value("certex_bridge_ledger_verified_timestamp_seconds") or 0) > 1e9
    await pool.execute("ALTER TABLE movement DISABLE TRIGGER ALL")
    await pool.execute("UPDATE movement SET d_res = 'NaN' WHERE (licence_id, lv, seq) = ('BE/A', 2, 1)")
    imbalance, breaks = await rounds()
    assert imbalance
    assert breaks == 1
    assert await rounds(1) in {(0, 0), (0, 1), (1, 1), (imbalance, breaks)}
    await pool.close()


@pytest.mark.kafka_only
async def test_a_missing_dead_letter_topic_delays_only_dead_letters(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_topics([f"{topic_prefix}certex.deadletters.v1"])
        finally:
            await admin.close()
        await world.process.start()
        bad = Record(DECLARATIONS, mrn(9).encode(), b"{not json", (("ce_id", b"bad"),))
        await world.publish([licence("A", "10"), bad, declaration(1, "accepted", 1, {"A": "4"})])
        await world.begun(2)

        async def the_others_are_out() -> bool:
            sent = {message_id for message_id, _ in await world.messages(*_WITHOUT_LETTERS)}
            return {"balance:BE/A:1", "balance:BE/A:2", f"outcome:{mrn(1)}:1"} <= sent

        await until(the_others_are_out, what="everything but the dead letter")

        async def one_batch_waits() -> bool:  # what is out is marked a moment later
            return bool(await world.connection.fetchval("SELECT count(*) = 1 FROM unsent"))

        await until(one_batch_waits, what="the batch with the dead letter, and no other")
        await ensure_topics(world.settings)
        await world.settle(2, 1)
        await world.check_outputs()
        assert [one for one, _ in await world.messages()].count("balance:BE/A:1") == 1


_WITHOUT_LETTERS = ("licensing.balances.v1", "certex.outcomes.v1")


def test_the_demo_leaves_a_ledger_alone(database_url: str) -> None:
    from certex_bridge.operations.demo_servers import LedgerInUse, refuse_a_ledger

    async def used() -> None:
        settings = Settings.load(database_url=database_url)
        await refuse_a_ledger(settings)
        connection = await asyncpg.connect(database_url)
        await connection.execute("INSERT INTO inbox (event_id, sha256, source, topic, partition, record) "
                                 "VALUES ('e', '', '', 't', 0, 0)")  # fmt: skip
        await connection.close()
        with pytest.raises(LedgerInUse, match="holds a ledger"):
            await refuse_a_ledger(settings)

    run(used())
