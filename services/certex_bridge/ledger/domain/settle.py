"""Settling: the ledger effect of a declaration is `target(facts) - current`, group by group.

Two modes. AUTHORISE (`authorise.py`) may refuse, and the refusal is sticky for the facts it was made on. RECORD
(`record.py`) never refuses, because the goods were released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from certex_bridge.ledger.domain.authorise import authorise
from certex_bridge.ledger.domain.facts import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.members import ENDED_STATES, ClaimResult, Member, Settlement
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.model import NOTHING, ClaimKey, ClaimState, DeclarationState, Figures, LicenceState
from certex_bridge.ledger.domain.phases import Phase, amended_after, attempt_of, phase_of, released_figures
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.record import record
from certex_bridge.ledger.domain.room import Room, exceeded
from certex_bridge.ledger.domain.rules import Circumstances, Evaluation, evaluate
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.domain.steps import Step, steps_between

_AUTHORISED = frozenset({Phase.RESERVE, Phase.ADJUST, Phase.DROPPED})


class Settling:
    """One run over one declaration; reads locked rows, changes none of them."""

    def __init__(
        self,
        declaration: DeclarationState,
        licences: Mapping[str, LicenceState],
        policy: Policy,
        barred: frozenset[tuple[str, str, str, str]] = frozenset(),
    ) -> None:
        self._declaration = declaration
        self._licences = licences
        self._policy = policy
        self._barred = barred
        self._room = Room(licences)

    def run(self) -> Settlement:
        """Decide on every claim: groups that only give back first, so that later ones can use what they free."""
        payload = self._declaration.facts.payload
        if payload is None:
            return Settlement()
        settlement = Settlement()
        groups = self._groups(payload, settlement)
        groups.sort(key=lambda group: any(member.grows for member in group))
        for group in groups:
            settlement.results += self._settle_group(group)
        settlement.results.sort(key=lambda result: result.claim.key[1:])
        settlement.waiting_for = frozenset(
            result.claim.key.licence_id for result in settlement.results if _unknown(result)
        )
        return settlement

    # -- building the groups

    def _groups(self, payload: Payload, settlement: Settlement) -> list[list[Member]]:
        around = Circumstances(payload, self._declaration.facts, self._policy, self._barred)
        members = list(self._cited(payload, around))
        cited = {member.key for member in members}
        for key, claim in self._declaration.claims.items():
            if key in cited:
                continue
            if claim.holds:
                members.append(Member(key, claim, None, Phase.DROPPED, NOTHING, "dropped"))
            elif claim.state not in ENDED_STATES:
                settlement.obsolete.append(claim)
        if self._policy.settle_group is SettleGroup.DECLARATION:
            return [members] if members else []
        by_item: dict[int, list[Member]] = {}
        for member in members:
            by_item.setdefault(member.key.item, []).append(member)
        return list(by_item.values())

    def _cited(self, payload: Payload, around: Circumstances) -> Iterable[Member]:
        held_lines = {
            (key.item, key.doc_seq, key.licence_id): key.line_no
            for key, claim in self._declaration.claims.items()
            if claim.holds
        }
        for item in payload.items:
            for spec in item.claims:
                held_line = held_lines.get((item.number, spec.doc_seq, spec.licence_id), 0)
                yield self._member(spec, item, around, held_line)
        for spec in payload.header_claims:
            procedure = payload.items[0].procedure if payload.items else ""
            shipment = Item(0, procedure, "", payload.destination, "", None, None, None, (), ())
            yield self._member(spec, shipment, around, 0)

    def _member(self, spec: ClaimSpec, item: Item, around: Circumstances, held_line: int) -> Member:
        facts = self._declaration.facts
        seen = evaluate(spec, item, self._licences[spec.licence_id], around, held_line)
        key = ClaimKey(self._declaration.decl_id, item.number, spec.doc_seq, spec.licence_id, seen.line_no)
        current = self._declaration.claims.get(key)
        phase = phase_of(facts, item.number, current)
        if not seen.applicable and phase is not Phase.ENDED:
            return Member(key, current, seen, Phase.NOT_APPLICABLE, NOTHING, "")
        return Member(key, current, seen, phase, self._target(seen, phase), attempt_of(facts, item.number))

    def _target(self, seen: Evaluation, phase: Phase) -> Figures:
        if phase in (Phase.ENDED, Phase.CHECK) or (not seen.managed and not seen.waiting):
            return NOTHING
        if phase is Phase.RECORD:
            facts = self._declaration.facts
            release = last_word(facts, seen.item.number)
            if release is not None and release.figures is not None and not amended_after(facts, release):
                state = self._licences[seen.spec.licence_id]
                return released_figures(seen, release.figures, state, self._policy)
        return seen.declared.figures

    # -- deciding

    def _settle_group(self, group: list[Member]) -> list[ClaimResult]:
        if any(_waits(member) for member in group):
            return [_wait(member) for member in group]
        asking = [member for member in group if member.phase in _AUTHORISED]
        results = authorise(asking, self._room, self._policy) if asking else []
        for member in group:
            if member.phase is Phase.RECORD:
                results.append(record(member, self._room))
            elif member.phase is Phase.ENDED:
                results.append(self._end(member))
            elif member.phase in (Phase.CHECK, Phase.NOT_APPLICABLE):
                results.append(self._check(member))
        return results

    def _end(self, member: Member) -> ClaimResult:
        standing = declaration_state(self._declaration.facts)
        reason = Reason(standing if standing in ("INVALIDATED", "REJECTED", "NOT_PRESENTED") else "NOT_RELEASED")
        known = member.current
        if member.consumed != NOTHING:
            state, outcome = ClaimState.WITHDRAWN, Outcome.OK_WITHDRAWN
        elif member.reserved != NOTHING:
            state, outcome = ClaimState.UNRESERVED, Outcome.OK_UNRESERVED
        elif known is not None and known.state in ENDED_STATES:
            state, outcome = known.state, Outcome(known.outcome)
        else:
            state, outcome = ClaimState.CLOSED, Outcome.CLOSED
        claim = member.claim(state, outcome, reasons=(reason,))
        return ClaimResult(claim, member.evaluation, (reason,), (), self._give_back(member, Phase.ENDED))

    def _check(self, member: Member) -> ClaimResult:
        seen = member.evaluation
        if seen is None or member.phase is Phase.NOT_APPLICABLE:
            claim = member.claim(ClaimState.NOT_APPLICABLE, Outcome.OK_NOT_APPLICABLE)
            return ClaimResult(claim, seen, steps=self._give_back(member, Phase.DROPPED))
        asking = replace(member, phase=Phase.RESERVE, target=seen.declared.figures)
        short = self._room.short([asking]) if seen.managed and not seen.failed else {}
        reasons = seen.reasons + exceeded(asking, short)
        outcome = Outcome.REFUSED if reasons else Outcome.OK_AVAILABLE if seen.managed else Outcome.OK_NOT_MANAGED
        return ClaimResult(member.claim(ClaimState.CHECKED, outcome, reasons=reasons), seen, reasons)

    def _give_back(self, member: Member, phase: Phase) -> tuple[Step, ...]:
        """Everything the claim holds."""
        self._room.take(member, NOTHING)
        return steps_between(member.reserved, member.consumed, NOTHING, NOTHING, phase)


def _wait(member: Member) -> ClaimResult:
    """Some licence of the group is not known: nothing moves."""
    if member.evaluation is None and member.current is not None:
        return ClaimResult(member.current, None, changed=False)
    claim = member.claim(ClaimState.WAITING, Outcome.WAITING, member.reserved, member.consumed)
    if claim.holds and member.current is not None:
        claim.state = member.current.state
    return ClaimResult(claim, member.evaluation, member.reasons)


def _waits(member: Member) -> bool:
    return member.evaluation is not None and member.evaluation.waiting and member.phase.books


def _unknown(result: ClaimResult) -> bool:
    seen = result.evaluation
    return seen is not None and seen.waiting and result.claim.outcome == Outcome.WAITING
