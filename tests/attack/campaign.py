"""Sends the whole corpus and prints what came of it by kind: `make attack`.

Right is an answer that the corpus names, for less than a second of the processor and less than 64 MB, with no file and no
address touched. Times are those of this machine: that is why this is a command with a report, and no test.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from certex_bridge.platform.embedded import EmbeddedBroker, EmbeddedPostgres
from certex_bridge.platform.migrations import migrate
from tests.attack import door, inside
from tests.attack.attacks import GROWTH_BYTES_MAX, SECONDS_MAX, Attack
from tests.attack.bait import Bait, bait
from tests.attack.watched import watch
from tests.support.databases import run

SAMPLE_SECONDS = 0.002
WAITS_SECONDS_MAX = 12.0
"""Longest until the connection is answered: the server waits ten seconds for the rest of a head, which costs nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one input."""

    attack: Attack
    answer: str
    seconds: float
    """Until the last byte of the answer, on a machine that has other work too."""
    work: float
    """Seconds of the processor that it cost."""
    growth: int
    """Bytes of memory above those before, at the highest."""

    def wrong(self) -> str:
        """What is wrong with it, empty: nothing."""
        if not self.attack.is_right(self.answer):
            return f"answered {self.answer!r}, right is {self.attack.right!r}"
        if self.work > SECONDS_MAX or self.seconds > WAITS_SECONDS_MAX:
            return f"cost {self.work:.2f} s, {self.seconds:.2f} s with waiting"
        return f"cost {self.growth / 1e6:.0f} MB" if self.growth > GROWTH_BYTES_MAX else ""


class Memory:
    """The most memory a process has at any moment of a block."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def most_while(self, work: Callable[[], tuple[str, float]]) -> tuple[str, float, float, int]:
        """Answer and seconds of the work, seconds of the processor, and by how many bytes the process grew meanwhile."""
        times = self._process.cpu_times()
        before = most = self._process.memory_info().rss
        done = threading.Event()

        def sample() -> None:
            nonlocal most
            while not done.wait(SAMPLE_SECONDS):
                most = max(most, self._process.memory_info().rss)

        sampling = threading.Thread(target=sample, daemon=True)
        sampling.start()
        try:
            answer, seconds = work()
        finally:
            done.set()
            sampling.join()
        after = self._process.cpu_times()
        return answer, seconds, after.user + after.system - times.user - times.system, most - before


def _serve_inside(pipe: Connection, report: str, lure: Bait) -> None:
    """In a process of its own: answer what is asked by its number."""
    corpus = inside.attacks()
    for attack in corpus[:50]:
        inside.answer(attack, lure)  # what is imported late is imported now
    pipe.send("ready")
    watch(Path(report), folders=(str(Path(report).parent),))
    while (number := pipe.recv()) is not None:
        try:
            pipe.send(inside.answer(corpus[number], lure))
        except Exception as error:  # noqa: BLE001  # the very thing that is looked for
            pipe.send((f"{type(error).__name__}: {error}"[:200], 0.0))


class _Named:
    """What of a bait another process needs."""

    def __init__(self, lure: Bait) -> None:
        self.file, self.port = lure.file, lure.port

    put_into = Bait.put_into


def inner(wanted: Callable[[Attack], bool], lure: Bait, folder: Path) -> tuple[list[Result], str]:
    """Results of what needs no connection, and what was touched."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    report = folder / "touched-inside.txt"
    process = context.Process(target=_serve_inside, args=(theirs, str(report), _Named(lure)), daemon=True)
    process.start()
    memory = Memory(process.pid or 0)
    ours.recv()

    def ask(number: int) -> tuple[str, float]:
        ours.send(number)
        answer, seconds = ours.recv()
        return str(answer), float(seconds)

    results = []
    for number, attack in enumerate(inside.attacks()):
        if wanted(attack):
            results.append(Result(attack, *memory.most_while(lambda number=number: ask(number))))
    ours.send(None)
    process.join(10)
    return results, report.read_text("utf-8") if report.is_file() else ""


def outer(wanted: Callable[[Attack], bool], lure: Bait, folder: Path) -> tuple[list[Result], str]:
    """Results of what is sent over a connection, and what was touched."""
    corpus = [attack for attack in door.attacks() if wanted(attack)]
    if not corpus:
        return [], ""
    with ExitStack() as stack:
        server, broker = EmbeddedPostgres(folder / "postgres", durable=False), EmbeddedBroker(folder / "broker")
        for one in (server, broker):
            run(one.start())
            stack.callback(lambda one=one: run(one.stop()))
        run(migrate(server.url))
        gateway = stack.enter_context(door.Door(server.url, broker.bootstrap_servers, folder))
        memory = Memory(gateway.process.pid)
        for attack in corpus[:3]:
            gateway.answer(attack, lure)  # what is imported late is imported now
        known = len(gateway.touched.read_text("utf-8"))
        results = []
        for attack in corpus:
            told = memory.most_while(lambda attack=attack: gateway.answer(attack, lure))
            results.append(Result(attack, *told))
            assert gateway.process.poll() is None, f"the gateway ended at {attack.kind}: {attack.name}"
        return results, gateway.touched.read_text("utf-8")[known:]


def table(results: Sequence[Result]) -> str:
    """The report: one row per kind."""
    lines = ["| Kind | Inputs | Right | Most work | Most memory |", "| --- | --- | --- | --- | --- |"]
    for kind in dict.fromkeys(result.attack.kind for result in results):
        found = [result for result in results if result.attack.kind == kind]
        slow = max(found, key=lambda one: one.work)
        large = max(found, key=lambda one: one.growth)
        right = sum(not result.wrong() for result in found)
        lines.append(
            f"| {kind} | {len(found)} | {right} | {slow.work * 1000:.0f} ms ({slow.attack.name[:60]}) "
            f"| {large.growth / 1e6:.0f} MB ({large.attack.name[:60]}) |"
        )
    right = sum(not result.wrong() for result in results)
    lines.append(f"| **all** | {len(results)} | {right} | | |")
    return "\n".join(lines)


def main() -> int:
    """Attack, and tell; 1 when something is not right."""
    parser = argparse.ArgumentParser(description="Send hostile inputs to the bridge and report by kind.")
    parser.add_argument("--only", default="", help="regular expression of kind and name")
    parser.add_argument("--answers", action="store_true", help="print each answer")
    asked = parser.parse_args()
    pattern = re.compile(asked.only)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as name, bait(Path(name)) as lure:
        folder = Path(name)

        def wanted(attack: Attack) -> bool:
            return pattern.search(f"{attack.kind}: {attack.name}") is not None

        results, touched = inner(wanted, lure, folder)
        over, also = outer(wanted, lure, folder)
        results, touched = results + over, touched + also + "the bait's address\n" * lure.visits
    if asked.answers:
        for result in results:
            print(f"{result.answer:50} {result.attack.kind}: {result.attack.name[:90]}")  # noqa: T201
    for result in results:
        if wrong := result.wrong():
            print(f"WRONG {result.attack.kind}: {result.attack.name[:120]}: {wrong}")  # noqa: T201
    print(table(results))  # noqa: T201
    print(f"touched outside: {touched or 'nothing'}; {time.monotonic() - began:.0f} s")  # noqa: T201
    return 1 if touched or any(result.wrong() for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
