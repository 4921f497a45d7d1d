"""Kafka, the database as the processes see it, and the processes themselves."""

from __future__ import annotations

from watch.panels import Board, Panel, Row
from watch.queries import quantiles, rate_or_zero

RED, ORANGE = "red", "orange"

RUNTIME = Board(
    "kafka-and-runtime",
    "CERTEX bridge: Kafka and runtime",
    "The machinery below the flow: partitions, the relay's leader, retries, event loops, clocks and certificates.",
    (
        Row(
            "Kafka",
            (
                Panel(
                    "Records waiting, by partition",
                    "One partition that grows alone: one key sends the flood, or its batch fails.",
                    "short",
                    (("max by (topic, partition) (certex_bridge_consumer_lag{@})", "{{topic}} {{partition}}"),),
                    width=12,
                ),
                Panel(
                    "Partitions, by process",
                    "What each process reads. 0 for all: runbook IntakeAbsent.",
                    "short",
                    (("sum by (instance) (certex_bridge_partitions_assigned{@})", "{{instance}}"),),
                    "stacked",
                    6,
                ),
                Panel(
                    "Partitions cut",
                    "Their log ends before what was taken in from them. Runbook PartitionsCut.",
                    "short",
                    (("sum(certex_bridge_partitions_cut{@})", ""),),
                    "stat",
                    6,
                    steps=((1, RED),),
                    text="none",
                ),
                Panel(
                    "Records lost before they were read",
                    "Their partition stands still until somebody accepts the gap. Runbook PositionGap.",
                    "short",
                    (("sum(max by (topic, partition) (certex_bridge_position_gap_records{@})) or vector(0)", ""),),
                    "stat",
                    12,
                    steps=((1, RED),),
                    text="none",
                ),
                Panel(
                    "Positions moved",
                    "Reading went on elsewhere than believed, by cause; the log has the numbers.",
                    "cps",
                    (rate_or_zero("positions_moved_total", "cause"),),
                    width=12,
                ),
                Panel(
                    "Relay leaders",
                    "Must be 1: one process publishes, the others wait. Runbook RelayLeaderAbsent.",
                    "short",
                    (("sum(certex_bridge_relay_leader{@})", "leaders"),),
                ),
                Panel(
                    "Held and paused",
                    "What the broker refuses, topics that take nothing, messages that readers may not see. Runbooks "
                    "RelayHeld, TopicPaused and MessagesKeptBack.",
                    "short",
                    (
                        ("max(certex_bridge_relay_held{@})", "held"),
                        ("sum(max by (topic) (certex_bridge_relay_topic_paused{@})) or vector(0)", "paused topics"),
                        ("max(certex_bridge_relay_kept_back{@})", "kept back"),
                    ),
                ),
                Panel(
                    "Batches that failed, by cause",
                    "A second. error: a defect, the log has the trace. Runbook IntakeFailing.",
                    "cps",
                    (rate_or_zero("intake_failures_total", "cause"),),
                ),
            ),
        ),
        Row(
            "Database",
            (
                Panel(
                    "Time of a batch's transaction",
                    "99 %. Rising: locks, disk, connections.",
                    "s",
                    (quantiles("apply_seconds")[1],),
                ),
                Panel(
                    "Work tried again, by cause",
                    "A second. A few are normal. Runbook DatabaseRetries.",
                    "cps",
                    (rate_or_zero("database_retries_total", "cause"),),
                ),
                Panel(
                    "Size of the database",
                    "On disk, and what the disk was planned for. Runbook DatabaseFilling.",
                    "bytes",
                    (
                        ("max(certex_bridge_database_size_bytes{@})", "size"),
                        ("max(certex_bridge_database_capacity_bytes{@})", "planned"),
                    ),
                ),
                Panel(
                    "The largest tables",
                    "On disk, with their indexes.",
                    "bytes",
                    (("topk(8, max by (table) (certex_bridge_table_size_bytes{@}))", "{{table}}"),),
                ),
                Panel(
                    "The database's clock against ours",
                    "Seconds ahead. Beyond 2: runbook ClockSkew.",
                    "s",
                    (("max by (instance) (abs(certex_bridge_database_clock_skew_seconds{@}))", "{{instance}}"),),
                    steps=((2, ORANGE),),
                ),
            ),
        ),
        Row(
            "Processes",
            (
                Panel(
                    "Processor, by process",
                    "Seconds of processor time a second; one process uses one core.",
                    "short",
                    (
                        (
                            "sum by (instance) (rate(process_cpu_seconds_total{@}[$__rate_interval]))",
                            "{{instance}}",
                        ),
                    ),
                ),
                Panel(
                    "Memory, by process",
                    "Resident memory.",
                    "bytes",
                    (("max by (instance) (process_resident_memory_bytes{@})", "{{instance}}"),),
                ),
                Panel(
                    "Event loops late",
                    "How late the loop ran its last tick. Above half a second for long: runbook EventLoopBlocked.",
                    "s",
                    (("max by (instance) (certex_bridge_event_loop_delay_seconds{@})", "{{instance}}"),),
                    steps=((0.5, ORANGE),),
                ),
                Panel(
                    "Since a role's loop turned",
                    "Near the watchdog's limit the process will end itself and be started again.",
                    "s",
                    (("max by (instance, role) (certex_bridge_loop_turn_age_seconds{@})", "{{instance}} {{role}}"),),
                ),
                Panel(
                    "Certificates end in",
                    "By use. Within three weeks: runbook CertificateExpires.",
                    "s",
                    (("min by (use) (certex_bridge_certificate_expiry_timestamp_seconds{@}) - time()", "{{use}}"),),
                    "stat",
                    decimals=0,
                ),
                Panel(
                    "Versions running",
                    "Processes by version. Two at once: an upgrade is under way.",
                    "short",
                    (("count by (version) (certex_bridge_build_info{@})", "{{version}}"),),
                    "bars",
                ),
            ),
        ),
    ),
)
