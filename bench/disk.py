"""What a licence and a declaration take in the database, table by table: accepted, then released, everything answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import asyncpg

from bench import workload
from bench.ledger import BATCH, apply_declarations, deliveries_of, envelope_of
from bench.servers import Servers, place
from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.platform.kafka import Record
from certex_bridge.platform.migrations import load_queries
from certex_bridge.platform.postgres import create_pool
from certex_bridge.singlewindow.documents import BridgeDocuments

RELEASED = "customs.declaration.released.v1"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on disk with indexes, and what they are by table, the largest first."""

    licence: float
    declaration: float
    tables: dict[str, float]
    """Of one declaration."""


async def sizes(where: Servers, declarations: int, licences: int) -> Sizes:
    """Issue, accept and release through the executor, and compare the sizes of the tables before and after.

    Raises:
        Exception: what the executor raises.
    """
    made = workload.Declarations(seed=5, licences_known=licences)
    async with place(where, "disk") as at:
        pool = await create_pool(at.settings)
        try:
            executor = Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy())
            empty = await _measured(pool)
            issued = [decode_licence_event(envelope_of(one), LicensingOptions()) for one in workload.licences(licences)]
            for start in range(0, licences, BATCH):
                await executor.apply(deliveries_of(issued[start : start + BATCH]))
            before = await _measured(pool)
            accepted = made.take(declarations)
            await apply_declarations(executor, accepted)
            await apply_declarations(executor, [_released(record) for record in accepted])
            after = await _measured(pool)
        finally:
            await pool.close()
    tables = {name: (size - before[name]) / declarations for name, size in after.items() if size > before[name]}
    return Sizes(
        licence=sum(before.values()) / licences - sum(empty.values()) / licences,
        declaration=sum(tables.values()),
        tables=dict(sorted(tables.items(), key=lambda row: -row[1])),
    )


def _released(accepted: Record) -> Record:
    """All items as declared."""
    mrn = (accepted.key or b"").decode()
    told = {name: text.decode() for name, text in accepted.headers}
    headers = told | {"ce_id": content_id(RELEASED, mrn), "ce_type": RELEASED}
    return Record(
        accepted.topic,
        accepted.key,
        json.dumps({"mrn": mrn}).encode(),
        tuple((name, text.encode()) for name, text in headers.items()),
    )


async def _measured(pool: asyncpg.Pool[Any]) -> dict[str, int]:
    await pool.execute("VACUUM")  # dead versions of hot rows are no growth
    return dict(await pool.fetch(load_queries("certex_bridge.operations", "measure.sql")["table_sizes"]))
