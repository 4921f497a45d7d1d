"""The alerts that are no burn rates: for each what it looks at, how long it waits, and its words for the night.

A page wakes somebody: people outside feel it, or a figure of the ledger cannot be trusted. Everything else is a ticket
for the next working day. Several processes tell the same measured figure, so the largest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["page", "ticket"]
BY = "by (namespace)"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `wait` is Prometheus' `for`."""

    name: str
    severity: Severity
    wait: str
    expr: str
    summary: str
    description: str


def _largest(metric: str, *labels: str) -> str:
    return f"max by ({', '.join(('namespace', *labels))}) (certex_bridge_{metric})"


_ACTS = 'certex_bridge_licence_acts_total{result=~"kept|lost"}'

INVARIANTS = (
    Alert(
        "LedgerImbalance",
        "page",
        "0m",
        f"{_largest('ledger_imbalance')} > 0",
        "{{ $value }} balances are not the sum of their movements",
        "The ledger contradicts its own journal: an answer to customs may be wrong. Stop the intake before anything "
        "else; nothing is lost, events wait in Kafka.",
    ),
    Alert(
        "JournalChainBroken",
        "page",
        "0m",
        f"{_largest('ledger_chain_breaks')} > 0",
        "{{ $value }} journal entries do not continue the hash chain",
        "Somebody or something changed the journal outside the bridge. Keep everything as it is: it is evidence.",
    ),
    Alert(
        "DocumentNotSent",
        "page",
        "0m",
        # The series of a family begins with its first failure, which increase() cannot see.
        "sum by (namespace, family) (increase(certex_bridge_documents_invalid_total[15m])) > 0 or sum by "
        "(namespace, family) (certex_bridge_documents_invalid_total unless certex_bridge_documents_invalid_total "
        "offset 15m) > 0",
        "A document of family {{ $labels.family }} failed its own schema and was not sent",
        "A certificate or an outcome that somebody waits for is not coming: a defect of ours. The log names the "
        "licence or declaration and the element.",
    ),
    Alert(
        "LedgerNotVerified",
        "ticket",
        "10m",
        f"time() - {_largest('ledger_verified_timestamp_seconds')} > 1800",
        "The ledger's invariants were last measured {{ $value | humanizeDuration }} ago",
        "As long as nobody measures, a wrong balance would not be noticed. The worker role measures every five "
        "minutes; its log says why it does not.",
    ),
    Alert(
        "SealsLate",
        "ticket",
        "10m",
        f"{_largest('seals_behind_seconds')} > 1800",
        "The next seal is {{ $value | humanizeDuration }} late",
        "What was written since the last seal could be changed by whoever owns the database. The worker role makes the "
        "seals; its log says why it does not.",
    ),
    Alert(
        "LedgerMeasuresAbsent",
        "page",
        "15m",
        "absent(certex_bridge_ledger_imbalance)",
        "Nobody measures the ledger's invariants",
        "No process with the worker role is seen by Prometheus: wakes and legal timers stand still too.",
    ),
)

