"""The service as a process of its own, to be killed: `certex-bridge serve` with settings by environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

WAIT_SECONDS = 40.0
_MAIN = "from certex_bridge.operations.cli import main; main()"


class KillableBridge:
    """One `serve`; ends only the process it started."""

    def __init__(self, log: Path, **settings: str) -> None:
        self._log = log
        self._settings = {f"CERTEX_{name.upper()}": value for name, value in settings.items()}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, failpoint: str = "") -> None:
        """Start it; `failpoint` is the value of CERTEX_FAILPOINT."""
        usual = {"CERTEX_HTTP_PORT": "0", "CERTEX_HEALTH_PORT": "0", "CERTEX_LOG_LEVEL": "WARNING"}
        environment = {**os.environ, **usual, **self._settings}
        if failpoint:
            environment["CERTEX_FAILPOINT"] = failpoint
        with self._log.open("ab") as log:  # a file on the test's own disk
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _MAIN, "serve", env=environment, stdout=log, stderr=log
            )

    async def died(self) -> int:
        """Wait for its end; the exit code (negative: the signal)."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), WAIT_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def stands_still(self) -> bool:
        """Whether it is stopped (SIGSTOP), as Linux tells it."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/stat").read_text("ascii")
        return status.rpartition(")")[2].split()[0] == "T"

    async def stop(self) -> int:
        """An orderly stop; its exit code (0 when it was never started)."""
        if self._process is None:
            return 0
        self.send(signal.SIGTERM)
        try:
            return await self.died()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.died()
