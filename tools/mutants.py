"""Seeds bugs one by one and tells which test catches each (`make mutants`), so that the tests are tested themselves.

The list stands in `tests/mutants/*.toml`: a file of ours, a text that stands in it once, what a mistake would make of
it, and the tests that must then fail. Each bug is put into a copy of the tree, never into the tree itself. A test that
hangs fails by its own limit; what hangs even then is ended, and counts as caught by the test that was under way.
"""

from __future__ import annotations

import argparse
import ast
import ctypes
import multiprocessing
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "mutants"
PAGE = ROOT / "docs" / "reference" / "mutants.md"
PACKAGE = Path("services") / "certex_bridge"
TEST_SECONDS = 60
"""Limit of one test: far more than any in the list needs, on any machine."""
RUN_SECONDS = 240
"""Limit of all tests of one bug: reached only where a test cannot be ended by its own limit."""


_OPTIONS = (
    "-x", "-v", "-m", "not slow and not kafka_only", "--timeout-method=signal",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:schemathesis",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # pytest itself is there before it can look at its plug-ins
)  # fmt: skip
_PR_SET_PDEATHSIG = 1
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(
    [
        "aiohttp", "aiokafka", "asyncpg", "cramjam", "cryptography.x509", "faststream.kafka",
        "hypothesis", "jinja2", "jsonschema", "jwt", "lxml.etree", "msgspec", "prometheus_client", "pydantic",
        "pydantic_settings", "pytest", "pytest_asyncio", "pytest_timeout", "rich", "starlette.applications",
        "structlog", "typer", "uvicorn", "xmlschema", "yaml",
    ]
)  # fmt: skip
"""Starting Python and importing what others wrote takes longer than most of the tests: it is done once."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug that somebody could write."""

    area: str
    """The list's file."""
    name: str
    what: str
    """What goes wrong, in a sentence."""
    file: str
    """Below the package."""
    old: str
    new: str
    tests: tuple[str, ...]
    """What pytest is asked to run; one of them must fail."""
    slice: bool = False
    """Whether it is among the few that every `make check-rest` tries."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one bug."""

    mutant: Mutant
    verdict: str
    """caught, hung (caught by a time limit), SURVIVED or BROKEN (the tests could not be run)."""
    by: str
    """The test that failed first, or what was said instead."""
    seconds: float

    @property
    def is_caught(self) -> bool:
        """Whether a test saw it."""
        return self.verdict in {"caught", "hung"}


def listed(folder: Path = LIST) -> list[Mutant]:
    """The list, in the order of its files.

    Raises:
        TypeError: an entry has a field too many or too few.
    """
    return [
        Mutant(area=file.stem, **{**entry, "tests": tuple(entry["tests"])})
        for file in sorted(folder.glob("*.toml"))
        for entry in tomllib.loads(file.read_text("utf-8"))["mutant"]
    ]


def problems(mutant: Mutant, root: Path = ROOT) -> list[str]:
    """Why an entry does not apply to the code as it is now; empty when it does."""
    file = root / PACKAGE / mutant.file
    if not file.is_file():
        return [f"{mutant.name}: there is no {mutant.file}"]
    text = file.read_text("utf-8")
    found = []
    if (times := text.count(mutant.old)) != 1:
        found.append(f"{mutant.name}: its text stands {times} times in {mutant.file}")
    if mutant.old == mutant.new:
        found.append(f"{mutant.name}: changes nothing")
    if file.suffix == ".py":
        try:
            ast.parse(text.replace(mutant.old, mutant.new))
        except SyntaxError as error:
            found.append(f"{mutant.name}: is no Python: {error}")
    found += [f"{mutant.name}: there is no {test}" for test in mutant.tests if not exists(test, root)]
    return found if mutant.tests else [*found, f"{mutant.name}: names no test"]


def exists(test: str, root: Path = ROOT) -> bool:
    """Whether a file of tests, and the function in it, exist."""
    name, _, function = test.partition("::")
    file = root / name
    if not file.is_file():
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return not function or any(
        isinstance(node, functions) and node.name == function.partition("[")[0]
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )


def _pytest(tree: str, said: str, asked: list[str]) -> None:
    """In a process of its own, with the packages of others already there: pytest on the copy of the tree."""
    os.setsid()  # so that it is ended with all that it started
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # whatever becomes of us: a bug may never end by itself
    for name in ("CI", "PYTEST_ADDOPTS"):  # in CI a failed test with servers would be tried again
        os.environ.pop(name, None)
    os.environ["PYTHONPATH"] = f"{tree}/services"
    sys.path.insert(0, f"{tree}/services")
    os.chdir(tree)
    with Path(said).open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    import pytest

    code = int(pytest.main(asked))
    sys.stdout.flush()
    os._exit(code)


