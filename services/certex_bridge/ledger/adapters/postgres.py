"""The store on PostgreSQL: row locks in one order, decisions made outside, set-based writes in one transaction."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg

from certex_bridge.ledger.adapters import copytext, rows
from certex_bridge.ledger.adapters.codec import decode_facts, decode_licence
from certex_bridge.ledger.domain.model import (
    Account,
    Anchor,
    DeclarationState,
    Dim,
    LicenceState,
    Status,
)
from certex_bridge.ledger.ports import Bar, Changes, InboxEntry, Known, OpenClaim, Reference, Wake
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.platform.postgres import load_queries, retry_cause

Connection = Any
_FEW = 32
"""Rows up to which an INSERT costs less than a COPY, which asks the server twice."""
RELEASE_SECONDS = 10.0
"""Limit of giving a connection back to the pool."""
_DIMS = {dim.value: dim for dim in Dim}
_STATUSES = {status.value: status for status in Status}
_SNAPSHOTS_MAX = 20_000
"""Licence versions kept decoded; a version never changes, so the memory is never stale."""


class PostgresStore:
    """The transactional store on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool, wait_seconds: float | None = None) -> None:
        """`wait_seconds` is how long a transaction waits for its connection; None: as long as the pool says."""
        self._pool = pool
        self._wait_seconds = wait_seconds
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "queries.sql")
        self._existing: set[str] = set()
        """Licence ids that have a row; rows are never deleted."""
        self._snapshots: dict[tuple[str, int], Licence] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresUnit]:
        """Begin at READ COMMITTED; commit at the end of the block."""
        try:
            async with self._connection() as connection, connection.transaction(isolation="read_committed"):
                yield PostgresUnit(connection, self._queries, self._existing, self._snapshots)
        except Exception as error:
            if retry_cause(error) == "connection":
                self.forget()
            raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection; the limit of waiting for it is none for giving it back, when everything is committed."""
        connection = await self._pool.acquire(timeout=self._wait_seconds)
        try:
            yield connection
        finally:
            await self._pool.release(connection, timeout=RELEASE_SECONDS)

    def hurried(self, wait_seconds: float) -> PostgresStore:
        """The same store for those who rather have no answer than wait longer for a connection."""
        other = PostgresStore(self._pool, wait_seconds)
        other._existing, other._snapshots = self._existing, self._snapshots
        return other

    def forget(self) -> None:
        """Drop what is remembered of the database: another server may answer now, which lacks the last commits."""
        self._existing.clear()
        self._snapshots.clear()


class PostgresUnit:
    """One open transaction."""

    def __init__(
        self,
        connection: Connection,
        queries: Mapping[str, str],
        existing: set[str],
        snapshots: dict[tuple[str, int], Licence],
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._existing = existing
        self._snapshots = snapshots
        self._created: set[str] = set()
        """Declarations made in this transaction."""
        self._statuses: dict[str, Status] = {}
        """Statuses as the index of licences has them."""

    async def _fetch(self, query: str, *arguments: object) -> list[Any]:
        found: list[Any] = await self._connection.fetch(self._queries[query], *arguments)
        return found

    async def _run(self, query: str, table: Iterable[Sequence[object]]) -> None:
        """Execute a set-based statement; `table` has one row per thing, the statement takes one array per column."""
        columns = list(zip(*table, strict=True))
        if columns:
            await self._connection.execute(self._queries[query], *columns)

    async def _copy(self, table: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """Append rows by COPY: half the work of an INSERT on both sides; a key that exists still fails."""
        if lines:
            # A view, for asyncpg takes bytes for the name of a file, and reads what is like a file in another thread.
            source = memoryview(copytext.encode(lines))
            await self._connection.copy_to_table(
                table, source=source, columns=columns, format="text", delimiter=copytext.DELIMITER
            )

    # -- inbox and wakes

    async def register(self, entries: Sequence[InboxEntry]) -> Mapping[str, Known]:
        """Insert ids; what remains was known."""
        table = [(e.event_id, e.sha256, e.source, *e.origin) for e in entries]
        inserted = await self._fetch("register", *zip(*table, strict=True))
        if len(inserted) == len(entries):
            return {}
        fresh = {row["event_id"] for row in inserted}
        known = [entry.event_id for entry in entries if entry.event_id not in fresh]
        return {row["event_id"]: Known(row["sha256"], row["body"]) for row in await self._fetch("known", known)}

    async def take_wakes(self, limit: int) -> list[Wake]:
        """Wake rows that no one else holds."""
        return [Wake(*row) for row in await self._fetch("take_wakes", limit)]

    async def postpone_wake(self, wake_id: int, seconds: float) -> None:
        """Put a wake off; each further time for twice as long."""
        await self._connection.execute(self._queries["postpone_wake"], wake_id, seconds)

    # -- anchors and declarations

    async def peek_references(self, decl_ids: Collection[str]) -> Mapping[str, Reference]:
        """What declarations refer to."""
        found = await self._fetch("peek_references", list(decl_ids))
        told = {row["decl_id"]: rows.declaration_facts(row) for row in found}
        return {d: Reference(f.lrn, f.exporter, f.simplified, f.supplements) for d, f in told.items()}

    async def lock_anchors(self, lrns: Collection[str]) -> Mapping[str, Anchor]:
        """Create and lock, in order."""
        ordered = sorted(lrns)
        created = {row["lrn"] for row in await self._fetch("create_anchors", ordered)}
        anchors = {lrn: Anchor(lrn) for lrn in created}
        if rest := [lrn for lrn in ordered if lrn not in created]:
            anchors |= {row["lrn"]: _anchor(row) for row in await self._fetch("lock_anchors", rest)}
        return anchors

    async def lock_declarations(
        self, create: Collection[str], existing: Collection[str]
    ) -> Mapping[str, DeclarationState]:
        """Create and lock, in order, with claims."""
        ordered = sorted(create)
        created = {row["decl_id"] for row in await self._fetch("create_declarations", ordered)} if ordered else set()
        self._created |= created
        found = {decl_id: DeclarationState(decl_id) for decl_id in created}
        rest = sorted({*ordered, *existing} - created)
        if rest:
            locked = {row["decl_id"]: rows.declaration(row) for row in await self._fetch("lock_declarations", rest)}
            for row in await self._fetch("claims_of", list(locked)):
                claim = rows.claim(row)
                locked[claim.key.decl_id].claims[claim.key] = claim
            found |= locked
        return found

    # -- licences

    async def lock_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Create placeholders, lock in order, then load content and accounts."""
        ordered = sorted(licence_ids)
        if missing := [licence_id for licence_id in ordered if licence_id not in self._existing]:
            await self._connection.execute(self._queries["create_licences"], missing)
        found = {row["licence_id"]: _licence_state(row) for row in await self._fetch("lock_licences", ordered)}
        if len(found) < len(ordered):
            raise ConnectionError("the database lacks licences it had before: it is another server, or was restored")
        self._statuses.update((state.licence_id, state.status) for state in found.values())
        await self._load_content(found)
        for row in await self._fetch("accounts", ordered):
            licence_id, line_no, dim, unit, cap, reserved, consumed = row
            account = Account(line_no, _DIMS[dim], unit, Decimal(cap), Decimal(reserved), Decimal(consumed))
            found[licence_id].accounts[line_no, account.dim] = account
        return found

    async def peek_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Those that are known, without a lock and without accounts."""
        states = [_licence_state(row) for row in await self._fetch("peek_licences", sorted(licence_ids))]
        found = {state.licence_id: state for state in states if state.known}
        await self._load_content(found)
        return found

    async def _load_content(self, found: Mapping[str, LicenceState]) -> None:
        known = [state for state in found.values() if state.known]
        self._existing.update(state.licence_id for state in known)
        # Taken out first: the memory may be dropped while the statement runs, or because it is full.
        held = {state.licence_id: self._snapshots.get((state.licence_id, state.version)) for state in known}
        if missing := [licence_id for licence_id, content in held.items() if content is None]:
            if len(self._snapshots) > _SNAPSHOTS_MAX:
                self._snapshots.clear()
            for row in await self._fetch("snapshots", missing):
                content = decode_licence(row["snapshot"])
                held[row["licence_id"]] = self._snapshots[row["licence_id"], row["version"]] = content
        for state in known:
            state.licence = held[state.licence_id]

    async def parked_on(self, licence_ids: Collection[str]) -> Mapping[str, list[str]]:
        """Declarations parked on licences."""
        found: dict[str, list[str]] = {}
        for row in await self._fetch("parked_on", list(licence_ids)):
            found.setdefault(row["licence_id"], []).append(row["decl_id"])
        return found

    async def bars(self, exporters: Collection[str]) -> frozenset[Bar]:
        """Bars on exporters."""
        return frozenset(Bar(*row) for row in await self._fetch("bars", list(exporters)))

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims in an open state, this transaction's included."""
        found = await self._fetch("open_claims", list(licence_ids))
        if not found:
            return []
        told = await self._fetch("facts_of", sorted({row["decl_id"] for row in found}))
        facts = {row["decl_id"]: decode_facts(row["facts"]) for row in told}
        return [rows.open_claim(row, facts[row["decl_id"]]) for row in found]

    async def cited_licences(self, issuer: str, eori: str, document_codes: Collection[str]) -> Collection[str]:
        """Licences of an issuer cited by an exporter's open claims."""
        found = await self._fetch("cited_licences", issuer, list(document_codes), eori)
        return [row["licence_id"] for row in found]

    # -- writing

    async def write(self, changes: Changes) -> None:
        """Write everything; referenced rows before those that refer to them."""
        await self._run(
            "write_anchors", ((a.lrn, json.dumps(a.exporters), json.dumps(a.mrns)) for a in changes.anchors.values())
        )
        await self._run("write_declarations", (rows.declaration_row(d) for d in changes.declarations.values()))
        await self._write_licences(changes)
        await self._write_claims(changes)
        await self._copy("movement", rows.MOVEMENT_COLUMNS, [rows.movement_row(m) for m in changes.movements])
        await self._run("write_versions", (rows.version_row(v) for v in changes.versions))
        await self._run("write_bars", (row for bar in changes.bars for row in rows.bar_rows(bar)))
        await self._write_status_records(changes)
        await self._run("park", sorted(changes.parked))
        await self._run("unpark", sorted(changes.unparked))
        await self._run("write_wakes", changes.wakes)
        if changes.wakes_done:
            await self._connection.execute(self._queries["delete_wakes"], changes.wakes_done)
        await self._run("write_mismatches", (rows.mismatch_row(one) for one in changes.mismatches))
        await self._write_outbox(changes)
        if len(changes.answers) > _FEW:
            columns = ["event_id", "body"]
            await self._connection.copy_records_to_table("answer", records=changes.answers, columns=columns)
        else:
            await self._run("write_answers", changes.answers)
        await self._run("write_offsets", ((*place, record) for place, record in sorted(changes.offsets.items())))

    async def _write_status_records(self, changes: Changes) -> None:
        if changes.status_records:
            records, columns = changes.status_records, rows.STATUS_COLUMNS
            await self._connection.copy_records_to_table("status_change", records=records, columns=columns)
            await self._run("queue_status_changes", (record[:2] for record in changes.status_records))

    async def _write_claims(self, changes: Changes) -> None:
        """Claims of declarations made in this transaction cannot exist yet; the others may."""
        fresh = [rows.claim_row(c) for c in changes.claims.values() if c.key.decl_id in self._created]
        await self._copy("claim", rows.CLAIM_COLUMNS, fresh)
        known = (rows.claim_row(c) for c in changes.claims.values() if c.key.decl_id not in self._created)
        await self._run("write_claims", known)
        self._created.clear()  # a second write in this transaction finds them

    async def _write_licences(self, changes: Changes) -> None:
        states = changes.licences.values()
        await self._run("write_licences", (rows.licence_row(state) for state in states))
        renewed = {version.licence_id for version in changes.versions}
        await self._run("write_snapshots", (rows.snapshot_row(changes.licences[lid]) for lid in sorted(renewed)))
        await self._run("write_index", (rows.index_row(changes.licences[lid]) for lid in sorted(renewed)))
        other = [s for s in states if s.licence_id not in renewed and s.status is not self._statuses.get(s.licence_id)]
        await self._run("write_index_status", ((s.licence_id, s.status.value) for s in other))
        self._statuses.update((state.licence_id, state.status) for state in states)
        moved = {(m.licence_id, m.line_no, m.dim) for m in changes.movements}
        await self._run(
            "write_accounts",
            (
                rows.account_row(state.licence_id, account)
                for state in states
                for account in state.accounts.values()
                if state.licence_id in renewed or (state.licence_id, account.line_no, account.dim) in moved
            ),
        )

    async def _write_outbox(self, changes: Changes) -> None:
        put_aside: set[str] = set()
        if changes.quarantine:
            unique = {row.quarantine_id: row for row in changes.quarantine}
            table = [rows.quarantine_row(row) for row in unique.values()]
            found = await self._fetch("write_quarantine", *zip(*table, strict=True))
            put_aside = {row["quarantine_id"] for row in found}
        messages = {row[:3]: row for row in changes.outbox if row.agg_type != "deadletter" or row.agg_id in put_aside}
        if len(messages) <= _FEW:
            await self._run("write_outbox", messages.values())
        else:
            batch_id = await self._connection.fetchval(self._queries["new_batch"])
            records = [(*row[:3], batch_id, pos, *row[3:]) for pos, row in enumerate(messages.values(), start=1)]
            await self._connection.copy_records_to_table("outbox", records=records, columns=rows.OUTBOX_COLUMNS)


def _anchor(row: Mapping[str, Any]) -> Anchor:
    return Anchor(row["lrn"], tuple(json.loads(row["exporters"])), tuple(json.loads(row["mrns"])))


def _licence_state(row: Mapping[str, Any]) -> LicenceState:
    return LicenceState(
        licence_id=row["licence_id"],
        version=row["version"],
        payload_sha256=row["payload_sha256"],
        status=_STATUSES[row["status"]],
        expired_version=row["expired_version"],
        lv=row["lv"],
        nv=row["nv"],
        cv=row["cv"],
        iv=row["iv"],
        sv=row["sv"],
        chain=row["chain"],
        frozen=row["frozen"],
    )
