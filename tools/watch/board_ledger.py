"""The ledger's figures, and the conversation with customs and licensing systems."""

from __future__ import annotations

from watch.panels import Board, Panel, Row
from watch.queries import per_second, quantiles, raised

RED, ORANGE = "red", "orange"

LEDGER = Board(
    "ledger",
    "CERTEX bridge: ledger",
    "Whether balances are exact, what licences there are, and which need somebody's attention.",
    (
        Row(
            "Is it exact?",
            (
                Panel(
                    "Balances that are wrong",
                    "Accounts that are not the sum of their movements. Runbook LedgerImbalance.",
                    "short",
                    (("max(certex_bridge_ledger_imbalance{@})", ""),),
                    "stat",
                    6,
                    5,
                    ((1, RED),),
                    text="none",
                ),
                Panel(
                    "Broken links of the journal",
                    "Entries that do not continue the hash chain. Runbook JournalChainBroken.",
                    "short",
                    (("max(certex_bridge_ledger_chain_breaks{@})", ""),),
                    "stat",
                    6,
                    5,
                    ((1, RED),),
                    text="none",
                ),
                Panel(
                    "Last measured",
                    "How long ago; how late seals are. Above half an hour: runbooks LedgerNotVerified, SealsLate.",
                    "s",
                    (
                        ("time() - max(certex_bridge_ledger_verified_timestamp_seconds{@})", "measured"),
                        ("max(certex_bridge_seals_behind_seconds{@})", "seals late"),
                    ),
                    "stat",
                    6,
                    5,
                    ((900, ORANGE), (1800, RED)),
                ),
                Panel(
                    "Deadlocks",
                    "In the last day. Locks are taken in one order, so any is a surprise. Runbook DatabaseDeadlock.",
                    "short",
                    (("sum(increase(certex_bridge_deadlocks_total{@}[1d]))", ""),),
                    "stat",
                    6,
                    5,
                    ((1, ORANGE),),
                    decimals=0,
                    text="none",
                ),
            ),
        ),
        Row(
            "Licences",
            (
                Panel(
                    "Licences, by status",
                    "Unknown ones are cited by a declaration and not sent by the licensing system yet.",
                    "short",
                    (("max by (status) (certex_bridge_licences{@})", "{{status}}"),),
                    "bars",
                ),
                Panel(
                    "Near their limit",
                    "Nearly used up (quantity), or ending within 30 days (validity). Runbook LicencesNearLimit.",
                    "short",
                    (("max by (what) (certex_bridge_licences_near_limit{@})", "{{what}}"),),
                ),
                Panel(
                    "Certificates made",
                    "A second; one for each version and each change of status.",
                    "cps",
                    (("sum(rate(certex_bridge_certificates_total{@}[$__rate_interval]))", "certificates"),),
                ),
            ),
        ),
        Row(
            "Balances",
            (
                Panel(
                    "Movements, by kind",
                    "Journal entries a second. OVERRIDE and CORRECT are made by officers.",
                    "cps",
                    (per_second("movements_total", "kind"),),
                    "stacked",
                ),
                Panel(
                    "Booked beyond the licence",
                    "Accounts whose figure exceeds the licence; the authority decides. Runbook LicenceOverdrawn.",
                    "short",
                    (("max(certex_bridge_ledger_over_accounts{@})", "accounts"),),
                ),
                Panel(
                    "Idle reservations",
                    "Nothing came for CERTEX_RESERVATION_IDLE_DAYS; they hold quantity. Runbook ReservationsIdle.",
                    "short",
                    (("max(certex_bridge_reservations_idle{@})", "reservations"),),
                ),
            ),
        ),
        Row(
            "Declarations that wait",
            (
                Panel(
                    "Waiting for a licence",
                    "Declarations whose licence is not known, or whose event is in quarantine. Runbook ParkedLong.",
                    "short",
                    (("max(certex_bridge_parked_declarations{@})", "declarations"),),
                    width=6,
                ),
                Panel(
                    "The one waiting longest",
                    "Since it was first read.",
                    "s",
                    (("max(certex_bridge_parked_oldest_seconds{@})", "declaration"),),
                    width=6,
                ),
                Panel(
                    "Undecided",
                    "Nobody can say which lodging they are, or what released goods were. Runbook UndecidedLong.",
                    "short",
                    (("max(certex_bridge_undecided_declarations{@})", "declarations"),),
                    width=6,
                ),
                Panel(
                    "To be settled again",
                    "Their licence has come; put off: an attempt failed. Runbooks WorkerBehind and WakesPutOff.",
                    "short",
                    (
                        ("max(certex_bridge_wake_rows{@})", "to settle"),
                        ("max(certex_bridge_wakes_put_off{@})", "put off"),
                    ),
                    width=6,
                ),
            ),
        ),
        Row(
            "What subscribers are owed",
            (
                Panel(
                    "Pushes, by result",
                    "Attempts to deliver changes of status, lists and notices. Runbook SubscriberFailing.",
                    "short",
                    (("sum by (result) (increase(certex_bridge_pushes_total{@}[$__rate_interval]))", "{{result}}"),),
                    "stacked",
                ),
                Panel(
                    "Oldest push not delivered",
                    "Grows while a subscriber fails or no worker delivers. Runbook SubscriberFailing.",
                    "s",
                    (("max(certex_bridge_push_oldest_unsent_seconds{@})", "oldest"),),
                ),
            ),
        ),
    ),
    "now-24h",
)

