"""RECORD: the goods have left, and what has happened is written down, whatever the licence says by now.

What a reservation covers is consumed, always. An uncovered rest is consumed only if it fits and every rule passes;
else it is booked nowhere and becomes an incident, never an overdraft.
"""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.ledger.domain.authorise import give_back, keep
from certex_bridge.ledger.domain.members import ClaimResult, Member
from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimState, Figures, Kind
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.reasons import Incident, Outcome, Reason, Rule
from certex_bridge.ledger.domain.refusals import not_booked, standing_reasons
from certex_bridge.ledger.domain.room import Room, Shortage, exceeded
from certex_bridge.ledger.domain.steps import Step, steps_between


def record_all(
    group: Sequence[Member], dropped: Sequence[Member], room: Room, *, complete: bool = True
) -> list[ClaimResult]:
    """Consume what was released of one group.

    Args:
        group: the claims of released items.
        dropped: documents no longer cited that still hold something; they give it back only when all that replaces
            them is covered, else the goods left on them.
        room: what is available.
        complete: False when some claim of the group cannot be recorded yet.
    """
    steady = [member for member in group if not member.grows]
    growing = [member for member in group if member.grows]
    results = [_record(member, room, fits=True, short={}) for member in steady]
    short = room.short(room.calls([*growing, *dropped])) if growing else {}
    sound = all(_sound(member) for member in growing)
    covered = not any(result.claim.state is ClaimState.UNCOVERED for result in results)
    if complete and covered and sound and not short:
        results += [give_back(member, room) for member in dropped]
        return results + [_record(member, room, fits=True, short={}) for member in growing]
    for member in growing:
        short = room.short(room.calls([member]))
        results.append(_record(member, room, fits=_sound(member) and not short, short=short))
    return results + [keep(member, room, released=True) for member in dropped]


def _sound(member: Member) -> bool:
    """Whether only room decides about it."""
    return not (member.reasons or member.problems or member.refused_before)


def _record(member: Member, room: Room, *, fits: bool, short: Shortage) -> ClaimResult:
    if not member.managed:
        return _record_unmanaged(member, room)
    covered = member.target.at_most(member.held)
    rest = member.target.minus(covered)
    consumed, uncovered = (member.target, NOTHING) if fits else (covered, rest)
    if member.problems:
        # No figure in the account's unit was told: what is held is all that can be said to have left.
        consumed, uncovered = member.held, NOTHING
    steps = steps_between(member.reserved, member.consumed, NOTHING, consumed, Phase.RECORD)
    reasons = () if fits else uncovered_reasons(member, uncovered, room, short)
    claim = member.claim(ClaimState.CONSUMED, _outcome(member, steps), NOTHING, consumed, reasons)
    if not fits:
        claim.state, claim.outcome, claim.uncovered = ClaimState.UNCOVERED, Outcome.UNCOVERED, uncovered
    room.take(member, consumed)
    return ClaimResult(claim, member.evaluation, reasons, _incidents(member, claim, rest), steps)


def uncovered_reasons(member: Member, uncovered: Figures, room: Room, short: Shortage) -> tuple[Reason, ...]:
    """Why a part of what was released is booked nowhere; what was said of it before stays said."""
    causes = (*member.reasons, *exceeded(member, short))
    if member.refused_before:
        given = {reason.code for reason in causes}
        causes += tuple(reason for reason in standing_reasons(member, short, room) if reason.code not in given)
    return (not_booked("UNCOVERED", member, uncovered, causes, room), *causes)


def _record_unmanaged(member: Member, room: Room) -> ClaimResult:
    if member.refused_before:
        blocking = standing_reasons(member, {}, room)
    else:
        blocking = tuple(reason for reason in member.reasons if reason.code != "NOT_FOUND")
    if blocking and not member.granted_before:
        claim = member.claim(ClaimState.UNCOVERED, Outcome.UNCOVERED, reasons=blocking)
        return ClaimResult(claim, member.evaluation, blocking, (Incident.UNCOVERED,))
    # Nothing is written off, but customs wait no longer: the claim must not stay open for status pushes.
    return ClaimResult(member.claim(ClaimState.CONSUMED, Outcome.OK_NOT_MANAGED), member.evaluation)


def _outcome(member: Member, steps: tuple[Step, ...]) -> Outcome:
    if not steps:  # nothing moves: an adjustment that was told stays told
        adjusted = member.current is not None and member.current.outcome == Outcome.OK_ADJUSTED
    else:
        adjusted = all(step.kind in (Kind.ADJUST, Kind.WITHDRAW) for step in steps)
    return Outcome.OK_ADJUSTED if adjusted else Outcome.OK_CONSUMED


_NO_BLOCK = ("STATUS_EXHAUSTED", "STATUS_FROZEN")
"""Neither is the authority's will: one is use, the other our own doubt."""


def _incidents(member: Member, claim: Claim, rest: Figures) -> tuple[Incident, ...]:
    found: list[Incident] = []
    if claim.state is ClaimState.UNCOVERED:
        found.append(Incident.UNCOVERED)
    elif NOTHING not in (rest, member.reserved):
        found.append(Incident.RELEASED_MORE)
    seen = member.evaluation
    blocked = seen is not None and any(r is Rule.STATUS and why.code not in _NO_BLOCK for r, why in seen.failed)
    if blocked and member.reserved != NOTHING:
        found.append(Incident.RELEASED_ON_BLOCKED)
    return tuple(found)
