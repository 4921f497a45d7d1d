"""How many histories are played, with which seed, and how many steps they came to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, settings

CAMPAIGN = int(os.environ.get("CERTEX_SIMULATION_EXAMPLES", "0"))
"""Histories of the long run of `make test-slow`."""


@dataclass
class Steps:
    """Counts the steps of all histories, those included that only make a found one smaller."""

    made: int = 0


_STEPS = Steps()


def step_made() -> None:
    """One step was made, and core and model agreed."""
    _STEPS.made += 1


@contextmanager
def counted() -> Iterator[Steps]:
    """Count from nothing."""
    _STEPS.made = 0
    yield _STEPS


def histories(count: int, *, steps: int = 30) -> settings:
    """How many, and how long at most."""
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        # Without "explain", which traces every line and makes a history five times as long.
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )
