"""What an operator does with published messages: see what is held, release it, send versions again.

A new batch takes the versions asked for and every later one, sent or not, so their order stays. The aggregate's row is
locked first: a transaction that has drawn an older batch id for a later version has ended by then, and is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.ledger.adapters.outbox import HOLD_LOCK
from certex_bridge.ledger.adapters.outgoing import PostgresOutgoing
from certex_bridge.platform.migrations import load_queries

OF_A_DECLARATION = frozenset({"outcome"})
ONE_VERSION = frozenset({"deadletter", "acknowledgement"})
"""Types whose messages have one version, written once."""
OF_OTHERS = frozenset({"record"})
"""Types that another part of the bridge writes, under a lock by name."""


class NotQueued(BridgeError):
    """There is no such message, or it is not held."""

    code = "NOT_QUEUED"


class HeldMessages(NamedTuple):
    """What is held of one aggregate."""

    agg_type: str
    agg_id: str
    first: int
    last: int
    messages: int
    since: datetime
    code: str
    bytes: int
    """Size of the largest body."""


class Resending:
    """The operator's hand on the outbox, on a connection of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "outbox.sql")

    async def held(self) -> Sequence[HeldMessages]:
        """What is held, oldest first."""
        return [HeldMessages(*row) for row in await self._connection.fetch(self._queries["held_list"])]

    async def release(self, agg_type: str, agg_id: str) -> int:
        """Send what is held of an aggregate, with everything after it, in order; returns how many messages.

        Raises:
            NotQueued: nothing of it is held.
        """
        async with self._connection.transaction():
            await self._lock(agg_type, agg_id)
            first = await self._connection.fetchval(self._queries["first_held"], agg_type, agg_id)
            if first is None:
                raise NotQueued(f"nothing of {agg_type} {agg_id} is held", field="aggregate", value=agg_id)
            return await self._requeue(agg_type, agg_id, first)

    async def resend(self, agg_type: str, agg_id: str, first: int = 1) -> int:
        """Send the versions from `first` on again, in order; returns how many messages.

        What is held of the aggregate goes with them.

        Raises:
            NotQueued: there is no version from `first` on, or an earlier one is held and would be overtaken.
        """
        async with self._connection.transaction():
            await self._lock(agg_type, agg_id)
            known = await self._connection.fetchrow(self._queries["versions"], agg_type, agg_id)
            if known["last"] is None or known["last"] < first:
                last = f"; the last is {known['last']}" if known["last"] else ""
                raise NotQueued(f"{agg_type} {agg_id} has no version {first}{last}", field="from", value=first)
            held = await self._connection.fetchval(self._queries["first_held"], agg_type, agg_id)
            if held is not None and held < first:
                raise NotQueued(f"version {held} of {agg_type} {agg_id} is held: release it", field="from", value=first)
            return await self._requeue(agg_type, agg_id, first)

    async def _lock(self, agg_type: str, agg_id: str) -> None:
        if agg_type in OF_OTHERS:
            await PostgresOutgoing().lock(self._connection, agg_type, agg_id)
        elif agg_type not in ONE_VERSION:
            which = "lock_declaration" if agg_type in OF_A_DECLARATION else "lock_licence"
            await self._connection.execute(self._queries[which], agg_id)
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", HOLD_LOCK)

    async def _requeue(self, agg_type: str, agg_id: str, first: int) -> int:
        batch_id = await self._connection.fetchval("INSERT INTO unsent DEFAULT VALUES RETURNING batch_id")
        moved = await self._connection.execute(self._queries["requeue"], agg_type, agg_id, first, batch_id)
        await self._connection.execute(self._queries["unhold"], agg_type, agg_id)
        return int(moved.split()[-1])
