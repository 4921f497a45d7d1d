"""Metrics of the process and of what it rests on: database, clocks, certificates."""

from __future__ import annotations

from certex_bridge.platform.metric_spec import MetricSpec, counter, gauge, measured

RUNTIME: tuple[MetricSpec, ...] = (
    counter(
        "database_retries_total",
        "Work tried again, by cause: transactions of the database, batches of the relay (broker), timers (clock).",
        "A few are normal; many of one cause: look at the database.",
        "cause",
    ),
    counter("deadlocks_total", "Deadlocks the database resolved.", "Must stay 0: locks are taken in one order."),
    gauge(
        "loop_turn_age_seconds",
        "Seconds since a role's loop last turned.",
        "Near the watchdog's limit: the process will restart itself.",
        "role",
    ),
    gauge(
        "event_loop_delay_seconds",
        "How late the event loop ran its last tick.",
        "Above 0.5 for long: something blocks the loop.",
    ),
    measured(
        "database_size_bytes",
        "Size of the database on disk: tables, indexes, documents.",
        "Read beside database_capacity_bytes; the sizing page says how much a declaration takes.",
    ),
    measured(
        "database_capacity_bytes",
        "What the database's disk was planned for (CERTEX_DATABASE_CAPACITY_BYTES); absent: not told.",
        "Must be well above database_size_bytes.",
    ),
    measured(
        "table_size_bytes",
        "Size of each table on disk, with its indexes.",
        "Says what grows.",
        "table",
    ),
    measured(
        "database_clock_skew_seconds",
        "The database's clock minus this process's; half the round trip is the error.",
        "Beyond 2 seconds: one of the two has lost its time service; deadlines and ages are wrong by as much.",
    ),
    measured(
        "certificate_expiry_timestamp_seconds",
        "When the first certificate of a file of ours ends (Unix time), by use (gateway, kafka, database).",
        "Within three weeks: renew it; the next connection after that moment fails.",
        "use",
    ),
    gauge("build_info", "1; version and Python of this process.", "Read beside everything.", "version", "python"),
)
