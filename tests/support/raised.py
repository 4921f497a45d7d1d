"""Which codes the product raised in which tests: pytest plugin that writes out/raised.json.

A code counts where the product makes it: in a finding, a reason, a refusal, the result of a claim, an incident that is
sent. What a test makes does not count, nor what a module makes while it is imported, nor what the laboratory says,
which plays the others. Beside each code stands the part of the product that raised it; kernel code raises for its caller.

Like the rows of the catalogue, codes travel in the tests' reports, from workers of pytest-xdist too, and runs are
merged, so a full run starts by deleting the file (make check does). `make codes` compares it with the reference.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.support.shared_file import rewrite

FILE = Path("out") / "raised.json"
PROPERTY = "raised"
TESTS = f"{Path(__file__).resolve().parents[1]}/"


class Recorder:
    """Notes kind, code and part of the product, as one text, while a test runs."""

    def __init__(self, package: Path) -> None:
        self._root = f"{package}/"
        self._seen: set[str] = set()

    def note(self, kind: str, codes: Iterable[str], frame: FrameType | None, own: str = "") -> None:
        """Note codes that this frame hands over, if it is the product's; frames of the file `own` only pass them on."""
        while frame is not None and (frame.f_code.co_name == "__init__" or frame.f_code.co_filename == own):
            frame = frame.f_back
        if frame is not None and frame.f_code.co_name != "<module>" and (part := self._part(frame)):
            self._seen.update(f"{kind} {code} {part}" for code in codes)

    def _part(self, frame: FrameType | None) -> str:
        part = self._package(frame)
        while part == "kernel" and frame is not None and not frame.f_code.co_filename.startswith(TESTS):
            frame = frame.f_back
            part = self._package(frame) or "kernel"
        return "" if part == "laboratory" else part

    def _package(self, frame: FrameType | None) -> str:
        name = frame.f_code.co_filename if frame is not None else ""
        return name[len(self._root) :].partition("/")[0] if name.startswith(self._root) else ""

    def take(self) -> list[str]:
        """What was noted since the last time."""
        seen, self._seen = self._seen, set()
        return sorted(seen)

    def watch(self) -> None:
        """Note what is made from now on in this process."""
        from certex_bridge.kernel import errors
        from certex_bridge.ledger.domain.members import ClaimResult
        from certex_bridge.ledger.domain.reasons import Reason
        from certex_bridge.ledger.work import Work
        from certex_bridge.platform.poison import Poison
        from certex_bridge.singlewindow import refusals
        from certex_bridge.singlewindow.refusals import Refusal

        def caller() -> FrameType:
            return sys._getframe(3)  # above: this, the hook, the constructor around

        def finding(made: errors.Finding) -> None:
            self.note("finding", [made.code], caller(), errors.__file__)

        def error(made: errors.BridgeError) -> None:
            if isinstance(made, Refusal):
                self.note("refusal", [made.code], caller(), refusals.__file__)
            elif isinstance(made, (errors.InputError, Poison)):
                self.note("finding", [made.code], caller(), sys.modules[type(made).__module__].__file__ or "")
            else:
                self.note("stop", [made.code], caller())

        def mistake(made: refusals.FieldError) -> None:
            if made.reason not in refusals.REFUSALS:  # every refusal has one of its own
                self.note("mistake", [made.reason], caller(), refusals.__file__)

        def reason(made: Reason) -> None:
            self.note("reason", [made.code], caller())

        def result(made: ClaimResult) -> None:
            self.note("outcome", [str(made.claim.outcome)], caller())
            self.note("reason", [*made.claim.reasons, *(one.code for one in (*made.reasons, *made.notes))], caller())

        _after(errors.Finding, "__init__", finding)
        _after(errors.BridgeError, "__init__", error)
        _after(refusals.FieldError, "__init__", mistake)
        _after(Reason, "__init__", reason)
        _after(ClaimResult, "__init__", result)
        count = Work.count

        @functools.wraps(count)
        def counted(work: Work, name: str, times: int = 1) -> None:
            kind, _, code = name.partition(":")
            if kind == "incident":
                self.note("incident", [code], sys._getframe(1))
            count(work, name, times)

        setattr(Work, "count", counted)  # noqa: B010


def _after(owner: type, name: str, hook: Callable[[Any], None]) -> None:
    """Call the hook on each object once its constructor is done."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def constructed(made: Any, *args: Any, **named: Any) -> None:
        original(made, *args, **named)
        hook(made)

    setattr(owner, name, constructed)


def merge(old: dict[str, list[str]], ran: dict[str, list[str]]) -> dict[str, list[str]]:
    """Codes by test after a run: what ran replaces its own earlier entry, the rest stays."""
    return {test: codes for test, codes in sorted({**old, **ran}.items()) if codes}


class Collector:
    """Takes the codes out of the reports and writes them at the end of the run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ran: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what passed tests raised; a test that fails proves nothing."""
        if report.when == "call":
            told = [str(value) for name, value in report.user_properties if name == PROPERTY]
            self._ran[report.nodeid] = told if report.outcome == "passed" else []

    def pytest_sessionfinish(self) -> None:
        """Write what is known after this run."""
        if not self._ran:
            return
        rewrite(self._file, lambda old: json.dumps(merge(json.loads(old or "{}"), self._ran), indent=0) + "\n")


class Reporter:
    """Lets the reports of each test carry what was raised in it, its fixtures included."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """What came before belongs to no test."""
        self._recorder.take()

    @pytest.hookimpl(tryfirst=True)  # before the report is made
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Hand over what was raised up to here."""
        if call.when == "call":
            item.user_properties += [(PROPERTY, code) for code in self._recorder.take()]


def pytest_configure(config: pytest.Config) -> None:
    """Collect where the reports come together; record where tests run."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(config.rootpath / FILE))
    import certex_bridge

    recorder = Recorder(Path(certex_bridge.__path__[0]).resolve())
    recorder.watch()
    config.pluginmanager.register(Reporter(recorder))
