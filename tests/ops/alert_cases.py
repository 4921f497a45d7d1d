"""For each alert and severity: figures at which it fires, and figures at which it must not.

Figures are in promtool's notation, one sample a minute: `0+5x60` rises by five, `1x60` stays, `_` is a missing sample.
"""

from __future__ import annotations

from typing import NamedTuple

Series = dict[str, str]


class Case(NamedTuple):
    """One expectation at one moment."""

    alert: str
    severity: str
    fires: bool
    at: str
    series: Series


P = "certex_bridge_"


def _fires(alert: str, severity: str, at: str, **series: str) -> Case:
    return Case(alert, severity, True, at, {P + name: values for name, values in series.items()})


def _quiet(alert: str, severity: str, at: str, **series: str) -> Case:
    return Case(alert, severity, False, at, {P + name: values for name, values in series.items()})


def _raw(alert: str, severity: str, fires: bool, at: str, series: Series) -> Case:
    return Case(alert, severity, fires, at, {P + name: values for name, values in series.items()})


def _burn(alert: str, metric: str, bound: str, more: str = "") -> list[Case]:
    """With 1,000 observations a minute: how many of them miss the bound, and from when on."""

    def series(within: str) -> Series:
        return {
            f"{metric}_count{{{more}}}": "0+1000x540",
            f'{metric}_bucket{{le="{bound}"{more and ","}{more}}}': within,
        }

    budget = 10 if metric.startswith("gateway") else 1  # misses a minute that use up exactly the budget

    def missing(times: float, minutes: int = 540, after: int = 0) -> str:
        """All well for a while, then so many times the budget is missed."""
        share = 1000 - budget * times
        start = f"0+1000x{after} " if after else ""
        return f"{start}{1000 * after + (share if after else 0):g}+{share:g}x{minutes}"

    two_hours_long_ago = f"0+{1000 - budget * 20}x120 {(1000 - budget * 20) * 120 + 1000}+1000x420"
    return [
        _raw(alert, "page", True, "5h", series(missing(20))),
        _raw(alert, "page", True, "8h", series(missing(20, minutes=62, after=418))),
        _raw(alert, "page", False, "8h", series(missing(90, minutes=5, after=475))),
        _raw(alert, "page", False, "8h", series(missing(4))),
        _raw(alert, "page", False, "9h", series(two_hours_long_ago)),
        _raw(alert, "ticket", True, "8h", series(missing(4))),
        _raw(alert, "ticket", False, "8h", series(missing(0.5))),
        _raw(alert, "ticket", False, "8h", series(missing(0))),
        _raw(alert, "ticket", False, "8h", {}),
    ]


SLO_CASES = [
    *_burn("LicenceCertificatesLate", "event_to_certificate_seconds", "300.0"),
    *_burn("DeclarationOutcomesLate", "event_to_outcome_seconds", "120.0"),
    *_burn("AvailabilityChecksSlow", "gateway_request_seconds", "0.05", 'operation="checkAvailability"'),
]

INVARIANT_CASES = [
    _fires("LedgerImbalance", "page", "10m", ledger_imbalance="0x8 1x10"),
    _quiet("LedgerImbalance", "page", "10m", ledger_imbalance="0x20"),
    _fires("JournalChainBroken", "page", "10m", ledger_chain_breaks="0x8 3x10"),
    _quiet("JournalChainBroken", "page", "10m", ledger_chain_breaks="0x20"),
    # The first failure of a family makes its series.
    _raw("DocumentNotSent", "page", True, "30m", {'documents_invalid_total{family="certificate"}': "_x25 1x10"}),
    _raw("DocumentNotSent", "page", True, "30m", {'documents_invalid_total{family="certificate"}': "1x25 2x10"}),
    _raw("DocumentNotSent", "page", False, "60m", {'documents_invalid_total{family="certificate"}': "1x90"}),
    _fires("LedgerNotVerified", "ticket", "60m", ledger_verified_timestamp_seconds="0x90"),
    _quiet("LedgerNotVerified", "ticket", "60m", ledger_verified_timestamp_seconds="0+60x90"),
    _quiet("LedgerNotVerified", "ticket", "35m", ledger_verified_timestamp_seconds="0x90"),
    _fires("SealsLate", "ticket", "60m", seals_behind_seconds="0+60x90"),
    _quiet("SealsLate", "ticket", "60m", seals_behind_seconds="0+60x20 0x70"),
    _fires("LedgerMeasuresAbsent", "page", "20m", build_info="1x30"),
    _quiet("LedgerMeasuresAbsent", "page", "20m", ledger_imbalance="0x30"),
    _quiet("LedgerMeasuresAbsent", "page", "10m", build_info="1x30"),
]

