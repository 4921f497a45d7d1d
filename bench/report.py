"""The table for a person."""

from __future__ import annotations

from typing import Any

ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("items_per_second", "items/s, Kafka to Kafka", "≥ 6,200", "12,300"),
    ("items_per_second_steady", "  the same, steady part", "", ""),
    ("naive_items_per_second", "items/s of the naive consumer", "", ""),
    ("ratio_to_naive", "ratio", "≥ 15", ""),
    ("ledger_movements_per_second", "movements/s, executor alone", "", ""),
    ("database_movements_per_second", "movements/s, database alone", "", ""),
    ("share_of_ledger_rate", "items/s as share of the database's", "", ""),
    ("certificates_per_second", "certificates/s, Kafka to Kafka", "≥ 2,400", ""),
    ("latency_p50_ms", "latency p50 at 170/s, ms", "", ""),
    ("latency_p99_ms", "latency p99 at 170/s, ms", "< 250", ""),
    ("checks_per_second", "checks/s over HTTP, as offered", "500", ""),
    ("check_server_p50_ms", "  p50 in the function, ms", "", ""),
    ("check_server_p99_ms", "  p99 in the function, ms", "< 5", ""),
    ("check_client_p50_ms", "  p50 at the client, ms", "", ""),
    ("check_client_p99_ms", "  p99 at the client, ms", "< 15", ""),
    ("reserve_p50_ms", "F3 on one licence at 200/s, p50 ms", "", ""),
    ("reserve_p99_ms", "F3 on one licence at 200/s, p99 ms", "< 25", ""),
    ("reserve_per_second", "F3/s on one licence, over HTTP", "", ""),
    ("reserve_alone_per_second", "  each its own transaction", "", ""),
    ("group_commit_ratio_http", "  ratio", "", ""),
    ("reserve_executor_per_second", "F3/s on one licence, executor alone", "", ""),
    ("reserve_executor_alone_per_second", "  each its own transaction", "", ""),
    ("group_commit_ratio", "  ratio", "≥ 6", ""),
    ("telemetry_ratio", "items/s, 1 % traced by traces off", "≥ 0.9", ""),
    ("telemetry_cpu_ratio", "  the same of processor time", "", ""),
    ("evidence_ratio", "movements/s, evidence kept by none", "≥ 0.9", ""),
    ("peak_memory_mb", "largest process, MB", "< 300", ""),
    ("cpu_us_per_declaration", "our CPU for one declaration, µs", "", ""),
    ("declaration_bytes", "a declaration in the database, bytes", "", ""),
    ("licence_bytes", "a licence in the database, bytes", "", ""),
)


def table(found: dict[str, Any]) -> str:
    """Figures, aims and the machine."""
    lines = [f"{'':36}{'measured':>12}{'aim':>10}{'mark':>10}"]
    for key, label, aim, mark in ROWS:
        if key in found:
            lines.append(f"{label:36}{_figure(found[key]):>12}{aim:>10}{mark:>10}")
    lines += ["", *(f"proven: {sentence}" for sentence in found.get("proven", ()))]
    lines += ["processes: " + "; ".join(found["processes"])]
    lines += ["machine: " + ", ".join(f"{name} {value}" for name, value in found["machine"].items())]
    if found["quick"]:
        lines += ["", "A quick run: the figures show that it works, not how fast it is."]
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