class Copy:
    """A copy of the tree in which one bug at a time is tried."""

    def __init__(self, folder: Path) -> None:
        self._tree = folder / "tree"
        self._report = folder / "report.xml"
        self._said = folder / "said.txt"
        self._stamps = time.time_ns() // 10**9 + 10**6
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (self._tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self._tree / name)

    def attempt(self, mutant: Mutant) -> Result:
        """Put the bug in, run its tests, take it out."""
        file = self._tree / PACKAGE / mutant.file
        text, before = file.read_text("utf-8"), file.stat()
        file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        self._stamps += 1  # a time of its own: what Python compiled of another text is then never taken for this one
        os.utime(file, (self._stamps, self._stamps))
        began = time.monotonic()
        try:
            verdict, by = self.run(mutant.tests)
        finally:
            file.write_text(text, "utf-8")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        return Result(mutant, verdict, by, time.monotonic() - began)

    def run(self, tests: Iterable[str]) -> tuple[str, str]:
        """Run tests until the first fails; the verdict, and which one it was."""
        for file in (self._report, self._said):
            file.unlink(missing_ok=True)
        asked = [*_OPTIONS, f"--timeout={TEST_SECONDS}", f"--junitxml={self._report}", *tests]
        process = _WARM.Process(target=_pytest, args=(str(self._tree), str(self._said), asked))
        process.start()
        process.join(RUN_SECONDS)
        if process.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
            begun = [line.split(" ")[0] for line in self._told().splitlines() if line.startswith("tests/")]
            return "hung", begun[-1] if begun else "before the first test"
        if process.exitcode == 0:
            return "SURVIVED", "all passed"
        if process.exitcode != 1 or not self._report.is_file():
            return "BROKEN", " ".join(self._told().split())[-300:]
        return self._first_failure()

    def _told(self) -> str:
        return self._said.read_text("utf-8", "replace") if self._said.is_file() else ""

    def _first_failure(self) -> tuple[str, str]:
        for case in ET.parse(self._report).iter("testcase"):  # noqa: S314  # pytest's own report
            for kind in ("failure", "error"):
                what = case.find(kind)
                if what is not None:
                    verdict = "hung" if "Timeout" in (what.get("message") or "") else "caught"
                    return verdict, f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"
        return "BROKEN", "pytest failed and names no test"


def attempts(mutants: Sequence[Mutant], workers: int) -> Iterator[Result]:
    """Try all, `workers` at a time; results as they come."""
    waiting: queue.SimpleQueue[Mutant | None] = queue.SimpleQueue()
    results: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    for one in [*mutants, *[None] * workers]:
        waiting.put(one)

    def work() -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
                copy = Copy(Path(folder))
                while (mutant := waiting.get()) is not None:
                    results.put(copy.attempt(mutant))
        except BaseException as error:  # noqa: BLE001  # told to whoever waits for results
            results.put(error)

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    for _ in mutants:
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        yield result


def unchanged_passes(mutants: Sequence[Mutant]) -> bool:
    """Whether all selections pass where nothing is changed: only then a failure says something."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        verdict, by = Copy(Path(folder)).run(tests)
    print(f"without a bug: {'all pass' if verdict == 'SURVIVED' else f'{verdict}: {by}'}", flush=True)
    return verdict == "SURVIVED"


def page(results: Sequence[Result]) -> str:
    """The page of the last whole run."""
    by_area: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda one: (one.mutant.area, one.mutant.name)):
        by_area.setdefault(result.mutant.area, []).append(result)
    caught = sum(result.is_caught for result in results)
    lines = [
        "# Seeded bugs",
        "",
        "Tests are worth what they see. Here a bug that somebody could write is put into the code, one at a time, and",
        "the tests that must see it are run (`make mutants`; a few of them in each `make check-rest`). The list stands",
        "in `tests/mutants`; `make test` checks that each entry still applies to the code. This page is written by the",
        "last whole run; seconds are those of the machine it ran on, with the start of tests and servers.",
        "",
        f"{caught} of {len(results)} are caught.",
    ]
    for area, found in by_area.items():
        lines += ["", f"## {area}", "", "| Bug | What goes wrong | Caught by | Seconds |", "| --- | --- | --- | --- |"]
        for result in found:
            test = result.by.removeprefix("tests/").replace("|", "\\|")
            how = f"`{test}`" + (" (time limit)" if result.verdict == "hung" else "")
            told = how if result.is_caught else f"**{result.verdict}**"
            lines.append(f"| {result.mutant.name} | {result.mutant.what} | {told} | {result.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the bugs asked for; 1 when one is not caught."""
    parser = argparse.ArgumentParser(description="Seed bugs one by one and tell which test catches each.")
    parser.add_argument("names", nargs="*", help="only these; none: all")
    parser.add_argument("--slice", action="store_true", help="only the few that every make check-rest tries")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    mutants = [
        one for one in listed() if (not asked.names or one.name in asked.names) and (one.slice or not asked.slice)
    ]
    wrong = [problem for mutant in mutants for problem in problems(mutant)]
    if wrong or not mutants:
        print("\n".join(wrong) or "there is no such bug in the list")
        return 2
    if not unchanged_passes(mutants):
        return 2
    results = []
    for result in attempts(mutants, asked.workers):
        results.append(result)
        print(
            f"{result.verdict:8} {result.seconds:5.0f} s  {result.mutant.area}/{result.mutant.name}: {result.by}",
            flush=True,
        )
    missed = [result.mutant.name for result in results if not result.is_caught]
    print(f"{len(results) - len(missed)} of {len(results)} caught" + (f"; not: {', '.join(missed)}" if missed else ""))
    if not asked.names and not asked.slice and not missed:
        PAGE.write_text(page(results), "utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
