"""In CI a failed test with real servers is repeated once: pytest plugin that arranges it and says so loudly.

A busy machine can make such a test late; a test without servers has no such excuse and is never repeated. A test that
fails twice has failed. One that passes when repeated is flaky: the summary shows its failure and names it, and its name
is added to out/flaky.txt, which `.ci/run` prints at its very end. Outside CI (no variable `CI`) nothing is repeated.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILE = Path("out") / "flaky.txt"
WITH_SERVERS = ("postgres", "broker", "kafka_only", "ops", "browser")


def pytest_configure(config: pytest.Config) -> None:
    """Show the failures that are repeated, not only their names."""
    if os.environ.get("CI"):
        config.option.rerun_show_tracebacks = True


@pytest.hookimpl(trylast=True)  # after the conftests have set their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests with real servers a second attempt, and the time for it."""
    if not os.environ.get("CI"):
        return
    for item in items:
        if any(map(item.get_closest_marker, WITH_SERVERS)):
            item.add_marker(pytest.mark.flaky(reruns=1))
            own = item.get_closest_marker("timeout")
            seconds = float(own.args[0] if own else config.getini("timeout"))
            item.add_marker(pytest.mark.timeout(2 * seconds), append=False)  # one clock runs over both attempts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that failed first and passed then."""

    def names(*outcomes: str) -> set[str]:
        return {report.nodeid for outcome in outcomes for report in terminalreporter.stats.get(outcome, ())}

    flaky = sorted(names("rerun") - names("failed", "error"))
    if not flaky or hasattr(config, "workerinput"):  # a worker of pytest-xdist prints nothing
        return
    terminalreporter.section("flaky: failed first, passed when repeated", red=True, bold=True)
    for name in flaky:
        terminalreporter.write_line(f"flaky: {name}", red=True)
    file = config.rootpath / FILE
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as written:
        written.writelines(f"{name}\n" for name in flaky)
