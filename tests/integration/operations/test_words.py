"""`declaration show` and `quarantine list` on a database: code, field, value, sentence and key, in tables and as JSON."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest
from typer.testing import CliRunner

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.operations.cli import app
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.ledger_words import Authority, Customs, licence, mrn_of

LONG = "an-event-id-of-forty-characters-and-more-1"
NOTICE = Finding("STATUS_NOT_ACTED_ON", "status", "EE", "the status moves nothing", Severity.WARNING)
MASS = Finding(
    "EXCEEDS_MASS", "items[1].documents[1].quantity", "40 NAR", "more than it weighs (15 kg)", Severity.WARNING
)


@pytest.fixture
def told(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A declaration with a warning on it and one on its claim, one that is refused, and a conflict."""

    async def fill() -> None:
        async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
            executor = Executor(PostgresStore(pool), BridgeDocuments("CERTEX-BRIDGE", "EU-CSW-CERTEX"), Policy())
            authority, customs = Authority(), Customs()
            first = customs.accepted("M1", A=40)
            content = first.facts.payload
            assert content is not None
            spec = replace(content.items[0].claims[0], findings=(MASS,))
            content = replace(content, items=(replace(content.items[0], claims=(spec,)),))
            first = replace(first, findings=(NOTICE,), facts=replace(first.facts, payload=content))
            commands = [
                authority.event(licence("A", "100"), LicenceEventKind.ISSUED), first,
                customs.accepted("M2", A=70), customs.accepted("M1", A=41, version=1, event_id=LONG),
            ]  # fmt: skip
            for number, command in enumerate(commands):
                key = mrn_of("M1").encode()
                await executor.apply([Delivery(Origin("customs", 0, number), command, raw=b"{}", key=key)])

    asyncio.run(fill())
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "400")
    return mrn_of("M1")


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_declaration_is_shown_with_its_warnings(told: str) -> None:
    view = json.loads(shown("declaration", "show", told, "--json"))
    notice, conflict = view["findings"]
    assert (notice["code"], notice["field"], notice["value"]) == ("STATUS_NOT_ACTED_ON", "status", "EE")
    assert notice["message"] == "the status moves nothing"
    assert conflict["code"] == "CLAIM_CONFLICT"
    (claim,) = view["claims"]
    assert [(one["severity"], one["code"], one["value"]) for one in claim["verdicts"]] == [
        ("WARNING", "EXCEEDS_MASS", "40 NAR")
    ]
    refused = json.loads(shown("declaration", "show", mrn_of("M2"), "--json"))
    (claim,) = refused["claims"]
    (verdict,) = [one for one in claim["verdicts"] if one["severity"] == "ERROR"]
    assert (verdict["code"], verdict["field"], verdict["value"]) == ("QUANTITY_EXCEEDED", "quantity", "70")
    text = shown("declaration", "show", told)
    assert "STATUS_NOT_ACTED_ON" in text
    assert "the status moves nothing" in text
    assert "QUANTITY_EXCEEDED" in shown("declaration", "show", mrn_of("M2"))


def test_the_quarantine_is_listed_with_key_field_value_and_message(told: str) -> None:
    (row,) = json.loads(shown("quarantine", "list", "--json"))
    assert (row["event_id"], row["key"]) == (LONG, told)
    assert row["field"] == "items[1].documents[1].quantity"
    assert row["value"] == "41 NAR"
    text = "".join(shown("quarantine", "list").split())
    assert LONG not in text
    for words in (told, LONG[:12] + "…", "CONFLICTING_DUPLICATE"):
        assert words in text
