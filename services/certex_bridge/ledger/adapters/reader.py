"""Reads on PostgreSQL: one statement each, outside any transaction of the ledger, each within its time.

A statement that takes longer is left to end by itself (its connection is given back then, not before), so that the
caller's answer does not wait for a server that no longer answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from certex_bridge.kernel.identifiers import eori_twins
from certex_bridge.ledger.adapters import rows
from certex_bridge.ledger.adapters.codec import decode_facts, decode_licence
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.model import Account, DeclarationState, Dim, LicenceState, Status
from certex_bridge.ledger.ports import Bar
from certex_bridge.ledger.reading import (
    Attached,
    Issued,
    LedgerAway,
    Moved,
    Original,
    PastAccount,
    PastLicence,
    Picture,
    ReadTooSlow,
    Until,
)
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.platform.database_errors import sentence
from certex_bridge.platform.leases import Leases
from certex_bridge.platform.postgres import load_queries, retry_cause

_DIMS = {dim.value: dim for dim in Dim}
_STATUSES = {status.value: status for status in Status}
_SNAPSHOTS_MAX = 20_000
_CLAIM_NAMES = rows.CLAIM_COLUMNS
_NUMBERS = frozenset({"item", "doc_seq", "line_no"})


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How long a read may take, in seconds."""

    check: float = 0.05
    """For the statement of a check."""
    shown: float = 2.0
    """For what people look at."""
    connection: float = 0.2
    """For getting a connection; past it the database counts as away."""


