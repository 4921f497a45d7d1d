"""`licence original` on a database: what the authority issued, as files, and what the verifier says of what was changed."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.operations.cli import app
from certex_bridge.operations.verify import verify
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.gateway_world import licence
from tests.unit.licensing.samples import structured

PDF = b"%PDF-1.7 issued"
DOCUMENT = {"mediaType": "application/pdf", "content": base64.b64encode(PDF).decode()}


def issued(url: str, *versions: dict[str, Any]) -> list[bytes]:
    """A ledger with these versions of licence BE/A 1; returns their data as sent."""
    sent = []

    async def fill() -> None:
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
            executor = Executor(PostgresStore(pool), BridgeDocuments("CERTEX-BRIDGE", "EU-CSW-CERTEX"), Policy())
            for number, more in enumerate(versions, 1):
                data = licence("A 1", quantity="5") | {"version": number} | more
                kind = "issued" if number == 1 else "modified"
                event = {
                    "specversion": "1.0", "id": f"v{number}", "type": f"licensing.licence.{kind}.v1",
                    "source": "urn:test", "time": "2026-02-01T10:00:00Z", "data": data,
                }  # fmt: skip
                command = decode_licence_event(structured(event))
                applied = await executor.apply([Delivery(Origin("licences", 0, number), command, raw=b"{}")])
                assert [answer.result for answer in applied.answers] == ["ACCEPTED"]
                sent.append(json.dumps(data, separators=(",", ":")).encode())

    asyncio.run(fill())
    return sent


def ask(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str, expect: int = 0) -> str:
    monkeypatch.setenv("CERTEX_DATABASE_URL", url)
    done = CliRunner().invoke(app, ["licence", "original", *arguments])
    assert done.exit_code == expect, done.output
    return done.output


def test_files_are_written_byte_for_byte(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = issued(database_url, {"originalDocument": DOCUMENT}, {})
    out = tmp_path / "papers"
    shown = ask(database_url, monkeypatch, "BE/A 1", "--out", str(out))
    assert "issued with version 2" in shown
    assert (out / "BE-A-1-v2-licence-event.json").read_bytes() == second
    assert (out / "BE-A-1-v2-attached-document.pdf").read_bytes() == PDF
    assert (out / "BE-A-1-v2-certificate.xml").read_bytes().startswith(b"<?xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["papers"]
    told = json.loads(ask(database_url, monkeypatch, "BE/A 1", "--version", "1", "--json"))
    event, document, certificate = told["files"]
    assert (event["what"], event["version"], base64.b64decode(event["content"])) == ("licence event", 1, first)
    assert event["sha256"] == sha256_hex(first)
    assert (document["mediaType"], document["sha256"]) == ("application/pdf", sha256_hex(PDF))
    assert certificate["what"] == "certificate"


def test_what_is_not_known_or_cannot_be_written_is_said(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issued(database_url, {})
    from certex_bridge.kernel.errors import InputError
    from certex_bridge.operations.reading import NotFound
    from certex_bridge.operations.show_original import run_licence_original

    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    with pytest.raises(NotFound, match="No version 7 of licence BE/A 1"):
        run_licence_original("BE/A 1", 7, None, as_json=True)
    with pytest.raises(NotFound, match="No licence BE/Z"):
        run_licence_original("BE/Z", 0, None, as_json=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        run_licence_original("BE/A 1", 0, tmp_path / "file", as_json=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE licence_version SET original = original || ' '::bytea WHERE version = 1", "version 1: the bytes"),
        ("UPDATE licence_version SET original = NULL WHERE version = 2", "version 2: the bytes"),
        ("UPDATE licence_version SET document = NULL WHERE version = 2", "version 2: the bytes"),
        ("DELETE FROM licence_document", "is missing"),
    ],
)
def test_the_verifier_names_an_original_that_was_changed(database_url: str, change: str, told: str) -> None:
    issued(database_url, {"originalDocument": DOCUMENT}, {})

    async def tampered() -> dict[str, str]:
        assert (await verify(database_url)).ok
        connection = await asyncpg.connect(database_url)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(change)
        await connection.close()
        return {check.name: check.detail for check in (await verify(database_url)).failed}

    assert told in asyncio.run(tampered())["originals of authorities"]


def test_a_document_cannot_be_changed_by_the_service(database_url: str) -> None:
    issued(database_url, {"originalDocument": DOCUMENT})

    async def change() -> None:
        connection = await asyncpg.connect(database_url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await connection.execute("UPDATE licence_document SET media_type = 'text/html'")
        await connection.close()

    asyncio.run(change())
