"""Processes of the bridge, started as an operator would, watched, and ended by their own id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

GIVING_WAY = 10
"""Niceness of what nobody waits for."""
SAMPLE_SECONDS = 0.1
STOP_SECONDS = 25.0
ROOT = Path(__file__).resolve().parent.parent
SERVE = ("-c", "from certex_bridge.operations.cli import main; main()", "serve")
"""What the console script certex-bridge runs."""


class ProcessEnded(Exception):
    """A process of ours ended by itself; carries the end of what it said."""


@dataclass(slots=True)
class Watched:
    """One process: its peak memory and the processor time it took."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    peak_rss: int = 0
    cpu_seconds: float = 0.0

    def sample(self) -> None:
        """Look at memory and processor time."""
        with contextlib.suppress(psutil.Error):
            seen = psutil.Process(self.process.pid)
            self.peak_rss = max(self.peak_rss, seen.memory_info().rss)
            times = seen.cpu_times()
            self.cpu_seconds = times.user + times.system

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            ProcessEnded: it does not.
        """
        if (code := self.process.poll()) is not None:
            raise ProcessEnded(f"{self.name} ended with {code}: {self.log.read_text('utf-8', 'replace')[-2000:]}")


@dataclass(slots=True)
class Team:
    """The processes of one part of the run."""

    members: list[Watched] = field(default_factory=list)

    def check(self) -> None:
        """Make sure that all still run.

        Raises:
            ProcessEnded: one does not.
        """
        for one in self.members:
            one.check()

    @property
    def peak_mb(self) -> float:
        """Resident memory of the largest process, in MB of a million bytes."""
        return max((one.peak_rss for one in self.members), default=0) / 1e6

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all."""
        for one in self.members:
            one.sample()
        return sum(one.cpu_seconds for one in self.members)


@asynccontextmanager
async def running(
    commands: Sequence[tuple[str, Sequence[str]]], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[Team]:
    """Python processes (name, arguments of the interpreter) while the block runs; then SIGTERM, then SIGKILL."""
    team = Team()
    sampler = asyncio.create_task(_sample(team))
    try:
        for number, (name, arguments) in enumerate(commands):
            log = folder / f"{name}-{number}-{time.monotonic_ns()}.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, *arguments],
                    env=dict(environment),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            team.members.append(Watched(name, process, log))
        yield team
    finally:
        sampler.cancel()
        await _stop(team)


def give_way(pid: int) -> None:
    """Let a process yield the processor to others, as one started with `nice` does.

    Linux keeps the niceness of each thread; those that come later have that of the thread that starts them.
    """
    for thread in psutil.Process(pid).threads():
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            os.setpriority(os.PRIO_PROCESS, thread.id, GIVING_WAY)


async def _sample(team: Team) -> None:
    while True:
        for one in team.members:
            one.sample()
        await asyncio.sleep(SAMPLE_SECONDS)


async def _stop(team: Team) -> None:
    for one in team.members:
        one.sample()
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for one in team.members:
        while one.process.poll() is None:
            if time.monotonic() > deadline:
                one.process.kill()
            await asyncio.sleep(0.02)


def bridge_commands(split: Sequence[str]) -> list[tuple[str, list[str]]]:
    """One `certex-bridge serve` for each entry of `split` (roles with commas)."""
    return [(roles.replace(",", "-"), [*SERVE, "--roles", roles]) for roles in split]
