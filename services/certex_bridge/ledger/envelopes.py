"""Messages as CloudEvents in binary mode: attributes in Kafka headers, the body as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.platform.kafka_publisher import Record
from certex_bridge.platform.tracing import TRACEPARENT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from certex_bridge.ledger.ports import OutboxRow

SPECVERSION = b"1.0"


class Envelopes:
    """Turns outbox rows into CloudEvents in binary mode."""

    def __init__(self, topics: Mapping[str, str], source: str) -> None:
        self._topics = topics
        self._fixed = {
            agg_type: (
                ("ce_specversion", SPECVERSION),
                ("ce_type", f"certex.{agg_type}.v1".encode()),
                ("ce_source", source.encode()),
                ("ce_dataschema", data_schema(agg_type).encode()),
                ("content-type", b"application/xml" if agg_type in _XML else b"application/json"),
            )
            for agg_type in topics
        }

    def topic(self, row: OutboxRow) -> str:
        """The topic of a row, without prefix."""
        return self._topics[row.agg_type]

    def topics(self) -> Collection[str]:
        """All topics, without prefix."""
        return sorted(set(self._topics.values()))

    def message(self, row: OutboxRow, trace: str = "") -> Record:
        """The message of a row; its id is the row's identity, so a repeated one is recognised.

        `trace` is the traceparent that travels with it.
        """
        lane = f"{row.agg_type}:{row.agg_id}".encode()
        identity = b"%b:%d" % (lane, row.agg_ver)
        headers: tuple[tuple[str, bytes], ...]
        headers = (*self._fixed[row.agg_type], ("ce_id", identity), ("ce_time", row.at.encode()))
        if trace:
            headers = (*headers, (TRACEPARENT, trace.encode()))
        return Record(self._topics[row.agg_type], row.key.encode(), row.body, headers, lane)


_XML = {"certificate": "urn:certex-bridge:certificate:1", "outcome": "urn:certex-bridge:quantity-movement:1"}
"""Namespace of the documents that are XML."""


def data_schema(agg_type: str) -> str:
    """The exact schema of a message's data: `$id` of its JSON Schema, or its XML namespace."""
    return _XML.get(agg_type) or f"urn:certex-bridge:events:certex.{agg_type}:1"
