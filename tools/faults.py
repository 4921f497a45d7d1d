"""Tries every fault of docs/reference/faults.md on Apache Kafka and PostgreSQL and reports each (`make faults`).

The page names the tests that prove what the bridge does; this runs them all and writes out/faults.md: fault, result,
tests and seconds. The exit code is 1 when one fault is not stood.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "faults.md"
REPORT = ROOT / "out" / "faults.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the page."""

    area: str
    name: str
    does: str
    tests: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """What became of a test, all its parameters together."""

    ran: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """`stood`, `FAILED`, or `NOT TRIED`."""
        if self.failed:
            return "FAILED"
        return "stood" if self.ran > self.skipped else "NOT TRIED"


def faults(page: str) -> list[Fault]:
    """The rows of the page, in order."""
    rows: list[Fault] = []
    area = ""
    for line in page.splitlines():
        if line.startswith("## "):
            area = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
        if len(cells) == 4 and (tests := tuple(_TEST.findall(cells[3]))):
            rows.append(Fault(area, cells[0], cells[1], tests))
    return rows


def results(report: str) -> dict[str, Result]:
    """By test (`tests/…py::name`), from pytest's own report in XML."""
    by_test: dict[str, Result] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  # pytest's own report
        file = (case.get("classname") or "").replace(".", "/") + ".py"
        name = (case.get("name") or "").partition("[")[0]
        result = by_test.setdefault(f"{file}::{name}", Result())
        result.ran += 1
        result.failed += any(case.find(kind) is not None for kind in ("failure", "error"))
        result.skipped += case.find("skipped") is not None
        result.seconds += float(case.get("time") or 0)
    return by_test


def verdict(fault: Fault, by_test: Mapping[str, Result]) -> tuple[str, float]:
    """The worst of the fault's tests, and their seconds."""
    found = [by_test.get(test, Result()) for test in fault.tests]
    said = {result.verdict for result in found}
    worst = next(word for word in ("FAILED", "NOT TRIED", "stood") if word in said)
    return worst, sum(result.seconds for result in found)


def table(rows: Sequence[Fault], by_test: Mapping[str, Result]) -> str:
    """The report as a page."""
    judged = [(fault, *verdict(fault, by_test)) for fault in rows]
    stood = sum(word == "stood" for _, word, _ in judged)
    lines = ["# Faults tried", "", f"{stood} of {len(rows)} stood."]
    area = ""
    for fault, word, seconds in judged:
        if fault.area != area:
            area = fault.area
            lines += ["", f"## {area}", "", "| Fault | What the bridge does | Result | Tests | Seconds |"]
            lines += ["| --- | --- | --- | --- | --- |"]
        count = sum(by_test.get(test, Result()).ran for test in fault.tests)
        shown = word if word == "stood" else f"**{word}**"
        lines.append(f"| {fault.name} | {fault.does} | {shown} | {count} | {seconds:.1f} |")
    return "\n".join(lines) + "\n"


def run(tests: Iterable[str], junit: Path) -> None:
    """Run the tests, each fault's on the real servers."""
    junit.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-n", "1", f"--junitxml={junit}", *sorted(set(tests))]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CERTEX_TEST_KAFKA": "apache"}, check=False)


def main() -> int:
    """Try all and report; 1 when one is not stood."""
    rows = faults(PAGE.read_text("utf-8"))
    junit = ROOT / "out" / "faults.xml"
    junit.parent.mkdir(exist_ok=True)
    run((test for fault in rows for test in fault.tests), junit)
    if not junit.is_file():
        print("pytest wrote no report", file=sys.stderr)
        return 2
    by_test = results(junit.read_text("utf-8"))
    REPORT.write_text(table(rows, by_test), "utf-8")
    for fault in rows:
        word, seconds = verdict(fault, by_test)
        print(f"{word:9} {seconds:6.1f} s  {fault.area}: {fault.name}")
    bad = [fault for fault in rows if verdict(fault, by_test)[0] != "stood"]
    print(f"{len(rows) - len(bad)} of {len(rows)} faults stood; written: {REPORT.relative_to(ROOT)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
