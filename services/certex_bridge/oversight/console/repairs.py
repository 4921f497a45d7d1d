"""Repairs of records in quarantine: one person proposes, another decides; nobody approves his own.

Whoever decides says which proposal was shown, by its number and the hash of all that it would do: what was exchanged in
the meantime is not decided on.

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
SELECT repair_id, proposed_by, repair_shown(r) AS shown FROM console_repair r
WHERE quarantine_id = $1 AND state = 'PROPOSED' FOR UPDATE
"""
_PROPOSE = """
INSERT INTO console_repair AS r (quarantine_id, kind, value, reason, proposed_by, proposed_name)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING repair_id, repair_shown(r)
"""
_DECIDE = """
UPDATE console_repair AS r
SET state = CASE WHEN $6 THEN 'APPROVED' WHEN proposed_by = $4 THEN 'WITHDRAWN' ELSE 'REJECTED' END,
    decided_by = $4, decided_name = $5, decided_at = now()
WHERE quarantine_id = $1 AND repair_id = $2 AND state = 'PROPOSED' AND repair_shown(r) = $3
  AND NOT ($6 AND proposed_by = $4)
RETURNING kind, value, reason, proposed_name, state
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


class Shown(NamedTuple):
    """Which proposal somebody decides on."""

    repair_id: int
    sha256: str
    """Of all that it would do, in hexadecimal."""


class Repairs:
    """Proposes and decides, each in one transaction with its audit entry."""

    def __init__(self, pool: asyncpg.Pool[Any], post: Post) -> None:
        self._pool = pool
        self._post = post

    async def propose(self, person: Person, quarantine_id: str, proposal: Proposal) -> Shown:
        """Note what is proposed; another person must agree. Gives what that person must be shown.

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
            (made,) = await connection.fetch(_PROPOSE, quarantine_id, proposal.kind, value, reason, *who)
            after = f"{proposal.kind}: {reason}" + (f"; {_shown(value)}" if value is not None else "")
            await record(connection, person, "repair.proposed", quarantine_id, _shown(row["raw"]), after)
        return Shown(made[0], made[1])

    async def approve(self, person: Person, quarantine_id: str, shown: Shown) -> str:
        """Carry out what another person proposed and this one was shown; gives the words the record is closed with.

        Raises:
            RepairRefused: RESOLVED, NOTHING_PROPOSED, SAME_PERSON, EXCHANGED.
            KafkaError: the broker does not take the record; the proposal stands.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await _unresolved(connection, quarantine_id)
            repair = await _decided(connection, person, quarantine_id, shown, approved=True)
            resolved = await self._carry_out(row, repair)
            await connection.execute(_RESOLVE, quarantine_id, resolved)
            await record(connection, person, "repair.approved", quarantine_id, _proposal(repair, shown), resolved)
        return resolved

    async def _carry_out(self, row: Any, repair: Any) -> str:
        if repair["kind"] == "DISCARD":
            return f"DISCARDED {repair['reason']}"
        value = row["raw"] if repair["value"] is None else repair["value"]
        headers = [(name, told) for name, told in json.loads(row["headers"]) if told is not None]
        letter = Letter(row["topic"], row["key"], value, tuple((name, bytes.fromhex(told)) for name, told in headers))
        topic, partition, offset = await self._post(letter)
        return f"RETRIED {topic} {partition} {offset}"

    async def decline(self, person: Person, quarantine_id: str, shown: Shown) -> None:
        """Take back one's own proposal, or reject another's; the one that was shown.

        Raises:
            RepairRefused: NOTHING_PROPOSED, EXCHANGED.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            repair = await _decided(connection, person, quarantine_id, shown, approved=False)
            own, told = repair["state"] == "WITHDRAWN", _proposal(repair, shown)
            await record(connection, person, "repair.withdrawn" if own else "repair.rejected", quarantine_id, told)


async def _unresolved(connection: Any, quarantine_id: str) -> Any:
    row = await connection.fetchrow(_LOCK, quarantine_id)
    if row is None or row["resolved"]:
        raise RepairRefused(value=quarantine_id, code="RESOLVED")
    return row


async def _decided(connection: Any, person: Person, quarantine_id: str, shown: Shown, *, approved: bool) -> Any:
    """The proposal, decided on by the one statement that names all it depends on; else why it is not."""
    who = (person.identity, person.name)
    repair = await connection.fetchrow(_DECIDE, quarantine_id, *shown, *who, approved)
    if repair is not None:
        return repair
    found = await connection.fetchrow(_OPEN, quarantine_id)
    if found is None:
        raise RepairRefused(value=quarantine_id, code="NOTHING_PROPOSED")
    if approved and found["proposed_by"] == person.identity:
        raise RepairRefused(value=quarantine_id, code="SAME_PERSON")
    raise RepairRefused(value=str(shown.repair_id), code="EXCHANGED")


def _proposal(repair: Any, shown: Shown) -> str:
    """A proposal in the audit trail."""
    about = f"proposal {shown.repair_id}, sha256 {shown.sha256}"
    return f"{repair['kind']} proposed by {repair['proposed_name']}: {repair['reason']}; {about}"


def _shown(raw: bytes | None) -> str:
    """Bytes in the audit trail: their hash, since they may hold personal data."""
    return "bytes not kept" if raw is None else f"{len(raw)} bytes, sha256 {sha256_hex(raw)}"
