"""Many generated histories until so many steps are made, or core and model differ: `make simulation STEPS=200000`.

Every round has a seed of its own, printed before it begins; `SEED=…` begins with that one again.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import traceback
from collections.abc import Callable

import hypothesis
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.simulation.machine import LedgerMachine, WholeDeclarationMachine
from tests.simulation.settings import counted, histories
from tests.simulation.test_instruments import InstrumentMachine
from tests.simulation.test_orders import play_orders


def machine(kind: type[RuleBasedStateMachine]) -> Callable[[int], None]:
    """A round with a machine: core and model side by side."""
    return lambda seed: run_state_machine_as_test(hypothesis.seed(seed)(kind), settings=histories(HISTORIES, steps=40))


ROUNDS: dict[str, Callable[[int], None]] = {
    "items": machine(LedgerMachine),
    "items again": machine(LedgerMachine),
    "declarations": machine(WholeDeclarationMachine),
    "instruments": machine(InstrumentMachine),
    "orders": lambda seed: play_orders(2 * HISTORIES, seed),
}
"""What is played in turn; which one follows from the seed, so that a seed alone plays its round again."""
HISTORIES = 50
"""In one round, of forty steps each."""


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Play rounds; 1 when core and model differ."""
    parser = argparse.ArgumentParser(prog="make simulation", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first round; 0: a random one")
    parser.add_argument("--shrink", type=int, default=300, help="seconds at most for making the example small")
    asked = parser.parse_args()
    engine.MAX_SHRINKING_SECONDS = asked.shrink
    seed, made, began = asked.seed or secrets.randbits(32), 0, time.monotonic()
    number = 0
    while made < asked.steps:
        name = list(ROUNDS)[seed % len(ROUNDS)]
        say(f"round {number}: {name} SEED={seed}")
        with counted() as steps:
            try:
                ROUNDS[name](seed)
            except Exception as error:  # noqa: BLE001  # whatever it is, it ends the run
                traceback.print_exception(error, limit=-6)
                say(f"DIFFERENCE after {made + steps.made} steps: make simulation SEED={seed}")
                return 1
        made += steps.made
        seed, number = seed + 1, number + 1
        say(f"{made} steps without a difference, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
