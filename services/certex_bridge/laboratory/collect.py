"""Reading what the bridge has published: the newest documents of a topic, as files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from certex_bridge.platform.kafka import create_consumer

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from certex_bridge.platform.settings import Settings

CERTIFICATES = "certex.certificates.v1"
OUTCOMES = "certex.outcomes.v1"

_POLL_MS = 500
_EMPTY_POLLS = 10
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


async def newest_records(settings: Settings, topic: str, limit: int) -> list[ConsumerRecord[bytes, bytes]]:
    """At most `limit` of the newest records of a topic, evenly from its partitions.

    Raises:
        KafkaError: the broker cannot be reached.
    """
    # Without a group every partition of the topic is ours once the consumer has started; asking for the partitions by
    # hand instead answers from what the client happened to hear when it connected.
    consumer = create_consumer(settings, topic)
    await consumer.start()
    try:
        return await _read(consumer, sorted(consumer.assignment()), limit)
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], limit: int
) -> list[ConsumerRecord[bytes, bytes]]:
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    share = -(-limit // len(partitions))
    # The relay's transactions end with a marker that takes an offset as well, at worst one for each record.
    starts = {one: max(begins[one], ends[one] - 2 * share) for one in partitions}
    for one, start in starts.items():
        consumer.seek(one, start)
    wanted = set(partitions)
    found: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = {one: [] for one in partitions}
    empty = 0
    while wanted and empty < _EMPTY_POLLS:  # what a transaction left open is not read
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
        empty = 0 if batches else empty + 1
        for one, records in batches.items():
            found[one] += [record for record in records if record.value]
        # Not `ends`, beyond which there may be what was just committed and cannot be read quite yet.
        written = {one: consumer.highwater(one) for one in wanted}
        wanted = {one for one, end in written.items() if end is None or await consumer.position(one) < end}
    return [record for records in found.values() for record in records[-share:]][:limit]


async def write_documents(settings: Settings, topic: str, folder: Path, limit: int) -> int:
    """Write the newest XML documents of a topic as `KEY.VERSION.xml`; returns how many. Older files are removed.

    Raises:
        KafkaError: the broker cannot be reached.
        OSError: the folder cannot be written.
    """
    records = await newest_records(settings, topic, limit)
    await asyncio.to_thread(_write, folder, records)
    return len(records)


def _write(folder: Path, records: list[ConsumerRecord[bytes, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.xml"):
        old.unlink()
    for record in records:
        (folder / file_name(record)).write_bytes(record.value or b"")


def file_name(record: ConsumerRecord[bytes, bytes]) -> str:
    """A name any file system takes: the record key and the dense version at the end of the event id."""
    ids = [value.decode("utf-8", "replace") for name, value in record.headers if name == "ce_id"]
    version = ids[0].rpartition(":")[2] if ids else str(record.offset)
    key = (record.key or b"").decode("utf-8", "replace")
    return f"{_NOT_IN_NAMES.sub('_', key)[:120]}.{_NOT_IN_NAMES.sub('_', version)[:20]}.xml"
