"""The command line: help everywhere, mistakes in one sentence, heavy packages only when a command runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from certex_bridge.operations import cli
from certex_bridge.operations.failures import explain

COMMANDS = [
    [], ["demo"], ["serve"], ["migrate"], ["submit"], ["licence"], ["licence", "show"], ["licence", "history"],
    ["licence", "at"], ["declaration"], ["declaration", "show"], ["journal"], ["journal", "verify"], ["journal", "heads"], ["contracts"],
    ["outbox"], ["outbox", "held"], ["outbox", "release"], ["outbox", "resend"], ["quarantine"], ["quarantine", "list"],
    ["notice"], ["notice", "announce"], ["notice", "end"], ["notice", "list"], ["quarantine", "show"], ["quarantine", "retry"], ["quarantine", "discard"], ["quarantine", "approve"], ["quarantine", "reject"],
    ["callers"], ["callers", "check"], ["contracts", "write"], ["contracts", "check"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CERTEX_"):
            monkeypatch.delenv(name)


def fails(*arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the console script; it must exit with 2 and one line on standard error."""
    from certex_bridge.operations import terminal

    terminal.console.cache_clear()
    monkeypatch.setattr(sys, "argv", ["certex-bridge", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    terminal.console.cache_clear()
    assert left.value.code == cli.USER_MISTAKE
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.strip()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = CliRunner().invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_version() -> None:
    result = CliRunner().invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("certex-bridge ")


def test_help_loads_no_heavy_package() -> None:
    heavy = "{'aiokafka', 'asyncpg', 'cryptography', 'faststream', 'jwt', 'lxml', 'pydantic', 'xmlschema', 'yaml'}"
    code = f"import sys, certex_bridge.operations.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["licence", "show", "nonsense"], "LICENCE"),
        (["licence", "show", "BE/1"], "CONFIGURATION"),
        (["licence", "at", "BE/1", "yesterday"], "DATE_INVALID"),
        (["licence", "at", "BE/1", "2026-02-30"], "DATE_INVALID"),
        (["declaration", "show", "26BE"], "CONFIGURATION"),
        (["journal", "verify"], "CONFIGURATION"),
        (["migrate"], "CONFIGURATION"),
        (["serve"], "CONFIGURATION"),
        (["submit", "nowhere.json"], "CONFIGURATION"),
        (["callers", "check"], "CONFIGURATION"),
    ],
)
def test_mistakes_are_one_sentence_with_a_code(
    arguments: list[str], code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert said.startswith("error ")
    assert said.endswith(f"[{code}]")


def test_a_mistake_is_an_object_where_objects_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["certex-bridge", "outbox", "held", "--json"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == cli.USER_MISTAKE
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "CONFIGURATION"


def test_the_roles_are_told() -> None:
    said = CliRunner().invoke(cli.app, ["serve", "--help"]).output
    assert "intake,relay,worker,gateway" in said


def test_contracts_are_for_those_who_change_the_code() -> None:
    assert "contracts" not in CliRunner().invoke(cli.app, ["--help"]).output


@pytest.mark.parametrize("hosts", ["h1.example:5432,h2.example:5432", "127.0.0.1:1,127.0.0.1:2"])
def test_several_hosts_are_no_defect(
    hosts: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", f"postgresql://nobody:secret@{hosts}/ledger")
    said = fails("licence", "show", "BE/1", monkeypatch=monkeypatch, capsys=capsys)
    assert "secret" not in said


def test_a_database_that_is_away_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/ledger")
    said = fails("licence", "show", "BE/1", monkeypatch=monkeypatch, capsys=capsys)
    assert said.endswith("[DATABASE_AWAY]")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "content", "arguments", "code"),
    [
        ("a.json", "{", [], "JSON_SYNTAX"),
        ("a.json", "[]", [], "JSON_SYNTAX"),
        ("a.json", "{}", [], "TYPE_MISSING"),
        ("a.json", "{}", ["--type", "weather.report.v1"], "TYPE_UNKNOWN"),
        ("a.json", '{"specversion":"1.0","type":"weather.report.v1"}', [], "TYPE_UNKNOWN"),
    ],
)
def test_files_that_are_no_events(
    name: str,
    content: str,
    arguments: list[str],
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/ledger")
    monkeypatch.setenv("CERTEX_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    file = tmp_path / name
    file.write_text(content, "utf-8")
    assert fails("submit", str(file), *arguments, monkeypatch=monkeypatch, capsys=capsys).endswith(f"[{code}]")


def test_defects_are_not_explained_away() -> None:
    assert explain(ZeroDivisionError()) is None
    assert explain(ExceptionGroup("several", [TimeoutError()])) is not None