TAKEN = 'events_total{topic="t",outcome="taken"}'
GAP = 'position_gap_records{topic="t",partition="0",from="400",to="436"}'
LAG = 'consumer_lag{topic="t",partition="0"}'
AGES = ('record_age_seconds_bucket{topic="t",le="60.0"}', 'record_age_seconds_bucket{topic="t",le="300.0"}')
ALL = 'record_age_seconds_bucket{topic="t",le="+Inf"}'

FLOW_CASES = [
    _fires("BridgeAbsent", "page", "10m"),
    _quiet("BridgeAbsent", "page", "10m", build_info="1x20"),
    _fires("IntakeAbsent", "page", "10m", build_info="1x20"),
    _fires("IntakeAbsent", "page", "10m", partitions_assigned="3x2 0x20"),
    _quiet("IntakeAbsent", "page", "10m", partitions_assigned="3x20"),
    _quiet("IntakeAbsent", "page", "10m", partitions_assigned="3x3 0x2 3x20"),
    _raw("IntakeStuck", "page", True, "40m", {LAG: "5x60", TAKEN: "0+9x10 90x50"}),
    _raw("IntakeStuck", "page", True, "15m", {LAG: "5x60"}),
    _raw("IntakeStuck", "page", False, "40m", {LAG: "5x60", TAKEN: "0+9x60"}),
    _raw("IntakeStuck", "page", False, "40m", {LAG: "0x60", TAKEN: "90x60"}),
    _raw("IntakeBehind", "ticket", True, "60m", {LAG: "0+50x90", AGES[0]: "0x90", AGES[1]: "0+9x90", ALL: "0+9x90"}),
    _raw(
        "IntakeBehind", "ticket", False, "60m", {LAG: "9000-50x90", AGES[0]: "0x90", AGES[1]: "0+9x90", ALL: "0+9x90"}
    ),
    _raw("IntakeBehind", "ticket", False, "60m", {LAG: "0+50x90", AGES[0]: "0+9x90", AGES[1]: "0+9x90", ALL: "0+9x90"}),
    _raw("IntakeFailing", "page", True, "30m", {'intake_failures_total{cause="error"}': "0+2x60"}),
    _raw("IntakeFailing", "page", False, "30m", {'intake_failures_total{cause="database"}': "0+2x60"}),
    _raw("IntakeFailing", "page", False, "30m", {'intake_failures_total{cause="error"}': "0x5 1x60"}),
    _fires("PartitionsCut", "page", "10m", partitions_cut="0x5 1x20"),
    _quiet("PartitionsCut", "page", "10m", partitions_cut="0x20"),
    _raw("PositionGap", "page", True, "10m", {GAP: "0x5 36x20"}),
    _raw("PositionGap", "page", False, "20m", {GAP: "36x5 _x20"}),
    _raw(
        "QuarantineFlood",
        "page",
        True,
        "30m",
        {TAKEN: "0+100x60", 'events_total{topic="all",outcome="quarantined"}': "0+20x60"},
    ),
    _raw(
        "QuarantineFlood",
        "page",
        False,
        "30m",
        {TAKEN: "0+100x60", 'events_total{topic="all",outcome="quarantined"}': "0+5x60"},
    ),
    _raw("ActWithoutEffect", "page", True, "30m", {'licence_acts_total{result="lost"}': "0x25 1x10"}),
    _raw("ActWithoutEffect", "page", True, "30m", {'licence_acts_total{result="kept"}': "2x25 3x10"}),
    # Told before anybody looked.
    _raw("ActWithoutEffect", "page", True, "30m", {'licence_acts_total{result="lost"}': "_x25 1x10"}),
    _raw("ActWithoutEffect", "page", False, "60m", {'licence_acts_total{result="lost"}': "1x90"}),
    _raw("ActWithoutEffect", "page", False, "30m", {'licence_acts_total{result="taken"}': "0x25 9x10"}),
    _raw("ActWithoutEffect", "page", False, "30m", {'licence_acts_total{result="content_not_taken"}': "0x25 9x10"}),
    _fires("QuarantineAging", "ticket", "300m", quarantine_oldest_seconds="0+60x400"),
    _quiet("QuarantineAging", "ticket", "230m", quarantine_oldest_seconds="0+60x400"),
    _fires("ParkedLong", "ticket", "20m", parked_oldest_seconds="86390+60x40"),
    _quiet("ParkedLong", "ticket", "20m", parked_oldest_seconds="80000+60x40"),
    _fires("UndecidedLong", "ticket", "20m", undecided_oldest_seconds="86390+60x40"),
    _quiet("UndecidedLong", "ticket", "20m", undecided_oldest_seconds="80000+60x40"),
    _fires("WorkerBehind", "ticket", "60m", wake_rows="0+5x90"),
    _quiet("WorkerBehind", "ticket", "60m", wake_rows="900-5x90"),
    _quiet("WorkerBehind", "ticket", "60m", wake_rows="0x90"),
    _fires("WakesPutOff", "ticket", "30m", wakes_put_off="2x60"),
    _quiet("WakesPutOff", "ticket", "30m", wakes_put_off="2x10 0x60"),
]

