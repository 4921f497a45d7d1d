"""AUTHORISE: reserve and adjust; a group is granted whole or refused whole, and a refusal is sticky."""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.ledger.domain.members import ClaimResult, Member
from certex_bridge.ledger.domain.model import NOTHING, ClaimKey, ClaimState
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Incident, Outcome, Reason
from certex_bridge.ledger.domain.refusals import not_booked, standing_reasons
from certex_bridge.ledger.domain.room import Calls, Room, Shortage, exceeded, lines_of
from certex_bridge.ledger.domain.steps import Step, steps_between

Refusals = dict[ClaimKey, tuple[Reason, ...]]

GROUP_REFUSED = Reason("GROUP_REFUSED", "supportingDocument")


def authorise(group: Sequence[Member], room: Room, policy: Policy) -> list[ClaimResult]:
    """Decide on one group. Decreases alone always succeed; one refused increase refuses the group."""
    growing = any(member.grows for member in group)
    calls = room.calls(group) if growing else {}
    refusals = _refusals(group, room, room.short(calls))
    whole = bool(refusals) and (growing or policy.settle_group is SettleGroup.DECLARATION)
    results = []
    for member in group:
        bystander = whole and (growing or not (member.held != NOTHING or member.granted_before))
        if bystander or member.key in refusals:
            results.append(_refuse(member, refusals.get(member.key, ()), room))
        else:
            results.append(_grant(member, room, calls))
    return results


def _refusals(group: Sequence[Member], room: Room, short: Shortage) -> Refusals:
    """Who is refused for a reason of its own. On the same facts an increase gets the same answer, whatever the room."""
    sticky = any(member.grows and member.refused_before for member in group)
    found: Refusals = {}
    for member in group:
        without_limit = not member.managed and not member.grows
        if member.refused_before and (sticky or without_limit):
            found[member.key] = standing_reasons(member, short, room)
        elif without_limit:
            if _rejects(member):
                found[member.key] = member.reasons
        elif member.grows and not sticky and (reasons := member.reasons + exceeded(member, short)):
            found[member.key] = reasons
    return found


def _rejects(member: Member) -> bool:
    """A licence without limits can still be refused: suspended, out of date, of another type."""
    seen = member.evaluation
    judged = seen is not None and bool(seen.failed) and not seen.waiting
    return judged and member.phase.books and not member.granted_before


def _refuse(member: Member, reasons: tuple[Reason, ...], room: Room) -> ClaimResult:
    if member.evaluation is None:
        return keep(member, room, released=member.released)
    reasons = reasons or (GROUP_REFUSED,)
    incidents: tuple[Incident, ...] = ()
    if member.phase is Phase.ADJUST and member.grows:
        reasons = (not_booked("ADJUST_REFUSED", member, member.target, reasons, room), *reasons)
        incidents = (Incident.OVER_USE,)
    current = member.current
    claim = member.claim(ClaimState.REFUSED, Outcome.REFUSED, member.reserved, member.consumed, reasons)
    if claim.holds and current is not None:  # what it holds stays until customs decide
        claim.state, claim.requested, claim.uncovered = current.state, current.requested, current.uncovered
    return ClaimResult(claim, member.evaluation, reasons, incidents)


def keep(member: Member, room: Room, *, released: bool) -> ClaimResult:
    """A document no longer cited keeps what it holds, because what replaces it was not booked.

    Args:
        member: the claim of that document.
        room: told that nothing becomes free.
        released: the goods left on what is reserved, so it is consumed.
    """
    assert member.current is not None, "only a claim that exists can lose its citation"
    room.take(member, member.held)
    if not released or member.reserved == NOTHING:
        return ClaimResult(member.current, None, notes=(GROUP_REFUSED,), changed=False)
    steps = steps_between(member.reserved, member.consumed, NOTHING, member.held, Phase.RECORD)
    claim = member.claim(ClaimState.CONSUMED, Outcome.OK_CONSUMED, NOTHING, member.held)
    return ClaimResult(claim, None, steps=steps, notes=(GROUP_REFUSED,))


def give_back(member: Member, room: Room) -> ClaimResult:
    """A document no longer cited holds nothing any more."""
    room.take(member, NOTHING)
    withdrawn = member.consumed != NOTHING
    state = ClaimState.WITHDRAWN if withdrawn else ClaimState.UNRESERVED
    outcome = Outcome.OK_WITHDRAWN if withdrawn else Outcome.OK_UNRESERVED
    steps = steps_between(member.reserved, member.consumed, NOTHING, NOTHING, Phase.DROPPED)
    return ClaimResult(member.claim(state, outcome), None, steps=steps)


def _grant(member: Member, room: Room, calls: Calls) -> ClaimResult:
    if not member.managed:
        # Amended after release, customs wait no longer: the claim must not open again for status pushes.
        state = ClaimState.CONSUMED if member.phase is Phase.ADJUST else ClaimState.NOT_MANAGED
        return ClaimResult(member.claim(state, Outcome.OK_NOT_MANAGED), member.evaluation)
    if member.phase is Phase.DROPPED:
        return give_back(member, room)
    incidents: tuple[Incident, ...] = ()
    reserved = consumed = NOTHING
    if member.phase is Phase.RESERVE:
        reserved, state = member.target, ClaimState.RESERVED
    else:
        consumed, state = member.target, ClaimState.CONSUMED
        incidents = (Incident.POST_RELEASE_INCREASE,) if _more_in_use(member, calls) else ()
    steps = steps_between(member.reserved, member.consumed, reserved, consumed, member.phase)
    claim = member.claim(state, _granted(member, steps), reserved, consumed)
    room.take(member, reserved.plus(consumed))
    return ClaimResult(claim, member.evaluation, (), incidents, steps)


def _more_in_use(member: Member, calls: Calls) -> bool:
    """Whether more of the licence is in use than before; goods that only change their place are no increase."""
    if not member.grows:
        return False
    lines = lines_of(member.key.line_no)
    mine = [call for key, call in calls.items() if key[0] == member.key.licence_id and key[1] in lines]
    return any(call.asked > call.held for call in mine)


_STANDING = (Outcome.OK_RESERVED, Outcome.OK_ADJUSTED, Outcome.OK_CONSUMED)


def _granted(member: Member, steps: tuple[Step, ...]) -> Outcome:
    if not steps and member.current is not None and member.current.outcome in _STANDING:
        return Outcome(member.current.outcome)
    if member.phase is Phase.RESERVE:
        return Outcome.OK_ADJUSTED if member.held != NOTHING else Outcome.OK_RESERVED
    return Outcome.OK_ADJUSTED
