"""Servers run as our own child processes: free ports, bounded start and stop, never outliving us."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
import secrets
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

from certex_bridge.kernel.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02
PORTS = range(15_000, 32_000)
PORT_ATTEMPTS = 100

_CHILD = str(Path(__file__).with_name("child.py"))


class ServerFailed(BridgeError):
    """A server run by the bridge itself did not start, or died."""

    code = "SERVER_FAILED"


class Identity(enum.StrEnum):
    """Under whose name a child runs (see child.py)."""

    SAME = "same"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


def free_port(host: str = LOOPBACK) -> int:
    """A TCP port nobody listens on at this moment (another process may still take it: starting is retried).

    Taken below the range from which systems number outgoing connections: there, a client that waits for the server by
    trying to connect can be given the very port it tries, and then talks to itself.
    """
    for _ in range(PORT_ATTEMPTS):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise ServerFailed(f"no free port was found between {PORTS.start} and {PORTS.stop}")


async def accepts(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts TCP connections on the port."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout=1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def command_line(
    command: Sequence[str | os.PathLike[str]], identity: Identity, death_signal: signal.Signals
) -> list[str]:
    """The command behind the launcher that ties it to this process."""
    launcher = [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), str(int(death_signal)), identity.value]
    return [*launcher, *(os.fspath(part) for part in command)]


class ChildProcess:
    """One server: started in its own session with its output in a log file, stopped in bounded time.

    Start it from a thread that lives as long as the server (the event loop's): Linux ties the child to that thread.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        log: Path,
        *,
        identity: Identity = Identity.SAME,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 10,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command_line(command, identity, stop_signal)
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process number while it runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server; returns at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # a Ctrl-C at the terminal stops us first, and we stop the server in order
            )

    async def wait_ready(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until `ready()` says so.

        Raises:
            ServerFailed: the server ended, or was not ready within `seconds`; carries the end of its log.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            if not self.running:
                raise ServerFailed(f"{self.name} ended while starting: {self.log_tail()}")
            if await ready():
                return
            if loop.time() > deadline:
                raise ServerFailed(f"{self.name} was not ready after {seconds:g} s: {self.log_tail()}")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Ask the server to stop; after `stop_seconds` it is killed. Does nothing when it has ended."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self._stop_signal)
            if not await self._ended(self._stop_seconds):
                process.kill()
                await self._ended(self._stop_seconds)
        self._process = None

    async def kill(self) -> None:
        """End the server at once (SIGKILL), as a crash would."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            await self._ended(self._stop_seconds)
        self._process = None

    async def _ended(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.running:
            if loop.time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def log_tail(self, characters: int = 600) -> str:
        """The end of what the server said, on one line."""
        if not self.log.exists():
            return "it left no log"
        return " | ".join(self.log.read_text("utf-8", "replace")[-characters:].split("\n")).strip(" |")


class OwnServer(ABC):
    """A server that we start and that ends with its block: `async with`."""

    _child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process number while it runs."""
        return self._child.pid if self._child is not None else None

    @abstractmethod
    async def start(self) -> None:
        """Start and wait until clients can connect."""

    async def stop(self) -> None:
        """Stop in order, in bounded time, then by force; does nothing when it does not run."""
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()
