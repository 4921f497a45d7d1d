"""Every metric the bridge exposes: kind, labels, meaning, and what to do about it.

Labels are bounded: no licence number, MRN or EORI, ever. The reference page is generated from this list.
"""

from __future__ import annotations

from certex_bridge.platform.metric_spec import (
    AGE_SECONDS,
    CALL_SECONDS,
    RECORDS,
    MetricSpec,
    counter,
    gauge,
    histogram,
    measured,
)
from certex_bridge.platform.runtime_metrics import RUNTIME

CATALOGUE: tuple[MetricSpec, ...] = (
    # intake
    counter(
        "events_total",
        "Records read, by topic and outcome: taken; of all topics together, those known before and those put aside.",
        "A rise of quarantined: look into quarantined_total for the reason.",
        "topic",
        "outcome",
    ),
    histogram(
        "event_batch_size",
        "Events of one batch.",
        "Always at the limit: the intake is behind, see consumer_lag.",
        buckets=RECORDS,
    ),
    histogram(
        "event_batch_seconds",
        "Time from a batch's arrival to its commit.",
        "Rising: compare decode_seconds and apply_seconds.",
    ),
    gauge(
        "consumer_lag",
        "Records that wait in a partition assigned to this process.",
        "Growing while record_age_seconds grows: add intake processes, never more than partitions.",
        "topic",
        "partition",
    ),
    histogram(
        "record_age_seconds",
        "Age of a batch's oldest record when it is taken in.",
        "Above the service level: see consumer_lag; without lag the sender's clock or the broker is slow.",
        "topic",
        buckets=AGE_SECONDS,
    ),
    histogram("decode_seconds", "Time to decode one batch.", "Read beside apply_seconds: which stage takes the time."),
    histogram(
        "apply_seconds",
        "Time of one batch's database transaction.",
        "Rising: look at the database (locks, disk, connections).",
    ),
    histogram(
        "event_to_outcome_seconds",
        "Time from an event's own time to its published outcome; old events that are read again count with their age.",
        "The service level of declarations; when it rises, outbox_oldest_seconds and record_age_seconds say where.",
        buckets=AGE_SECONDS,
    ),
    histogram(
        "event_to_certificate_seconds",
        "Time from a licence event's own time to its published certificate; events read again count with their age.",
        "The service level of licences; when it rises, outbox_oldest_seconds and record_age_seconds say where.",
        buckets=AGE_SECONDS,
    ),
    counter(
        "intake_failures_total",
        "Batches that failed and were taken in again, by cause (database, error).",
        "database: restore it, nothing is lost. error: a defect, the log has the trace.",
        "cause",
    ),
    gauge(
        "partitions_assigned",
        "Partitions this process reads.",
        "0 for long: more processes than partitions, or a stuck group.",
    ),
    gauge(
        "partitions_cut",
        "Partitions whose log ended before what was taken in from them, found since they were assigned.",
        "Above 0: the broker lost records; find out which. Reading began at the log's beginning, the inbox absorbs "
        "repeats.",
    ),
    gauge(
        "position_gap_records",
        "Records that the log no longer has and that were never read: from one, to before another.",
        "Any: reading stands still there. Runbook PositionGap.",
        "topic",
        "partition",
        "from",
        "to",
    ),
    counter(
        "positions_moved_total",
        "Times that reading went on elsewhere than the group or this process believed, by cause: BEHIND_GROUP, "
        "DATABASE_WENT_BACK, OTHER_LOG, LOG_CUT, GAP_ACCEPTED.",
        "The log has topic, partition and both numbers. DATABASE_WENT_BACK: another server answers.",
        "cause",
    ),
    # ledger
    counter(
        "claims_total",
        "Claims decided, by outcome and reason.",
        "One reason rising: a licence system or a declarant changed something.",
        "outcome",
        "reason",
    ),
    counter("movements_total", "Movements written to the journal, by kind.", "Read beside events_total.", "kind"),
    counter("certificates_total", "Certificate documents prepared.", "Read beside events_total of licences."),
    counter(
        "documents_invalid_total",
        "Documents of ours that failed their own schema and were not sent, by family.",
        "Any: a defect, open an incident.",
        "family",
    ),
    counter("incidents_total", "Incidents raised, by kind.", "docs/reference/codes.md says who acts on each.", "kind"),
    counter(
        "licence_events_refused_total",
        "Licence events refused, or whose act counts without its content, by code; one event has each code once.",
        "Rising: `certex-bridge licence refused` names them; their senders were told in the acknowledgement.",
        "code",
    ),
    counter(
        "licence_acts_total",
        "Acts that block a licence or an exporter, by what became of them (taken, content_not_taken, kept, lost).",
        "kept or lost: a licence may still be used that must not be; the runbook ActWithoutEffect says what to do.",
        "result",
    ),
    measured("licences", "Licences by status.", "Read beside claims_total.", "status"),
    measured(
        "licences_near_limit",
        "Valid licences with at most a tenth of a line left and used in the last 30 days (quantity), or whose last day "
        "comes within 30 days (validity).",
        "Tell the licensing authority before the holder stands at the border.",
        "what",
    ),
    measured(
        "reservations_idle",
        "Reservations whose declaration no event has touched for CERTEX_RESERVATION_IDLE_DAYS.",
        "Ask customs what became of them: they hold quantity nobody uses.",
    ),
    measured(
        "ledger_over_accounts",
        "Accounts whose booked figure exceeds the licence (cap lowered, release above the reservation).",
        "Tell the licensing authority; new reservations are refused.",
    ),
    measured(
        "ledger_imbalance",
        "Accounts whose balance is not the sum of their movements, of the present round over the ledger or the last.",
        "Must be 0: stop the intake and run the verification.",
    ),
    measured(
        "ledger_chain_breaks",
        "Journal entries whose hash does not continue the chain, of the present round over the journal or the last.",
        "Must be 0: somebody changed the journal; keep everything and call for an audit.",
    ),
    measured(
        "ledger_verified_timestamp_seconds",
        "When the two invariants were last measured (Unix time); a large journal takes several rounds.",
        "Older than three intervals: the measuring job is not running.",
    ),
    measured(
        "seals_behind_seconds",
        "By how much the next seal over what was written is late; 0 while it is not.",
        "Growing: nobody makes seals, so what was written since the last one is not sealed against its owner.",
    ),
    measured(
        "parked_declarations",
        "Declarations that wait for a licence or for a repaired event.",
        "Read beside parked_oldest_seconds.",
    ),
    measured(
        "parked_oldest_seconds",
        "Age of the declaration waiting longest.",
        "Above the alarm: ask the licensing system for the missing event.",
    ),
    measured(
        "undecided_declarations",
        "Declarations accepted or released whose content cannot be told; nothing is booked for them.",
        "Read beside undecided_oldest_seconds; report mismatches names them.",
    ),
    measured(
        "undecided_oldest_seconds",
        "Age of the oldest of them.",
        "Above the alarm: ask customs which lodging it was, or settle it by hand.",
    ),
    measured(
        "wake_rows",
        "Parked declarations whose licence has come and that are still to be decided.",
        "Growing: the worker role is missing or slow.",
    ),
    measured(
        "wakes_put_off",
        "Declarations whose settling failed and comes again later.",
        "Above 0: a defect, the log has the trace.",
    ),
    counter(
        "worker_total",
        "Wakes and legal timers, by what and outcome (settled, failed).",
        "failed: a defect, the log has the trace.",
        "what",
        "outcome",
    ),
    counter(
        "quarantined_total",
        "Records put in quarantine, by reason.",
        "Repair or discard them with the quarantine command.",
        "reason",
    ),
    measured(
        "quarantine_open",
        "Records in quarantine nobody has dealt with.",
        "Above 0: their licences are parked until somebody decides.",
    ),
    measured(
        "quarantine_oldest_seconds",
        "Age of the oldest record in quarantine nobody has dealt with.",
        "Above a working day: its licence or declaration stands still; `certex-bridge quarantine list` names it.",
    ),
    # relay
    measured("outbox_unsent", "Outbox rows not yet published.", "Growing: no relay leads, or the broker refuses."),
    measured(
        "outbox_oldest_seconds",
        "Age of the oldest unsent outbox row.",
        "Above a minute: see relay_leader and relay_held.",
    ),
    counter("relay_sent_total", "Records published from the outbox, by topic.", "Read beside outbox_unsent.", "topic"),
    gauge("relay_leader", "1 while this process leads the relay.", "The sum over all processes must be 1."),
    measured(
        "unacknowledged_oldest_seconds",
        "Age of the oldest licence event that was taken in and whose acknowledgement is not yet published.",
        "Above a minute: the licensing system does not know whether its event counts; see relay_leader and relay_held.",
    ),
    measured(
        "relay_held",
        "Aggregates whose publishing is held back by a record the broker refuses.",
        "Above 0: `certex-bridge outbox held` names the messages and the reason.",
    ),
    gauge(
        "relay_topic_paused",
        "1 while a topic takes nothing (missing, or no right to write); its messages wait.",
        "1: create the topic or grant the right; the log has the broker's answer.",
        "topic",
    ),
    gauge(
        "relay_kept_back",
        "1 while it is not sure that readers of committed transactions see all messages sent.",
        "1 for minutes: the broker has left a transaction without its end, and does not take ours; the log names it.",
    ),
    # gateway
    counter(
        "gateway_requests_total",
        "HTTP requests, by operation and status.",
        "5xx rising: see the log.",
        "operation",
        "status",
    ),
    histogram(
        "gateway_request_seconds",
        "Time to answer an HTTP request, by operation and outcome (answered, repeated, kept, refused, failed).",
        "Rising: see apply_seconds.",
        "operation",
        "outcome",
        buckets=CALL_SECONDS,
    ),
    counter(
        "gateway_refusals_total",
        "Requests refused (identity, limits, form, functions, defects of ours), by code.",
        "Identity codes rising: a caller's token or certificate; limits: the caller's rate in the callers file.",
        "code",
    ),
    gauge(
        "gateway_callers_wrong",
        "1 while the callers file is wrong and the rights read before stay in force.",
        "Above 0: the log names each mistake (callers.refused).",
    ),
    counter(
        "console_refusals_total",
        "Forms and logins of the console that were refused, by what was refused (form, login, pace).",
        "Rising: somebody tries passwords or foreign forms; the log of the proxy has the addresses.",
        "what",
    ),
    counter(
        "gateway_keys_failures_total",
        "Fetches of the token issuer's keys that failed; the keys known before stay in force.",
        "Rising: is CERTEX_OIDC_JWKS_URL reachable? New keys are refused meanwhile.",
    ),
    # pushes
    counter(
        "pushes_total",
        "Attempts to deliver a push to a subscriber, by result (delivered, failed, gone).",
        "failed: `certex-bridge subscriptions list` names the subscriber and the error; attempts go on.",
        "result",
    ),
    measured(
        "push_oldest_unsent_seconds",
        "Age of the oldest push that no attempt has delivered; subscriptions an operator paused do not count.",
        "Growing: see subscriptions_failing; with none failing no worker delivers.",
    ),
    measured(
        "subscriptions_failing",
        "Subscriptions whose last attempt failed, or whose address is gone.",
        "Above 0 for long: tell the subscriber; everything it missed is kept.",
    ),
    *RUNTIME,
)