FLOW = (
    Alert(
        "BridgeAbsent",
        "page",
        "5m",
        "absent(certex_bridge_build_info)",
        "Prometheus sees no process of the bridge",
        "Either everything is down, and licences and declarations wait in Kafka, or the scraping is broken and all "
        "other alerts are blind.",
    ),
    Alert(
        "IntakeAbsent",
        "page",
        "5m",
        f"(sum {BY} (certex_bridge_partitions_assigned) == 0) or absent(certex_bridge_partitions_assigned)",
        "Nobody reads licences and declarations",
        "No process with the intake role has a partition. Events wait in Kafka; customs get no outcomes.",
    ),
    Alert(
        "IntakeStuck",
        "page",
        "10m",
        "sum by (namespace, topic) (certex_bridge_consumer_lag) > 0 unless "
        'sum by (namespace, topic) (rate(certex_bridge_events_total{outcome="taken"}[10m])) > 0',
        "{{ $value }} records wait in {{ $labels.topic }} and none was taken in for ten minutes",
        "The intake is alive but does not move: a batch that fails again and again, or a broker that gives nothing.",
    ),
    Alert(
        "IntakeBehind",
        "ticket",
        "15m",
        "histogram_quantile(0.9, sum by (namespace, topic, le) (rate(certex_bridge_record_age_seconds_bucket[10m]))) "
        "> 120 and deriv(sum by (namespace, topic) (certex_bridge_consumer_lag)[15m:1m]) > 0",
        "Records of {{ $labels.topic }} are {{ $value | humanizeDuration }} old when they are taken in, and more wait",
        "The intake takes in less than is sent. Outcomes come late and later. A replay of old events looks the same.",
    ),
    Alert(
        "IntakeFailing",
        "page",
        "10m",
        'sum by (namespace) (rate(certex_bridge_intake_failures_total{cause="error"}[10m])) > 0',
        "Batches fail in the intake for a reason that is not the database",
        "A defect: the same batch is read again and again. Nothing is lost, its partition stands still. The log has "
        "the trace.",
    ),
    Alert(
        "PartitionsCut",
        "page",
        "1m",
        f"sum {BY} (certex_bridge_partitions_cut) > 0",
        "{{ $value }} partitions end before what was already taken in from them",
        "A topic was made anew, or the broker lost records: events the bridge has never seen may be gone.",
    ),
    Alert(
        "PositionGap",
        "page",
        "0m",
        f"{_largest('position_gap_records', 'topic', 'partition', 'from', 'to')} > 0",
        "{{ $labels.topic }}/{{ $labels.partition }}: {{ $value }} records lost unread, "
        "{{ $labels.from }} to {{ $labels.to }}",
        "The log begins behind what the database has. Nothing more of the partition is read before somebody accepts "
        "the gap.",
    ),
    Alert(
        "ActWithoutEffect",
        "page",
        "0m",
        # A process that reads what waited has acts in its counters before anybody looks at them first.
        f"sum by (namespace, result) (increase({_ACTS}[15m])) > 0 or "
        f"sum by (namespace, result) ({_ACTS} unless {_ACTS} offset 15m) > 0",
        "An act that blocks a licence or an exporter has no effect ({{ $labels.result }})",
        "Customs may go on reserving on a licence that was revoked, suspended or annulled, or for an exporter who was "
        "barred: the licence is not known (kept), or the event could not be read (lost).",
    ),
    Alert(
        "QuarantineFlood",
        "page",
        "10m",
        f'sum {BY} (rate(certex_bridge_events_total{{outcome="quarantined"}}[10m])) > '
        f'0.1 * sum {BY} (rate(certex_bridge_events_total{{outcome="taken"}}[10m]))',
        "More than a tenth of the records cannot be used",
        "A sender changed its messages, most likely with a release. Its licences are parked one after the other.",
    ),
    Alert(
        "QuarantineAging",
        "ticket",
        "10m",
        f"{_largest('quarantine_oldest_seconds')} > 14400",
        "The oldest record in quarantine has waited {{ $value | humanizeDuration }}",
        "The licence or declaration it belongs to stands still until somebody repairs or discards it.",
    ),
    Alert(
        "ParkedLong",
        "ticket",
        "10m",
        f"{_largest('parked_oldest_seconds')} > 86400",
        "A declaration has waited {{ $value | humanizeDuration }} for its licence",
        "Customs cite a licence the licensing system never sent, or whose event lies in quarantine.",
    ),
    Alert(
        "UndecidedLong",
        "ticket",
        "10m",
        f"{_largest('undecided_oldest_seconds')} > 86400",
        "A declaration has been without content for {{ $value | humanizeDuration }}, and nothing is booked for it",
        "Nothing was lodged under its LRN, or several lodgings could be it.",
    ),
    Alert(
        "WorkerBehind",
        "ticket",
        "15m",
        f"{_largest('wake_rows')} > 0 and deriv({_largest('wake_rows')}[15m:1m]) > 0",
        "{{ $value }} declarations wait to be settled again, and more come than go",
        "Their licence is there; the worker role does not keep up or is missing.",
    ),
    Alert(
        "WakesPutOff",
        "ticket",
        "15m",
        f"{_largest('wakes_put_off')} > 0",
        "{{ $value }} declarations could not be settled and are tried again later",
        "A defect, or a row somebody else holds locked. The log has the trace of each.",
    ),
)

