"""Which tests prove which rows of the specification: pytest plugin that writes out/catalogue.json.

A test says `@pytest.mark.row("E001", "E017")`, a parametrised case `pytest.param(…, marks=pytest.mark.row("E002"))`.
The file maps each row to its tests and their last result. Runs are merged (the fast suite, the slow one, the one on
Apache Kafka), so a full run starts by deleting it (make check does).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

FILE = Path("out") / "catalogue.json"

_rows_of = pytest.StashKey[dict[str, list[str]]]()
_results = pytest.StashKey[dict[str, str]]()


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember the claims of the tests that will run."""
    config.stash[_rows_of] = {item.nodeid: rows(item) for item in items if rows(item)}
    config.stash[_results] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the worst outcome of set-up, call and tear-down."""
    report = yield
    results = item.config.stash.get(_results, {})
    worst = results.get(item.nodeid, "passed")
    if report.outcome != "passed" and worst != "failed":
        worst = report.outcome
    results[item.nodeid] = worst
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the merged catalogue."""
    claims = session.config.stash.get(_rows_of, {})
    results = session.config.stash.get(_results, {})
    ran = [(test, claimed, results[test]) for test, claimed in claims.items() if test in results]
    if not ran:
        return
    file = session.config.rootpath / FILE
    file.parent.mkdir(exist_ok=True)
    old = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps(merge(old, ran), indent=1) + "\n", "utf-8")
