"""The ledger without Kafka, and the database without the ledger: what the whole is measured against."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg

from bench import workload
from bench.servers import Servers, place
from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka import Record
from certex_bridge.platform.postgres import create_pool
from certex_bridge.singlewindow.documents import BridgeDocuments

BATCH = 500

RAW_SCHEMA = """
CREATE TABLE raw_account (id text PRIMARY KEY, available numeric(22, 6) NOT NULL CHECK (available >= 0))
    WITH (fillfactor = 50);
CREATE TABLE raw_movement (id uuid PRIMARY KEY, account text NOT NULL, quantity numeric(22, 6) NOT NULL,
    at timestamptz NOT NULL DEFAULT now());
CREATE TABLE raw_outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account text NOT NULL,
    body bytea NOT NULL);
INSERT INTO raw_account SELECT 'BE/BE-2026-' || lpad(n::text, 6, '0'), 1000000000 FROM generate_series(0, 999) AS n;
"""
RAW_LOCK = "SELECT id, available FROM raw_account WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
RAW_KNOWN = "SELECT id FROM raw_movement WHERE id = ANY($1::uuid[])"
RAW_WRITE = """
WITH m AS (INSERT INTO raw_movement (id, account, quantity)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::numeric[])),
     a AS (UPDATE raw_account SET available = n.available FROM unnest($4::text[], $5::numeric[]) AS n(id, available)
           WHERE raw_account.id = n.id)
INSERT INTO raw_outbox (account, body) SELECT * FROM unnest($2::text[], $6::bytea[])
"""
BODY = b"x" * 600


async def ledger_rate(where: Servers, declarations: int, licences: int) -> float:
    """Movements a second of the executor alone: batches of 500 decoded declarations, documents included.

    Raises:
        Exception: what the executor raises.
    """
    made = workload.Declarations(seed=3, licences_known=licences)
    async with place(where, "ledger") as at:
        pool = await create_pool(at.settings)
        try:
            executor = Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy())
            issued = [
                decode_licence_event(_envelope(record), LicensingOptions()) for record in workload.licences(licences)
            ]
            for start in range(0, licences, BATCH):
                await executor.apply(_deliveries(issued[start : start + BATCH]))
            await _apply(executor, made.take(2 * BATCH))  # first use of every statement and schema
            seconds = 0.0
            for _ in range(declarations // BATCH):
                seconds += await _apply(executor, made.take(BATCH))
        finally:
            await pool.close()
    return declarations // BATCH * BATCH * workload.ITEMS / seconds


async def _apply(executor: Executor, records: Sequence[Record]) -> float:
    """Seconds that applying took; making and decoding the records does not count."""
    seconds = 0.0
    for start in range(0, len(records), BATCH):
        part = records[start : start + BATCH]
        deliveries = _deliveries([decode_declaration_event(_envelope(record), DecodeOptions()) for record in part])
        began = time.perf_counter()
        await executor.apply(deliveries)
        seconds += time.perf_counter() - began
    return seconds


def _envelope(record: Record) -> Envelope:
    return Envelope(record.topic, 0, 0, record.key, record.value, record.headers, 0)


def _deliveries(commands: Sequence[Command]) -> list[Delivery]:
    return [Delivery(Origin("bench", 0, number), command) for number, command in enumerate(commands)]


async def database_rate(where: Servers, batches: int) -> float:
    """Movements a second of the database's own batched writes: the least that a ledger of this shape must do.

    One connection; a batch of 500 movements on 1,000 accounts is one durable transaction: lock the accounts in order,
    look for repeated ids, decide, insert movements, update accounts, insert an outbox row of 600 bytes for each.

    Raises:
        asyncpg.PostgresError: the database refuses.
    """
    random = Random(4)
    async with place(where, "database") as at:
        connection = await asyncpg.connect(at.database)
        try:
            await connection.execute(RAW_SCHEMA)
            work = [_raw_batch(random) for _ in range(batches)]
            for batch in work[:5]:
                await _raw_apply(connection, batch)
            began = time.perf_counter()
            for batch in work[5:]:
                await _raw_apply(connection, batch)
            seconds = time.perf_counter() - began
        finally:
            await connection.close()
    return (batches - 5) * BATCH / seconds


RawBatch = list[tuple[uuid.UUID, str, Decimal]]


def _raw_batch(random: Random) -> RawBatch:
    return [
        (
            uuid.UUID(int=random.getrandbits(128)),
            workload.licence_key(random.randrange(1_000)),
            Decimal(random.randrange(1, 40)),
        )
        for _ in range(BATCH)
    ]


async def _raw_apply(connection: Any, batch: RawBatch) -> None:
    ids, accounts, quantities = zip(*batch, strict=True)
    async with connection.transaction():
        available = {row[0]: row[1] for row in await connection.fetch(RAW_LOCK, sorted(set(accounts)))}
        known = {row[0] for row in await connection.fetch(RAW_KNOWN, list(ids))}
        for one, account, quantity in batch:
            if one not in known and available[account] >= quantity:
                available[account] -= quantity
        await connection.execute(
            RAW_WRITE, ids, accounts, quantities, list(available), list(available.values()), [BODY] * len(batch)
        )
