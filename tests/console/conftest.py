"""A running demo with a few records of our own, and Chromium in front of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.kafka import Publisher, Record
from certex_bridge.platform.settings import Settings
from tests.support.wire_feed import DECLARATIONS, declaration, event, licence, mrn, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "axe" / "axe.min.js"
START_SECONDS = 200
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]

SERIOUS = """async tags => {
    const found = await axe.run(document, {runOnly: tags});
    return found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | ').slice(0, 300));
}"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the console is, and what we put into it."""

    url: str
    licence: str = "BE/CONSOLE-1"
    declaration: str = mrn(71)
    broken: str = mrn(72)
    """Its event lost its last brace on the way."""
    undecided: str = mrn(73)
    """Released; two traders lodged under its LRN."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo with --keep, as a person starts it."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "certex_bridge", "demo", "--licences", "40", "--declarations", "200", "--keep"]
    if not (ROOT / "services/certex_bridge/__main__.py").exists():
        command[1:3] = [str(Path(sys.executable).with_name("certex-bridge"))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CERTEX_")}
    with subprocess.Popen(
        [*command, "--out", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            told = _listen(process)
            servers = re.findall(r"CERTEX_KAFKA_BOOTSTRAP_SERVERS=(\S+)", told)[0]
            made = Demo(re.findall(r"(http://\S+)/console", told)[0])
            with ThreadPoolExecutor(1) as threads:  # Playwright's own loop runs in this one
                threads.submit(lambda: asyncio.run(_publish(servers, made))).result(120)
            yield made
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _listen(process: subprocess.Popen[str]) -> str:
    """What the demo says, up to the console's address."""
    told: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(line)
            if "/console" in line:
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(START_SECONDS), "".join(told)
    assert process.poll() is None, "".join(told)
    return "".join(told)


LRN, TRADERS = "CONSOLE-LRN", ("BE0123456789", "BE0999999999")


def _lodged(number: int, trader: str) -> Record:
    """What one of two traders lodged under the same LRN."""
    told = declaration(73, "lodged", number + 1, {"CONSOLE-1": str(5 + number)})
    data = json.loads(told.value or b"{}") | {"lrn": LRN, "exporter": trader}
    data["declaration"]["exporter"] = trader
    del data["mrn"]
    at = f"2026-03-01T08:0{number + 1}:00Z"
    kind = "customs.declaration.lodged.v1"
    return event(DECLARATIONS, f"{trader}/{LRN}", f"console-lodged-{number}", kind, data, at)


async def _publish(servers: str, demo: Demo) -> None:
    publisher = Publisher(Settings.load(kafka_bootstrap_servers=servers))
    whole = declaration(72, "accepted", 7, {"CONSOLE-1": "5"})
    assert whole.value is not None
    records = [
        licence("CONSOLE-1", "100"),
        declaration(71, "accepted", 5, {"CONSOLE-1": "30"}),
        event(
            DECLARATIONS,
            demo.broken,
            "console-broken",
            "customs.declaration.accepted.v1",
            whole.value[:-1],
            "2026-03-01T10:07:00Z",
        ),
        *(_lodged(number, trader) for number, trader in enumerate(TRADERS)),
        declaration(73, "released", 9, lrn=LRN),
    ]
    try:
        for record in records:
            assert await publisher.send_all([record]) == [None]
            # Topics have no order between them: the declaration must not come before its licence.
            await until(lambda: asyncio.to_thread(_is_known, demo), what="the licence")
    finally:
        await publisher.stop()


def _is_known(demo: Demo) -> bool:
    headers = {"Certex-Caller": "NSW.BE", "Certex-Member-State": "BE"}
    request = urllib.request.Request(f"{demo.url}/v1/licences/{demo.licence}", headers=headers)  # noqa: S310  # an address of our own
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # an address of our own
            return bool(answer.status == HTTPStatus.OK)
    except urllib.error.HTTPError:
        return False


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "no chromium: python3 tools/fetch_console_tools.py"
    with sync_playwright() as playwright:
        # Root has no sandbox of its own; what is opened are our own pages only.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


class Someone:
    """A person at a browser of their own."""

    def __init__(self, browser: Any, demo: Demo, name: str, **how: Any) -> None:
        self.context = browser.new_context(
            base_url=demo.url, viewport={"width": 1360, "height": 900}, locale="en-GB", **how
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.blocked: list[str] = []
        self.page.on(
            "console", lambda said: self.blocked.append(said.text) if "Content Security Policy" in said.text else None
        )
        self.page.on("pageerror", lambda error: self.blocked.append(str(error)))
        self.go("/console/login")
        self.page.get_by_role("button", name=name).click()

    def go(self, address: str) -> Any:
        """Open an address; gives the answer."""
        return self.page.goto(address)

    def serious_issues(self) -> list[str]:
        """What axe finds on the page."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found: list[str] = self.page.evaluate(SERIOUS, EVERYTHING)
        return found


@pytest.fixture
def person(chromium: Any, demo: Demo) -> Iterator[Any]:
    """Makes people at browsers, by name; at the end nothing of theirs was blocked or broke."""
    made: list[Someone] = []

    def make(name: str, **how: Any) -> Someone:
        made.append(Someone(chromium, demo, name, **how))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    assert [one.blocked for one in made] == [[]] * len(made)