OK, REFUSED, BROKEN = (f'gateway_requests_total{{operation="o",status="{status}"}}' for status in (200, 403, 503))

OUTPUT_CASES = [
    _fires("OutboxStuck", "page", "15m", outbox_oldest_seconds="0+60x30"),
    _quiet("OutboxStuck", "page", "15m", outbox_oldest_seconds="100x30"),
    _quiet("OutboxStuck", "page", "15m", outbox_oldest_seconds="0x10 130x3 0x30"),
    _raw(
        "RelayLeaderAbsent", "page", True, "15m", {'relay_leader{pod="a"}': "1x3 0x30", 'relay_leader{pod="b"}': "0x30"}
    ),
    _fires("RelayLeaderAbsent", "page", "15m", build_info="1x30"),
    _raw(
        "RelayLeaderAbsent",
        "page",
        False,
        "15m",
        {'relay_leader{pod="a"}': "1x8 0x30", 'relay_leader{pod="b"}': "0x8 1x30"},
    ),
    _fires("RelayHeld", "ticket", "20m", relay_held="1x30"),
    _quiet("RelayHeld", "ticket", "20m", relay_held="1x5 0x30"),
    _raw("TopicPaused", "ticket", True, "20m", {'relay_topic_paused{topic="t"}': "1x30"}),
    _raw("TopicPaused", "ticket", False, "20m", {'relay_topic_paused{topic="t"}': "1x3 0x30"}),
    _fires("MessagesKeptBack", "page", "20m", relay_kept_back="1x30"),
    _quiet("MessagesKeptBack", "page", "20m", relay_kept_back="1x3 0x30"),
    _fires("AcknowledgementsLate", "ticket", "20m", unacknowledged_oldest_seconds="0+60x30"),
    _quiet("AcknowledgementsLate", "ticket", "20m", unacknowledged_oldest_seconds="30x30"),
    _raw("GatewayFailing", "page", True, "30m", {OK: "0+600x60", BROKEN: "0+30x60"}),
    _raw("GatewayFailing", "page", False, "30m", {OK: "0+600x60", BROKEN: "0+3x60"}),
    _raw("GatewayFailing", "page", False, "30m", {OK: "0+600x60", REFUSED: "0+60x60"}),
    _fires("SubscriberFailing", "ticket", "30m", subscriptions_failing="1x60"),
    _quiet("SubscriberFailing", "ticket", "30m", subscriptions_failing="1x10 0x60"),
]

QUANTITY = 'licences_near_limit{what="quantity"}'

