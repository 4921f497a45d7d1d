"""OVERRIDE: an officer of customs decides by hand, and the ledger books as told (IR 2024/2145 Art. 8).

Availability, status and validity do not stand against it, so use beyond a limit can come of it and of nothing else
but a lowered limit. It governs its document until customs change the content. What it cannot do is make figures: in
another unit than the line's, or without a line, there is nothing to book, and the ordinary rules say so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.facts import ALL_DOCUMENTS, ALL_ITEMS, Decision, Facts, Override
from certex_bridge.ledger.domain.issuers import claims_of
from certex_bridge.ledger.domain.members import REFUSED_OUTCOMES, ClaimResult, Member
from certex_bridge.ledger.domain.model import NOTHING, ClaimState, Figures, Kind
from certex_bridge.ledger.domain.phases import Phase, changed_after
from certex_bridge.ledger.domain.reasons import Answerable, Incident, Outcome, Reason, Rule
from certex_bridge.ledger.domain.record import uncovered_reasons
from certex_bridge.ledger.domain.room import Room, exceeded
from certex_bridge.ledger.domain.steps import Step, steps_between

FIGURE_SOURCE = "OVERRIDE"
"""Where a claim's figure came from when the officer told it."""

_RELEASED = (Phase.RECORD, Phase.ADJUST)
_RULED = (Phase.RESERVE, *_RELEASED)
"""Phases in which an officer's word counts: what has ended gives back, whatever was decided before."""


def governing(facts: Facts, item: int, doc_seq: int) -> Override | None:
    """The officer's last word on a document that still counts: named, or for its item, or for the declaration."""
    found: Override | None = None
    for override in facts.overrides:
        covers = override.item in (ALL_ITEMS, item) and override.doc_seq in (ALL_DOCUMENTS, doc_seq)
        if covers and (found is None or override.stamp > found.stamp):
            found = override
    return None if found is None or changed_after(facts, found.stamp) else found


def as_told(spec: ClaimSpec, override: Override) -> ClaimSpec:
    """The document with the officer's figures; what was wrong with a declared figure goes with it."""
    if override.decision is not Decision.AMEND:
        return spec
    replaced = {"quantity": override.quantity is not None, "value": override.value is not None}
    return replace(
        spec,
        quantity=override.quantity or spec.quantity,
        value=override.value or spec.value,
        findings=tuple([one for one in spec.findings if not replaced.get(one.field.rpartition(".")[2], False)]),
    )


def attempt_with(attempt: str, override: Override) -> str:
    """What a decision rests on when the officer's word is known and nothing is booked on it."""
    return f"{attempt}|told:{_tag(override)}"


def _booked_with(attempt: str, override: Override) -> str:
    return f"{attempt.rpartition('|')[0]}|by-hand:{_tag(override)}"


def _tag(override: Override) -> str:
    return f"{override.stamp.occurred_at.isoformat()}/{override.stamp.event_id}"


def applies(member: Member, override: Override) -> bool:
    """Whether the officer's word can be booked as it stands: a figure in the line's unit, on a line that is known."""
    seen = member.evaluation
    if seen is None or member.phase not in _RULED:
        return False
    if override.decision is Decision.REFUSE:
        return True
    # A licence that can never be found, and one cited for the shipment as a whole, have no claim to book on.
    nowhere = member.key.item == ALL_ITEMS or (seen.hopeless and Rule.LICENCE not in seen.passed)
    return not (nowhere or seen.waiting or seen.unplaced or seen.declared.problems or member.problems)


def govern(member: Member, override: Override) -> None:
    """Let the officer's word count for this claim."""
    member.override = override
    member.attempt = _booked_with(member.attempt, override)
    if override.decision is Decision.AMEND and member.evaluation is not None:
        member.evaluation.declared.source = FIGURE_SOURCE


def names_nothing(override: Override, payload: Payload) -> bool:
    """Whether the declaration has no such document."""
    return not any(
        override.item in (ALL_ITEMS, spec.item) and override.doc_seq in (ALL_DOCUMENTS, spec.doc_seq)
        for spec in claims_of(payload)
    )


def unknown_documents(overrides: Sequence[Override], payload: Payload) -> tuple[Finding, ...]:
    """One finding for each decision on a document that the declaration does not have."""
    return tuple(
        Finding("CLAIM_UNKNOWN", "items", f"{one.item}.{one.doc_seq}", Reason("CLAIM_UNKNOWN").sentence)
        for one in overrides
        if names_nothing(one, payload)
    )


