"""`python -m bench.size`: a ledger of any size in minutes, and what verifying it costs in time and memory.

A block of 100 licences is booked by the executor, 10,000 movements by 3,333 declarations. All further blocks are copies
of it under names of their own, written by the database; journals are chained anew. Bodies of outcomes are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg

from bench import workload
from bench.ledger import BATCH, apply_declarations, deliveries_of, envelope_of
from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.ledger.adapters.codec import decode_licence
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.rows import MOVEMENT_COLUMNS
from certex_bridge.ledger.domain.journal import entry_text
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.versions import content_hash
from certex_bridge.ledger.executor import Executor
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.operations.sealing import Sealer
from certex_bridge.operations.seals import read_body
from certex_bridge.operations.verify import Report, verify
from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.migrations import migrate
from certex_bridge.singlewindow.documents import BridgeDocuments

LICENCES = 100
DECLARATIONS = 3_333
BLOCK = LICENCES + DECLARATIONS * workload.ITEMS
"""Movements of a block, about: each licence begins with those of its version."""

Names = tuple[tuple[str, str], ...]
COPIED = (
    *("licence", "account", "licence_version", "licence_index", "status_change", "inbox", "answer", "anchor"),
    *("declaration", "claim", "outbox"),
)
_COLUMNS = """SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"""


def names(block: int) -> Names:
    """What the names of the first block become in another."""
    return (("BE-2026-", f"BE-{block:04}-"), ("26BE000", f"26BE{block:03}"), ("LRN000", f"LRN{block:03}"))


def renamed(text: str, block: int) -> str:
    """A text of the first block, for another."""
    for old, new in names(block):
        text = text.replace(old, new)
    return text


async def first_block(url: str) -> None:
    """What the executor makes."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        executor = Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy())
        issued = [
            decode_licence_event(envelope_of(record), LicensingOptions()) for record in workload.licences(LICENCES)
        ]
        await executor.apply(deliveries_of(issued))
        made = workload.Declarations(seed=0, licences_known=LICENCES)
        for start in range(0, DECLARATIONS, BATCH):
            await apply_declarations(executor, made.take(min(BATCH, DECLARATIONS - start)))


def _expression(column: str, kind: str) -> str:
    def text(value: str) -> str:
        for place, (old, _) in enumerate(names(0)):
            value = f"replace({value}, '{old}', ({_NEW[place]}))"
        return value

    if column in {"event_id", "cause"}:
        return f"{column} || '.' || b"
    if column == "agg_id":  # an event's, where it has no name of the block
        return f"CASE WHEN {text(column)} = {column} THEN {column} || '.' || b ELSE {text(column)} END"
    if kind == "text":
        return text(column)
    if kind == "ARRAY":
        return f"(SELECT array_agg({text('one')}) FROM unnest({column}) AS one)"  # noqa: S608 - our own names
    if kind == "bytea" and column != "chain":
        return "convert_to(" + text(f"convert_from({column}, 'UTF8')") + ", 'UTF8')"
    return column


_NEW = ("'BE-' || lpad(b::text, 4, '0') || '-'", "'26BE' || lpad(b::text, 3, '0')", "'LRN' || lpad(b::text, 3, '0')")


async def copies(connection: Any, blocks: int) -> None:
    """All rows of the further blocks but those of the journal."""
    for table in COPIED:
        columns = [tuple(row) for row in await connection.fetch(_COLUMNS, table)]
        told = ", ".join(name for name, _ in columns)
        made = ", ".join(_expression(*column) for column in columns)
        many = f"{table} CROSS JOIN generate_series(1, {blocks - 1}) AS b"
        await connection.execute(f"INSERT INTO {table} ({told}) SELECT {made} FROM {many}")  # noqa: S608 - our own names


async def journals(connection: Any, blocks: int) -> None:
    """The journal of the further blocks, chained."""
    rows = [dict(row) for row in await connection.fetch("SELECT * FROM movement ORDER BY licence_id, lv, seq")]
    contents = {
        row["licence_id"]: (bytes(row["snapshot"]).decode(), bytes(row["original"] or b"").decode())
        for row in await connection.fetch("SELECT licence_id, snapshot, original FROM licence_version")
    }
    for block in range(1, blocks):
        heads: dict[str, bytes] = {}
        records = list(_journal(rows, contents, block, heads))
        await connection.copy_records_to_table("movement", records=records, columns=MOVEMENT_COLUMNS)
        told = "UPDATE licence SET chain = n.chain FROM unnest($1::text[], $2::bytea[]) AS n(id, chain) WHERE licence_id = id"
        await connection.execute(told, list(heads), list(heads.values()))


