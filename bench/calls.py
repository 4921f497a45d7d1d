"""Load on the gateway from a process of its own: `python -m bench.calls` sends RESERVE calls over keep-alive connections.

Open loop (`--rate`): each call has its instant, and its time runs from there even when the sender is late. Closed loop
(no rate): every connection sends its next call when it has the answer. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop

from bench import workload
from certex_bridge.kernel.identifiers import mrn_check_digit

CALLER = "BENCH"
EXPORTER = "BE0700000000"


@dataclass
class Heard:
    """What came back."""

    times: list[float] = field(default_factory=list)
    """Seconds, in the order of the calls."""
    wrong: list[str] = field(default_factory=list)
    """Answers that are no reservation."""


def bodies(start: int, count: int) -> Iterator[bytes]:
    """Reservations of one piece each on the hot licence, each of its own declaration, as whole requests."""
    for number in range(start, start + count):
        stem = f"26BE{number:012}A"
        message = {
            "messageSender": CALLER,
            "messageRecipient": "CERTEX-BRIDGE",
            "preparationDateAndTime": "2026-03-02T10:00:00",
            "messageIdentification": f"bench-{number}",
            "messageType": "CBQMRQ",
            "movementType": "RESERVE",
            "DeclarationReference": {
                "LRN": f"BENCH{number}",
                "MRN": stem + mrn_check_digit(stem),
                "declarationVersion": 1,
                "declarationType": "EX",
                "additionalDeclarationType": "A",
                "CustomsOfficeOfExport": {"referenceNumber": "BE212000"},
                "Exporter": {"identificationNumber": EXPORTER},
            },
            "countryOfDestination": "KR",
            "GoodsItem": [_ITEM],
        }
        body = json.dumps(message).encode()
        yield (
            b"POST /v1/movements HTTP/1.1\r\nHost: localhost\r\nCertex-Caller: " + CALLER.encode() + b"\r\n"
            b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )


_ITEM = {
    "declarationGoodsItemNumber": 1,
    "Procedure": {"requestedProcedure": "10", "previousProcedure": "00"},
    "countryOfOrigin": "DE",
    "CommodityCode": {"harmonizedSystemSubHeadingCode": "845710", "combinedNomenclatureCode": "90"},
    "SupportingDocument": [
        {
            "sequenceNumber": 1,
            "type": "X060",
            "referenceNumber": workload.licence_number(0),
            "documentLineItemNumber": 1,
            "measurementUnitAndQualifier": "NAR",
            "quantity": "1",
        }
    ],
}


class Line:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes, heard: Heard, since: float) -> None:
        """Send, read the whole answer, note the time since its instant."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await self._reader.readexactly(length)
        heard.times.append(time.perf_counter() - since)
        if b" 200 " not in head[:16] or b"OK_RESERVED" not in body:
            heard.wrong.append((head[:40] + body[:300]).decode("utf-8", "replace"))


async def _lines(port: int, count: int) -> list[Line]:
    return [Line(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def closed_loop(port: int, connections: int, requests: Sequence[bytes]) -> tuple[Heard, float]:
    """All requests, as fast as the answers come; what was heard, and the seconds it took."""
    heard, waiting = Heard(), iter(requests)

    async def work(line: Line) -> None:
        for request in waiting:
            await line.ask(request, heard, time.perf_counter())

    lines = await _lines(port, connections)
    began = time.perf_counter()
    await asyncio.gather(*map(work, lines))
    return heard, time.perf_counter() - began


async def open_loop(port: int, connections: int, requests: Sequence[bytes], rate: float) -> tuple[Heard, float]:
    """Each request at its instant, on a connection that is free."""
    heard = Heard()
    free: asyncio.Queue[Line] = asyncio.Queue()
    for line in await _lines(port, connections):
        free.put_nowait(line)

    async def one(request: bytes, due: float) -> None:
        line = await free.get()
        await line.ask(request, heard, due)
        free.put_nowait(line)

    began = time.perf_counter() + 0.05
    running = []
    for number, request in enumerate(requests):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*running)
    return heard, time.perf_counter() - began


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Warm up, play, count."""
    warm = list(bodies(options.start, options.warm))
    requests = list(bodies(options.start + options.warm, options.count))
    await closed_loop(options.port, min(4, options.connections), warm)
    if options.rate:
        heard, seconds = await open_loop(options.port, options.connections, requests, options.rate)
    else:
        heard, seconds = await closed_loop(options.port, options.connections, requests)
    times = sorted(heard.times)
    return {
        "calls": len(times),
        "per_second": len(times) / seconds,
        "p50_ms": times[len(times) // 2] * 1e3,
        "p99_ms": times[int(len(times) * 0.99)] * 1e3,
        "max_ms": times[-1] * 1e3,
        "wrong": heard.wrong[:3],
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--start", type=int, default=0, help="number of the first declaration")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--warm", type=int, default=100, help="calls before, on four connections")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.0, help="calls a second; 0: as fast as answers come")
    json.dump(uvloop.run(run(parser.parse_args())), sys.stdout)


if __name__ == "__main__":
    main()