def decide(member: Member, room: Room) -> ClaimResult:
    """Book what the officer told about one claim."""
    override = member.override
    assert override is not None
    if override.decision is Decision.REFUSE:
        return _refuse(member, override, room)
    if not member.managed:
        state = ClaimState.CONSUMED if member.phase in _RELEASED else ClaimState.NOT_MANAGED
        claim = member.claim(state, Outcome.OK_OVERRIDDEN)
        incidents = _incident(member, override)
        return ClaimResult(claim, member.evaluation, incidents=incidents, by=_answerable(override))
    if member.phase not in _RELEASED:
        return _book(member, override, room, member.target, NOTHING, NOTHING)
    covered, uncovered = _released(member, room)
    return _book(member, override, room, NOTHING, covered, uncovered)


def _released(member: Member, room: Room) -> tuple[Figures, Figures]:
    """What was released, as far as the officer's figure or what is held goes; more than that by the ordinary rules."""
    assert member.evaluation is not None
    allowed, held, target = member.evaluation.declared.figures, member.held, member.target
    ceiling = Figures(max(allowed.quantity, held.quantity), max(allowed.value, held.value))
    covered = target.at_most(ceiling)
    if covered == target or not (member.reasons or member.refused_before or room.short(room.calls([member]))):
        return target, NOTHING
    return covered, target.minus(covered)


def _book(  # a claim, where it draws on, and its three figures
    member: Member, override: Override, room: Room, reserved: Figures, consumed: Figures, uncovered: Figures
) -> ClaimResult:
    after = reserved.plus(consumed)
    short = room.short(room.calls([member]))
    steps = _steps(member, override, reserved, consumed)
    state = ClaimState.RESERVED if member.phase not in _RELEASED else ClaimState.CONSUMED
    claim = member.claim(state, _outcome(member, override, steps), reserved, consumed)
    incidents = _incident(member, override)
    # Of a decision that goes beyond the limit, how far is said although nothing is refused.
    reasons = exceeded(member, short)
    if uncovered != NOTHING:
        reasons = uncovered_reasons(member, uncovered, room, short)
        claim.state, claim.outcome, claim.uncovered = ClaimState.UNCOVERED, Outcome.UNCOVERED, uncovered
        claim.reasons = tuple([reason.code for reason in reasons])
        incidents = (*incidents, Incident.UNCOVERED)
    room.take(member, after)
    return ClaimResult(claim, member.evaluation, reasons, incidents, steps, by=_answerable(override))


def _refuse(member: Member, override: Override, room: Room) -> ClaimResult:
    reason = Reason("OVERRIDE_REFUSED", "supportingDocument")
    room.take(member, NOTHING)
    claim = member.claim(ClaimState.REFUSED, Outcome.REFUSED, reasons=(reason,))
    steps = _steps(member, override, NOTHING, NOTHING)
    incidents = _incident(member, override)
    return ClaimResult(claim, member.evaluation, (reason,), incidents, steps, by=_answerable(override))


def _steps(member: Member, override: Override, reserved: Figures, consumed: Figures) -> tuple[Step, ...]:
    """One step for what the officer moves; what customs release afterwards of it are the everyday verbs."""
    after = reserved.plus(consumed)
    grows = after.quantity > member.held.quantity or after.value > member.held.value
    if _booked(member, override) and not grows:
        return steps_between(member.reserved, member.consumed, reserved, consumed, member.phase)
    d_reserved, d_consumed = reserved.minus(member.reserved), consumed.minus(member.consumed)
    if d_reserved == NOTHING == d_consumed:
        return ()
    return (Step(Kind.OVERRIDE, d_reserved, d_consumed, detail(override)),)


def _outcome(member: Member, override: Override, steps: tuple[Step, ...]) -> Outcome:
    known = member.current
    if known is None or not _booked(member, override) or any(step.kind is Kind.OVERRIDE for step in steps):
        return Outcome.OK_OVERRIDDEN
    if not steps and known.outcome not in REFUSED_OUTCOMES:
        return Outcome(known.outcome)
    adjusted = bool(steps) and all(step.kind in (Kind.ADJUST, Kind.WITHDRAW) for step in steps)
    return Outcome.OK_ADJUSTED if adjusted else Outcome.OK_CONSUMED


def _booked(member: Member, override: Override) -> bool:
    """Whether this very decision was booked before."""
    return member.current is not None and member.current.attempt.endswith(f"|by-hand:{_tag(override)}")


def _incident(member: Member, override: Override) -> tuple[Incident, ...]:
    return () if _booked(member, override) else (Incident.OVERRIDDEN,)


def _answerable(override: Override) -> Answerable:
    return Answerable(override.officer, override.reason)


def detail(override: Override) -> str:
    """Who decided what, why and on what evidence, for the journal: canonical JSON."""
    told: dict[str, object] = {
        "decision": override.decision.value,
        "officer": override.officer,
        "reason": override.reason,
    }
    if override.evidence is not None:
        told["evidence"] = override.evidence.document()
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
