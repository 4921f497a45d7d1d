"""`python -m bench.asking`: POST requests to a gateway at a fixed rate, from a process of its own.

Open loop: each request has its instant, and its time runs from there even when the sender is late. Bodies come as JSON
lines on standard input and are sent in turn; `{n}` in them is replaced by the number of the request. Milliseconds go to
standard output as one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SERVER = re.compile(rb"server-timing: *handler;dur=([0-9.]+)", re.IGNORECASE)


class Line:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def post(self, head: bytes, body: bytes) -> tuple[int, float, bytes]:
        """Status, server's own milliseconds, body."""
        self._writer.write(head % len(body) + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length, timing = _LENGTH.search(answer), _SERVER.search(answer)
        told = await self._reader.readexactly(int(length[1]) if length else 0)
        return int(answer[9:12]), float(timing[1]) if timing else 0.0, told

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def ask(options: argparse.Namespace, bodies: Sequence[str]) -> dict[str, Any]:
    """Send everything; what it took."""
    head = (
        f"POST {options.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"certex-caller: {options.caller}\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(options.connections):
        free.put_nowait(Line(*await asyncio.open_connection("127.0.0.1", options.port)))
    times: list[tuple[float, float, float]] = []
    statuses: Counter[str] = Counter()

    async def one(number: int, due: float) -> None:
        line = await free.get()
        body = bodies[number % len(bodies)].replace("{n}", str(number)).encode()
        try:
            status, server, told = await line.post(head, body)
        finally:
            free.put_nowait(line)
        times.append((due, (time.monotonic() - due) * 1e3, server))
        found = re.search(rb'"outcome":"([A-Z_]+)"', told)
        statuses[f"{status} {found[1].decode() if found else ''}".strip()] += 1

    began = time.monotonic() + 0.1
    count = int(options.rate * (options.warm + options.seconds))
    waiting = []
    for number in range(count):
        due = began + number / options.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        waiting.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*waiting)
    while not free.empty():
        free.get_nowait().close()
    counted = [moment for moment in times if moment[0] >= began + options.warm]
    return {
        "requests": len(counted),
        "per_second": len(counted) / options.seconds,
        "statuses": dict(statuses),
        "client": spread([client for _, client, _ in counted]),
        "server": spread([server for _, _, server in counted]),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99 %, longest."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    return {name: ordered[int(len(ordered) * share)] for name, share in at.items()} | {"max": ordered[-1]}


def main() -> None:
    """Read the command line and the bodies."""
    parser = argparse.ArgumentParser(prog="python -m bench.asking", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--caller", required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--warm", type=float, default=3.0, help="seconds before anything counts")
    parser.add_argument("--connections", type=int, default=64)
    bodies = [line for line in sys.stdin.read().splitlines() if line]
    print(json.dumps(uvloop.run(ask(parser.parse_args(), bodies))))


if __name__ == "__main__":
    main()
