"""The desk on the database as the service sees it: rights, pushes, the operator's commands, and the verifier."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import asyncpg
import pytest
from typer.testing import CliRunner

from certex_bridge.ledger.adapters.outgoing import PostgresOutgoing
from certex_bridge.ledger.adapters.resend import NotQueued, Resending
from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.operations import cli, terminal
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from certex_bridge.singlewindow.pushes.model import Form, Scope, Subscription
from certex_bridge.singlewindow.records import record_key
from tests.support.desk_world import CUSTOMS, START, DeskWorld, desk_world
from tests.support.ledger_words import licence


@pytest.fixture(autouse=True)
def fresh_console() -> Iterator[None]:
    terminal.console.cache_clear()
    yield
    terminal.console.cache_clear()


def certex(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == code, f"{result.output} {result.exception}"
    return result.output


async def subscribe(pool: asyncpg.Pool) -> PostgresPushes:
    pushes = PostgresPushes(pool, PostgresStatusChanges())
    made = Subscription(
        "S1", CUSTOMS.name, "BE", declarations_shown=True, scope=Scope.ALL, issuer="", licence_id="",
        url="https://nsw.example", form=Form.JSON, key_check="k", created_at=START,
    )  # fmt: skip
    async with pushes.transaction() as unit:
        await unit.add(made)
    return pushes


async def test_lists_and_notices_are_pushed_in_the_transaction_that_makes_them(app_database_url: str) -> None:
    async with asyncpg.create_pool(app_database_url, min_size=1, max_size=6) as pool, desk_world(app_database_url) as w:
        w.pushed = await subscribe(pool)  # type: ignore[assignment]  # the world of a test takes any
        w.maker = w.make_maker()
        await w.story.issue(licence("A", "1 NAR"), licence("B", "1 NAR"))
        await w.ask(action="PERIODIC", Period={"unit": "DAILY"}, pageSize=1, messageIdentification="ORDER")
        assert await w.maker.make_due() == 1
        await w.notice(action="ANNOUNCE", noticeIdentification="N1", function="F1", kind="SUDDEN", reason="fire")
        assert await w.unavailability.tell([CUSTOMS.name, "NSW.FR"], w.pushed) == 1
        rows = await pool.fetch("SELECT number, kind, subject, body FROM push ORDER BY number")
        assert [tuple(row)[:3] for row in rows] == [(1, "list", "ORDER"), (2, "list", "ORDER"), (3, "notice", "N1")]
        told = [json.loads(row["body"]) for row in rows]
        assert [one["Certificate"][0]["referenceNumber"] for one in told[:2]] == ["A", "B"]
        assert told[2]["Notice"][0]["reason"] == "fire"


async def test_the_operator_announces_ends_and_lists(app_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    options = (
        "--function",
        "F3",
        "--reason",
        "upgrade",
        "--from",
        "2099-01-01T00:00:00",
        "--until",
        "2099-01-02T00:00:00",
    )
    (told,) = json.loads(await asyncio.to_thread(certex, "notice", "announce", "N1", *options, "--json"))
    assert (told["state"], told["announcedBy"], told["kind"]) == ("PLANNED", "operator", "PLANNED")
    assert "upgrade" in await asyncio.to_thread(certex, "notice", "list")
    for wrong, code in ((("--function", "F99", "--reason", "x"), 1), (("--function", "F1", "--reason", ""), 1)):
        await asyncio.to_thread(certex, "notice", "announce", "N2", *wrong, code=code)
    (ended,) = json.loads(await asyncio.to_thread(certex, "notice", "end", "N1", "--json"))
    assert (ended["state"], ended["noticeVersion"]) == ("ENDED", 2)
    assert "Nothing is announced" in await asyncio.to_thread(certex, "notice", "list")


async def records(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    information = [{"code": "SITE", "text": "hall 3"}]
    await w.record(action="ADD", recordIdentification="R1", Information=information)
    await w.record(action="AMEND", recordIdentification="R1", Information=information, reason="again")


async def test_records_can_be_sent_again_in_order(app_database_url: str) -> None:
    async with asyncpg.create_pool(app_database_url, min_size=1, max_size=4) as pool, desk_world(app_database_url) as w:
        await records(w)
        key = record_key(CUSTOMS.name, "R1")
        async with pool.acquire() as connection:
            await connection.execute("DELETE FROM unsent")
            assert await Resending(connection).resend("record", key, 2) == 1
            assert [row.agg_ver for row in await w.queued("record")] == [2]
            with pytest.raises(NotQueued):
                await Resending(connection).resend("record", key, 3)


async def test_nobody_sends_a_record_again_while_a_version_is_written(app_database_url: str) -> None:
    async with asyncpg.create_pool(app_database_url, min_size=1, max_size=4) as pool, desk_world(app_database_url) as w:
        await records(w)
        key = record_key(CUSTOMS.name, "R1")
        async with pool.acquire() as writing, pool.acquire() as operating:
            async with writing.transaction():
                await PostgresOutgoing().lock(writing, "record", key)
                await operating.execute("SET lock_timeout = 100")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await Resending(operating).resend("record", key)
            assert await Resending(operating).resend("record", key) == 2


async def test_the_verifier_sees_a_record_that_was_never_published(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool, desk_world(database_url) as w:
        await records(w)
        gone = "DELETE FROM outbox WHERE agg_type = 'record' AND agg_ver = 2"
        await pool.execute(f"SET session_replication_role = replica; {gone}; RESET session_replication_role")
    key = record_key(CUSTOMS.name, "R1")
    said = json.loads(await asyncio.to_thread(certex, "journal", "verify", "--json", code=1))
    assert f"outbox record {key}: version 2 is missing of 2" in json.dumps(said)
