"""Everything a ledger store holds, in the same shape for both stores, so that one checker reads both."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.ledger.adapters.codec import decode_anchor
from certex_bridge.ledger.adapters.memory import Contents, InMemoryStore
from certex_bridge.ledger.domain.model import Kind, Movement
from certex_bridge.ledger.ports import Bar, InboxEntry, Origin, OutboxRow, QuarantineRow, Wake
from certex_bridge.ledger.refused_events import RefusedLicenceEvent
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.platform.positions import LogId, Position

if TYPE_CHECKING:
    from certex_bridge.ledger.adapters.postgres import PostgresStore

_MOVEMENTS = """
SELECT licence_id, lv, seq, line_no, dim, kind, event_id, claim, d_cap::text, d_res::text, d_cons::text, d_over::text,
       at, detail, chain FROM movement ORDER BY licence_id, lv, seq
"""


async def contents_of(store: InMemoryStore | PostgresStore) -> Contents:
    """What the store holds now (committed transactions only)."""
    if isinstance(store, InMemoryStore):
        return store.contents
    return await _of_postgres(store)


async def _of_postgres(store: PostgresStore) -> Contents:
    found = Contents()
    async with store._pool.acquire() as connection:

        async def rows(statement: str) -> list[Any]:
            return list(await connection.fetch(statement))

        for row in await rows("SELECT event_id, sha256, source, topic, partition, record FROM inbox"):
            found.inbox[row[0]] = InboxEntry(row[0], row[1], row[2], Origin(*row[3:]))
        found.answers = {row[0]: row[1] for row in await rows("SELECT event_id, body FROM answer")}
        found.anchors = {
            row[0]: decode_anchor(row[0], tuple(json.loads(row[1])), row[2])
            for row in await rows("SELECT lrn, exporters, marks FROM anchor")
        }
        found.movements = [_movement(row) for row in await rows(_MOVEMENTS)]
        found.parked = {tuple(row) for row in await rows("SELECT licence_id, decl_id FROM parked")}
        found.wakes = {row[0]: Wake(*row) for row in await rows("SELECT wake_id, decl_id, cause, at, trace FROM wake")}
        found.woken = {row[0]: (row[1], row[2]) for row in await rows("SELECT event_id, cause, decl_id FROM woken")}
        for row in await rows(
            "SELECT agg_type, agg_id, agg_ver, key, body, at, trace FROM outbox ORDER BY batch_id, pos"
        ):
            found.outbox[tuple(row)[:3]] = OutboxRow(*row)
        for row in await rows("SELECT * FROM quarantine"):
            found.quarantine[row["quarantine_id"]] = _quarantine(row)
        for row in await rows("SELECT topic, partition, next_record, cluster_id, topic_id, epoch FROM consumer_offset"):
            found.positions[row[0], row[1]] = Position(row[2], LogId(row[3], row[4]), row[5])
        for row in await rows("SELECT issuer, eori, document_code, from_day::text FROM exporter_bar"):
            found.bars.add(Bar(*row))
        fields = ", ".join(RefusedLicenceEvent._fields)
        for row in await rows(f"SELECT {fields} FROM refused_licence_event ORDER BY written_at, event_id"):
            found.refused_licence_events[row[0]] = RefusedLicenceEvent(*row)
        statuses = ", ".join(StatusRecord._fields)
        for row in await rows(f"SELECT {statuses} FROM status_change ORDER BY licence_id, change_no"):
            found.status_records[row[0], row[1]] = StatusRecord(*row)
        unsent = await rows("SELECT licence_id, change_no FROM status_unsent ORDER BY queue_no")
        found.status_unsent = [(row[0], row[1]) for row in unsent]
        versions = {tuple(row) for row in await rows("SELECT licence_id, version FROM licence_version")}
        licence_ids = [row[0] for row in await rows("SELECT licence_id FROM licence")]
        decl_ids = [row[0] for row in await rows("SELECT decl_id FROM declaration")]
    async with store.transaction() as unit:
        found.declarations = dict(await unit.lock_declarations((), decl_ids)) if decl_ids else {}
        found.licences = dict(await unit.lock_licences(licence_ids)) if licence_ids else {}
    for declaration in found.declarations.values():
        found.claims |= declaration.claims
    known: Any = dict.fromkeys(versions)  # only the keys are looked at
    found.versions = known
    return found


def _movement(row: Any) -> Movement:
    licence_id, lv, seq, line_no, dim, kind, event_id, claim, *figures, at, detail, chain = row
    d_cap, d_reserved, d_consumed, d_over = map(Decimal, figures)
    deltas = (d_cap, d_reserved, d_consumed, d_over)
    place = (licence_id, lv, seq, line_no, dim, Kind(kind))
    return Movement(*place, event_id, claim, *deltas, at, detail, bytes.fromhex(chain))


def _quarantine(row: Any) -> QuarantineRow:
    headers = tuple((name, bytes.fromhex(value)) for name, value in json.loads(row["headers"]))
    return QuarantineRow(
        row["quarantine_id"], Origin(row["topic"], row["partition"], row["record"]), row["code"], row["field"],
        row["value"], row["message"], row["event_id"], row["key"], row["raw"], headers,
    )  # fmt: skip
