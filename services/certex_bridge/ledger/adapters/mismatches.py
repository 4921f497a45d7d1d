"""The mismatch report, read from both stores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.rows import declaration, undecided_since
from certex_bridge.ledger.domain.model import ClaimKey, DeclarationState
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.mismatches import LISTED_MAX, Asked, Mismatch, MismatchReport, Total, Undecided, report_of
from certex_bridge.platform.postgres import load_queries


class PostgresMismatches:
    """The port `Mismatches` on a pool, or on one connection."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "mismatches.sql")

    async def report(self, asked: Asked) -> MismatchReport:
        """Totals over all, and the newest."""
        where = (asked.member_state, asked.issuer, asked.source, asked.since, asked.until)
        totals = await self._database.fetch(self._queries["mismatch_totals"], *where)
        listed = await self._database.fetch(self._queries["mismatches"], *where, LISTED_MAX)
        place = (asked.member_state, asked.issuer, asked.source, asked.since, asked.until, LISTED_MAX)
        undecided = [
            undecided_of(declaration(row)) for row in await self._database.fetch(self._queries["undecided"], *place)
        ]
        return MismatchReport([Total(*row) for row in totals], [_mismatch(row) for row in listed], undecided)


def undecided_of(state: DeclarationState) -> Undecided:
    """A declaration without content, as the report tells it."""
    facts = state.facts
    doubts = [doubt for doubt in state.doubts if doubt.code == "DRAFT_AMBIGUOUS"]
    since = undecided_since(state)
    assert since is not None, "only declarations without content are listed"
    return Undecided(
        state.decl_id,
        facts.lrn,
        declaration_state(facts),
        since,
        doubts[0].code if doubts else "CONTENT_MISSING",
        doubts[0].value if doubts else "",
    )


def _mismatch(row: Any) -> Mismatch:
    decl_id, item, doc_seq, licence_id, line_no, event_id, state, source, verdict, reasons, recorded, at = row
    key = ClaimKey(decl_id, item, doc_seq, licence_id, line_no)
    return Mismatch(key, event_id, state, source, verdict, tuple(reasons.split()), recorded, at)


class InMemoryMismatches:
    """The port `Mismatches` on the store in memory."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def report(self, asked: Asked) -> MismatchReport:
        """Totals over all, and the newest."""
        first: dict[ClaimKey, Mismatch] = {}
        for one in self._store.contents.mismatches:
            first.setdefault(one.key, one)
        report = report_of([one for one in first.values() if asked.wants(one)])
        undecided = [undecided_of(state) for state in self._store.contents.declarations.values() if state.undecided]
        found = sorted(
            (one for one in undecided if asked.wants_undecided(one)), key=lambda one: (one.since, one.decl_id)
        )
        return replace(report, undecided=found[:LISTED_MAX])
