"""Repeating in CI and the catalogue of rows, as a run of pytest shows them: in one process, with workers, after crashes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FAILS_AT_FIRST = """\
from pathlib import Path
import pytest

def attempt():
    with Path("attempts").open("a") as file:
        file.write(".")
    return len(Path("attempts").read_text())

{mark}
@pytest.mark.row("X1", "X2")
def test_that_is_sometimes_late():
    assert attempt() > {failures}, "came too late"
"""
PLUGINS = [
    word for name in ("anyio", "hypothesispytest", "pytest_cov", "schemathesis") for word in ("-p", f"no:{name}")
]
"""Left out: they take seconds to import."""
WITH_SERVER = "@pytest.mark.postgres"


@dataclass(frozen=True)
class Run:
    """How a run of pytest ended."""

    code: int
    said: str
    attempts: int
    flaky: list[str]
    catalogue: dict[str, dict[str, str]]


@pytest.fixture(params=["0", "2"], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> str:
    """For the option -n."""
    return str(request.param)


def run(folder: Path, test: str, workers: str, *options: str, ci: bool = True) -> Run:
    shutil.copy(ROOT / "pyproject.toml", folder)  # the project's own settings of pytest
    (folder / "test_late.py").write_text(test, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "CI"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, "-n", workers, "--dist", "worksteal", *options, "test_late.py"],
        cwd=folder,
        env={
            **environment,
            "PYTHONPATH": str(ROOT),
            **({"CI": "true"} if ci else {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    attempts, flaky, catalogue = folder / "attempts", folder / "out" / "flaky.txt", folder / "out" / "catalogue.json"
    return Run(
        done.returncode,
        done.stdout + done.stderr,
        len(attempts.read_text("utf-8")) if attempts.exists() else 0,
        flaky.read_text("utf-8").splitlines() if flaky.exists() else [],
        json.loads(catalogue.read_text("utf-8")) if catalogue.exists() else {},
    )


def test_a_test_with_servers_that_fails_once_passes_and_is_named(tmp_path: Path, workers: str) -> None:
    made = run(tmp_path, FAILS_AT_FIRST.format(mark=WITH_SERVER, failures=1), workers)
    name = "test_late.py::test_that_is_sometimes_late"
    assert (made.code, made.attempts, made.flaky) == (0, 2, [name]), made.said
    assert f"\nflaky: {name}\n" in made.said
    assert "came too late" in made.said
    assert made.said.splitlines()[-1].strip("= ").startswith("1 passed, 1 rerun in ")
    assert made.catalogue == {"X1": {name: "passed"}, "X2": {name: "passed"}}


def test_a_test_with_servers_that_fails_twice_has_failed(tmp_path: Path, workers: str) -> None:
    made = run(tmp_path, FAILS_AT_FIRST.format(mark=WITH_SERVER, failures=9), workers)
    assert (made.code, made.attempts, made.flaky) == (1, 2, []), made.said
    assert made.catalogue["X1"] == {"test_late.py::test_that_is_sometimes_late": "failed"}


def test_a_test_without_servers_is_never_repeated(tmp_path: Path) -> None:
    made = run(tmp_path, FAILS_AT_FIRST.format(mark="", failures=1), "0")
    assert (made.code, made.attempts, made.flaky) == (1, 1, []), made.said


def test_outside_ci_nothing_is_repeated(tmp_path: Path) -> None:
    made = run(tmp_path, FAILS_AT_FIRST.format(mark=WITH_SERVER, failures=1), "0", ci=False)
    assert (made.code, made.attempts, made.flaky) == (1, 1, []), made.said


def test_a_test_that_hangs_is_named_with_its_stack_and_the_others_still_run(tmp_path: Path) -> None:
    hangs = "import threading\ndef test_that_hangs():\n    threading.Event().wait()\ndef test_after_it():\n    pass\n"
    made = run(tmp_path, hangs, "1", "-o", "timeout=2", "-o", "faulthandler_timeout=1")
    assert made.code == 1
    assert "crashed while running 'test_late.py::test_that_hangs'" in made.said
    assert re.search(r'test_late\.py", line 3 in test_that_hangs', made.said)
    assert re.search(r"^=+ 1 failed, 1 passed in", made.said, re.MULTILINE), made.said


def test_a_test_with_servers_that_exceeds_its_time_is_repeated_as_well(tmp_path: Path) -> None:
    dies = f"import os\n{FAILS_AT_FIRST.format(mark=WITH_SERVER, failures=1)}".replace(
        "assert attempt() > 1", "attempt() > 1 or os._exit(1)\n    assert True"
    )
    made = run(tmp_path, dies, "1")
    assert (made.code, made.attempts, made.flaky) == (0, 2, ["test_late.py::test_that_is_sometimes_late"]), made.said
