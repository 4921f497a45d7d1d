"""The metric objects, made from the catalogue on a registry of ours. Counters are raised once per batch."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.metric_spec import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certex_bridge.platform.metric_spec import MetricSpec

Labels = TypeVar("Labels", bound=tuple[str, ...])

_HEAD = """# Metrics

Exposed at `/metrics`. Every name has the prefix `certex_bridge_`. No label ever holds a licence number, an MRN or an
EORI. This page is generated: `make contracts`.

| Metric | Kind | Labels | Meaning | What to do |
| --- | --- | --- | --- | --- |
"""

# The creation time of every counter doubles the series and nobody reads it.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there


class Metrics:
    """Attributes are named like the catalogue's metrics, without the prefix."""

    events_total: Counter
    event_batch_size: Histogram
    event_batch_seconds: Histogram
    consumer_lag: Gauge
    record_age_seconds: Histogram
    decode_seconds: Histogram
    apply_seconds: Histogram
    event_to_outcome_seconds: Histogram
    event_to_certificate_seconds: Histogram
    intake_failures_total: Counter
    partitions_assigned: Gauge
    partitions_cut: Gauge
    position_gap_records: Gauge
    positions_moved_total: Counter
    claims_total: Counter
    movements_total: Counter
    certificates_total: Counter
    documents_invalid_total: Counter
    incidents_total: Counter
    licence_events_refused_total: Counter
    licence_acts_total: Counter
    licences: Gauge
    licences_near_limit: Gauge
    reservations_idle: Gauge
    ledger_over_accounts: Gauge
    ledger_imbalance: Gauge
    ledger_chain_breaks: Gauge
    ledger_verified_timestamp_seconds: Gauge
    seals_behind_seconds: Gauge
    parked_declarations: Gauge
    parked_oldest_seconds: Gauge
    undecided_declarations: Gauge
    undecided_oldest_seconds: Gauge
    wake_rows: Gauge
    wakes_put_off: Gauge
    worker_total: Counter
    quarantined_total: Counter
    quarantine_open: Gauge
    quarantine_oldest_seconds: Gauge
    outbox_unsent: Gauge
    outbox_oldest_seconds: Gauge
    relay_sent_total: Counter
    relay_leader: Gauge
    unacknowledged_oldest_seconds: Gauge
    relay_held: Gauge
    relay_topic_paused: Gauge
    relay_kept_back: Gauge
    gateway_requests_total: Counter
    gateway_request_seconds: Histogram
    gateway_refusals_total: Counter
    console_refusals_total: Counter
    gateway_callers_wrong: Gauge
    gateway_keys_failures_total: Counter
    pushes_total: Counter
    push_oldest_unsent_seconds: Gauge
    subscriptions_failing: Gauge
    database_retries_total: Counter
    deadlocks_total: Counter
    loop_turn_age_seconds: Gauge
    event_loop_delay_seconds: Gauge
    database_size_bytes: Gauge
    database_capacity_bytes: Gauge
    table_size_bytes: Gauge
    database_clock_skew_seconds: Gauge
    certificate_expiry_timestamp_seconds: Gauge
    build_info: Gauge

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._unmeasured = {spec.name for spec in CATALOGUE if spec.measured}
        for spec in CATALOGUE:
            setattr(self, spec.name, _make(spec, None if spec.measured else self.registry))
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.GCCollector(registry=self.registry)
        self.build_info.labels(bridge_version(), platform.python_version()).set(1)

    def measured(self, name: str, value: float, *labels: str) -> None:
        """Set a figure that a job looked up; it is exposed from the first time on."""
        gauge: Gauge = getattr(self, name)
        (gauge.labels(*labels) if labels else gauge).set(value)
        if name in self._unmeasured:
            self._unmeasured.discard(name)
            self.registry.register(gauge)

    @staticmethod
    def add(counter: Counter, tally: Mapping[Labels, float]) -> None:
        """Raise a labelled counter by a batch's tally: label values -> number."""
        for labels, number in tally.items():
            counter.labels(*labels).inc(number)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The page a Prometheus server reads and its content type, in the form the server asks for."""
        if "application/openmetrics-text" in accept:
            return generate_openmetrics(self.registry), OPENMETRICS  # type: ignore[no-untyped-call]  # the library has no types there
        return prometheus_client.generate_latest(self.registry), prometheus_client.CONTENT_TYPE_LATEST


def _make(spec: MetricSpec, registry: CollectorRegistry | None) -> Counter | Gauge | Histogram:
    name = PREFIX + spec.name
    if spec.kind == "counter":
        return Counter(name, spec.help, spec.labels, registry=registry)
    if spec.kind == "gauge":
        return Gauge(name, spec.help, spec.labels, registry=registry)
    return Histogram(name, spec.help, spec.labels, buckets=spec.buckets, registry=registry)


def bridge_version() -> str:
    """Version of the installed distribution."""
    try:
        return version("certex-bridge")
    except PackageNotFoundError:  # run from a folder without installing
        return "unknown"


def render() -> str:
    """The page docs/reference/metrics.md."""
    rows = (
        f"| `{spec.name}` | {spec.kind} | {', '.join(f'`{label}`' for label in spec.labels)} "
        f"| {spec.help} | {spec.action} |\n"
        for spec in CATALOGUE
    )
    return _HEAD + "".join(rows)
