"""The core beside the model under everything that can happen to it.

`CERTEX_SIMULATION_EXAMPLES` sets the number of histories of the long run, which is then random instead of fixed.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import LedgerMachine, WholeDeclarationMachine

CAMPAIGN = int(os.environ.get("CERTEX_SIMULATION_EXAMPLES", "0"))


def histories(count: int, *, fixed: bool = True, steps: int = 30) -> settings:
    """How many, and whether they are the same in every run."""
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        derandomize=fixed,
        database=None,
        deadline=None,
        # Without "explain", which traces every line and makes a history five times as long.
        phases=[Phase.generate, Phase.shrink],
        print_blob=not fixed,
        verbosity=Verbosity.quiet if fixed else Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(600)
@pytest.mark.row("E037", "E038", "E059", "E043", "E044", "E143", "E144")
def test_core_and_model_agree(request: pytest.FixtureRequest) -> None:
    run_state_machine_as_test(LedgerMachine, settings=histories(60))


@pytest.mark.timeout(600)
@pytest.mark.row("E064")
def test_core_and_model_agree_on_whole_declarations() -> None:
    run_state_machine_as_test(WholeDeclarationMachine, settings=histories(30))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [LedgerMachine, WholeDeclarationMachine])
def test_core_and_model_agree_for_long(machine: type[LedgerMachine]) -> None:
    run_state_machine_as_test(machine, settings=histories(CAMPAIGN or 100, fixed=not CAMPAIGN, steps=40))
