"""Finding licences: on PostgreSQL by the index the ledger writes, in memory by looking at each.

A page is read in one snapshot of the database, so its content and balances belong together; nothing waits for a lock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from certex_bridge.ledger.adapters.codec import decode_licence
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.model import Account, Dim, LicenceState
from certex_bridge.ledger.domain.searching import licence_terms
from certex_bridge.ledger.listing import Criteria, IndexEntry, ListedLicence, ListPage
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.platform.migrations import load_queries


class PostgresLicenceIndex:
    """The index on PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "listing.sql")

    async def find(self, criteria: Criteria, after: str, limit: int, *, content: bool) -> ListPage:
        """One page, in one snapshot."""
        condition, arguments = _condition(criteria)
        question = f"{self._queries['find']}{condition} ORDER BY licence_id LIMIT ${len(arguments) + 2}"
        async with self._pool.acquire() as connection:
            # Before the snapshot: a transaction that ends between the two would be in neither.
            as_of: datetime = await connection.fetchval(self._queries["as_of"])
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                rows = await connection.fetch(question, after, *arguments, limit + 1)
                entries = [IndexEntry(*row) for row in rows[:limit]]
                listed = await self._with_content(connection, entries) if content else list(map(_bare, entries))
        return ListPage(as_of, listed, len(rows) > limit)

    async def _with_content(self, connection: Any, entries: Sequence[IndexEntry]) -> list[ListedLicence]:
        ids = [entry.licence_id for entry in entries]
        found = await connection.fetch(self._queries["contents"], ids)
        contents: dict[str, Licence] = {row["licence_id"]: decode_licence(row["snapshot"]) for row in found}
        accounts: dict[str, list[Account]] = {}
        for licence_id, line_no, dim, unit, *figures in await connection.fetch(self._queries["balances"], ids):
            cap, reserved, consumed = map(Decimal, figures)
            accounts.setdefault(licence_id, []).append(Account(line_no, Dim(dim), unit, cap, reserved, consumed))
        return [ListedLicence(e, contents[e.licence_id], accounts.get(e.licence_id, ())) for e in entries]

    async def entries(self, licence_ids: Collection[str]) -> Mapping[str, IndexEntry]:
        """Known licences among these."""
        rows = await self._pool.fetch(self._queries["entries"], list(licence_ids))
        return {row["licence_id"]: IndexEntry(*row) for row in rows}


def _condition(criteria: Criteria) -> tuple[str, list[object]]:
    """Conditions for what is asked, and their arguments from $2 on."""
    asked: list[tuple[str, object]] = [
        ("holder = {}", criteria.holder),
        ("issuer = {}", criteria.issuer),
        ("(direction <> 'TRANSIT' OR issuer = {})", criteria.transit_issuer),
        ("document_code = ANY({}::text[])", list(criteria.document_codes)),
        ("status = ANY({}::text[])", list(criteria.statuses)),
        ("coalesce(valid_to >= {}, true)", criteria.valid_from),
        ("coalesce(valid_from <= {}, true)", criteria.valid_to),
        ("changed_at >= {}", criteria.changed_since),
        *(("terms && {}::text[]", list(group)) for group in criteria.term_groups),
    ]
    stated = [(condition, argument) for condition, argument in asked if argument]
    text = "".join(f" AND {condition.format(f'${at}')}" for at, (condition, _) in enumerate(stated, 2))
    return text, [argument for _, argument in stated]


def _bare(entry: IndexEntry) -> ListedLicence:
    return ListedLicence(entry, None, ())


class InMemoryLicenceIndex:
    """The index over a store in memory."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def find(self, criteria: Criteria, after: str, limit: int, *, content: bool) -> ListPage:
        """One page."""
        fitting = []
        for state in self._states():
            entry = self._entry(state)
            if entry.licence_id > after and _fits(criteria, entry, state):
                accounts = [state.accounts[key] for key in sorted(state.accounts)]
                fitting.append(ListedLicence(entry, state.licence, accounts) if content else _bare(entry))
        return ListPage(datetime.now(UTC), fitting[:limit], len(fitting) > limit)

    async def entries(self, licence_ids: Collection[str]) -> Mapping[str, IndexEntry]:
        """Known licences among these."""
        return {state.licence_id: self._entry(state) for state in self._states() if state.licence_id in licence_ids}

    def _states(self) -> list[LicenceState]:
        found = self._store.contents.licences
        return [found[licence_id] for licence_id in sorted(found) if found[licence_id].known]

    def _entry(self, state: LicenceState) -> IndexEntry:
        licence = state.licence
        assert licence is not None
        return IndexEntry(
            state.licence_id,
            licence.issuer,
            licence.number,
            state.version,
            licence.document_code,
            licence.direction.value,
            state.status.value,
            licence.valid_from,
            licence.valid_to,
            licence.holder.identification,
            self._store.contents.changed[state.licence_id],
        )


def _fits(criteria: Criteria, entry: IndexEntry, state: LicenceState) -> bool:
    assert state.licence is not None
    terms = set(licence_terms(state.licence))
    first, last, since = criteria.valid_from, criteria.valid_to, criteria.changed_since
    return all(
        (
            not criteria.holder or entry.holder == criteria.holder,
            not criteria.issuer or entry.issuer == criteria.issuer,
            not criteria.transit_issuer or entry.direction != "TRANSIT" or entry.issuer == criteria.transit_issuer,
            not criteria.document_codes or entry.document_code in criteria.document_codes,
            not criteria.statuses or entry.status in criteria.statuses,
            first is None or entry.valid_to is None or entry.valid_to >= first,
            last is None or entry.valid_from is None or entry.valid_from <= last,
            since is None or entry.changed_at >= since,
            all(terms.intersection(group) for group in criteria.term_groups),
        )
    )
