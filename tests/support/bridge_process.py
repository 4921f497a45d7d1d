"""The bridge as an operating system process of its own: started, asked over HTTP, stopped, killed, frozen.

Only processes started here are ever signalled, and none outlives the test run.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from certex_bridge.platform.processes import LOOPBACK, Identity, command_line, free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

START_SECONDS = 30.0
END_SECONDS = 30.0
HTTP_SECONDS = 5.0
POLL_SECONDS = 0.02


async def until(
    what: str, condition: Callable[[], Awaitable[object]], seconds: float = 30.0, poll: float = POLL_SECONDS
) -> Any:
    """Wait until the condition's answer is true, and return that answer.

    Raises:
        AssertionError: it was not within `seconds`; names what was waited for.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (answer := await condition()):
        assert loop.time() < deadline, f"waited {seconds:g} s in vain for: {what}"
        await asyncio.sleep(poll)
    return answer


class BridgeProcess:
    """One `serve` process; `environment` holds its CERTEX_ variables."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("CERTEX_")}
        self._environment |= environment
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def start(self) -> None:
        """Start it; returns at once."""
        self._port = free_port()
        command = [sys.executable, "-c", "from certex_bridge.operations.cli import main; main()", "serve"]
        environment = {**self._environment, "CERTEX_HTTP_PORT": str(self._port)}
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command_line(command, Identity.SAME, signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def said(self, characters: int = 3000) -> str:
        """The end of its log."""
        return self._log.read_text("utf-8", "replace")[-characters:] if self._log.exists() else ""

    def events(self) -> list[dict[str, Any]]:
        """Its log lines."""
        lines = self.said(10_000_000).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    # -- signals

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """SIGKILL, whatever state it is in; nothing to do when it has ended."""
        if self.running:
            self.signal(signal.SIGKILL)
            await self.ended()

    async def ended(self, seconds: float = END_SECONDS) -> int:
        """Wait for its end; the exit status.

        Raises:
            AssertionError: it goes on; carries the end of its log.
        """

        async def over() -> bool:
            return not self.running

        try:
            await until("the end of the bridge", over, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None
        code = self.exit_code
        assert code is not None
        return code

    async def killed(self, seconds: float = END_SECONDS) -> None:
        """Wait until it has killed itself at a failpoint."""
        code = await self.ended(seconds)
        assert code == -signal.SIGKILL, f"ended with {code} instead\n{self.said()}"

    # -- HTTP

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of an HTTP request; status 0 when nobody answers."""
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}{path}", timeout=HTTP_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    async def ready(self, seconds: float = START_SECONDS) -> BridgeProcess:
        """Wait until /readyz says so.

        Raises:
            AssertionError: it ended, or was not ready in time; carries the end of its log.
        """
        last = ""

        async def answered() -> bool:
            nonlocal last
            assert self.running, f"the bridge ended with {self.exit_code}\n{self.said()}"
            status, last = await self.get("/readyz")
            return status == 200

        try:
            await until("a ready bridge", answered, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error} {last}\n{self.said()}") from None
        return self

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        _, text = await self.get("/metrics")
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)