OUTPUT = (
    Alert(
        "OutboxStuck",
        "page",
        "5m",
        f"{_largest('outbox_oldest_seconds')} > 120",
        "The oldest message has waited {{ $value | humanizeDuration }} to be published",
        "Certificates, outcomes and acknowledgements are decided and safe in the database but do not leave it.",
    ),
    Alert(
        "RelayLeaderAbsent",
        "page",
        "5m",
        f"(sum {BY} (certex_bridge_relay_leader) < 1) or absent(certex_bridge_relay_leader)",
        "No process publishes the outbox",
        "Certificates, outcomes and acknowledgements are decided and safe in the database but do not leave it.",
    ),
    Alert(
        "RelayHeld",
        "ticket",
        "10m",
        f"{_largest('relay_held')} > 0",
        "The broker refuses messages of {{ $value }} licences or declarations",
        "Later messages of the same licence or declaration wait behind the refused one; all others go on.",
    ),
    Alert(
        "TopicPaused",
        "ticket",
        "5m",
        f"{_largest('relay_topic_paused', 'topic')} > 0",
        "Topic {{ $labels.topic }} takes nothing",
        "It is missing, or the bridge may not write to it. Its messages wait, those of other topics go on.",
    ),
    Alert(
        "MessagesKeptBack",
        "page",
        "5m",
        f"{_largest('relay_kept_back')} > 0",
        "Readers may not see messages that were sent",
        "The broker has left a transaction without its end and does not take ours, or does not say what readers see.",
    ),
    Alert(
        "AcknowledgementsLate",
        "ticket",
        "10m",
        f"{_largest('unacknowledged_oldest_seconds')} > 60",
        "A licence event has waited {{ $value | humanizeDuration }} for its acknowledgement",
        "The licensing system does not know whether its event counts, and may send it again.",
    ),
    Alert(
        "GatewayFailing",
        "page",
        "5m",
        'sum by (namespace) (rate(certex_bridge_gateway_requests_total{status=~"5.."}[10m])) > '
        "0.01 * sum by (namespace) (rate(certex_bridge_gateway_requests_total[10m]))",
        "More than 1 % of the calls to the gateway fail",
        "Clearance systems get errors in place of answers; what got no answer they will send again, which is harmless. "
        "Look first at the database: the gateway can do little without it.",
    ),
    Alert(
        "SubscriberFailing",
        "ticket",
        "15m",
        f"{_largest('subscriptions_failing')} > 0",
        "{{ $value }} subscribers do not take the notifications sent to them",
        "Their status changes are kept and tried again. Tell the subscriber before the subscription is given up.",
    ),
)

FIGURES = (
    Alert(
        "LicenceOverdrawn",
        "ticket",
        "10m",
        f"{_largest('ledger_over_accounts')} > 0",
        "{{ $value }} balances exceed what their licence allows",
        "A licence was lowered below what is booked, or customs released more than was reserved. New reservations are "
        "refused; the licensing authority decides.",
    ),
    Alert(
        "LicencesNearLimit",
        "ticket",
        "1h",
        f"{_largest('licences_near_limit', 'what')} > 0 unless "
        "max by (namespace, what) (certex_bridge_licences_near_limit) <= "
        "max by (namespace, what) (certex_bridge_licences_near_limit offset 1d)",
        "More licences than yesterday come near their limit of {{ $labels.what }}: {{ $value }}",
        "Their holders will soon be refused. The licensing authority may want to tell them, extend or renew.",
    ),
    Alert(
        "ReservationsIdle",
        "ticket",
        "1h",
        f"{_largest('reservations_idle')} > 0",
        "{{ $value }} reservations have not moved for a long time",
        "They hold quantity that nobody uses: the declaration's release or invalidation never reached the bridge.",
    ),
)

