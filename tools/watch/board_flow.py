"""The flow: one row for each step of a message's way, from Kafka to Kafka, and the calls over HTTPS."""

from __future__ import annotations

from watch.panels import Board, Panel, Row
from watch.queries import mean, occurring, per_second, quantiles, rate_or_zero

FLOW = Board(
    "flow",
    "CERTEX bridge: flow",
    "One row for each step of a message's way. Go down the rows until a figure is not as usual.",
    (
        Row(
            "1. Events come",
            (
                Panel(
                    "Taken in, by topic",
                    "Records a second. Falls to 0 while records wait: runbook IntakeStuck.",
                    "cps",
                    (per_second("events_total", "topic", more='outcome="taken"'),),
                    "stacked",
                ),
                Panel(
                    "Age of the oldest record of a batch",
                    "When it is taken in. High without waiting records: the sender sends late, or replays.",
                    "s",
                    quantiles("record_age_seconds", "topic"),
                ),
                Panel(
                    "Records waiting",
                    "In Kafka, by topic. Growing while the age grows: runbook IntakeBehind.",
                    "short",
                    (("sum by (topic) (certex_bridge_consumer_lag{@})", "{{topic}}"),),
                    "stacked",
                ),
            ),
        ),
        Row(
            "2. Batches are decoded and booked",
            (
                Panel(
                    "Time of a batch",
                    "Mean of the whole, of decoding, and of the database transaction: which stage takes the time.",
                    "s",
                    (
                        (mean("event_batch_seconds"), "whole"),
                        (mean("decode_seconds"), "decoding"),
                        (mean("apply_seconds"), "transaction"),
                    ),
                ),
                Panel(
                    "Records of a batch",
                    "Always at its limit: the intake is behind.",
                    "short",
                    quantiles("event_batch_size"),
                ),
                Panel(
                    "Known before, or put aside",
                    "Repeats of a sender do no harm; records put aside are in quarantine.",
                    "cps",
                    (per_second("events_total", "outcome", more='outcome!="taken"'),),
                ),
            ),
        ),
        Row(
            "3. Claims are decided",
            (
                Panel(
                    "Claims, by outcome",
                    "Claims a second. A new outcome that rises: a licence system or a declarant changed something.",
                    "cps",
                    (per_second("claims_total", "outcome"),),
                    "stacked",
                ),
                Panel(
                    "Movements, by kind",
                    "Journal entries a second.",
                    "cps",
                    (per_second("movements_total", "kind"),),
                    "stacked",
                ),
                Panel(
                    "Wakes and timers",
                    "What the worker settled or could not, a second. Failed: runbook WakesPutOff.",
                    "cps",
                    (per_second("worker_total", "what", "outcome"),),
                ),
            ),
        ),
        Row(
            "4. Messages are published",
            (
                Panel(
                    "Published, by topic",
                    "Messages a second.",
                    "cps",
                    (per_second("relay_sent_total", "topic"),),
                    "stacked",
                ),
                Panel(
                    "Messages waiting",
                    "Decided and safe in the database, not yet published. Growing: runbook OutboxStuck.",
                    "short",
                    (("max(certex_bridge_outbox_unsent{@})", "messages"),),
                ),
                Panel(
                    "From event to message",
                    "99 % of certificates and outcomes were published within this time after their event.",
                    "s",
                    (
                        (quantiles("event_to_certificate_seconds")[1][0], "certificates"),
                        (quantiles("event_to_outcome_seconds")[1][0], "outcomes"),
                    ),
                ),
            ),
        ),
        Row(
            "Gateway",
            (
                Panel(
                    "Calls, by operation",
                    "HTTP requests a second.",
                    "reqps",
                    (per_second("gateway_requests_total", "operation"),),
                    "stacked",
                ),
                Panel(
                    "Time to answer, by operation",
                    "Half and 99 %. Level of checkAvailability: 99 % within 50 milliseconds.",
                    "s",
                    quantiles("gateway_request_seconds", "operation"),
                ),
                Panel(
                    "Refused, by code",
                    "Requests a second that were refused (identity, limits, form, functions, console).",
                    "reqps",
                    (
                        occurring(per_second("gateway_refusals_total", "code")),
                        rate_or_zero("console_refusals_total", "what"),
                    ),
                ),
            ),
        ),
    ),
)
