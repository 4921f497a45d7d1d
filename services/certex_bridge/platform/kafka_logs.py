"""What a broker says of the logs that are read: which they are, where they begin and end, what the group has committed.

aiokafka asks for metadata in a version that does not yet number topics; the later one is described here, and a broker
that does not know it is asked in aiokafka's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v2
from aiokafka.protocol.types import (
    AbstractType,
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

from certex_bridge.platform.positions import LogId, LogNumbers

if TYPE_CHECKING:
    from io import BytesIO

    from aiokafka import AIOKafkaConsumer, TopicPartition

ANSWER_SECONDS = 5.0
"""Limit of one round of questions to the brokers."""

_NONE = UUID(int=0)


class _Uuid(AbstractType):  # type: ignore[misc]  # aiokafka is untyped
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("topic", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _PlainRequest(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 2
    RESPONSE_TYPE = MetadataRequest_v2.RESPONSE_TYPE
    SCHEMA = Schema(("topics", Array(String("utf-8"))))


class LogIdsRequest(Request[_PlainRequest | _MetadataRequest]):  # type: ignore[misc]  # aiokafka is untyped
    """Asks which cluster it is and how it numbers these topics."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = sorted(topics)

    def build(self, request_struct_class: Any) -> Any:
        """The request in a version that the broker knows."""
        if request_struct_class is _MetadataRequest:
            # The protocol's struct takes its fields by place: topics, and two flags that ask for nothing more.
            return _MetadataRequest([(_NONE, topic, {}) for topic in self._topics], False, False, {})  # noqa: FBT003  # the protocol's own fields, in its order
        return _PlainRequest(self._topics)


def log_ids(answer: Any) -> dict[str, LogId]:
    """Which log each topic of an answer is; a topic that the broker does not know is left out."""
    cluster = answer.cluster_id or ""
    if answer.API_VERSION < _MetadataResponse.API_VERSION:
        return {topic[1]: LogId(cluster) for topic in answer.topics if not topic[0]}
    return {
        topic[1]: LogId(cluster, "" if topic[2] == _NONE else topic[2].hex) for topic in answer.topics if not topic[0]
    }


async def read_logs(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], asked: Collection[TopicPartition] = ()
) -> dict[TopicPartition, LogNumbers]:
    """What the brokers say of these partitions, with the group's own numbers of those `asked` for.

    Raises:
        KafkaError, TimeoutError: they do not say it.
    """
    async with asyncio.timeout(ANSWER_SECONDS):
        client = consumer._client  # noqa: SLF001  # aiokafka has no question for what is asked here
        request = LogIdsRequest({one.topic for one in partitions})
        ids = log_ids(await client.send(client.get_random_node(), request))
        firsts = await consumer.beginning_offsets([*partitions])
        ends = await consumer.end_offsets([*partitions])
        committed = {one: await consumer.committed(one) for one in asked}
    return {
        one: LogNumbers(ids[one.topic], firsts[one], ends[one], committed.get(one))
        for one in partitions
        if one.topic in ids
    }
