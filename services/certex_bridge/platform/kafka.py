"""Kafka as the bridge uses it: batches in, batches out, topics by contract. See the modules for why."""

from __future__ import annotations

from certex_bridge.platform.kafka_batches import BatchSubscription, Commit, Handler, subscribe_batches
from certex_bridge.platform.kafka_clients import (
    consumer_arguments,
    create_broker,
    create_consumer,
    create_producer,
    producer_arguments,
)
from certex_bridge.platform.kafka_fenced import FencedPublisher
from certex_bridge.platform.kafka_publisher import HeldBack, Publisher, Record
from certex_bridge.platform.kafka_topics import TopicCatalogue, TopicReport, TopicSpec, ensure_topics

__all__ = [
    "BatchSubscription",
    "Commit",
    "FencedPublisher",
    "Handler",
    "HeldBack",
    "Publisher",
    "Record",
    "TopicCatalogue",
    "TopicReport",
    "TopicSpec",
    "consumer_arguments",
    "create_broker",
    "create_consumer",
    "create_producer",
    "ensure_topics",
    "producer_arguments",
    "subscribe_batches",
]
