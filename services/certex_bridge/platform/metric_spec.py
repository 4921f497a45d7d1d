"""What describes a metric: kind, labels, meaning, and what to do about it."""

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


def counter(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    """Describe a counter."""
    return MetricSpec("counter", name, help_text, action, labels)


def gauge(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    """Describe a gauge."""
    return MetricSpec("gauge", name, help_text, action, labels)


def measured(name: str, help_text: str, action: str, *labels: str) -> MetricSpec:
    """Describe a gauge that is exposed from its first measurement on."""
    return MetricSpec("gauge", name, help_text, action, labels, measured=True)


def histogram(name: str, help_text: str, action: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> MetricSpec:
    """Describe a histogram."""
    return MetricSpec("histogram", name, help_text, action, labels, buckets)
