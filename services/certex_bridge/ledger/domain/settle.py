"""Settling: the ledger effect of a declaration is `target(facts) - current`, group by group.

Two modes. AUTHORISE (`authorise.py`) may refuse, and the refusal is sticky for the facts it was made on. RECORD
(`record.py`) never refuses, because the goods were released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from certex_bridge.ledger.domain.authorise import authorise, keep
from certex_bridge.ledger.domain.groups import Grouping
from certex_bridge.ledger.domain.members import ENDED_STATES, REFUSED_OUTCOMES, ClaimResult, Member, Settlement
from certex_bridge.ledger.domain.model import NOTHING, ClaimState, DeclarationState, LicenceState
from certex_bridge.ledger.domain.override import decide
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.record import record_all
from certex_bridge.ledger.domain.room import Room, exceeded
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.domain.steps import Step, steps_between


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
        self._policy = policy
        self._grouping = Grouping(declaration, licences, policy, barred)
        self._room = Room(licences)

    def run(self) -> Settlement:
        """Decide on every claim: groups that give back more than they take first, so that others can use the rest."""
        payload = self._declaration.facts.payload
        if payload is None:
            return Settlement()
        settlement = Settlement()
        groups = self._grouping.groups(payload, settlement)
        if len(groups) > 1:
            groups.sort(key=self._demand)
        for group in groups:
            settlement.results += self._settle_group(group)
        settlement.results.sort(key=lambda result: result.claim.key[1:])
        settlement.waiting_for = frozenset(
            result.claim.key.licence_id for result in settlement.results if _unknown(result)
        )
        return settlement

    def _demand(self, group: list[Member]) -> int:
        """0: every claim stays or shrinks; 1: what grows stands on what shrinks; 2: more is asked than is held."""
        if self._declaration.facts.overrides:  # an officer's decision asks for nothing, it takes
            group = [member for member in group if member.override is None]
        if not any(member.grows for member in group):
            return 0
        return 2 if any(call.asked > call.held for call in self._room.calls(group).values()) else 1

    def _settle_group(self, group: list[Member]) -> list[ClaimResult]:
        if not self._declaration.facts.overrides:
            return self._settle_asked(group)
        results = [decide(member, self._room) for member in group if member.override is not None]
        rest = [member for member in group if member.override is None]
        if any(result.claim.outcome in REFUSED_OUTCOMES for result in results):
            # What a document no longer cited holds is free only when all that replaces it is covered.
            results += [keep(one, self._room, released=one.released) for one in rest if one.phase is Phase.DROPPED]
            rest = [member for member in rest if member.phase is not Phase.DROPPED]
        return results + (self._settle_asked(rest) if rest else [])

    def _settle_asked(self, group: list[Member]) -> list[ClaimResult]:
        """What has ended gives back first, what was released is recorded next, the rest asks for what then is left."""
        asking = [member for member in group if member.phase in (Phase.RESERVE, Phase.ADJUST)]
        if len(asking) == len(group) and not any(member.waits for member in group):
            return authorise(asking, self._room, self._policy)  # the everyday case
        dropped = [member for member in group if member.phase is Phase.DROPPED]
        results = [self._end(member) for member in group if member.phase is Phase.ENDED]
        results += [self._check(member) for member in group if member.phase in (Phase.CHECK, Phase.NOT_APPLICABLE)]
        recorded = [member for member in group if member.phase is Phase.RECORD]
        if recorded:
            results += self._record(recorded, dropped, alone=not asking)
            uncovered = any(result.claim.outcome in (Outcome.UNCOVERED, Outcome.WAITING) for result in results)
            dropped = dropped if asking and not uncovered else []
        asking += dropped
        if _must_wait(asking):
            results += [self._wait(member) for member in asking]
        elif asking:
            results += authorise(asking, self._room, self._policy)
        return results

    def _record(self, recorded: list[Member], dropped: list[Member], *, alone: bool) -> list[ClaimResult]:
        """Record what can be; when others still ask, what dropped documents hold is theirs to wait for."""
        known = [member for member in recorded if not member.waits]
        waiting = [self._wait(member) for member in recorded if member.waits]
        if alone:
            return waiting + record_all(known, dropped, self._room, complete=not waiting)
        results = waiting + record_all(known, (), self._room)
        if any(result.claim.outcome in (Outcome.UNCOVERED, Outcome.WAITING) for result in results):
            results += [keep(member, self._room, released=member.released) for member in dropped]
        return results

    def _end(self, member: Member) -> ClaimResult:
        standing = declaration_state(self._declaration.facts)
        cause = Reason(standing if standing in ("INVALIDATED", "REJECTED", "NOT_PRESENTED") else "NOT_RELEASED")
        known = member.current
        if member.consumed != NOTHING:
            state, outcome = ClaimState.WITHDRAWN, Outcome.OK_WITHDRAWN
        elif member.reserved != NOTHING:
            state, outcome = ClaimState.UNRESERVED, Outcome.OK_UNRESERVED
        elif known is not None and known.state in ENDED_STATES:
            state = known.state
            outcome = Outcome.CLOSED if state is ClaimState.CLOSED else Outcome(known.outcome)
        else:
            state, outcome = ClaimState.CLOSED, Outcome.CLOSED
        claim = member.claim(state, outcome, reasons=(cause,))
        steps = self._give_back(member, Phase.ENDED)
        return ClaimResult(claim, member.evaluation, steps=steps, notes=(cause,))

    def _check(self, member: Member) -> ClaimResult:
        seen = member.evaluation
        if seen is None or member.phase is Phase.NOT_APPLICABLE:
            claim = member.claim(ClaimState.NOT_APPLICABLE, Outcome.OK_NOT_APPLICABLE)
            return ClaimResult(claim, seen, steps=self._give_back(member, Phase.DROPPED))
        asking = replace(member, phase=Phase.RESERVE, target=seen.declared.figures)
        short = self._room.short(self._room.calls([asking])) if seen.managed and not seen.failed else {}
        reasons = seen.reasons + exceeded(asking, short)
        outcome = Outcome.REFUSED if reasons else Outcome.OK_AVAILABLE if seen.managed else Outcome.OK_NOT_MANAGED
        return ClaimResult(member.claim(ClaimState.CHECKED, outcome, reasons=reasons), seen, reasons)

    def _give_back(self, member: Member, phase: Phase) -> tuple[Step, ...]:
        """Everything the claim holds."""
        self._room.take(member, NOTHING)
        return steps_between(member.reserved, member.consumed, NOTHING, NOTHING, phase)

    def _wait(self, member: Member) -> ClaimResult:
        """A licence that it needs is not known: nothing moves."""
        if member.evaluation is None:
            return keep(member, self._room, released=member.released)
        claim = member.claim(ClaimState.WAITING, Outcome.WAITING, member.reserved, member.consumed)
        if claim.holds and member.current is not None:
            claim.state, claim.uncovered = member.current.state, member.current.uncovered
        return ClaimResult(claim, member.evaluation, member.reasons)


def _must_wait(asking: list[Member]) -> bool:
    """An unknown licence makes its group wait, unless the group can never be granted whatever that licence says."""
    if not any(member.waits for member in asking):
        return False
    return not any(member.evaluation is not None and member.evaluation.hopeless for member in asking)


def _unknown(result: ClaimResult) -> bool:
    seen = result.evaluation
    return seen is not None and seen.waiting and result.claim.outcome == Outcome.WAITING
