"""`report mismatches` on a database."""

from __future__ import annotations

import json
from collections.abc import Iterator

import asyncpg
import pytest
from typer.testing import CliRunner

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.operations import cli, terminal
from tests.support.clearance import Desk, caller
from tests.support.databases import run
from tests.support.ledger_words import licence, mrn_of
from tests.support.scenario import Scenario


@pytest.fixture
def report(app_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The command as a login of certex_app runs it."""
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    terminal.console.cache_clear()
    yield CliRunner()
    terminal.console.cache_clear()


async def let_goods_go(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=2, server_settings={"timezone": "UTC"}) as pool:
        s = Scenario(PostgresStore(pool))
        await s.issue(licence("A", "1 NAR"))
        desk = Desk(s.store, caller=caller("SHADOW", mode="shadow"))
        await desk.move("RESERVE", "M1", A="2")
        await desk.move("CONSUME", "M1")


def test_what_was_released_against_the_verdict_is_shown(report: CliRunner, app_database_url: str) -> None:
    empty = report.invoke(cli.app, ["report", "mismatches"])
    assert (empty.exit_code, empty.output.strip()) == (0, "Nothing was released against the verdict.")
    run(let_goods_go(app_database_url))
    shown = report.invoke(cli.app, ["report", "mismatches", "--since", "2026-03-01"])
    assert shown.exit_code == 0, shown.output
    for word in ("SHADOW", mrn_of("M1"), "BE/A", "QUANTITY_EXCEEDED"):
        assert word in shown.output
    told = json.loads(report.invoke(cli.app, ["report", "mismatches", "--member-state", "BE", "--json"]).output)
    assert told["totals"][0]["claims"] == told["total"] == 1
    elsewhere = report.invoke(cli.app, ["report", "mismatches", "--member-state", "FR", "--json"])
    assert json.loads(elsewhere.output)["total"] == 0
