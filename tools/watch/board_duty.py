"""The duty officer's page: is anybody outside affected, is the ledger exact, where does it wait."""

from __future__ import annotations

from watch.panels import Board, Panel, Row
from watch.queries import quantiles, rate_or_zero
from watch.slo import SLOS

RED, ORANGE = "red", "orange"


def _stat(
    title: str, description: str, unit: str, query: str, *steps: tuple[float, str], text: str = "", width: int = 4
) -> Panel:
    return Panel(title, description, unit, ((query, ""),), "stat", width, 5, steps, text=text)


_BURNS = tuple((f'slo:current_burn_rate:ratio{{slo="{slo.name}"}}', slo.name) for slo in SLOS)

DUTY = Board(
    "duty-officer",
    "CERTEX bridge: duty officer",
    "Read the first row from left to right; each figure names the next place to look. Runbooks: docs/runbooks.",
    (
        Row(
            "Is anything wrong?",
            (
                _stat(
                    "Alerts firing",
                    "Alerts of this bridge that fire now; each has a runbook.",
                    "short",
                    'count(ALERTS{alertstate="firing", service="certex-bridge"}) or vector(0)',
                    (1, RED),
                    text="none",
                ),
                _stat(
                    "Ledger wrong",
                    "Balances that are not the sum of their movements, plus journal entries that break the hash chain. "
                    "Anything but 0: runbooks LedgerImbalance and JournalChainBroken.",
                    "short",
                    "max(certex_bridge_ledger_imbalance{@}) + max(certex_bridge_ledger_chain_breaks{@})",
                    (1, RED),
                    text="exact",
                ),
                _stat(
                    "Records waiting",
                    "Records in Kafka that the intake has not taken in. Growing: runbook IntakeBehind.",
                    "short",
                    "sum(certex_bridge_consumer_lag{@})",
                    (5000, ORANGE),
                    (100_000, RED),
                    text="none",
                ),
                _stat(
                    "Oldest message",
                    "How long the oldest certificate, outcome or acknowledgement has waited to be published. Above two "
                    "minutes: runbook OutboxStuck.",
                    "s",
                    "max(certex_bridge_outbox_oldest_seconds{@})",
                    (60, ORANGE),
                    (120, RED),
                    text="none waits",
                ),
                _stat(
                    "In quarantine",
                    "Records nobody could use and nobody has dealt with; what they belong to stands still. Runbook "
                    "QuarantineAging.",
                    "short",
                    "max(certex_bridge_quarantine_open{@})",
                    (1, ORANGE),
                    (100, RED),
                    text="empty",
                ),
                _stat(
                    "Processes seen",
                    "Processes of the bridge that Prometheus sees. Fewer than usual: some role is missing.",
                    "short",
                    "count(certex_bridge_build_info{@})",
                ),
            ),
        ),
        Row(
            "Does somebody outside wait?",
            (
                Panel(
                    "How fast the error budgets burn",
                    "1 uses up the budget of thirty days in thirty days; at 14.4 somebody is woken. Nothing is drawn "
                    "where nothing happened.",
                    "short",
                    _BURNS,
                    steps=((1, ORANGE), (14.4, RED)),
                ),
                Panel(
                    "From licence event to certificate",
                    "Half and 99 % were published within this time. Level: 99.9 % within 5 minutes.",
                    "s",
                    quantiles("event_to_certificate_seconds"),
                    steps=((300, RED),),
                ),
                Panel(
                    "From declaration event to outcome",
                    "Half and 99 % were published within this time. Level: 99.9 % within 2 minutes.",
                    "s",
                    quantiles("event_to_outcome_seconds"),
                    steps=((120, RED),),
                ),
            ),
        ),
        Row(
            "Where does it wait?",
            (
                Panel(
                    "Records waiting, by topic",
                    "In Kafka. A line that rises while the next panel's falls to 0 is a stuck intake.",
                    "short",
                    (("sum by (topic) (certex_bridge_consumer_lag{@})", "{{topic}}"),),
                ),
                Panel(
                    "Taken in and published",
                    "Records taken in, and messages published, a second. Taken in without published: the relay.",
                    "cps",
                    (
                        ('sum(rate(certex_bridge_events_total{@, outcome="taken"}[$__rate_interval]))', "taken in"),
                        ("sum(rate(certex_bridge_relay_sent_total{@}[$__rate_interval]))", "published"),
                    ),
                ),
                Panel(
                    "The oldest of what waits",
                    "Above the bounds of the alerts: OutboxStuck 2 minutes, QuarantineAging 4 hours, ParkedLong and "
                    "UndecidedLong a day.",
                    "s",
                    (
                        ("max(certex_bridge_outbox_oldest_seconds{@})", "message"),
                        ("max(certex_bridge_unacknowledged_oldest_seconds{@})", "acknowledgement"),
                        ("max(certex_bridge_parked_oldest_seconds{@})", "declaration without licence"),
                        ("max(certex_bridge_undecided_oldest_seconds{@})", "undecided declaration"),
                        ("max(certex_bridge_quarantine_oldest_seconds{@})", "record in quarantine"),
                    ),
                ),
                Panel(
                    "Put in quarantine, by reason",
                    "One reason that rises: its sender changed something. Runbook QuarantineFlood.",
                    "short",
                    (
                        (
                            "sum by (reason) (increase(certex_bridge_quarantined_total{@}[$__rate_interval]))",
                            "{{reason}}",
                        ),
                    ),
                    "stacked",
                    12,
                ),
                Panel(
                    "Licence events refused, by code",
                    "Their senders were told in the acknowledgement; `certex-bridge licence refused` names them.",
                    "short",
                    (
                        (
                            (
                                "sum by (code) (increase(certex_bridge_licence_events_refused_total{@}"
                                "[$__rate_interval])) > 0"
                            ),
                            "{{code}}",
                        ),
                    ),
                    "stacked",
                    12,
                ),
                Panel(
                    "Acts that block, by what became of them",
                    "kept or lost: a licence may still be used that must not be. Runbook ActWithoutEffect.",
                    "short",
                    (
                        (
                            "sum by (result) (increase(certex_bridge_licence_acts_total{@}[$__rate_interval]))",
                            "{{result}}",
                        ),
                    ),
                    "stacked",
                    12,
                ),
                Panel(
                    "Work tried again, by cause",
                    "Many of one cause: the database or the broker. Runbook DatabaseRetries.",
                    "cps",
                    (rate_or_zero("database_retries_total", "cause"),),
                    width=12,
                ),
            ),
        ),
    ),
    "now-1h",
)
