"""The demo while it runs: bars on a terminal, one line per finished step without one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from certex_bridge.operations.terminal import console, count, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NAME_WIDTH = 28


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """One step of the set-up; append what there is to say about it."""
    began = time.monotonic()
    said: list[str] = []
    if console().is_terminal:
        with console().status(name):
            yield said
    else:
        yield said
    say(f"  [green]✓[/] {name:<{_NAME_WIDTH}}{' '.join(said):<52} [dim]{time.monotonic() - began:6.2f} s[/]")


class Bars:
    """Progress of the waves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def wave(self, name: str, total: int, what: str = "records") -> Bar:
        """A new bar."""
        return Bar(self._progress, self._progress.add_task(name, total=total, rate=""), name, total, what)


class Bar:
    """One wave."""

    def __init__(self, progress: Progress, task: TaskID, name: str, total: int, what: str) -> None:
        self._progress = progress
        self._task = task
        self._name = name
        self._total = total
        self._what = what
        self._began = time.monotonic()

    def at(self, done: int) -> None:
        """So many records are taken in."""
        seconds = time.monotonic() - self._began
        rate = f"{count(round(done / seconds))}/s" if done and seconds > 0 else ""
        self._progress.update(self._task, completed=done, rate=rate)

    def finished(self, seconds: float) -> None:
        """The wave is over."""
        rate = f"{count(round(self._total / seconds))}/s" if seconds > 0 else ""
        self._progress.update(self._task, completed=self._total, rate=rate)
        self._progress.stop_task(self._task)
        if not console().is_terminal:
            taken = f"{count(self._total):>8} {self._what:<7}"
            say(f"  ✓ {self._name:<{_NAME_WIDTH}}{taken}   {seconds:7.2f} s   {rate:>10}")


@contextmanager
def bars() -> Iterator[Bars]:
    """Live bars; silent without a terminal, where each wave says a line at its end."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("  {task.description:<" + str(_NAME_WIDTH) + "}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>10}", style="cyan"),
        TimeElapsedColumn(),
        console=console(),
        disable=not console().is_terminal,
    )
    with progress:
        yield Bars(progress)
