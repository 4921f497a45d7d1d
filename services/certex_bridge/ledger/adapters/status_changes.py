"""Changes of status on their way to subscribers, on PostgreSQL; each method works on the caller's open transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from certex_bridge.ledger.adapters import rows
from certex_bridge.ledger.adapters.codec import decode_facts
from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.platform.migrations import load_queries


class PostgresStatusChanges:
    """The ledger's side of the pushes of Implementing Regulation (EU) 2024/2145 Art. 5(2)."""

    def __init__(self) -> None:
        package = "certex_bridge.ledger.adapters.sql"
        self._queries = load_queries(package, "queries.sql") | load_queries(package, "status_changes.sql")

    async def take(self, connection: Any, limit: int) -> list[StatusRecord]:
        """The oldest changes nobody was told of, in order; they count as told once the transaction ends."""
        return [StatusRecord(*row) for row in await connection.fetch(self._queries["take_changes"], limit)]

    async def open_claims(self, connection: Any, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims of these licences whose customs office still has an interest, in order."""
        found = await connection.fetch(self._queries["open_claims"], sorted(licence_ids))
        told = await connection.fetch(self._queries["facts_of"], sorted({row["decl_id"] for row in found}))
        facts = {row["decl_id"]: decode_facts(row["facts"]) for row in told}
        return [rows.open_claim(row, facts[row["decl_id"]]) for row in found]

    async def finished(self, connection: Any, declarations: Collection[str]) -> set[str]:
        """Those of the declarations that wait for no licence any more."""
        found = await connection.fetch(self._queries["finished_declarations"], sorted(declarations))
        return {row["decl_id"] for row in found}