CONVERSATION = Board(
    "customs-conversation",
    "CERTEX bridge: customs conversation",
    "What the bridge says to customs, the single window and licensing systems, and what it could not use of theirs.",
    (
        Row(
            "What customs hear",
            (
                Panel(
                    "Claims refused or doubtful, by reason",
                    "A second. One reason that rises: a licence system or a declarant changed something.",
                    "cps",
                    (per_second("claims_total", "outcome", "reason", more='reason!=""'),),
                    "stacked",
                    12,
                ),
                Panel(
                    "From event to outcome",
                    "Half and 99 % of the outcomes. Level: 99.9 % within 2 minutes.",
                    "s",
                    quantiles("event_to_outcome_seconds"),
                    width=12,
                    steps=((120, RED),),
                ),
            ),
        ),
        Row(
            "What the others hear",
            (
                Panel(
                    "Published, by topic",
                    "Messages a second.",
                    "cps",
                    (per_second("relay_sent_total", "topic"),),
                    "stacked",
                ),
                Panel(
                    "Oldest acknowledgement not sent",
                    "The licensing system does not know whether its event counts. Runbook AcknowledgementsLate.",
                    "s",
                    (("max(certex_bridge_unacknowledged_oldest_seconds{@})", "acknowledgement"),),
                    steps=((60, ORANGE),),
                ),
                Panel(
                    "Incidents, by kind",
                    "What was told to a licensing authority as an incident, in the range shown.",
                    "short",
                    (
                        (
                            "sum by (kind) (increase(certex_bridge_incidents_total{@}[$__range])) or vector(0)",
                            "{{kind}}",
                        ),
                    ),
                    "bars",
                    decimals=0,
                ),
            ),
        ),
        Row(
            "What could not be used or sent",
            (
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
                ),
                Panel(
                    "Quarantine",
                    "Records nobody has dealt with. Runbook QuarantineAging.",
                    "short",
                    (("max(certex_bridge_quarantine_open{@})", "records"),),
                ),
                Panel(
                    "Documents not sent",
                    "Documents of ours that failed their own schema, in the range shown. Runbook DocumentNotSent.",
                    "short",
                    (raised("documents_invalid_total", window="$__range", zero=True),),
                    "stat",
                    4,
                    steps=((1, RED),),
                    decimals=0,
                    text="none",
                ),
                Panel(
                    "Subscribers failing",
                    "Subscribers that do not take their notifications. Runbook SubscriberFailing.",
                    "short",
                    (("max(certex_bridge_subscriptions_failing{@})", ""),),
                    "stat",
                    4,
                    steps=((1, ORANGE),),
                    text="none",
                ),
            ),
        ),
    ),
    "now-24h",
)
