"""Tests of what runs around the bridge: chart, rules, dashboards, image. They need programs, see tools/fetch_ops.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder belongs to make check-ops."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("ops")


def program(name: str) -> str:
    """Path of a program."""
    found = shutil.which(name)
    assert found, f"{name} is missing: python3 tools/fetch_ops.py installs or names it"
    return found
