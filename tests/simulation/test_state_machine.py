"""The core beside the model under everything that can happen to it.

A slice of new histories for every commit: its seed is printed, and `CERTEX_SIMULATION_SEED` plays it again. `make
simulation` goes on for as long as one likes.
"""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.simulation.machine import LedgerMachine, WholeDeclarationMachine
from tests.simulation.settings import CAMPAIGN, histories
from tests.support.simulation_seed import SEED


def play(machine: type[RuleBasedStateMachine], count: int, *, steps: int = 30) -> None:
    """So many histories of this run's seed; it is said with every difference."""
    seed = int(os.environ[SEED])
    try:
        run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=histories(count, steps=steps))
    except Exception as error:
        error.add_note(f"{SEED}={seed} plays these histories again.")
        raise


@pytest.mark.timeout(600)
@pytest.mark.row("E037", "E038", "E059", "E043", "E044", "E143", "E144")
def test_core_and_model_agree() -> None:
    play(LedgerMachine, 60)


@pytest.mark.timeout(600)
@pytest.mark.row("E064")
def test_core_and_model_agree_on_whole_declarations() -> None:
    play(WholeDeclarationMachine, 30)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [LedgerMachine, WholeDeclarationMachine])
def test_core_and_model_agree_for_long(machine: type[RuleBasedStateMachine]) -> None:
    play(machine, CAMPAIGN or 100, steps=40)