def _journal(
    rows: Sequence[dict[str, Any]], contents: dict[str, tuple[str, str]], block: int, heads: dict[str, bytes]
) -> Iterator[tuple[object, ...]]:
    for row in rows:
        licence_id, claim = renamed(row["licence_id"], block), renamed(row["claim"], block)
        event_id, detail = f"{row['event_id']}.{block}", renamed(row["detail"], block)
        if row["kind"] == "VERSION":
            detail = _detail(detail, *contents[row["licence_id"]], block)
        place = (licence_id, row["lv"], row["seq"], row["line_no"], row["dim"], row["kind"], event_id, claim)
        deltas = (row["d_cap"], row["d_res"], row["d_cons"], row["d_over"])
        link = chain(heads.get(licence_id, GENESIS), entry_text(*place, deltas, row["at"], detail))
        heads[licence_id] = link
        effect = "\x1f".join((event_id, licence_id, claim, str(row["line_no"]), row["dim"], row["kind"]))
        yield (
            *place,
            *map(Decimal, deltas),
            row["at"],
            detail,
            link.hex(),
            hashlib.sha256(effect.encode()).hexdigest()[:32],
        )


def _detail(detail: str, snapshot: str, original: str, block: int) -> str:
    """With the hashes of the renamed content and original."""
    old = content_hash(decode_licence(snapshot.encode()))
    new = content_hash(decode_licence(renamed(snapshot, block).encode()))
    received = hashlib.sha256(original.encode()).hexdigest()
    renewed = hashlib.sha256(renamed(original, block).encode()).hexdigest()
    return detail.replace(old, new).replace(received, renewed)


async def fill(url: str, movements: int) -> None:
    """A ledger with about so many movements."""
    blocks = max(1, round(movements / BLOCK))
    await migrate(url)
    await first_block(url)
    connection = await asyncpg.connect(url, command_timeout=None)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE outbox SET body = '' WHERE agg_type = 'outcome'; DELETE FROM unsent")
        await copies(connection, blocks)
        await journals(connection, blocks)
        await connection.execute("TRUNCATE state_hash; TRUNCATE row_history")
        begin = files("certex_bridge.ledger.adapters").joinpath("sql/migrations/0010_pre_seals_begin.sql")
        async with connection.transaction():
            await connection.execute(begin.read_text("utf-8"))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def measure(url: str, movements: int) -> dict[str, Any]:
    """Fill, seal, verify everything, book a little, verify what is newer."""
    found: dict[str, Any] = {"movements": movements}
    found["fill_seconds"] = await _timed(_filled(url, movements))
    async with asyncpg.create_pool(url, min_size=1, max_size=1, command_timeout=None) as pool:
        found["seal_seconds"] = await _timed(Sealer(pool, 86_400.0).seal())
        before = _memory()
        found["verify_seconds"] = await _timed(_right(url, found))
        found["verify_memory_mb"], found["memory_before_mb"] = _memory(), before
        body = await pool.fetchval("SELECT body FROM outbox WHERE agg_type = 'seal' ORDER BY agg_ver DESC LIMIT 1")
        made = workload.Declarations(seed=999, licences_known=LICENCES)
        await apply_declarations(
            Executor(PostgresStore(pool), BridgeDocuments("BENCH", "BENCH"), Policy()), made.take(BATCH)
        )
    report: list[Report] = []
    found["newer_seconds"] = await _timed(_newer(url, body, report))
    found["newer_right"] = [check.detail for check in report[0].failed] or True
    found["database_mb"] = await _size(url)
    return found


async def _right(url: str, found: dict[str, Any]) -> None:
    last = time.perf_counter()
    seconds: dict[str, float] = {}

    def told(name: str, _done: int, _total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[name] = round(seconds.get(name, 0) + now - last, 1)
        last = now

    report = await verify(url, progress=told)
    found["right"] = [f"{check.name}: {check.detail}" for check in report.failed] or True
    found["seconds"] = {name: one for name, one in seconds.items() if one >= 1}
    found["accounts"] = next(check.examined for check in report.checks if check.name == "account figures")
    found["movements"] = next(check.examined for check in report.checks if check.name == "journal chain")


async def _newer(url: str, body: bytes, report: list[Report]) -> None:
    report.append(await verify(url, after=read_body(json.loads(body))))


async def _timed(work: Any) -> float:
    began = time.perf_counter()
    await work
    return round(time.perf_counter() - began, 1)


def _memory() -> float:
    """Largest resident memory of this process so far, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


async def _size(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        size: int = await connection.fetchval("SELECT pg_database_size(current_database()) / 1048576")
        return size
    finally:
        await connection.close()


async def _filled(url: str, movements: int) -> None:
    """In a process of its own, whose memory does not count."""
    command = [sys.executable, "-m", "bench.size", "--fill", url, "--movements", str(movements)]
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, "filling failed"


async def main(arguments: argparse.Namespace) -> None:
    """Measure each size in a database server of its own."""
    if arguments.fill:
        await fill(arguments.fill, arguments.movements[0])
        return
    for movements in arguments.movements:
        folder = Path(tempfile.mkdtemp(prefix="bench-size-"))
        server = EmbeddedPostgres(folder, durable=False)
        await server.start()
        try:
            print(json.dumps(await measure(server.url, movements)), flush=True)
        finally:
            await server.stop()
            await asyncio.to_thread(shutil.rmtree, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movements", type=int, nargs="+", default=[100_000], help="sizes, one after the other")
    parser.add_argument("--fill", metavar="URL", default="", help="only fill this empty database")
    os.nice(5)
    asyncio.run(main(parser.parse_args()))
