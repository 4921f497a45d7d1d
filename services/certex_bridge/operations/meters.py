"""From the ledger's counts to metrics: one increment per label set and batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.refusals import ACT_RESULTS, REFUSAL_CODES
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.tracing import exemplar
from certex_bridge.platform.xsd import DocumentInvalid


class BridgeMeter:
    """Implements the meters of intake, relay and worker on the metric catalogue."""

    def __init__(
        self, metrics: Metrics, topic_of: Mapping[str, str], clock: Callable[[], datetime] | None = None
    ) -> None:
        self._metrics = metrics
        self._topic_of = topic_of
        """Topic by outbox aggregate type."""
        self._clock = clock or (lambda: datetime.now(UTC))
        # A rate sees only what comes after a series began.
        for code in REFUSAL_CODES:
            metrics.licence_events_refused_total.labels(code)
        for result in ACT_RESULTS:
            metrics.licence_acts_total.labels(result)

    def batch(
        self,
        topic_records: Mapping[str, int],
        counts: Mapping[str, int],
        seconds: Mapping[str, float],
        ages: Mapping[str, float],
    ) -> None:
        """One batch is committed."""
        metrics = self._metrics
        quarantined = sum(times for name, times in counts.items() if name.startswith("quarantined:"))
        duplicates = counts.get("duplicate", 0)
        total = sum(topic_records.values())
        for topic, records in topic_records.items():
            metrics.events_total.labels(topic, "taken").inc(records)
        for outcome, number in (("duplicate", duplicates), ("quarantined", quarantined)):
            if number:
                metrics.events_total.labels("all", outcome).inc(number)
        for topic, age in ages.items():
            metrics.record_age_seconds.labels(topic).observe(age)
        metrics.event_batch_size.observe(total)
        metrics.event_batch_seconds.observe(seconds["batch"])
        metrics.decode_seconds.observe(seconds["decode"])
        metrics.apply_seconds.observe(seconds["apply"])
        self.count(counts)

    def count(self, counts: Mapping[str, int]) -> None:
        """Counts of what the ledger did."""
        metrics = self._metrics
        for name, times in counts.items():
            what, _, detail = name.partition(":")
            if what == "claim":
                outcome, _, reason = detail.partition(":")
                metrics.claims_total.labels(outcome, reason).inc(times)
            elif what == "movement":
                metrics.movements_total.labels(detail).inc(times)
            elif what == "quarantined":
                metrics.quarantined_total.labels(detail).inc(times)
            elif what == "refused":
                metrics.licence_events_refused_total.labels(detail).inc(times)
            elif what == "act":
                metrics.licence_acts_total.labels(detail).inc(times)
            elif what == "incident":
                metrics.incidents_total.labels(detail).inc(times)
            elif what == "certificates":
                metrics.certificates_total.inc(times)

    def retry(self, cause: str) -> None:
        """A transaction or a batch of messages is tried again."""
        self._metrics.database_retries_total.labels(cause).inc()
        if cause == "deadlock":
            self._metrics.deadlocks_total.inc()

    def failed(self, error: BaseException) -> None:
        """Something failed for a reason that cannot pass."""
        if isinstance(error, DocumentInvalid):
            self._metrics.documents_invalid_total.labels(error.field).inc()

    def worked(self, what: str, outcome: str, number: int) -> None:
        """So many wakes or timers are settled or failed."""
        self._metrics.worker_total.labels(what, outcome).inc(number)

    def sent(self, rows: Sequence[OutboxRow]) -> None:
        """The relay published these."""
        by_type: dict[str, int] = {}
        now = self._clock()
        for row in rows:
            by_type[row.agg_type] = by_type.get(row.agg_type, 0) + 1
            if row.agg_type == "outcome":
                self._metrics.event_to_outcome_seconds.observe(_age(row, now), exemplar(row.trace))
            elif row.agg_type == "certificate":
                self._metrics.event_to_certificate_seconds.observe(_age(row, now), exemplar(row.trace))
        for agg_type, number in by_type.items():
            self._metrics.relay_sent_total.labels(self._topic_of[agg_type]).inc(number)

    def pushed(self, result: str) -> None:
        """One attempt to deliver a push: delivered, failed or gone."""
        self._metrics.pushes_total.labels(result).inc()

    def led(self, leads: float) -> None:
        """1 while this process leads the relay, else 0."""
        self._metrics.relay_leader.set(leads)

    def topic_paused(self, topic: str, paused: float) -> None:
        """1 while a topic takes nothing, else 0."""
        self._metrics.relay_topic_paused.labels(topic).set(paused)

    def kept_back(self, unknown: float) -> None:
        """1 while it is not sure that readers see all that was sent, else 0."""
        self._metrics.relay_kept_back.set(unknown)


def _age(row: OutboxRow, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(row.at)).total_seconds())
