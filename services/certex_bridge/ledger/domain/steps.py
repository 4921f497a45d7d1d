"""Which verbs of the journal lead from one state of a claim to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.ledger.domain.model import NOTHING, Figures, Kind

if TYPE_CHECKING:
    from certex_bridge.ledger.domain.phases import Phase


class Step(NamedTuple):
    """One verb with its change of reserved and consumed figures."""

    kind: Kind
    d_reserved: Figures
    d_consumed: Figures
    detail: str = ""
    """Who decided it, why and on what evidence, for verbs that a person answers for."""


def steps_between(
    reserved: Figures, consumed: Figures, new_reserved: Figures, new_consumed: Figures, phase: Phase
) -> tuple[Step, ...]:
    """At most one step per verb; quantity and value move together (rule R2)."""
    if new_reserved == reserved and new_consumed == consumed:
        return ()
    grown = new_consumed.minus(consumed)
    freed = reserved.minus(new_reserved)
    if new_consumed == NOTHING and new_reserved == NOTHING:
        return _giving_back(reserved, consumed)
    if phase == "RECORD" and consumed == NOTHING:
        return _consuming(reserved, grown)
    if phase == "RESERVE" and reserved == NOTHING and consumed == NOTHING:
        return (Step(Kind.RESERVE, new_reserved, NOTHING),)
    return (Step(Kind.ADJUST, freed.negative(), grown),)


def _giving_back(reserved: Figures, consumed: Figures) -> tuple[Step, ...]:
    steps = []
    if reserved != NOTHING:
        steps.append(Step(Kind.UNRESERVE, reserved.negative(), NOTHING))
    if consumed != NOTHING:
        steps.append(Step(Kind.WITHDRAW, NOTHING, consumed.negative()))
    return tuple(steps)


def _consuming(reserved: Figures, grown: Figures) -> tuple[Step, ...]:
    """Consume what was released; a reservation beyond it returns in a step of its own."""
    from_reserved = reserved.at_most(grown)
    left = reserved.minus(from_reserved)
    steps = [Step(Kind.CONSUME, from_reserved.negative(), grown)] if grown != NOTHING else []
    if left != NOTHING:
        steps.append(Step(Kind.UNRESERVE, left.negative(), NOTHING))
    return tuple(steps)
