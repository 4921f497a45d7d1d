"""The relay's meter: what was published counts, and the two service levels get their ages."""

from __future__ import annotations

from datetime import UTC, datetime

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.operations.meters import BridgeMeter
from certex_bridge.platform.metrics import Metrics

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def row(agg_type: str, at: str) -> OutboxRow:
    return OutboxRow(agg_type=agg_type, agg_id="BE/A", agg_ver=1, key="BE/A", body=b"{}", at=at)


def test_each_service_level_counts_its_own_messages_by_their_age() -> None:
    metrics = Metrics()
    meter = BridgeMeter(metrics, TOPIC_OF, clock=lambda: NOW)
    meter.sent(
        [
            row("outcome", "2026-07-01T11:59:00Z"),
            row("outcome", "2026-07-01T12:00:30Z"),  # a sender's clock that is ahead: no negative age
            row("certificate", "2026-07-01T13:55:00+02:00"),
            row("balance", "2026-07-01T11:00:00Z"),
        ]
    )

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"certex_bridge_{name}", labels)

    assert (value("event_to_outcome_seconds_count"), value("event_to_outcome_seconds_sum")) == (2, 60)
    assert (value("event_to_certificate_seconds_count"), value("event_to_certificate_seconds_sum")) == (1, 300)
    assert value("event_to_certificate_seconds_bucket", le="300.0") == 1, "five minutes are within five minutes"
    assert value("relay_sent_total", topic="licensing.balances.v1") == 1
