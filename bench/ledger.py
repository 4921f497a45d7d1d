"""The ledger without Kafka, and the database without the ledger: what the whole is measured against."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from statistics import median
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
_EVIDENCE = """
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
WHERE tgname IN ('hash_states', 'hash_new_states', 'keep_history')
UNION ALL SELECT format('DROP INDEX %I', indexname) FROM pg_indexes WHERE indexname LIKE '%|_written' ESCAPE '|'
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
                decode_licence_event(envelope_of(record), LicensingOptions()) for record in workload.licences(licences)
            ]
            for start in range(0, licences, BATCH):
                await executor.apply(deliveries_of(issued[start : start + BATCH]))
            await apply_declarations(executor, made.take(2 * BATCH))  # first use of every statement and schema
            seconds = 0.0
            for _ in range(declarations // BATCH):
                seconds += await apply_declarations(executor, made.take(BATCH))
        finally:
            await pool.close()
    return declarations // BATCH * BATCH * workload.ITEMS / seconds


async def apply_declarations(executor: Executor, records: Sequence[Record]) -> float:
    """Seconds that applying took; making and decoding the records does not count."""
    seconds = 0.0
    for start in range(0, len(records), BATCH):
        part = records[start : start + BATCH]
        deliveries = deliveries_of([decode_declaration_event(envelope_of(record), DecodeOptions()) for record in part])
        began = time.perf_counter()
        await executor.apply(deliveries)
        seconds += time.perf_counter() - began
    return seconds


def envelope_of(record: Record) -> Envelope:
    """As it would come from Kafka."""
    return Envelope(record.topic, 0, 0, record.key, record.value, record.headers, 0)


def deliveries_of(commands: Sequence[Command]) -> list[Delivery]:
    """Commands as deliveries of one batch."""
    return [Delivery(Origin("bench", 0, number), command) for number, command in enumerate(commands)]


async def evidence_ratio(where: Servers, declarations: int, licences: int) -> float:
    """The executor's rate with the triggers and indexes that keep evidence (ADR 0022), by the rate without.

    Two databases of one server take turns with equal batches; the middle of the ratios of all pairs.

    Raises:
        Exception: what the executor raises.
    """
    async with place(where, "evidence") as kept, place(where, "bare") as bare:
        await _without_evidence(bare.database)
        pools = [await create_pool(kept.settings), await create_pool(bare.settings)]
        try:
            executors = [Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy()) for pool in pools]
            issued = [
                decode_licence_event(envelope_of(record), LicensingOptions()) for record in workload.licences(licences)
            ]
            for executor in executors:
                for start in range(0, licences, BATCH):
                    await executor.apply(deliveries_of(issued[start : start + BATCH]))
            made = workload.Declarations(seed=5, licences_known=licences)
            ratios = []
            for number in range(declarations // BATCH):
                records = made.take(BATCH)
                turns = (0, 1) if number % 2 else (1, 0)
                seconds = {turn: await apply_declarations(executors[turn], records) for turn in turns}
                ratios.append(seconds[1] / seconds[0])
        finally:
            for pool in pools:
                await pool.close()
    return median(ratios[2:])


async def _without_evidence(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch(_EVIDENCE):
            await connection.execute(row[0])
    finally:
        await connection.close()


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
