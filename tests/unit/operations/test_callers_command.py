"""`callers check`: who may do what, and every mistake with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from certex_bridge.operations import cli, terminal
from certex_bridge.singlewindow.callers_file import CallersFileWrong

WRONG = """\
[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance"]
oauth_clients = ["one"]

[[caller]]
name = "FR-DELTA"
member_state = "EL"
roles = ["clearance"]
oauth_clients = ["one"]
[caller.limits]
rate = 0

[[caller]]
name = "IT-AIDA"
member_state = "IT"
roles = ["clearance"]
oauth_clients = ["one"]
[caller.policies]
mode = "block"
"""


@pytest.fixture(autouse=True)
def fresh_console(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.console.cache_clear()
    monkeypatch.delenv("CERTEX_CALLERS_FILE", raising=False)


def test_the_example_is_right_and_shown(project_root: Path) -> None:
    example = project_root / "contracts" / "examples" / "callers.toml"
    result = CliRunner().invoke(cli.app, ["callers", "check", str(example)])
    assert result.exit_code == 0, result.output
    for word in ("DE-ATLAS", "FR-DELTA", "shadow", "two steps", "DNS:atlas.zoll.example", "OAuth delta-g", "500"):
        assert word in result.output
    assert "4 callers, no mistake." in result.output


def test_the_file_of_the_settings_is_the_default_and_programs_get_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "callers.toml"
    file.write_text('[[caller]]\nname = "A"\nmember_state = "XI"\nroles = ["auditor", "clearance"]\n', "utf-8")
    monkeypatch.setenv("CERTEX_CALLERS_FILE", str(file))
    result = CliRunner().invoke(cli.app, ["callers", "check", "--json"])
    (one,) = json.loads(result.output)
    assert (one["name"], one["roles"], one["policies"]["mode"]) == ("A", ["auditor", "clearance"], "block")
    shown = CliRunner().invoke(cli.app, ["callers", "check"]).output
    assert "none: cannot call" in shown
    assert "1 caller, no mistake." in shown


def test_mistakes_are_told_with_line_caller_field_and_value(tmp_path: Path) -> None:
    file = tmp_path / "callers.toml"
    file.write_text(WRONG, "utf-8")
    result = CliRunner().invoke(cli.app, ["callers", "check", str(file)])
    assert isinstance(result.exception, CallersFileWrong)
    text = str(result.exception)
    assert "caller[FR-DELTA].member_state: line 9: must be a member state" in text
    assert "(got 'EL')" in text
    assert "caller[FR-DELTA].limits.rate: line 12: " in text
    assert "caller[IT-AIDA].oauth_clients: line 19: belongs to the caller DE-ATLAS already" in text


def test_a_mistake_without_a_line_of_its_own_has_that_of_its_caller(tmp_path: Path) -> None:
    file = tmp_path / "callers.toml"
    file.write_text('# x\n[[ caller ]]\nmember_state = "DE"\nroles = ["clearance"]\n', "utf-8")
    result = CliRunner().invoke(cli.app, ["callers", "check", str(file)])
    assert "caller[1].name: line 2: Field required" in str(result.exception)
    file.write_text('caller = [{ member_state = "DE", roles = ["clearance"] }]\n', "utf-8")
    result = CliRunner().invoke(cli.app, ["callers", "check", str(file)])
    assert "caller[1].name: Field required" in str(result.exception)
