"""What a PromQL expression asks for."""

from __future__ import annotations

from typing import Any

import promql_parser

from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.metric_spec import PREFIX

SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
OURS = {PREFIX + spec.name + suffix for spec in CATALOGUE for suffix in SUFFIXES[spec.kind]}
GENERAL = {
    "up", "scrape_samples_scraped", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
    "process_max_fds", "process_start_time_seconds", "python_gc_collections_total",
}  # fmt: skip
"""Of Prometheus itself and of every Python process."""


def metrics_of(expression: str) -> set[str]:
    """Names of the series an expression reads, from the parser's own tree."""
    found: set[str] = set()
    _collect(promql_parser.parse(expression), found)
    return found


def _collect(node: Any, found: set[str]) -> None:
    if isinstance(node, promql_parser.VectorSelector):
        found.add(node.name)
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if (inner := getattr(node, part, None)) is not None:
            _collect(inner, found)
    for argument in getattr(node, "args", None) or ():
        _collect(argument, found)


def known(name: str) -> bool:
    """Whether somebody tells this series."""
    return (
        name in OURS | GENERAL | {"ALERTS"} or name.startswith("slo:") or name in {PREFIX + s.name for s in CATALOGUE}
    )
