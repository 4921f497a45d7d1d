"""F3 on one hot licence: what a caller waits for at 200 a second, and the ceiling with and without group commit."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from bench import calls, workload
from bench.checks import Inexact
from bench.processes import ROOT, bridge_commands, running
from bench.servers import Place, Servers, place
from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.adapters.answers import PostgresAnswers
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.gathering import BATCH_MAX, Gathering
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.operations.composition import transient
from certex_bridge.operations.verify import verify
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.postgres import create_pool
from certex_bridge.singlewindow.documents import BridgeDocuments

PER_SECOND = 200
AT_ONCE = 64
READY_SECONDS = 30.0

_CALLERS = f"""
[[caller]]
name = "{calls.CALLER}"
member_state = "BE"
roles = ["clearance"]
[caller.limits]
rate = 100000
burst = 100000
concurrent = 10000
"""


@dataclass(frozen=True, slots=True)
class Movements:
    """Calls a second, milliseconds."""

    p50: float
    p99: float
    ceiling: float
    ceiling_alone: float
    """Without group commit: each call its own transaction."""
    executor: float
    """Without HTTP, in one process."""
    executor_alone: float
    peak_mb: float


async def movements(where: Servers, seconds: int, count: int) -> Movements:
    """All four figures; the ledger is proven after each.

    Raises:
        Inexact: an answer was not a reservation, or a figure is wrong.
    """
    executor = await in_process(where, count, BATCH_MAX)
    executor_alone = await in_process(where, count // 4, 1)
    async with served(where, {}) as (port, team):
        paced = await load(port, count=PER_SECOND * seconds, rate=PER_SECOND)
        fast = await load(port, count=count, start=1_000_000)
    async with served(where, {"CERTEX_GATEWAY_GATHER_MS": "0"}) as (port, _):
        alone = await load(port, count=count // 4)
    figures = (paced["p50_ms"], paced["p99_ms"], fast["per_second"], alone["per_second"])
    return Movements(*figures, executor, executor_alone, team.peak_mb)


async def in_process(where: Servers, count: int, batch_max: int) -> float:
    """Reservations a second through the gathering, with so many calls always in flight."""
    async with place(where, "gathering") as at:
        pool = await create_pool(at.settings)
        try:
            executor = Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy())
            await issue(executor)
            gathering = Gathering(executor, PostgresAnswers(pool), transient, batch_max=batch_max)
            commands = [_command(number) for number in range(count + AT_ONCE)]
            await _submit(gathering, commands[:AT_ONCE])
            began = time.perf_counter()
            await _submit(gathering, commands[AT_ONCE:])
            rate = count / (time.perf_counter() - began)
        finally:
            await pool.close()
        await prove(at, count + AT_ONCE)
    return rate


async def _submit(gathering: Gathering, commands: Sequence[DeclarationCommand]) -> None:
    waiting = iter(commands)

    async def caller() -> None:
        for command in waiting:
            await gathering.submit(Delivery(INTERNAL, command), 60)

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


async def issue(executor: Executor) -> None:
    """The hot licence."""
    (record,) = workload.licences(1)
    envelope = Envelope(record.topic, 0, 0, record.key, record.value, record.headers, 0)
    await executor.apply([Delivery(INTERNAL, decode_licence_event(envelope, LicensingOptions()))])


def _command(number: int) -> DeclarationCommand:
    """The same reservation that the load generator asks for, decoded."""
    from certex_bridge.singlewindow.callers import Caller, CallerRole
    from certex_bridge.singlewindow.functions.ledger_calls import event_of
    from certex_bridge.singlewindow.functions.movements import KINDS, data_of
    from certex_bridge.singlewindow.messages.movement import QuantityMovement
    from certex_bridge.singlewindow.operation import Call

    (request,) = calls.bodies(number, 1)
    message = QuantityMovement.model_validate_json(request.partition(b"\r\n\r\n")[2])
    caller = Caller(name=calls.CALLER, member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))
    call = Call(caller, message.prepared_at)
    assert call.call_id(message) == content_id("call", calls.CALLER, message.message_identification)
    return decode_declaration_event(event_of(call, message, KINDS[message.movement_type], data_of(message)))


@asynccontextmanager
async def served(where: Servers, environment: dict[str, str]) -> AsyncIterator[tuple[int, Any]]:
    """A gateway process on a ledger with the hot licence; its ledger is proven at the end."""
    async with place(where, "movements") as at:
        pool = await create_pool(at.settings)
        try:
            await issue(Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy()))
        finally:
            await pool.close()
        callers = where.folder / "callers.toml"
        callers.write_text(_CALLERS, "utf-8")
        port = _free_port()
        more = {"CERTEX_HTTP_PORT": str(port), "CERTEX_CALLERS_FILE": str(callers), **environment}
        async with running(bridge_commands(["gateway"]), at.environment | more, where.folder) as team:
            await _ready(port, partial(team.check))
            yield port, team
        await prove(at)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ready(port: int, check: Any) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        check()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def load(port: int, *, count: int, rate: float = 0.0, start: int = 0) -> dict[str, Any]:
    """One run of the load generator in its own process.

    Raises:
        Inexact: an answer was no reservation.
    """
    arguments = ["--port", str(port), "--count", str(count), "--rate", str(rate), "--start", str(start)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.calls", *arguments, cwd=Path(ROOT), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    told: dict[str, Any] = json.loads(output)
    if told["wrong"] or told["calls"] != count:
        raise Inexact(f"{told['calls']} of {count} answers, wrong: {told['wrong']}")
    return told


async def prove(at: Place, reserved: int | None = None) -> None:
    """Every call reserved one piece, and the verifier is satisfied.

    Raises:
        Inexact: it is otherwise.
    """
    connection = await asyncpg.connect(at.database, timeout=30)
    try:
        held = await connection.fetchval("SELECT sum(reserved) FROM account WHERE dim = 'QTY'")
        told = await connection.fetchval("SELECT count(*) FROM claim WHERE state = 'RESERVED'")
    finally:
        await connection.close()
    if held != told or (reserved is not None and told != reserved):
        raise Inexact(f"{told} claims hold {held}, {reserved} were told")
    report = await verify(at.database)
    # The relay does not run here: what is not published yet is no mistake.
    wrong = [one.name for one in report.failed if "publish" not in one.name and "unsent" not in one.name]
    if wrong:
        raise Inexact(f"the verifier found: {wrong}")