class PostgresReader:
    """Reads of the ledger on a pool of connections."""

    def __init__(self, pool: asyncpg.Pool, limits: ReadLimits | None = None) -> None:
        self._pool = pool
        self._limits = limits or ReadLimits()
        self._leases = Leases(pool, self._limits.connection)
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "reads.sql")
        self._snapshots: dict[str, Licence] = {}
        """The newest version read of each licence; a version never changes, so the memory is never stale."""
        self._reads: set[asyncio.Task[None]] = set()
        """Reads under way, those included that nobody waits for any more."""

    def forget(self) -> None:
        """Drop what is remembered of the database: another server may answer now."""
        self._snapshots.clear()

    # -- checks

    async def picture(
        self,
        licence_ids: Collection[str],
        decl_id: str = "",
        exporters: Collection[str] = (),
        numbers: Collection[str] = (),
    ) -> Picture:
        """What a check is judged by, as of one commit."""
        ids = list(licence_ids)
        # Taken out now: while the statement runs, a new connection may make the memory be dropped.
        held = {one: self._snapshots[one] for one in ids if one in self._snapshots}
        known = [held[one].version if one in held else 0 for one in ids]
        traders = sorted({twin for exporter in exporters for twin in eori_twins(exporter)})
        found = await self._fetch("picture", self._limits.check, ids, known, decl_id, traders, list(numbers))
        licences = {licence_id: LicenceState(licence_id) for licence_id in ids}
        declaration: DeclarationState | None = None
        claims = {}
        bars = set()
        accounts = []
        for kind, key, part, body in found:
            if kind == "licence":
                licences[key] = self._licence(key, part, body, held.get(key))
            elif kind == "account":
                accounts.append((key, part))
            elif kind == "declaration":
                declaration = _declaration(key, part, body)
            elif kind == "claim":
                claim = rows.claim(_claim_row(part))
                claims[claim.key] = claim
            else:
                bars.add(Bar(key, *part))
        for key, part in accounts:
            account = _account(part)
            licences[key].accounts[account.line_no, account.dim] = account
        if declaration is not None:
            declaration.claims = claims
        return Picture(licences, declaration, frozenset(bars))

    def _licence(self, licence_id: str, part: list[str], body: bytes | None, held: Licence | None) -> LicenceState:
        version, sha256, status, expired, lv, nv, cv, iv, frozen = part
        licence = held
        if body is not None:
            if len(self._snapshots) >= _SNAPSHOTS_MAX:
                self._snapshots.clear()
            licence = self._snapshots[licence_id] = decode_licence(body)
        return LicenceState(
            licence_id,
            int(version),
            licence if int(version) else None,
            sha256,
            _STATUSES[status],
            int(expired),
            int(lv),
            int(nv),
            int(cv),
            int(iv),
            frozen=frozen == "true",
        )

    # -- for people

    async def open_claims(self, licence_id: str) -> Mapping[str, int]:
        """How many claims on a licence are open, by state."""
        return {row["state"]: row["number"] for row in await self._show("open_claims", licence_id)}

    async def status_on(self, licence_id: str, at: datetime) -> str:
        """Status that the version in force at an instant came in force with."""
        found = await self._fetch("status_on", self._limits.check, licence_id, at)
        return found[0]["status"] if found else ""

    async def original(self, licence_id: str, version: int) -> Original | None:
        """What was issued with a version."""
        found = await self._show("original", licence_id, version)
        return original_of(found[0]) if found else None

    async def held_by(self, issuer: str, holder: str, limit: int) -> list[LicenceState]:
        """Licences of one holder, with their accounts."""
        found = [row["licence_id"] for row in await self._show("held_by", issuer, eori_twins(holder), limit)]
        licences = (await self.picture(found)).licences if found else {}
        return [licences[licence_id] for licence_id in found]

    async def past(self, licence_id: str, until: Until) -> PastLicence | None:
        """A licence rebuilt from its journal."""
        state = (await self._show("past_state", licence_id, *until))[0]
        if state["lv"] is None:
            return None
        version = int(state["version"].split()[0].removeprefix("version=")) if state["version"] else 0
        if state["status"] and state["status_lv"] >= (state["version_lv"] or 0):
            status = state["status"].rpartition(">")[2]
        else:
            told = await self._show("version_status", licence_id, version)
            status = told[0]["status"] if told else Status.UNKNOWN.value
        accounts = tuple(
            PastAccount(row[0], row[1], row[2], Decimal(row[3]), Decimal(row[4]), Decimal(row[5]))
            for row in await self._show("past_accounts", licence_id, until.at, state["lv"])
        )
        return PastLicence(licence_id, version, status, state["lv"], accounts)

    async def moves(self, decl_id: str, licence_ids: Collection[str]) -> list[Moved]:
        """What a declaration moved on these licences."""
        found = await self._show("moves", sorted(licence_ids), f"{decl_id}#")
        return [Moved(*row[:9], *map(Decimal, row[9:])) for row in found]

    # -- the statement

    async def _show(self, query: str, *arguments: object) -> list[Any]:
        return await self._fetch(query, self._limits.shown, *arguments)

    async def _fetch(self, query: str, seconds: float, *arguments: object) -> list[Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()
        read = loop.create_task(self._read(self._queries[query], seconds, arguments, answer))
        self._reads.add(read)
        read.add_done_callback(self._reads.discard)
        timer = loop.call_later(self._limits.connection + seconds, _too_late, answer, seconds)
        try:
            return await answer
        finally:
            timer.cancel()

    async def _read(
        self, statement: str, seconds: float, arguments: tuple[object, ...], answer: asyncio.Future[list[Any]]
    ) -> None:
        """Answer as soon as it is known; what becomes of the connection takes its own time."""
        try:
            async with self._leases.lease() as connection:
                try:
                    found = await connection.fetch(statement, *arguments, timeout=seconds)
                except TimeoutError:
                    _too_late(answer, seconds)
                    raise
                if not answer.done():
                    answer.set_result(found)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller must hear of it
            if not answer.done():
                answer.set_exception(_told(error))


def original_of(row: Any) -> Original:
    """What was issued, from a row of the query `original`."""
    issued, attached = tuple(row[4:9]), tuple(row[9:12])
    version, at, event_id, certificate = row[:4]
    return Original(
        version,
        at,
        event_id,
        certificate,
        issued=Issued(*issued) if issued[-1] is not None else None,
        attached=Attached(*attached) if attached[-1] is not None else None,
    )


def _too_late(answer: asyncio.Future[list[Any]], seconds: float) -> None:
    if not answer.done():
        answer.set_exception(ReadTooSlow(f"the ledger was not read within {round(seconds * 1000)} ms"))


def _told(error: Exception) -> Exception:
    """What a failed read means to the caller."""
    cause = retry_cause(error)
    if cause == "connection":  # a time-out of the pool is one, too
        return LedgerAway(f"the ledger's database is away: {sentence(error)}")
    return ReadTooSlow(f"the database ended the read: {sentence(error)}") if cause else error


def _declaration(decl_id: str, part: list[str], body: bytes | None) -> DeclarationState:
    dv, said, waiting_for, joined = part
    facts = decode_facts(body) if body else Facts()
    return DeclarationState(decl_id, int(dv), facts, said, tuple(json.loads(waiting_for)), joined == "true")


def _account(part: list[str]) -> Account:
    line_no, dim, unit, cap, reserved, consumed, replaced = part
    return Account(int(line_no), _DIMS[dim], unit, Decimal(cap), Decimal(reserved), Decimal(consumed), replaced)


def _claim_row(part: list[str]) -> dict[str, Any]:
    named = zip(_CLAIM_NAMES, part, strict=True)
    return {name: int(value) if name in _NUMBERS else value for name, value in named}
