"""Which tests prove which rows of the specification: pytest plugin that writes out/catalogue.json.

A test says `@pytest.mark.row("E001", "E017")`, a parametrised case `pytest.param(…, marks=pytest.mark.row("E002"))`.
The file maps each row to its tests and their last result. Runs are merged (the fast suite, the slow one, the one on
Apache Kafka), so a full run starts by deleting it (make check does). Rows travel in the tests' reports, from workers of
pytest-xdist too; the process that prints the summary writes the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shared_file import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path("out") / "catalogue.json"
PROPERTY = "row"


def rows(item: pytest.Item) -> list[str]:
    """The row ids a test claims, in order, each once."""
    return list(dict.fromkeys(str(row) for mark in item.iter_markers("row") for row in mark.args))


def merge(old: dict[str, dict[str, str]], ran: Iterable[tuple[str, list[str], str]]) -> dict[str, dict[str, str]]:
    """The catalogue after a run: what ran replaces its own earlier entries, the rest stays."""
    ran = list(ran)
    seen = {test for test, _, _ in ran}
    merged = {row: {test: result for test, result in tests.items() if test not in seen} for row, tests in old.items()}
    for test, claimed, result in ran:
        for row in claimed:
            merged.setdefault(row, {})[test] = result
    return {row: dict(sorted(tests.items())) for row, tests in sorted(merged.items()) if tests}


class Catalogue:
    """Collects the reports of a run and writes them at its end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._claims: dict[str, list[str]] = {}
        self._results: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of set-up, call and tear-down; of a test that is repeated, the last attempt's."""
        claimed = [str(value) for name, value in report.user_properties if name == PROPERTY]
        if not claimed:
            return
        self._claims[report.nodeid] = claimed
        worst = self._results.get(report.nodeid, "passed")
        if report.outcome in {"failed", "skipped"} and worst != "failed":
            worst = report.outcome
        self._results[report.nodeid] = worst

    def pytest_sessionfinish(self) -> None:
        """Write the merged catalogue."""
        if not self._results:
            return
        ran = [(test, claimed, self._results[test]) for test, claimed in self._claims.items()]
        rewrite(self._file, lambda old: json.dumps(merge(json.loads(old or "{}"), ran), indent=1) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Collect where the reports come together."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Catalogue(config.rootpath / FILE))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the reports of each test carry its rows."""
    for item in items:
        item.user_properties += [(PROPERTY, row) for row in rows(item)]
