"""A small demo on real servers, then every reading command on what it left behind."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg

EXAMPLES = Path(__file__).resolve().parents[3] / "contracts" / "examples"


def certex(environment: dict[str, str], *arguments: str, expect: int = 0) -> str:
    """Run the console script; its standard output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CERTEX_")}
    command = [sys.executable, "-c", "from certex_bridge.operations.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=clean | environment)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def one(url: str, query: str) -> Any:
    """One value of the database."""

    async def fetch() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def servers(url: str, bootstrap: str, prefix: str) -> dict[str, str]:
    names = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "TOPIC_PREFIX": prefix}
    names |= {"KAFKA_GROUP": prefix + secrets.token_hex(4), "TOPIC_PARTITIONS": "3", "TOPICS_CREATE": "true"}
    names["DATABASE_ASYNC_COMMIT"] = "true"  # the tests' server is not durable
    return {f"CERTEX_{name}": value for name, value in names.items()}


def test_demo_and_what_it_leaves(database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path) -> None:
    environment = servers(database_url, bootstrap_servers, topic_prefix)
    said = certex(environment, "demo", "--licences", "60", "--declarations", "120", "--out", str(tmp_path))
    assert "every invariant holds" in said
    summary = json.loads((tmp_path / "demo.json").read_text("utf-8"))
    assert summary["ok"]
    assert summary["accounted"]
    assert all(balance["holds"] for balance in summary["balances"])
    assert [case["wrong"] for case in summary["cases"]] == [[]] * 8
    assert said.count("settled by hand") >= 2
    assert summary["quarantined"]["JSON_SYNTAX"] >= 2
    functions = {row["function"].split()[0] for row in summary["http"]["rows"]}
    assert functions >= {"F1", "F2", "F3", "F4", "F5", "F6", "F8", "F9", "F10"}
    assert summary["http"]["pushes"]["NOT002"] >= 1
    assert not summary["http"]["pushes_refused"]
    for folder in ("certificates", "outcomes"):
        documents = list((tmp_path / folder).glob("*.xml"))
        assert 0 < len(documents) <= 200
        assert all(document.read_bytes().startswith(b"<") for document in documents)
    _reading_commands(database_url, environment)


def _reading_commands(url: str, environment: dict[str, str]) -> None:
    licence = one(url, "SELECT licence_id FROM account GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    now = json.loads(certex(environment, "licence", "show", licence, "--json"))
    then = json.loads(certex(environment, "licence", "at", licence, "2199-01-01", "--json"))
    assert then["balances"] == now["balances"]
    assert (then["version"], then["status"]) == (now["version"], now["status"])
    recorded = certex(environment, "licence", "at", licence, "2199-01-01", "--recorded", "--json")
    assert json.loads(recorded)["balances"] == now["balances"]
    history = json.loads(certex(environment, "licence", "history", licence, "--json"))
    assert history["entries"][-1]["lv"] == now["journal_version"]
    declaration = one(url, "SELECT decl_id FROM claim WHERE state = 'CONSUMED' AND q_cons > 0 ORDER BY 1 LIMIT 1")
    shown = json.loads(certex(environment, "declaration", "show", declaration, "--json"))
    assert shown["state"] == "RELEASED"
    assert {"RESERVE", "CONSUME"} & {movement["kind"] for movement in shown["movements"]}
    assert json.loads(certex(environment, "journal", "verify", "--json"))["ok"]
    for command in (
        ["licence", "show", licence],
        ["licence", "history", licence],
        ["declaration", "show", declaration],
    ):
        assert command[-1] in certex(environment, *command)
    assert certex(environment, "licence", "show", "BE/NOBODY-KNOWS-THIS", expect=2) == ""


def test_submit_tells_what_came_of_each(database_url: str, bootstrap_servers: str, topic_prefix: str) -> None:
    environment = servers(database_url, bootstrap_servers, topic_prefix) | {
        "CERTEX_HTTP_PORT": "0",
        "CERTEX_HEALTH_PORT": "0",
    }
    command = [sys.executable, "-c", "from certex_bridge.operations.cli import main; main()", "serve"]
    with subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL) as bridge:
        try:
            _submit(environment)
        finally:
            bridge.terminate()
            assert bridge.wait(timeout=30) == 0


def _submit(environment: dict[str, str]) -> None:
    licence = str(EXAMPLES / "licences" / "individual.json")
    accepted = json.loads(certex(environment, "submit", licence, "--wait", "60", "--json"))[0]
    assert accepted["answers"][0]["result"] == "ACCEPTED"
    assert not accepted["repeated"]
    again = json.loads(certex(environment, "submit", licence, "--json"))[0]
    assert again["repeated"]
    assert again["answers"] == accepted["answers"]
    declaration = str(EXAMPLES / "declarations" / "accepted.json")
    foreign = str(EXAMPLES / "wco" / "notification-01-accepted.xml")
    assert "OK_RESERVED" in certex(environment, "submit", declaration)
    assert json.loads(certex(environment, "submit", foreign, "--profile", "wco", "--json"))[0]["answers"]
    wrong = str(EXAMPLES / "licences" / "every-finding.json")
    assert "REFUSED" in certex(environment, "submit", wrong, expect=1)
    quarantined = certex(environment, "submit", licence, "--profile", "wco", "--json", expect=1)
    assert json.loads(quarantined)[0]["quarantine"][0]["code"].startswith("XML_")