FIGURE_CASES = [
    _fires("LicenceOverdrawn", "ticket", "20m", ledger_over_accounts="1x30"),
    _quiet("LicenceOverdrawn", "ticket", "20m", ledger_over_accounts="0x30"),
    _raw("LicencesNearLimit", "ticket", True, "90m", {QUANTITY: "3x120"}),  # the first day
    _raw("LicencesNearLimit", "ticket", True, "26h", {QUANTITY: "3x1440 4x300"}),
    _raw("LicencesNearLimit", "ticket", False, "26h", {QUANTITY: "3x1800"}),
    _raw("LicencesNearLimit", "ticket", False, "26h", {QUANTITY: "3x1440 2x300"}),
    _raw("LicencesNearLimit", "ticket", False, "90m", {QUANTITY: "0x120"}),
    _fires("ReservationsIdle", "ticket", "90m", reservations_idle="1x120"),
    _quiet("ReservationsIdle", "ticket", "90m", reservations_idle="0x120"),
]

ENDS = 'certificate_expiry_timestamp_seconds{use="kafka"}'
DAY = 86_400

SURROUNDINGS_CASES = [
    _raw("CertificateExpires", "ticket", True, "20m", {ENDS: f"{20 * DAY}x30"}),
    _raw("CertificateExpires", "ticket", False, "20m", {ENDS: f"{22 * DAY}x30"}),
    _raw("CertificateExpires", "page", True, "20m", {ENDS: f"{DAY}x30"}),
    _raw("CertificateExpires", "page", True, "20m", {ENDS: "0x30"}),
    _raw("CertificateExpires", "page", False, "20m", {ENDS: f"{20 * DAY}x30"}),
    _fires("ClockSkew", "ticket", "20m", database_clock_skew_seconds="-3x30"),
    _fires("ClockSkew", "ticket", "20m", database_clock_skew_seconds="3x30"),
    _quiet("ClockSkew", "ticket", "20m", database_clock_skew_seconds="-0.4x30"),
    _fires("DatabaseFilling", "ticket", "5h", database_size_bytes="81x600", database_capacity_bytes="100x600"),
    _quiet("DatabaseFilling", "ticket", "5h", database_size_bytes="79x600", database_capacity_bytes="100x600"),
    _quiet("DatabaseFilling", "ticket", "5h", database_size_bytes="81x600"),
    _fires("DatabaseFilling", "ticket", "8h", database_size_bytes="100+0.01x600", database_capacity_bytes="900x600"),
    _quiet("DatabaseFilling", "ticket", "8h", database_size_bytes="100+0.001x600", database_capacity_bytes="900x600"),
    _raw("DatabaseRetries", "ticket", True, "40m", {'database_retries_total{cause="lock"}': "0+120x60"}),
    _raw("DatabaseRetries", "ticket", False, "40m", {'database_retries_total{cause="lock"}': "0+6x60"}),
    _fires("DatabaseDeadlock", "ticket", "20m", deadlocks_total="0x10 1x30"),
    _quiet("DatabaseDeadlock", "ticket", "90m", deadlocks_total="1x120"),
    _fires("EventLoopBlocked", "ticket", "15m", event_loop_delay_seconds="0.9x30"),
    _quiet(
        "EventLoopBlocked", "ticket", "15m", event_loop_delay_seconds="0.9 0 0.9 0 0.9 0 0.9 0 0.9 0 0.9 0 0.9 0 0.9 0"
    ),
    _fires("CallersFileWrong", "ticket", "15m", gateway_callers_wrong="1x30"),
    _quiet("CallersFileWrong", "ticket", "15m", gateway_callers_wrong="1x3 0x30"),
    _fires("TokenKeysUnreachable", "ticket", "60m", gateway_keys_failures_total="0+1x90"),
    _quiet("TokenKeysUnreachable", "ticket", "60m", gateway_keys_failures_total="0x20 1x90"),
]

CASES = [*SLO_CASES, *INVARIANT_CASES, *FLOW_CASES, *OUTPUT_CASES, *FIGURE_CASES, *SURROUNDINGS_CASES]
