"""Availability checks over HTTP at a rate the gateway does not choose, while few licences take a load of declarations."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench import workload
from bench.latency import PER_SECOND as DECLARATIONS_PER_SECOND
from bench.processes import ROOT, Team, give_way
from bench.servers import Place, Servers, place
from bench.throughput import bridge, prepare
from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.platform.kafka import create_producer

PER_SECOND = 500
HOT = 10
"""Licences that all declarations and all checks cite."""
CALLER = "NSWE-C.BE"
_READY_SECONDS = 40.0
_CALLERS = """
[[caller]]
name = "NSWE-C.BE"
member_state = "BE"
roles = ["clearance"]
limits = { rate = 100000, burst = 100000, concurrent = 1000 }
"""


class NotReady(Exception):
    """The gateway did not come up."""


def bodies(count: int = 200) -> list[str]:
    """Checks of one item each, for declarations that the ledger does not know yet."""
    return [json.dumps(_check(number)) for number in range(count)]


def _check(number: int) -> dict[str, Any]:
    stem = f"26BE999{number:09}A"
    document = {
        "sequenceNumber": 1, "type": "X060", "referenceNumber": workload.licence_number(number % HOT),
        "documentLineItemNumber": 1, "measurementUnitAndQualifier": "NAR", "quantity": "5",
    }  # fmt: skip
    item = {
        "declarationGoodsItemNumber": 1,
        "Procedure": {"requestedProcedure": "10", "previousProcedure": "00"},
        "CommodityCode": {"harmonizedSystemSubHeadingCode": "845710", "combinedNomenclatureCode": "90"},
        "SupportingDocument": [document],
    }
    exporter = {"identificationNumber": workload.exporter(0)}
    return {
        "messageSender": CALLER,
        "messageRecipient": "CERTEX",
        "preparationDateAndTime": "2026-03-02T08:00:00",
        "messageIdentification": "check-{n}",
        "messageType": "CBACRQ",
        "DeclarationReference": {"MRN": stem + mrn_check_digit(stem), "Exporter": exporter},
        "countryOfDestination": "KR",
        "GoodsItem": [item],
    }


async def availability(where: Servers, split: Sequence[str], seconds: int) -> dict[str, Any]:
    """Times of checks in milliseconds, at the client and in the function.

    What nobody waits for gives way, as docs/howto/scale.md says: the other roles, and a broker that is on this machine.

    Raises:
        NotReady, ProcessEnded: it did not work.
    """
    async with place(where, "availability") as at:
        await prepare(at, split, where.folder, HOT)
        callers = where.folder / "callers.toml"
        callers.write_text(_CALLERS, "utf-8")
        port, health = _free_port(), _free_port()
        more = {"CERTEX_CALLERS_FILE": str(callers), "CERTEX_HTTP_PORT": str(port), "CERTEX_HEALTH_PORT": str(health)}
        door = replace(at, environment=at.environment | more)
        async with bridge(at, split, where.folder) as others, bridge(door, ["gateway"], where.folder) as gateway:
            await _ready(health, gateway)
            for process in [one.process.pid for one in others.members] + [where.kafka_pid]:
                if process is not None:
                    give_way(process)
            load = asyncio.create_task(_load(at))
            try:
                return await ask(port, "/v1/checks", PER_SECOND, seconds, bodies())
            finally:
                load.cancel()
                await asyncio.gather(load, return_exceptions=True)


async def ask(port: int, path: str, rate: float, seconds: float, lines: Sequence[str]) -> dict[str, Any]:
    """Let a process of its own ask; what it measured.

    Raises:
        RuntimeError: it failed, and says how.
    """
    arguments = ["--port", port, "--path", path, "--caller", CALLER, "--rate", rate, "--seconds", seconds]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.asking", *map(str, arguments), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, failed = await process.communicate("\n".join(lines).encode())
    if process.returncode:
        raise RuntimeError(failed.decode()[-2000:])
    found: dict[str, Any] = json.loads(told)
    return found


async def _load(at: Place) -> None:
    """Declarations on the same licences, until cancelled."""
    made = workload.Declarations(seed=7, licences_known=HOT)
    producer = create_producer(at.settings)
    await producer.start()
    try:
        while True:
            for record in made.take(DECLARATIONS_PER_SECOND // 10, mixed=True):
                await producer.send(at.topic(record.topic), record.value, record.key, headers=list(record.headers))
            await asyncio.sleep(0.1)
    finally:
        await producer.stop()


async def _ready(port: int, gateway: Team) -> None:
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        gateway.check()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        await asyncio.sleep(0.1)
    raise NotReady("the gateway does not answer")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
