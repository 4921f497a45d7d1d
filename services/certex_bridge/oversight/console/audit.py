"""The audit trail: every deed in the console and every refused one, written where nobody can change it."""

from __future__ import annotations

from typing import Any

from certex_bridge.ledger.quarantine import plain
from certex_bridge.oversight.console.people import Person

_WRITE = """
INSERT INTO console_audit (person, identity, roles, action, subject, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_LENGTH = 2_000
NOBODY = "-"


async def record(
    database: Any, person: Person | None, action: str, subject: str = "", before: str = "", after: str = ""
) -> None:
    """Write one entry, on a connection (then in its transaction) or a pool."""
    who = (person.name, person.identity, " ".join(sorted(person.roles))) if person else (NOBODY, "", "")
    told = [plain(text, _LENGTH) for text in (*who, action, subject, before, after)]
    await database.execute(_WRITE, *told)
