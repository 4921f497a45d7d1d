"""RECORD: the goods have left, and what has happened is written down, whatever the licence says by now.

What a reservation covers is consumed, always. An uncovered rest is consumed only if it fits and every rule passes;
else it is booked nowhere and becomes an incident, never an overdraft.
"""

from __future__ import annotations

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.members import ClaimResult, Member
from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimState, Figures, Kind
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.reasons import Incident, Outcome, Reason, Rule
from certex_bridge.ledger.domain.room import Room
from certex_bridge.ledger.domain.steps import Step, steps_between


def record(member: Member, room: Room) -> ClaimResult:
    """Consume what was released."""
    if not member.managed:
        return _record_unmanaged(member)
    covered = member.target.at_most(member.held)
    rest = member.target.minus(covered)
    fits = rest == NOTHING or (not member.reasons and not member.refused_before and room.fits(member))
    consumed, uncovered = (member.target, NOTHING) if fits else (covered, rest)
    if member.evaluation is not None and member.evaluation.declared.problems:
        # No figure in the account's unit was declared: what is held is all that can be said to have left.
        consumed, uncovered, fits = member.held, NOTHING, member.held != NOTHING
    steps = steps_between(member.reserved, member.consumed, NOTHING, consumed, Phase.RECORD)
    reasons = () if fits else (Reason("UNCOVERED", "quantity", _text(uncovered)), *member.reasons, *_before(member))
    claim = member.claim(ClaimState.CONSUMED, _outcome(member, steps), NOTHING, consumed, reasons)
    if not fits:
        claim.state, claim.outcome, claim.uncovered = ClaimState.UNCOVERED, Outcome.UNCOVERED, uncovered
    room.take(member, consumed)
    return ClaimResult(claim, member.evaluation, reasons, _incidents(member, claim, rest), steps)


def _record_unmanaged(member: Member) -> ClaimResult:
    blocking = tuple(reason for reason in member.reasons if reason.code != "NOT_FOUND")
    if blocking:
        claim = member.claim(ClaimState.UNCOVERED, Outcome.UNCOVERED, reasons=blocking)
        return ClaimResult(claim, member.evaluation, blocking, (Incident.UNCOVERED,))
    # Nothing is written off, but customs wait no longer: the claim must not stay open for status pushes.
    return ClaimResult(member.claim(ClaimState.CONSUMED, Outcome.OK_NOT_MANAGED), member.evaluation)


def _before(member: Member) -> tuple[Reason, ...]:
    """The reasons of the refusal that stands, unless the rules give them again."""
    if not member.refused_before:
        return ()
    given = {reason.code for reason in member.reasons}
    return tuple(reason for reason in member.stored_reasons if reason.code not in given)


def _outcome(member: Member, steps: tuple[Step, ...]) -> Outcome:
    if not steps:  # nothing moves: an adjustment that was told stays told
        adjusted = member.current is not None and member.current.outcome == Outcome.OK_ADJUSTED
    else:
        adjusted = all(step.kind is Kind.ADJUST for step in steps)
    return Outcome.OK_ADJUSTED if adjusted else Outcome.OK_CONSUMED


def _incidents(member: Member, claim: Claim, rest: Figures) -> tuple[Incident, ...]:
    found: list[Incident] = []
    if claim.state is ClaimState.UNCOVERED:
        found.append(Incident.UNCOVERED)
    elif NOTHING not in (rest, member.reserved):
        found.append(Incident.RELEASED_MORE)
    blocked = member.evaluation is not None and any(
        rule is Rule.STATUS and reason.code != "STATUS_EXHAUSTED" for rule, reason in member.evaluation.failed
    )
    if blocked and member.reserved != NOTHING:
        found.append(Incident.RELEASED_ON_BLOCKED)
    return tuple(found)


def _text(figures: Figures) -> str:
    return format_decimal(figures.quantity or figures.value)
