"""Lanes of make's targets: beside each other, each to its first failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = """
first:
\t@echo one >first.txt; for _ in $$(seq 600); do [ -e second.txt ] && exit 0; sleep 0.1; done; exit 1
second:
\t@echo two >second.txt; for _ in $$(seq 600); do [ -e first.txt ] && exit 0; sleep 0.1; done; exit 1
broken:
\t@echo it broke; exit 1
never:
\t@echo never >never.txt
"""


def run(folder: Path, *lanes: str) -> subprocess.CompletedProcess[str]:
    (folder / "Makefile").write_text(MAKEFILE, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = [sys.executable, str(ROOT / "tools" / "side_by_side.py"), *lanes]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_lanes_run_beside_each_other(tmp_path: Path) -> None:
    done = run(tmp_path, "first", "second")
    assert done.returncode == 0, done.stdout
    assert {"--- make first: passed", "--- make second: passed"} <= {
        line.partition(" after ")[0] for line in done.stdout.splitlines()
    }


def test_a_lane_ends_with_its_first_failure_and_the_others_go_on(tmp_path: Path) -> None:
    done = run(tmp_path, "broken never", "first", "second")
    assert done.returncode == 2
    assert "--- make broken: failed with exit code 2" in done.stdout
    assert "it broke" in done.stdout
    assert not (tmp_path / "never.txt").exists()
    assert (tmp_path / "first.txt").exists()
