"""Repairs of records in quarantine: one person proposes, another decides; nobody approves his own.

A record is sent again under its own key and headers, so under its own event id: what had an effect before has none a
second time. Sending comes before the commit that notes it; when that fails, sending once more does no harm.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.kernel.errors import BridgeError
from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.people import Person

if TYPE_CHECKING:
    import asyncpg

REASON_LENGTH = 500

_LOCK = "SELECT quarantine_id, topic, key, raw, headers, resolved FROM quarantine WHERE quarantine_id = $1 FOR UPDATE"
_OPEN = """
SELECT repair_id, kind, value, reason, proposed_by, proposed_name FROM console_repair
WHERE quarantine_id = $1 AND state = 'PROPOSED' FOR UPDATE
"""
_PROPOSE = """
INSERT INTO console_repair (quarantine_id, kind, value, reason, proposed_by, proposed_name)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_DECIDE = """
UPDATE console_repair SET state = $2, decided_by = $3, decided_name = $4, decided_at = now() WHERE repair_id = $1
"""
_RESOLVE = "UPDATE quarantine SET resolved = $2 WHERE quarantine_id = $1"


class RepairRefused(BridgeError):
    """The repair cannot be proposed or decided so; `code` is a key of the console's words."""

    code = "REPAIR"


class Letter(NamedTuple):
    """A record to be published again."""

    topic: str
    """Without prefix."""
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


Post = Callable[[Letter], Awaitable[tuple[str, int, int]]]
"""Publishes a record and gives its topic, partition and offset; raises what its broker raises."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one person wants to become of a record."""

    kind: str
    """RETRY or DISCARD."""
    reason: str
    value: bytes | None = None
    """Edited bytes; None: as they are."""


class Repairs:
    """Proposes and decides, each in one transaction with its audit entry."""

    def __init__(self, pool: asyncpg.Pool[Any], post: Post) -> None:
        self._pool = pool
        self._post = post

    async def propose(self, person: Person, quarantine_id: str, proposal: Proposal) -> None:
        """Note what is proposed; another person must agree.

        Raises:
            RepairRefused: REASON_MISSING, REASON_LONG, RESOLVED, PROPOSED, RAW_MISSING.
        """
        reason = proposal.reason.strip()
        if not reason or len(reason) > REASON_LENGTH:
            raise RepairRefused(field="reason", value=reason, code="REASON_LONG" if reason else "REASON_MISSING")
        async with self._pool.acquire() as connection, connection.transaction():
            row = await _unresolved(connection, quarantine_id)
            if await connection.fetchrow(_OPEN, quarantine_id):
                raise RepairRefused(code="PROPOSED")
            value = proposal.value if proposal.value != row["raw"] else None
            if proposal.kind == "RETRY" and value is None and row["raw"] is None:
                raise RepairRefused(field="value", code="RAW_MISSING")
            who = (person.identity, person.name)
            await connection.execute(_PROPOSE, quarantine_id, proposal.kind, value, reason, *who)
            after = f"{proposal.kind}: {reason}" + (f"; {_shown(value)}" if value is not None else "")
            await record(connection, person, "repair.proposed", quarantine_id, _shown(row["raw"]), after)

    async def approve(self, person: Person, quarantine_id: str) -> str:
        """Carry out what another person proposed; gives the words the record is closed with.

        Raises:
            RepairRefused: RESOLVED, NOTHING_PROPOSED, SAME_PERSON.
            KafkaError: the broker does not take the record; the proposal stands.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await _unresolved(connection, quarantine_id)
            repair = await _proposed(connection, quarantine_id)
            if repair["proposed_by"] == person.identity:
                raise RepairRefused(code="SAME_PERSON")
            resolved = await self._carry_out(row, repair)
            await connection.execute(_DECIDE, repair["repair_id"], "APPROVED", person.identity, person.name)
            await connection.execute(_RESOLVE, quarantine_id, resolved)
            before = f"{repair['kind']} proposed by {repair['proposed_name']}: {repair['reason']}"
            await record(connection, person, "repair.approved", quarantine_id, before, resolved)
        return resolved

    async def _carry_out(self, row: Any, repair: Any) -> str:
        if repair["kind"] == "DISCARD":
            return f"DISCARDED {repair['reason']}"
        value = row["raw"] if repair["value"] is None else repair["value"]
        headers = [(name, told) for name, told in json.loads(row["headers"]) if told is not None]
        letter = Letter(row["topic"], row["key"], value, tuple((name, bytes.fromhex(told)) for name, told in headers))
        topic, partition, offset = await self._post(letter)
        return f"RETRIED {topic} {partition} {offset}"

    async def decline(self, person: Person, quarantine_id: str) -> None:
        """Take back one's own proposal, or reject another's.

        Raises:
            RepairRefused: NOTHING_PROPOSED.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            repair = await _proposed(connection, quarantine_id)
            own = repair["proposed_by"] == person.identity
            state = "WITHDRAWN" if own else "REJECTED"
            await connection.execute(_DECIDE, repair["repair_id"], state, person.identity, person.name)
            before = f"{repair['kind']} proposed by {repair['proposed_name']}: {repair['reason']}"
            await record(connection, person, "repair.withdrawn" if own else "repair.rejected", quarantine_id, before)


async def _unresolved(connection: Any, quarantine_id: str) -> Any:
    row = await connection.fetchrow(_LOCK, quarantine_id)
    if row is None or row["resolved"]:
        raise RepairRefused(value=quarantine_id, code="RESOLVED")
    return row


async def _proposed(connection: Any, quarantine_id: str) -> Any:
    repair = await connection.fetchrow(_OPEN, quarantine_id)
    if repair is None:
        raise RepairRefused(value=quarantine_id, code="NOTHING_PROPOSED")
    return repair


def _shown(raw: bytes | None) -> str:
    """Bytes in the audit trail: their hash, since they may hold personal data."""
    return "bytes not kept" if raw is None else f"{len(raw)} bytes, sha256 {sha256_hex(raw)}"
