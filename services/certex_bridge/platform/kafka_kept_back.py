"""Messages that are committed on the broker and that no reader of committed transactions gets to see.

A broker answers that a transaction is committed, and then writes a marker of that into each partition. Where a
partition has no leader at that moment (its brokers are just starting), Apache Kafka from 4.0 takes it for deleted and
leaves its marker out for ever (KAFKA-20734): what was published stays behind the partition's last stable offset, and so
does whatever follows, until the next transaction of the same producer ends there. The relay looks for such partitions
and ends their transactions itself.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiokafka.errors import for_code
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy
from aiokafka.structs import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka.client import AIOKafkaClient

ANSWER_SECONDS = 10.0
_READ_UNCOMMITTED, _READ_COMMITTED = 0, 1


async def kept_back(client: AIOKafkaClient, topics: Collection[str]) -> dict[TopicPartition, int]:
    """Partitions of these topics (names with prefix) whose newest messages no reader sees, with the first such offset.

    A transaction that is just being written counts too. Topics and partitions that have no leader now are left out.

    Raises:
        KafkaError, TimeoutError: the brokers do not say it.
    """
    async with asyncio.timeout(ANSWER_SECONDS):
        await client.set_topics(topics)
        stable = await _ends(client, topics, _READ_COMMITTED)
        written = await _ends(client, topics, _READ_UNCOMMITTED) if stable else {}
    return {one: offset for one, offset in stable.items() if offset < written.get(one, offset)}


async def _ends(client: AIOKafkaClient, topics: Collection[str], isolation: int) -> dict[TopicPartition, int]:
    """The end of each partition as readers of this isolation level have it."""
    questions: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for topic in topics:
        for number in client.cluster.partitions_for_topic(topic) or ():
            leader = client.cluster.leader_for_partition(TopicPartition(topic, number))
            if leader is not None and leader >= 0:
                questions[leader][topic].append((number, OffsetResetStrategy.LATEST))
    answers = await asyncio.gather(
        *(client.send(leader, OffsetRequest(-1, isolation, list(asked.items()))) for leader, asked in questions.items())
    )
    return {one: offset for answer in answers for one, offset in _offsets(answer).items()}


def _offsets(answer: Any) -> dict[TopicPartition, int]:
    found: dict[TopicPartition, int] = {}
    for topic, partitions in answer.topics:
        for number, code, *_, offset in partitions:
            error = for_code(code)
            if not code:
                found[TopicPartition(topic, number)] = offset
            elif not error.retriable:  # a leader that moves is asked again the next time
                raise error(f"{topic}/{number}")
    return found
