"""AUTHORISE: reserve and adjust; a group is granted whole or refused whole, and a refusal is sticky."""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.members import ClaimResult, Member
from certex_bridge.ledger.domain.model import NOTHING, ClaimKey, ClaimState
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Incident, Outcome, Reason
from certex_bridge.ledger.domain.room import Room, exceeded
from certex_bridge.ledger.domain.steps import Step, steps_between

Refusals = dict[ClaimKey, tuple[Reason, ...]]


def authorise(group: Sequence[Member], room: Room, policy: Policy) -> list[ClaimResult]:
    """Decide on one group. Decreases alone always succeed; one refused increase refuses the group."""
    growing = [member for member in group if member.grows]
    refusals = _refusals(group, growing, room)
    for member in group:
        if not member.grows and _rejects_unmanaged(member):
            refusals[member.key] = member.reasons
    if refusals and (growing or policy.settle_group is SettleGroup.DECLARATION):
        return [_refuse(member, refusals.get(member.key, ())) for member in group]
    return [
        _refuse(member, refusals[member.key]) if member.key in refusals else _grant(member, room) for member in group
    ]


def _refusals(group: Sequence[Member], growing: Sequence[Member], room: Room) -> Refusals:
    if any(member.refused_before for member in growing):  # sticky: the same facts get the same answer
        return {member.key: member.stored_reasons for member in group if member.refused_before}
    if not growing:
        return {}
    short = room.short(group)
    return {member.key: reasons for member in growing if (reasons := member.reasons + exceeded(member, short))}


def _rejects_unmanaged(member: Member) -> bool:
    """A licence without limits can still be refused: suspended, out of date, of another type."""
    seen = member.evaluation
    return seen is not None and not seen.managed and bool(seen.failed) and not seen.waiting and member.phase.books


def _refuse(member: Member, reasons: tuple[Reason, ...]) -> ClaimResult:
    reasons = reasons or (Reason("GROUP_REFUSED", "supportingDocument"),)
    incidents: tuple[Incident, ...] = ()
    if member.phase is Phase.ADJUST and member.grows:
        reasons = (Reason("ADJUST_REFUSED", "quantity", format_decimal(member.target.quantity)), *reasons)
        incidents = (Incident.OVER_USE,)
    current = member.current
    if member.evaluation is None and current is not None:
        return ClaimResult(current, None, reasons, changed=False)
    claim = member.claim(ClaimState.REFUSED, Outcome.REFUSED, member.reserved, member.consumed, reasons)
    if claim.holds and current is not None:  # what it holds stays until customs decide
        claim.state, claim.requested = current.state, current.requested
    return ClaimResult(claim, member.evaluation, reasons, incidents)


def _grant(member: Member, room: Room) -> ClaimResult:
    if not member.managed:
        return ClaimResult(member.claim(ClaimState.NOT_MANAGED, Outcome.OK_NOT_MANAGED), member.evaluation)
    incidents: tuple[Incident, ...] = ()
    reserved = consumed = NOTHING
    if member.phase is Phase.RESERVE:
        reserved, state = member.target, ClaimState.RESERVED
    elif member.phase is Phase.ADJUST:
        consumed, state = member.target, ClaimState.CONSUMED
        incidents = (Incident.POST_RELEASE_INCREASE,) if member.grows else ()
    else:
        state = ClaimState.WITHDRAWN if member.consumed != NOTHING else ClaimState.UNRESERVED
    steps = steps_between(member.reserved, member.consumed, reserved, consumed, member.phase)
    claim = member.claim(state, _granted(member, steps, state), reserved, consumed)
    room.take(member, reserved.plus(consumed))
    return ClaimResult(claim, member.evaluation, (), incidents, steps)


_STANDING = (Outcome.OK_RESERVED, Outcome.OK_ADJUSTED, Outcome.OK_CONSUMED)


def _granted(member: Member, steps: tuple[Step, ...], state: ClaimState) -> Outcome:
    if member.phase is Phase.DROPPED:
        return Outcome.OK_WITHDRAWN if state is ClaimState.WITHDRAWN else Outcome.OK_UNRESERVED
    if not steps and member.current is not None and member.current.outcome in _STANDING:
        return Outcome(member.current.outcome)
    if member.phase is Phase.RESERVE:
        return Outcome.OK_ADJUSTED if member.reserved != NOTHING else Outcome.OK_RESERVED
    return Outcome.OK_ADJUSTED
