"""Time from a declaration's turn to be sent until a reader has its outcome, at a rate the bridge does not choose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench import workload
from bench.servers import Place, Servers, place
from bench.throughput import OUTCOMES, bridge, prepare
from certex_bridge.platform.kafka import Record, create_consumer, create_producer

PER_SECOND = 170
WARM_SECONDS = 5
LATE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float
    longest: float
    peak_mb: float


async def latency(where: Servers, split: Sequence[str], seconds: int, licences: int) -> Latency:
    """Open loop: each record has its instant, and its time runs from there even when the sender is late.

    Raises:
        TimeoutError: outcomes are missing.
    """
    made = workload.Declarations(seed=5, licences_known=licences)
    records = made.take(PER_SECOND * (WARM_SECONDS + seconds), mixed=True)
    async with place(where, "latency") as at:
        await prepare(at, split, where.folder, licences)
        async with bridge(at, split, where.folder) as team:
            await asyncio.sleep(3)  # processes up, partitions assigned
            times = await _play(at, records)
    counted = sorted(times[PER_SECOND * WARM_SECONDS :])
    return Latency(_at(counted, 0.5), _at(counted, 0.99), counted[-1] * 1e3, team.peak_mb)


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] * 1e3


async def _play(at: Place, records: Sequence[Record]) -> list[float]:
    consumer = create_consumer(at.settings, OUTCOMES)
    producer = create_producer(at.settings)
    await consumer.start()
    await producer.start()
    seen: dict[bytes, float] = {}
    reader = asyncio.create_task(_read(consumer, seen, len(records)))
    try:
        due = await _send(at, producer, records)
        await asyncio.wait_for(reader, LATE_SECONDS)
    finally:
        reader.cancel()
        await producer.stop()
        await consumer.stop()
    return [seen[record.key or b""] - moment for record, moment in zip(records, due, strict=True)]


async def _send(at: Place, producer: AIOKafkaProducer, records: Sequence[Record]) -> list[float]:
    began = time.monotonic() + 0.1
    due = [began + number / PER_SECOND for number in range(len(records))]
    waiting = []
    for record, moment in zip(records, due, strict=True):
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        waiting.append(
            await producer.send(at.topic(record.topic), record.value, record.key, headers=list(record.headers))
        )
    await asyncio.gather(*waiting)
    return due


async def _read(consumer: AIOKafkaConsumer, seen: dict[bytes, float], wanted: int) -> None:
    while len(seen) < wanted:
        for batch in (await consumer.getmany(timeout_ms=100)).values():
            now = time.monotonic()
            for record in batch:
                seen.setdefault(record.key or b"", now)