SURROUNDINGS = (
    Alert(
        "CertificateExpires",
        "ticket",
        "10m",
        "min by (namespace, use) (certex_bridge_certificate_expiry_timestamp_seconds) - time() < 21 * 86400",
        "The certificate for {{ $labels.use }} ends in {{ $value | humanizeDuration }}",
        "After that moment the next connection fails. Renew it, then restart the roles.",
    ),
    Alert(
        "CertificateExpires",
        "page",
        "10m",
        "min by (namespace, use) (certex_bridge_certificate_expiry_timestamp_seconds) - time() < 2 * 86400",
        "The certificate for {{ $labels.use }} ends in {{ $value | humanizeDuration }}",
        "After that moment the next connection fails. Renew it now, then restart the roles.",
    ),
    Alert(
        "ClockSkew",
        "ticket",
        "10m",
        "max by (namespace) (abs(certex_bridge_database_clock_skew_seconds)) > 2",
        "Clocks of the bridge and its database differ by {{ $value | humanizeDuration }}",
        "Deadlines and the ages on the dashboards are wrong by as much. One of the two hosts lost its time service.",
    ),
    Alert(
        "DatabaseFilling",
        "ticket",
        "3h",
        f"{_largest('database_size_bytes')} > 0.8 * {_largest('database_capacity_bytes')} or "
        "max by (namespace) (predict_linear(certex_bridge_database_size_bytes[7d], 60 * 86400)) > "
        f"{_largest('database_capacity_bytes')}",
        "The database takes four fifths of its disk, or will have filled it within 60 days",
        "When the disk is full nothing is booked: calls are refused, events wait on Kafka. More disk, or an archive.",
    ),
    Alert(
        "DatabaseRetries",
        "ticket",
        "15m",
        "sum by (namespace, cause) (rate(certex_bridge_database_retries_total[15m])) > 1",
        "{{ $value | humanize }} retries a second, cause {{ $labels.cause }}",
        "Work is repeated: the database or the broker is away, slow, or in the way of itself.",
    ),
    Alert(
        "DatabaseDeadlock",
        "ticket",
        "0m",
        f"sum {BY} (increase(certex_bridge_deadlocks_total[1h])) > 0",
        "The database resolved a deadlock",
        "Locks are taken in one order, so this cannot happen unless somebody else writes to the bridge's tables.",
    ),
    Alert(
        "EventLoopBlocked",
        "ticket",
        "5m",
        "max by (namespace, pod, instance) (min_over_time(certex_bridge_event_loop_delay_seconds[2m])) > 0.5",
        "The event loop of {{ $labels.instance }} runs {{ $value | humanizeDuration }} late",
        "Something blocks it, or the machine has no processor time to give. Heartbeats to Kafka are late as well.",
    ),
    Alert(
        "CallersFileWrong",
        "ticket",
        "5m",
        f"{_largest('gateway_callers_wrong')} > 0",
        "The gateway's file of callers has a mistake",
        "The rights read before stay in force: a change somebody made does not count, nor does a removal.",
    ),
    Alert(
        "TokenKeysUnreachable",
        "ticket",
        "15m",
        f"sum {BY} (increase(certex_bridge_gateway_keys_failures_total[30m])) > 2",
        "The keys of the token issuer cannot be fetched",
        "Keys known before stay in force; callers with tokens of a new key are refused.",
    ),
)

GROUPS: dict[str, tuple[Alert, ...]] = {
    "invariants": INVARIANTS,
    "flow": FLOW,
    "output": OUTPUT,
    "figures": FIGURES,
    "surroundings": SURROUNDINGS,
}
