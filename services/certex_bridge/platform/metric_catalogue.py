"""Every metric the bridge exposes: kind, labels, meaning, and what to do about it.

Labels are bounded: no licence number, MRN or EORI, ever. The reference page is generated from this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "certex_bridge_"

Kind = Literal["counter", "gauge", "histogram"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Work of this process."""
CALL_SECONDS = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.035, 0.05, 0.075,
                0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)  # fmt: skip
"""A call that clearance waits for; holds the aims of 5, 15 and 25 milliseconds as bounds."""
AGE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0)
"""Time since something happened elsewhere; holds the service levels of 2 and 5 minutes as bounds."""
RECORDS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 1000.0)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric; `name` is without the prefix."""

    kind: Kind
    name: str
    help: str
    action: str
    """What to do about it; for a figure that needs nothing: what it is read beside."""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS
    measured: bool = False
    """Looked up by a job: absent until it was, since 0 would say that all is well."""


def _counter(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    return MetricSpec("counter", name, help_text, action, labels)


def _gauge(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    return MetricSpec("gauge", name, help_text, action, labels)


def _measured(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    return MetricSpec("gauge", name, help_text, action, labels, measured=True)


def _histogram(
    name: str, help_text: str, action: str, *labels: str, buckets: tuple[float, ...] = SECONDS
) -> MetricSpec:
    return MetricSpec("histogram", name, help_text, action, labels, buckets)


CATALOGUE: tuple[MetricSpec, ...] = (
    # intake
    _counter(
        "events_total",
        "Records read, by topic and outcome: taken; of all topics together, those known before and those put aside.",
        "A rise of quarantined: look into quarantined_total for the reason.",
        "topic",
        "outcome",
    ),
    _histogram(
        "event_batch_size",
        "Events of one batch.",
        "Always at the limit: the intake is behind, see consumer_lag.",
        buckets=RECORDS,
    ),
    _histogram(
        "event_batch_seconds",
        "Time from a batch's arrival to its commit.",
        "Rising: compare decode_seconds and apply_seconds.",
    ),
    _gauge(
        "consumer_lag",
        "Records that wait in a partition assigned to this process.",
        "Growing while record_age_seconds grows: add intake processes, never more than partitions.",
        "topic",
        "partition",
    ),
    _histogram(
        "record_age_seconds",
        "Age of a batch's oldest record when it is taken in.",
        "Above the service level: see consumer_lag; without lag the sender's clock or the broker is slow.",
        "topic",
        buckets=AGE_SECONDS,
    ),
    _histogram("decode_seconds", "Time to decode one batch.", "Read beside apply_seconds: which stage takes the time."),
    _histogram(
        "apply_seconds",
        "Time of one batch's database transaction.",
        "Rising: look at the database (locks, disk, connections).",
    ),
    _histogram(
        "event_to_outcome_seconds",
        "Time from an event's own time to its published outcome; old events that are read again count with their age.",
        "The service level of declarations; when it rises, outbox_oldest_seconds and record_age_seconds say where.",
        buckets=AGE_SECONDS,
    ),
    _histogram(
        "event_to_certificate_seconds",
        "Time from a licence event's own time to its published certificate; events read again count with their age.",
        "The service level of licences; when it rises, outbox_oldest_seconds and record_age_seconds say where.",
        buckets=AGE_SECONDS,
    ),
    _counter(
        "intake_failures_total",
        "Batches that failed and were taken in again, by cause (database, error).",
        "database: restore it, nothing is lost. error: a defect, the log has the trace.",
        "cause",
    ),
    _gauge(
        "partitions_assigned",
        "Partitions this process reads.",
        "0 for long: more processes than partitions, or a stuck group.",
    ),
    _gauge(
        "partitions_cut",
        "Assigned partitions whose log ends before what was taken in from them.",
        "Above 0: the topic was made anew or lost records; find out which, the inbox absorbs repeats.",
    ),
    # ledger
    _counter(
        "claims_total",
        "Claims decided, by outcome and reason.",
        "One reason rising: a licence system or a declarant changed something.",
        "outcome",
        "reason",
    ),
    _counter("movements_total", "Movements written to the journal, by kind.", "Read beside events_total.", "kind"),
    _counter("certificates_total", "Certificate documents prepared.", "Read beside events_total of licences."),
    _counter(
        "documents_invalid_total",
        "Documents of ours that failed their own schema and were not sent, by family.",
        "Any: a defect, open an incident.",
        "family",
    ),
    _counter("incidents_total", "Incidents raised, by kind.", "Follow the runbook of the kind.", "kind"),
    _measured("licences", "Licences by status.", "Read beside claims_total.", "status"),
    _measured(
        "licences_near_limit",
        "Valid licences with at most a tenth of a line left and used in the last 30 days (quantity), or whose last day "
        "comes within 30 days (validity).",
        "Tell the licensing authority before the holder stands at the border.",
        "what",
    ),
    _measured(
        "reservations_idle",
        "Reservations whose declaration no event has touched for CERTEX_RESERVATION_IDLE_DAYS.",
        "Ask customs what became of them: they hold quantity nobody uses.",
    ),
    _measured(
        "ledger_over_accounts",
        "Accounts whose booked figure exceeds the licence (cap lowered, release above the reservation).",
        "Tell the licensing authority; new reservations are refused.",
    ),
    _measured(
        "ledger_imbalance",
        "Accounts whose balance is not the sum of their movements, of the present round over the ledger or the last.",
        "Must be 0: stop the intake and run the verification.",
    ),
    _measured(
        "ledger_chain_breaks",
        "Journal entries whose hash does not continue the chain, of the present round over the journal or the last.",
        "Must be 0: somebody changed the journal; keep everything and call for an audit.",
    ),
    _measured(
        "ledger_verified_timestamp_seconds",
        "When the two invariants were last measured (Unix time); a large journal takes several rounds.",
        "Older than three intervals: the measuring job is not running.",
    ),
    _measured(
        "parked_declarations",
        "Declarations that wait for a licence or for a repaired event.",
        "Read beside parked_oldest_seconds.",
    ),
    _measured(
        "parked_oldest_seconds",
        "Age of the declaration waiting longest.",
        "Above the alarm: ask the licensing system for the missing event.",
    ),
    _measured(
        "wake_rows",
        "Parked declarations whose licence has come and that are still to be decided.",
        "Growing: the worker role is missing or slow.",
    ),
    _measured(
        "wakes_put_off",
        "Declarations whose settling failed and comes again later.",
        "Above 0: a defect, the log has the trace.",
    ),
    _counter(
        "worker_total",
        "Wakes and legal timers, by what and outcome (settled, failed).",
        "failed: a defect, the log has the trace.",
        "what",
        "outcome",
    ),
    _counter(
        "quarantined_total",
        "Records put in quarantine, by reason.",
        "Repair or discard them with the quarantine command.",
        "reason",
    ),
    _measured(
        "quarantine_open",
        "Records in quarantine nobody has dealt with.",
        "Above 0: their licences are parked until somebody decides.",
    ),
    _measured(
        "quarantine_oldest_seconds",
        "Age of the oldest record in quarantine nobody has dealt with.",
        "Above a working day: its licence or declaration stands still; `certex-bridge quarantine list` names it.",
    ),
    # relay
    _measured("outbox_unsent", "Outbox rows not yet published.", "Growing: no relay leads, or the broker refuses."),
    _measured(
        "outbox_oldest_seconds",
        "Age of the oldest unsent outbox row.",
        "Above a minute: see relay_leader and relay_held.",
    ),
    _counter("relay_sent_total", "Records published from the outbox, by topic.", "Read beside outbox_unsent.", "topic"),
    _gauge("relay_leader", "1 while this process leads the relay.", "The sum over all processes must be 1."),
    _measured(
        "unacknowledged_oldest_seconds",
        "Age of the oldest licence event that was taken in and whose acknowledgement is not yet published.",
        "Above a minute: the licensing system does not know whether its event counts; see relay_leader and relay_held.",
    ),
    _measured(
        "relay_held",
        "Aggregates whose publishing is held back by a record the broker refuses.",
        "Above 0: `certex-bridge outbox held` names the messages and the reason.",
    ),
    _gauge(
        "relay_topic_paused",
        "1 while a topic takes nothing (missing, or no right to write); its messages wait.",
        "1: create the topic or grant the right; the log has the broker's answer.",
        "topic",
    ),
    # gateway
    _counter(
        "gateway_requests_total",
        "HTTP requests, by operation and status.",
        "5xx rising: see the log.",
        "operation",
        "status",
    ),
    _histogram(
        "gateway_request_seconds",
        "Time to answer an HTTP request, by operation and outcome (answered, repeated, kept, refused, failed).",
        "Rising: see apply_seconds.",
        "operation",
        "outcome",
        buckets=CALL_SECONDS,
    ),
    _counter(
        "gateway_refusals_total",
        "Requests refused (identity, limits, form, functions, defects of ours), by code.",
        "Identity codes rising: a caller's token or certificate; limits: the caller's rate in the callers file.",
        "code",
    ),
    _gauge(
        "gateway_callers_wrong",
        "1 while the callers file is wrong and the rights read before stay in force.",
        "Above 0: the log names each mistake (callers.refused).",
    ),
    _counter(
        "gateway_keys_failures_total",
        "Fetches of the token issuer's keys that failed; the keys known before stay in force.",
        "Rising: is CERTEX_OIDC_JWKS_URL reachable? New keys are refused meanwhile.",
    ),
    # pushes
    _counter(
        "pushes_total",
        "Attempts to deliver a push to a subscriber, by result (delivered, failed, gone).",
        "failed: `certex-bridge subscriptions list` names the subscriber and the error; attempts go on.",
        "result",
    ),
    _measured(
        "push_oldest_unsent_seconds",
        "Age of the oldest push that no attempt has delivered; subscriptions an operator paused do not count.",
        "Growing: see subscriptions_failing; with none failing no worker delivers.",
    ),
    _measured(
        "subscriptions_failing",
        "Subscriptions whose last attempt failed, or whose address is gone.",
        "Above 0 for long: tell the subscriber; everything it missed is kept.",
    ),
    # runtime
    _counter(
        "database_retries_total",
        "Work tried again, by cause: transactions of the database, and batches of the relay (broker).",
        "A few are normal; many of one cause: look at the database.",
        "cause",
    ),
    _counter("deadlocks_total", "Deadlocks the database resolved.", "Must stay 0: locks are taken in one order."),
    _gauge(
        "loop_turn_age_seconds",
        "Seconds since a role's loop last turned.",
        "Near the watchdog's limit: the process will restart itself.",
        "role",
    ),
    _gauge(
        "event_loop_delay_seconds",
        "How late the event loop ran its last tick.",
        "Above 0.5 for long: something blocks the loop.",
    ),
    _measured(
        "database_clock_skew_seconds",
        "The database's clock minus this process's; half the round trip is the error.",
        "Beyond 2 seconds: one of the two has lost its time service; deadlines and ages are wrong by as much.",
    ),
    _measured(
        "certificate_expiry_timestamp_seconds",
        "When the first certificate of a file of ours ends (Unix time), by use (gateway, kafka, database).",
        "Within three weeks: renew it; the next connection after that moment fails.",
        "use",
    ),
    _gauge("build_info", "1; version and Python of this process.", "Read beside everything.", "version", "python"),
)
