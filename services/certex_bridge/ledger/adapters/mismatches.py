"""The mismatch report, read from both stores."""

from __future__ import annotations

from typing import Any

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.model import ClaimKey
from certex_bridge.ledger.mismatches import LISTED_MAX, Asked, Mismatch, MismatchReport, Total, report_of
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
        return MismatchReport([Total(*row) for row in totals], [_mismatch(row) for row in listed])


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
        return report_of([one for one in first.values() if asked.wants(one)])
