"""The outbox for other parts of the bridge: their messages go out in the order of their versions, like the ledger's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from certex_bridge.ledger.adapters.rows import OUTBOX_COLUMNS
from certex_bridge.ledger.ports import OutboxRow

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_NEW_BATCH = "INSERT INTO unsent DEFAULT VALUES RETURNING batch_id"


class PostgresOutgoing:
    """Queues messages in the transaction of the caller's connection."""

    async def lock(self, connection: Any, agg_type: str, agg_id: str) -> None:
        """Until the transaction ends nobody else queues of this aggregate, nor sends it again."""
        await connection.execute(_LOCK, f"{agg_type} {agg_id}")

    async def send(self, connection: Any, messages: Sequence[OutboxRow]) -> None:
        """Queue messages of aggregates that are locked: the batch's id, drawn now, orders their versions."""
        batch_id = await connection.fetchval(_NEW_BATCH)
        records = [(*row[:3], batch_id, pos, *row[3:]) for pos, row in enumerate(messages, start=1)]
        await connection.copy_records_to_table("outbox", records=records, columns=OUTBOX_COLUMNS)
