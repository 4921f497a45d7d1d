"""The store on PostgreSQL: row locks in one order, decisions made outside, set-based writes in one transaction."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from certex_bridge.kernel.identifiers import eori_twins
from certex_bridge.ledger.adapters import rows
from certex_bridge.ledger.adapters.codec import decode_anchor, decode_facts, decode_licence, decode_line
from certex_bridge.ledger.adapters.writing import Writer
from certex_bridge.ledger.domain.acts import Act, ContentSource, VersionNote
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.model import Account, DeclarationState, Dim, LicenceState, Status
from certex_bridge.ledger.ports import (
    Bar,
    Changes,
    InboxEntry,
    Known,
    OpenClaim,
    Reference,
    Wake,
)
from certex_bridge.ledger.refused_events import RefusedLicenceEvent, kept_act
from certex_bridge.licensing.domain.licence import Licence, LicenceLine
from certex_bridge.platform.postgres import load_queries, retry_cause

Connection = Any
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
        self._writer = Writer(connection, queries, self._created, self._statuses)

    async def _fetch(self, query: str, *arguments: object) -> list[Any]:
        found: list[Any] = await self._connection.fetch(self._queries[query], *arguments)
        return found

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
        return {decl_id: Reference.of(facts) for decl_id, facts in told.items()}

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
            for row in await self._fetch("claims_of", list(locked)) if locked else ():
                claim = rows.claim(row)
                locked[claim.key.decl_id].claims[claim.key] = claim
            found |= locked
        return found

    # -- licences

    def surely_known(self, licence_ids: Collection[str]) -> Collection[str]:
        """Those of which this process has seen a version."""
        return self._existing.intersection(licence_ids)

    async def known_under(self, numbers: Collection[str]) -> Collection[str]:
        """Licences known under these numbers, without a lock."""
        return [row["licence_id"] for row in await self._fetch("known_under", list(numbers))]

    async def lock_numbers(self, numbers: Collection[str]) -> None:
        """Create and lock, in order; the next statement sees what was committed while we waited."""
        ordered = sorted(numbers)
        await self._connection.execute(self._queries["create_numbers"], ordered)
        await self._connection.execute(self._queries["lock_numbers"], ordered)

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
            licence_id, line_no, dim, unit, cap, reserved, consumed, replaced = row
            account = Account(line_no, _DIMS[dim], unit, Decimal(cap), Decimal(reserved), Decimal(consumed), replaced)
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

    async def parked_on(self, numbers: Collection[str]) -> Mapping[str, list[str]]:
        """Declarations parked on licences of these numbers."""
        found: dict[str, list[str]] = {}
        for row in await self._fetch("parked_on", list(numbers)):
            found.setdefault(row["number"], []).append(row["decl_id"])
        return found

    async def version_notes(self, licence_ids: Collection[str]) -> Mapping[str, dict[int, VersionNote]]:
        """What must be remembered of versions."""
        found: dict[str, dict[int, VersionNote]] = {}
        for row in await self._fetch("version_notes", sorted(licence_ids)):
            note = VersionNote(row["payload_sha256"], ContentSource(row["content"]))
            found.setdefault(row["licence_id"], {})[row["version"]] = note
        return found

    async def kept_acts(self, licence_ids: Collection[str]) -> Mapping[str, list[Act]]:
        """Acts that came before their licences."""
        found: dict[str, list[Act]] = {}
        for row in await self._fetch("kept_acts", sorted(licence_ids)):
            found.setdefault(row["licence_id"], []).append(kept_act(RefusedLicenceEvent(*row)))
        return found

    async def last_lines(self, lines: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], LicenceLine]:
        """Lines as they last were."""
        wanted = sorted(lines)
        found = await self._fetch("last_lines", [one[0] for one in wanted], [one[1] for one in wanted])
        return {(row["licence_id"], row["line_no"]): decode_line(row["line"]) for row in found}

    async def bars(self, exporters: Collection[str]) -> frozenset[Bar]:
        """Bars on exporters."""
        wanted = {eori for exporter in exporters for eori in eori_twins(exporter)}
        return frozenset(Bar(*row) for row in await self._fetch("bars", list(wanted)))

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
        found = await self._fetch("cited_licences", issuer, list(document_codes), eori_twins(eori))
        return [row["licence_id"] for row in found]

    async def value_holders(self, licence_ids: Collection[str]) -> Collection[str]:
        """Declarations with a value on these licences."""
        return {row["decl_id"] for row in await self._fetch("value_holders", list(licence_ids))}

    async def refused_since(self, moments: Mapping[str, datetime]) -> Collection[tuple[str, str]]:
        """Refused at these moments or later, by licence and declaration."""
        found = await self._fetch("refused_since", list(moments), list(moments.values()))
        return [(row["licence_id"], row["decl_id"]) for row in found]

    async def write(self, changes: Changes) -> None:
        """Write everything."""
        await self._writer.write(changes)


def _anchor(row: Mapping[str, Any]) -> Anchor:
    return decode_anchor(row["lrn"], tuple(json.loads(row["exporters"])), row["marks"])


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
