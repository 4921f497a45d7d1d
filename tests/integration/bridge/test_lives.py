"""Lives of declarations through the command line, one bridge for all of them, on PostgreSQL and a Kafka broker."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.operations import cli, terminal
from tests.support.databases import Databases, run
from tests.support.ledger_words import amount
from tests.support.lives import LIVES, MESSAGES, Life
from tests.support.wire_feed import until


@pytest.fixture(scope="module")
def servers(databases: Databases, bootstrap_servers: str) -> Iterator[dict[str, str]]:
    """Where this module's bridge finds its database, its broker and its topics."""
    url, prefix = run(databases.create_migrated()), f"t{secrets.token_hex(4)}."
    named = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "TOPIC_PREFIX": prefix}
    named |= {"KAFKA_GROUP": f"{prefix}lives", "TOPICS_CREATE": "true", "TOPIC_PARTITIONS": "3"}
    named |= {"HTTP_PORT": "0", "HEALTH_PORT": "0"}
    named |= {"DATABASE_ASYNC_COMMIT": "true", "WORKER_POLL_MS": "100", "ENFORCE_MISMATCHES": "HOLDER"}
    yield {f"CERTEX_{name}": value for name, value in named.items()}
    run(databases.drop(url))


@pytest.fixture(scope="module")
def bridge(servers: dict[str, str]) -> Iterator[None]:
    """One bridge for every life."""
    command = [sys.executable, "-c", "from certex_bridge.operations.cli import main; main()", "serve"]
    with subprocess.Popen(command, env=os.environ | servers, stderr=subprocess.DEVNULL) as process:
        yield
        process.terminate()
        assert process.wait(timeout=60) == 0


@pytest.fixture(autouse=True)
def at_the_terminal(bridge: None, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands meet this module's bridge."""
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    terminal.console.cache_clear()
    yield
    terminal.console.cache_clear()


def certex(*arguments: str) -> Any:
    """What a command says to programs; something that was refused or put aside is no failure of the command."""
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert result.exit_code in (0, 1), f"{result.output} {result.exception}"
    return json.loads(result.stdout)


def submitted(life: Life, folder: Path) -> list[dict[str, Any]]:
    """Submit the messages, each when the one before has been taken in; what became of each."""
    fates = []
    for place, message in enumerate(life.messages):
        profile = ("--profile", "wco") if message.topic == MESSAGES else ()
        file = folder / f"{place}.{'xml' if profile else 'json'}"
        file.write_bytes(message.body)
        fates += certex("submit", str(file), *profile, "--wait", "60")
    return fates


async def _settled(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:

        async def nothing_to_do() -> bool:
            return int(await connection.fetchval("SELECT count(*) FROM wake")) == 0

        await until(nothing_to_do, what="the worker to follow")
    finally:
        await connection.close()


async def _incidents(url: str, licences: list[str]) -> str:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT body FROM outbox WHERE agg_type = 'incident' AND agg_id = ANY($1::text[])", licences
        )
        return " ".join(bytes(row["body"]).decode() for row in rows)
    finally:
        await connection.close()


def balance(licence: str) -> str:
    """Reserved/consumed/available of the first line."""
    (line,) = certex("licence", "show", licence)["balances"]
    return "/".join(format_decimal(amount(str(line[name]))) for name in ("reserved", "consumed", "available"))


@pytest.mark.parametrize("name", LIVES)
def test_a_life_through_the_command_line(name: str, servers: dict[str, str], tmp_path: Path) -> None:
    life = LIVES[name]()
    fates = submitted(life, tmp_path)
    assert all(fate["inTime"] for fate in fates)
    assert tuple(row["code"] for fate in fates for row in fate["quarantine"]) == life.quarantined
    url = servers["CERTEX_DATABASE_URL"]
    run(_settled(url))
    assert {licence: balance(licence) for licence in life.balances} == life.balances
    shown = {declaration: certex("declaration", "show", declaration) for declaration in life.states}
    assert {declaration: view["state"] for declaration, view in shown.items()} == life.states
    for declaration, codes in life.codes.items():
        said = json.dumps(certex("declaration", "show", declaration))
        assert all(code in said for code in codes), said
    listed = {row["declaration"] for row in certex("report", "mismatches")["undecided"]}
    assert listed & life.states.keys() == life.undecided
    told = run(_incidents(url, list(life.balances)))
    assert all(incident in told for incident in life.incidents), told
    assert certex("journal", "verify")["ok"]
