"""`positions show|accept`: the database's positions beside Kafka's, and the operator's word about a gap."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping, Sequence
from typing import Any

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.adapters.positions import GapRow, PostgresPositions
from certex_bridge.operations.reading import NotFound, connection, write
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.platform.positions import Gap, LogNumbers, Place
from certex_bridge.platform.settings import Settings

OPEN_GAP = 1
"""Exit status of `show` while a gap is open."""

_POSITIONS = "SELECT topic, partition, next_record, cluster_id, topic_id, epoch FROM consumer_offset ORDER BY 1, 2"
_HISTORY = (
    "SELECT topic, partition, epoch, next_record, cluster_id, topic_id, cause, moved_to, moved_at "
    "FROM position_history ORDER BY moved_at, topic, partition"
)


def run_show(*, as_json: bool) -> int:
    """Show positions, gaps and the positions that were left; 1 when a gap is open, else 0.

    A broker that does not answer leaves its columns empty: what the database holds is shown all the same.
    """
    positions, gaps, history = asyncio.run(_read(Settings.load()))
    if as_json:
        print_json({"positions": positions, "gaps": [gap._asdict() for gap in gaps], "history": history})
    else:
        _show(positions, gaps, history)
    return OPEN_GAP if any(gap.is_open for gap in gaps) else 0


async def _read(settings: Settings) -> tuple[list[dict[str, Any]], list[GapRow], list[dict[str, Any]]]:
    async with connection(settings) as database:
        known = [dict(row) for row in await database.fetch(_POSITIONS)]
        gaps = await PostgresPositions(database).gaps()
        history = [dict(row) for row in await database.fetch(_HISTORY)]
    logs = await _logs(settings, [(row["topic"], row["partition"]) for row in known])
    for row in known:
        told = logs.get((row["topic"], row["partition"]))
        row["log_first"], row["log_end"], row["committed"] = (
            (told.first, told.end, told.committed) if told else (None, None, None)
        )
    return known, gaps, history


async def _logs(settings: Settings, places: Sequence[Place]) -> Mapping[Place, LogNumbers]:
    """What the brokers say, as far as they do."""
    from aiokafka import TopicPartition
    from aiokafka.errors import KafkaError

    from certex_bridge.platform.kafka import create_consumer
    from certex_bridge.platform.kafka_logs import read_logs

    partitions = {TopicPartition(settings.topic_prefix + topic, number): (topic, number) for topic, number in places}
    if not partitions or not settings.kafka_bootstrap_servers:
        return {}
    # A member by hand: it asks for the group's numbers and takes no partition away from anybody.
    consumer = create_consumer(settings, group=settings.kafka_group)
    try:
        await consumer.start()
        consumer.assign([*partitions])
        found = await read_logs(consumer, [*partitions], [*partitions])
    except (KafkaError, TimeoutError):
        return {}
    finally:
        await consumer.stop()
    return {partitions[one]: told for one, told in found.items()}


def _show(positions: Sequence[Mapping[str, Any]], gaps: Sequence[GapRow], history: Sequence[Mapping[str, Any]]) -> None:
    from rich.markup import escape

    made = table(
        "", "topic", "partition", "database", "group", "log begins", "log ends", numbers=frozenset({1, 2, 3, 4, 5})
    )
    for row in positions:
        numbers = [row[name] for name in ("next_record", "committed", "log_first", "log_end")]
        told = ["?" if number is None else count(number) for number in numbers]
        made.add_row(escape(row["topic"]), str(row["partition"]), *told)
    say(made if positions else "Nothing was read yet.")
    for row in history:
        place = escape(f"{row['topic']} partition {row['partition']}")
        when = row["moved_at"].isoformat(timespec="seconds")
        say(f"{place}: read on at {row['moved_to']} instead of {row['next_record']} ({row['cause']}) {when}")
    for gap in gaps:
        say(escape(_sentence(gap)))


def _sentence(row: GapRow) -> str:
    gap = Gap(*row[:5])
    if row.accepted_by is not None:
        when = row.accepted_at.isoformat(timespec="seconds")
        return f"{gap} were never read; accepted by {row.accepted_by} {when}: {row.reason}"
    if not row.is_open:
        return f"{gap} were never read; it became part of a larger gap, or the log was given up"
    place = f"{row.topic} {row.partition} --from {row.from_record} --to {row.to_record}"
    return f"{gap} are gone and were never read. To read on behind them: positions accept {place} --reason …"


def run_accept(place: tuple[str, int, int, int], by: str, reason: str, *, as_json: bool) -> None:
    """Accept an open gap (topic, partition, first record lost, first record still there).

    Raises:
        NotFound: no such gap is open.
        InputError: it was accepted before, or no reason is given.
    """
    who = by.strip() or getpass.getuser()
    if not reason.strip():
        raise InputError("say why reading may go on", field="reason", code="REASON_MISSING")

    async def accept(database: Any) -> GapRow:
        positions = PostgresPositions(database)
        wanted = [row for row in await positions.gaps() if (row.topic, row.partition, *row[3:5]) == place]
        if not wanted or not any(row.is_open or row.accepted_by is not None for row in wanted):
            said = f"{place[0]} partition {place[1]} from record {place[2]} to {place[3]}"
            raise NotFound(f"No gap is open in {said}: see positions show.", field="from")
        row = next((row for row in wanted if row.is_open), wanted[-1])
        if row.accepted_by is not None:
            raise InputError(f"{Gap(*row[:5])} were accepted before", field="from", code="ACCEPTED_BEFORE")
        await positions.accept(Gap(*row[:5]), who, reason.strip())
        return row

    gap = Gap(*write(accept)[:5])
    if as_json:
        print_json({**gap._asdict(), "accepted_by": who, "reason": reason.strip()})
    else:
        say(f"Accepted by {who}: {gap}. Reading goes on behind them within seconds.")
