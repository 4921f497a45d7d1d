"""Settling: the ledger effect of a declaration is `target(facts) - current`, group by group.

Two modes. AUTHORISE (`authorise.py`) may refuse, and the refusal is sticky for the facts it was made on. RECORD
(`record.py`) never refuses, because the goods were released. Before acceptance the answer is advice (`advice.py`): what
AUTHORISE would decide now, on balances that have seen all the rest of the declaration, and nothing booked.
"""

from __future__ import annotations

from collections.abc import Mapping

from certex_bridge.ledger.domain.advice import advised
from certex_bridge.ledger.domain.authorise import authorise, give_back, keep
from certex_bridge.ledger.domain.contradictions import INCIDENTS, contradictions
from certex_bridge.ledger.domain.groups import Grouping
from certex_bridge.ledger.domain.members import ENDED_STATES, REFUSED_OUTCOMES, ClaimResult, Member, Settlement
from certex_bridge.ledger.domain.model import NOTHING, ClaimState, DeclarationState, LicenceState
from certex_bridge.ledger.domain.override import decide
from certex_bridge.ledger.domain.phases import Phase, decided_after_release
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.record import record_all
from certex_bridge.ledger.domain.room import Room
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
        if any(member.advisory for group in groups for member in group):
            settlement.results += self._advise(groups)
        else:
            for group in groups:
                settlement.results += self._settle_group(group)
        self._tell_contradictions(settlement.results)
        settlement.results.sort(key=lambda result: result.claim.key[1:])
        settlement.waiting_for = frozenset(
            result.claim.key.licence_id for result in settlement.results if _unknown(result)
        )
        return settlement

    def _tell_contradictions(self, results: list[ClaimResult]) -> None:
        """Add to each claim what customs said of its goods that does not fit together; it is an incident."""
        facts = self._declaration.facts
        if facts.exited is None and facts.invalidated is None:
            return
        for result in results:
            found = contradictions(facts, result.claim.key.item) if result.changed else ()
            if found:
                codes = tuple([reason.code for reason in found])
                result.claim.reasons += tuple([code for code in codes if code not in result.claim.reasons])
                result.reasons += found
                result.incidents += tuple([INCIDENTS[code] for code in codes])

    def _advise(self, groups: list[list[Member]]) -> list[ClaimResult]:
        """First what is to be booked, then what acceptance would decide on the rest, in acceptance's own order."""
        results: list[ClaimResult] = []
        for group in groups:
            results += self._settle_group([member for member in group if not member.advisory])
        for group in groups:
            results += map(advised, self._settle_group([member for member in group if member.advisory]))
        return results

    def _demand(self, group: list[Member]) -> int:
        """0: every claim stays or shrinks; 1: what grows stands on what shrinks; 2: more is asked than is held."""
        if self._declaration.facts.overrides:  # an officer's decision asks for nothing, it takes
            group = [member for member in group if member.override is None]
        if not any(member.grows for member in group):
            return 0
        return 2 if any(call.asked > call.held for call in self._room.calls(group).values()) else 1

    def _settle_group(self, group: list[Member]) -> list[ClaimResult]:
        late = self._declaration.late
        if any(member.currency_agreed or member.refused_too_early(late) for member in group):
            for member in group:
                member.anew = True
        if self._declaration.moved:
            # What was booked for another lodging's content goes back, whatever becomes of its own.
            gone = [give_back(member, self._room) for member in group if member.phase is Phase.DROPPED]
            return gone + self._settle_rest([member for member in group if member.phase is not Phase.DROPPED])
        return self._settle_rest(group)

    def _settle_rest(self, group: list[Member]) -> list[ClaimResult]:
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
        results += [self._not_applicable(member) for member in group if member.phase is Phase.NOT_APPLICABLE]
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

    def _not_applicable(self, member: Member) -> ClaimResult:
        claim = member.claim(ClaimState.NOT_APPLICABLE, Outcome.OK_NOT_APPLICABLE)
        return ClaimResult(claim, member.evaluation, steps=self._give_back(member, Phase.DROPPED))

    def _give_back(self, member: Member, phase: Phase) -> tuple[Step, ...]:
        """Everything the claim holds."""
        self._room.take(member, NOTHING)
        return steps_between(member.reserved, member.consumed, NOTHING, NOTHING, phase)

    def _wait(self, member: Member) -> ClaimResult:
        """A licence that it needs is not known, or which one is meant: nothing moves."""
        if member.evaluation is None:
            return keep(member, self._room, released=member.released)
        undecided = tuple([reason for reason in member.reasons if reason.code == "ISSUER_AMBIGUOUS"])
        claim = member.claim(ClaimState.WAITING, Outcome.WAITING, member.reserved, member.consumed, undecided)
        known = member.current
        # What was recorded at release stays recorded while an amendment of it waits, holding something or not.
        if known is not None and (claim.holds or decided_after_release(known)):
            claim.state, claim.uncovered = known.state, known.uncovered
        return ClaimResult(claim, member.evaluation, member.reasons)


def _must_wait(asking: list[Member]) -> bool:
    """An unknown licence makes its group wait, unless the group can never be granted whatever that licence says."""
    if not any(member.waits for member in asking):
        return False
    return not any(member.evaluation is not None and member.evaluation.hopeless for member in asking)


def _unknown(result: ClaimResult) -> bool:
    seen = result.evaluation
    return seen is not None and seen.waiting and result.claim.outcome == Outcome.WAITING
