"""One seed for the simulation in every run of the tests, another for each commit, said in its first lines: pytest plugin.

A find belongs to the commit that shows it: whoever runs the tests of the same commit plays the same histories. Outside a
repository the seed is drawn. `CERTEX_SIMULATION_SEED` plays those of another run again, or `random` ones. Worker
processes inherit it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

SEED = "CERTEX_SIMULATION_SEED"


@pytest.hookimpl(tryfirst=True)  # before worker processes begin
def pytest_configure() -> None:
    """Take the seed asked for, or that of the commit."""
    asked = os.environ.get(SEED) or _of_commit() or "random"
    os.environ[SEED] = str(secrets.randbits(32)) if asked == "random" else asked


def _of_commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    told = subprocess.run(
        [git, "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return str(int(told.stdout[:8], 16)) if told.returncode == 0 else ""


def pytest_report_header() -> str:
    """Say it."""
    return f"simulation: {SEED}={os.environ[SEED]}"
