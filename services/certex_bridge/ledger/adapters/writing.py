"""Everything one transaction writes, set-based.

Many rows are appended by COPY (ADR 0006). For a few, the round trips cost more than the rows: then all that is written
of every event goes to the server as one statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from certex_bridge.ledger.adapters import copytext, rows
from certex_bridge.ledger.adapters.codec import encode_marks
from certex_bridge.ledger.domain.model import Status
from certex_bridge.ledger.ports import Changes
from certex_bridge.platform.positions import fell

FEW_ROWS = 32
"""Appended rows up to which one statement is cheaper than COPY."""

_PARAMETER = re.compile(r"\$(\d+)")

Table = Sequence[Sequence[Any]]
Statement = tuple[str, Table]
"""Name of a query that takes one array per column, and its rows."""


@cache
def merged(queries: tuple[str, ...]) -> str:
    """Writing statements on different rows as one; the parameters of each follow those of the one before."""
    parts, shift = [], 0
    for number, query in enumerate(queries):
        parts.append(f"s{number} AS (\n{_shifted(query, shift)}\n)")
        shift += max(int(one) for one in _PARAMETER.findall(query))
    return f"WITH {', '.join(parts)} SELECT"


def _shifted(query: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", query)


class Writer:
    """Writes within one open transaction."""

    def __init__(
        self, connection: Any, queries: Mapping[str, str], created: set[str], statuses: dict[str, Status]
    ) -> None:
        """`created` are declarations made in this transaction, `statuses` those the index of licences has."""
        self._connection = connection
        self._queries = queries
        self._created = created
        self._statuses = statuses

    async def write(self, changes: Changes) -> None:
        """Write everything; referenced rows before those that refer to them."""
        appended = len(changes.claims) + len(changes.movements) + len(changes.answers)
        if appended > FEW_ROWS:
            for statement in self._of_every_event(changes):
                await self._run(*statement)
            await self._append(changes)
        else:
            await self._together([*self._of_every_event(changes), *_appended(changes)])
        self._created.clear()  # a second write in this transaction finds their claims
        await self._write_versions(changes)
        await self._run("write_refused_licence_events", changes.refused_licence_events)
        await self._run("write_bars", [row for bar in changes.bars for row in rows.bar_rows(bar)])
        await self._write_status_records(changes)
        await self._run("park", sorted(changes.parked))
        await self._run("unpark", sorted(changes.unparked))
        await self._run("write_wakes", changes.wakes)
        if changes.wakes_done:
            await self._connection.execute(self._queries["delete_wakes"], changes.wakes_done)
        await self._run("write_mismatches", [rows.mismatch_row(one) for one in changes.mismatches])
        await self._write_outbox(changes)
        await self._move_positions(changes)

    async def _move_positions(self, changes: Changes) -> None:
        """Last, so that no row is locked for long; the database says itself whether it is behind."""
        if changes.offsets:
            table = [
                (*place, record, *changes.reached.get(place, (None, None)))
                for place, record in sorted(changes.offsets.items())
            ]
            written = await self._connection.fetch(self._queries["write_offsets"], *zip(*table, strict=True))
            if len(written) < len(table):
                raise fell(changes.offsets.keys() - {tuple(row) for row in written})

    # -- one statement or one COPY

    async def _run(self, query: str, table: Iterable[Sequence[object]]) -> None:
        """Execute a set-based statement; `table` has one row per thing, the statement takes one array per column."""
        columns = list(zip(*table, strict=True))
        if columns:
            await self._connection.execute(self._queries[query], *columns)

    async def _together(self, statements: Sequence[Statement]) -> None:
        """Execute what has rows as one statement."""
        told = [(self._queries[query], table) for query, table in statements if table]
        if told:
            columns = [column for _, table in told for column in zip(*table, strict=True)]
            await self._connection.execute(merged(tuple([query for query, _ in told])), *columns)

    async def _copy(self, table: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """Append rows by COPY: half the work of an INSERT on both sides; a key that exists still fails."""
        if lines:
            # A view, for asyncpg takes bytes for the name of a file, and reads what is like a file in another thread.
            source = memoryview(copytext.encode(lines))
            await self._connection.copy_to_table(
                table, source=source, columns=columns, format="text", delimiter=copytext.DELIMITER
            )

    async def _copy_records(self, table: str, columns: Sequence[str], records: Sequence[Sequence[object]]) -> None:
        if records:
            await self._connection.copy_records_to_table(table, records=records, columns=columns)

    # -- what is written

    def _of_every_event(self, changes: Changes) -> list[Statement]:
        """What an everyday event changes, and nothing that depends on a row made in the same statement."""
        states = changes.licences.values()
        renewed = _renewed(changes)
        moved = {(m.licence_id, m.line_no, m.dim) for m in changes.movements}
        return [
            (
                "write_anchors",
                [(a.lrn, json.dumps(a.exporters), encode_marks(a)) for a in changes.anchors.values()],
            ),
            ("write_declarations", [rows.declaration_row(d) for d in changes.declarations.values()]),
            ("write_licences", [rows.licence_row(state) for state in states]),
            (
                "write_accounts",
                [
                    rows.account_row(state.licence_id, account)
                    for state in states
                    for account in state.accounts.values()
                    if state.licence_id in renewed or (state.licence_id, account.line_no, account.dim) in moved
                ],
            ),
        ]

    async def _append(self, changes: Changes) -> None:
        """Claims of declarations made in this transaction cannot exist yet; the others may."""
        fresh: list[tuple[str, ...]] = []
        known: list[tuple[str, ...]] = []
        for claim in changes.claims.values():
            (fresh if claim.key.decl_id in self._created else known).append(rows.claim_row(claim))
        await self._copy("claim", rows.CLAIM_COLUMNS, fresh)
        await self._run("write_claims", known)
        await self._copy("movement", rows.MOVEMENT_COLUMNS, [rows.movement_row(m) for m in changes.movements])
        await self._copy_records("answer", ["event_id", "body"], changes.answers)

    async def _write_versions(self, changes: Changes) -> None:
        states = changes.licences.values()
        renewed = _renewed(changes)
        await self._run("write_snapshots", [rows.snapshot_row(changes.licences[lid]) for lid in sorted(renewed)])
        await self._run("write_index", [rows.index_row(changes.licences[lid]) for lid in sorted(renewed)])
        other = [s for s in states if s.licence_id not in renewed and s.status is not self._statuses.get(s.licence_id)]
        await self._run("write_index_status", [(s.licence_id, s.status.value) for s in other])
        self._statuses.update((state.licence_id, state.status) for state in states)
        await self._run("write_versions", [rows.version_row(v) for v in changes.versions])
        await self._run("write_documents", changes.documents)

    async def _write_status_records(self, changes: Changes) -> None:
        await self._copy_records("status_change", rows.STATUS_COLUMNS, changes.status_records)
        await self._run("queue_status_changes", [record[:2] for record in changes.status_records])

    async def _write_outbox(self, changes: Changes) -> None:
        put_aside: set[str] = set()
        if changes.quarantine:
            unique = {row.quarantine_id: row for row in changes.quarantine}
            table = [rows.quarantine_row(row) for row in unique.values()]
            found = await self._connection.fetch(self._queries["write_quarantine"], *zip(*table, strict=True))
            put_aside = {row["quarantine_id"] for row in found}
        messages = {row[:3]: row for row in changes.outbox if row.agg_type != "deadletter" or row.agg_id in put_aside}
        if len(messages) > FEW_ROWS:
            batch_id = await self._connection.fetchval(self._queries["new_batch"])
            records = [(*row[:3], batch_id, pos, *row[3:]) for pos, row in enumerate(messages.values(), start=1)]
            await self._copy_records("outbox", rows.OUTBOX_COLUMNS, records)
        else:
            await self._run(
                "append_outbox", [(*row[:3], pos, *row[3:]) for pos, row in enumerate(messages.values(), 1)]
            )


def _renewed(changes: Changes) -> set[str]:
    """Licences that have a new version."""
    return {version.licence_id for version in changes.versions}


def _appended(changes: Changes) -> list[Statement]:
    """The rows of `Writer._append`, for `merged`."""
    return [
        ("write_claims", [rows.claim_row(claim) for claim in changes.claims.values()]),
        ("append_movements", [rows.movement_row(m) for m in changes.movements]),
        ("append_answers", changes.answers),
    ]
