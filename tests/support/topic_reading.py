"""Everything on some topics, as a reader of committed transactions comes to see it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from certex_bridge.platform.kafka import create_consumer

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from certex_bridge.platform.settings import Settings

_OPEN_TRANSACTION_SECONDS = 10.0


async def read_topics(settings: Settings, *topics: str, committed: bool = True) -> list[ConsumerRecord[bytes, bytes]]:
    """All records on the topics (names without prefix) in order of each partition.

    A broker says that a transaction is committed before it has written that into each partition, so readers may see it
    a moment later: what was written by now is waited for, save what a transaction left open keeps back.

    Not `committed`: also what was written in transactions that were given up.
    """
    consumer: Any = create_consumer(settings, *topics)
    if not committed:
        consumer._isolation_level = "read_uncommitted"
    await consumer.start()
    try:
        found: list[ConsumerRecord[bytes, bytes]] = []
        ends: dict[Any, int] = {}
        rest = set(consumer.assignment())
        clock = asyncio.get_running_loop().time
        deadline = clock() + _OPEN_TRANSACTION_SECONDS
        while rest and clock() < deadline:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += records
                deadline = clock() + _OPEN_TRANSACTION_SECONDS
            for one in rest:
                if (end := consumer.highwater(one)) is not None:
                    ends.setdefault(one, end)
            rest = {one for one in rest if one not in ends or await consumer.position(one) < ends[one]}
        return found
    finally:
        await consumer.stop()
