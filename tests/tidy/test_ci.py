"""What CI runs: the README's commands word for word on a bare checkout, then the rest; the first failure decides."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_ci(checkout: Path, make: str) -> tuple[int, list[str], str]:
    """Exit code, the calls of make, and what was printed, with a `make` that only runs this script."""
    programs = checkout / "programs"
    programs.mkdir()
    stand_in = programs / "make"
    calls = checkout / "calls"
    stand_in.write_text(f'#!/bin/sh\necho "$*" >>"{calls}"\n{make}\n', "utf-8")
    stand_in.chmod(0o755)
    (checkout / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    done = subprocess.run(
        ["bash", str(checkout / ".ci" / "run")],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, calls.read_text("utf-8").splitlines() if calls.exists() else [], done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with our README and an environment that somebody filled."""
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_ci_begins_with_the_two_commands_of_the_readme_in_an_empty_environment(checkout: Path) -> None:
    code, calls, _ = run_ci(checkout, f'test ! -e "{checkout}/.venv"')
    assert (code, calls) == (0, ["demo", "test", "check-rest"])


def test_ci_runs_what_stands_in_the_readme(checkout: Path) -> None:
    text = (checkout / "README.md").read_text("utf-8").replace("make test ", "make test PYTEST_ARGS='-x -q' ")
    (checkout / "README.md").write_text(text, "utf-8")
    assert run_ci(checkout, "exit 0")[1] == ["demo", "test PYTEST_ARGS=-x -q", "check-rest"]


def test_ci_does_not_pass_when_the_readme_has_lost_its_commands(checkout: Path) -> None:
    text = (checkout / "README.md").read_text("utf-8").replace("## Two commands", "## Commands")
    (checkout / "README.md").write_text(text, "utf-8")
    code, calls, said = run_ci(checkout, "exit 0")
    assert (code, calls) == (1, [])
    assert "README.md has no block of two commands" in said


@pytest.mark.parametrize("failing", ["demo", "test", "check-rest"])
def test_the_exit_code_is_that_of_the_first_command_that_fails(checkout: Path, failing: str) -> None:
    code, calls, said = run_ci(checkout, f'echo "closing line of $1"; [ "$1" != {failing} ] || exit 7')
    assert code == 7
    assert calls[-1] == failing
    assert f"closing line of {failing}\n\nCI: make {failing} FAILED" in said


@pytest.mark.parametrize("code", [0, 7])
def test_the_last_lines_name_what_passed_only_when_it_was_repeated(checkout: Path, code: int) -> None:
    name = "tests/integration/test_a.py::test_late"
    passes = f'mkdir -p out; echo "{name}$1" >>out/flaky.txt; [ "$1" != check-rest ] || exit {code}'
    found, _, said = run_ci(checkout, passes)
    assert found == code
    *_, heading, first, second, third = said.splitlines()
    assert heading == "CI: FLAKY, failed first and passed when repeated:"
    assert [first, second, third] == [f"  flaky: {name}{target}" for target in ("demo", "test", "check-rest")]


def test_what_an_earlier_run_called_flaky_is_forgotten(checkout: Path) -> None:
    (checkout / "out").mkdir()
    (checkout / "out" / "flaky.txt").write_text("old\n", "utf-8")
    assert "FLAKY" not in run_ci(checkout, "exit 0")[2]
