"""Arguments of every Kafka client of ours: everything that decides safety, in one place.

FastStream's defaults lose messages: its subscribers commit before the handler has run, start at the newest record and
read aborted transactions. Here nothing is committed but by our word, reading starts at the oldest record, and a record
counts as published when every in-sync replica has it. tests/integration/test_platform_kafka.py proves it on a broker.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from faststream.kafka import KafkaBroker
from faststream.middlewares import AckPolicy

from certex_bridge.platform import kafka_patience, kafka_records
from certex_bridge.platform.kafka_security import client_security, faststream_security, token_provider

if TYPE_CHECKING:
    from certex_bridge.platform.settings import Settings

LOG = logging.getLogger("certex_bridge.faststream")

TRANSACTION_MS_MAX = 900_000
"""The longest transaction that a broker allows as it is delivered (transaction.max.timeout.ms)."""

kafka_records.install()
kafka_patience.install()


def _connection(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap_servers": [part.strip() for part in settings.kafka_bootstrap_servers.split(",") if part.strip()],
        "client_id": settings.kafka_group,
        "request_timeout_ms": settings.kafka_request_timeout_ms,
        "metadata_max_age_ms": settings.kafka_metadata_ms,
    }


def _publishing(settings: Settings) -> dict[str, Any]:
    return {
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": settings.kafka_linger_ms,
        "compression_type": None if settings.kafka_compression == "none" else settings.kafka_compression,
        "max_batch_size": settings.kafka_batch_bytes_max,
        # A batch may hold one record larger than a batch.
        "max_request_size": max(settings.kafka_message_bytes_max, settings.kafka_batch_bytes_max) + 4096,
    }


def _reading(settings: Settings) -> dict[str, Any]:
    return {
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "fetch_max_wait_ms": settings.kafka_fetch_wait_ms,
        "fetch_max_bytes": settings.kafka_fetch_bytes_max,
        "max_poll_interval_ms": settings.kafka_poll_interval_ms_max,
        "session_timeout_ms": settings.kafka_session_timeout_ms,
        "heartbeat_interval_ms": settings.kafka_heartbeat_ms,
    }


def producer_arguments(settings: Settings) -> dict[str, Any]:
    """Arguments of a bare AIOKafkaProducer: acknowledged by all in-sync replicas, retried without duplicates."""
    return {**_connection(settings), **client_security(settings), **_publishing(settings)}


def consumer_arguments(settings: Settings, group: str | None = None) -> dict[str, Any]:
    """Arguments of a bare AIOKafkaConsumer: oldest record first, committed transactions only, no automatic commit."""
    instance = settings.kafka_group_instance if group else ""
    return {
        **_connection(settings),
        **client_security(settings),
        **_reading(settings),
        "group_id": group,
        "group_instance_id": instance or None,
        "enable_auto_commit": False,
    }


def subscriber_arguments(settings: Settings, group: str) -> dict[str, Any]:
    """Arguments of a FastStream batch subscriber; MANUAL is what turns automatic commits off."""
    return {
        **_reading(settings),
        "group_id": group,
        "group_instance_id": settings.kafka_group_instance or None,
        "batch": True,
        "max_records": settings.batch_records_max,
        "batch_timeout_ms": settings.batch_wait_ms,
        "ack_policy": AckPolicy.MANUAL,
        "no_reply": True,
    }


def create_producer(settings: Settings, transactional_id: str | None = None) -> AIOKafkaProducer:
    """A producer to be started and stopped by the caller; with `transactional_id` it writes in transactions.

    A transaction whose producer is gone ends after twice the time that a delivery may take; readers wait no longer.
    """
    arguments = producer_arguments(settings)
    if transactional_id is not None:
        milliseconds = min(int(2_000 * settings.kafka_delivery_seconds), TRANSACTION_MS_MAX)
        arguments |= {"transactional_id": transactional_id, "transaction_timeout_ms": milliseconds}
    return AIOKafkaProducer(**arguments)


def create_client(settings: Settings) -> AIOKafkaClient:
    """A connection for questions to the brokers; the caller begins it with `bootstrap` and closes it."""
    return AIOKafkaClient(**_connection(settings), **client_security(settings))


def create_consumer(settings: Settings, *topics: str, group: str | None = None) -> AIOKafkaConsumer:
    """A consumer of topics (names without prefix); without `group` it belongs to none and commits nothing."""
    return AIOKafkaConsumer(*(settings.topic_prefix + topic for topic in topics), **consumer_arguments(settings, group))


def create_broker(settings: Settings, *, publishing: bool = False) -> KafkaBroker:
    """The FastStream broker on which batches are subscribed.

    With `publishing` it also has FastStream's own producer (laboratory, contracts); the relay uses `Publisher`, and the
    intake needs no right to write.
    """
    return KafkaBroker(
        **_connection(settings),
        **_publishing(settings),
        security=faststream_security(settings),
        sasl_oauth_token_provider=token_provider(settings),
        consumer_only=not publishing,
        allow_auto_create_topics=False,
        graceful_timeout=settings.graceful_stop_seconds,
        # The batch handler takes the decoded body as it is: no dependency injection, no thread per call.
        apply_types=False,
        logger=LOG,
        log_level=logging.DEBUG,
    )
