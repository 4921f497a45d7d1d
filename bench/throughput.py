"""Rates from Kafka to Kafka: items of declarations, and certificates of licences."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from bench import checks, workload
from bench.processes import Team, bridge_commands, running
from bench.servers import Place, Servers, place
from bench.watching import Curve, outbox, publish, watch

CERTIFICATES = "certex.certificates.v1"
OUTCOMES = "certex.outcomes.v1"
BALANCES = "licensing.balances.v1"
DECLARATIONS = "customs.declarations.v1"
LICENCES = "licensing.licences.v1"


@dataclass(frozen=True, slots=True)
class Rate:
    """What one measurement came to."""

    per_second: float
    """From the first transaction to the last message on Kafka, start and end included."""
    steady: float
    """Between a tenth and nine tenths of the messages."""
    seconds: float
    peak_mb: float
    cpu_us: float
    """Processor time of our processes for one record read, in microseconds."""
    proven: tuple[str, ...] = ()


@asynccontextmanager
async def bridge(at: Place, split: Sequence[str], folder: Path) -> AsyncIterator[Team]:
    """The processes of the bridge while the block runs."""
    async with running(bridge_commands(split), at.environment, folder) as team:
        yield team


async def prepare(at: Place, split: Sequence[str], folder: Path, licences: int) -> None:
    """Issue the licences through the bridge itself.

    Raises:
        NotDone, ProcessEnded: it did not work.
    """
    await publish(at, list(workload.licences(licences)))
    async with bridge(at, split, folder) as team, outbox(at) as counting:
        await watch(counting, at.topic(CERTIFICATES), licences, team.check)
        await watch(counting, at.topic(BALANCES), licences, team.check)


async def items(
    where: Servers, split: Sequence[str], count: int, licences: int, environment: Mapping[str, str] | None = None
) -> Rate:
    """Declarations that lie on Kafka, until every outcome and every balance lies there.

    `environment` has settings for the bridge's processes besides the usual ones.

    Raises:
        Inexact: something was lost, doubled or counted wrongly.
        NotDone, ProcessEnded: it did not work.
    """
    made = workload.Declarations(seed=1, licences_known=licences)
    async with place(where, "items") as made_place:
        at = replace(made_place, environment=made_place.environment | dict(environment or {}))
        await prepare(at, split, where.folder, licences)
        await publish(at, made.take(count))
        async with outbox(at) as counting:
            async with bridge(at, split, where.folder) as team:
                curve = await watch(counting, at.topic(OUTCOMES), count, team.check)
                balances = await _written(at, "balance")
                await watch(counting, at.topic(BALANCES), balances, team.check)
                ended = time.time()
                cpu = team.cpu_seconds
            proven = await checks.check(at, declarations=count, items=made.items, quantity=made.quantity)
        began = await first_transaction(at, DECLARATIONS)
    return _rate(curve, workload.ITEMS, (began, ended), team, cpu, proven)


async def certificates(where: Servers, split: Sequence[str], count: int) -> Rate:
    """Licence events that lie on Kafka, until every certificate lies there.

    Raises:
        NotDone, ProcessEnded: it did not work.
    """
    async with place(where, "certificates") as at:
        await publish(at, list(workload.licences(count)))
        async with (
            bridge(at, split, where.folder) as team,
            outbox(at) as counting,
        ):
            curve = await watch(counting, at.topic(CERTIFICATES), count, team.check)
            ended = time.time()
            cpu = team.cpu_seconds
        began = await first_transaction(at, LICENCES)
    return _rate(curve, 1, (began, ended), team, cpu, [])


def _rate(curve: Curve, factor: int, span: tuple[float, float], team: Team, cpu: float, proven: Sequence[str]) -> Rate:
    count = curve.points[-1][1]
    seconds = span[1] - span[0]
    steady = curve.rate_between(0.1, 0.9) * factor
    return Rate(count * factor / seconds, steady, seconds, team.peak_mb, cpu / count * 1e6, tuple(proven))


async def first_transaction(at: Place, topic: str) -> float:
    """When the first transaction on records of a topic began, by our clock (seconds since 1970)."""
    connection = await asyncpg.connect(at.database, timeout=30)
    try:
        skew = time.time() - float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
        began = await connection.fetchval(
            "SELECT extract(epoch FROM min(received_at)) FROM inbox WHERE topic = $1", topic
        )
    finally:
        await connection.close()
    return float(began) + skew


async def _written(at: Place, kind: str) -> int:
    connection = await asyncpg.connect(at.database, timeout=30)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM outbox WHERE agg_type = $1", kind))
    finally:
        await connection.close()
