"""Which claims are settled together, and what the facts ask of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.evaluation import Circumstances, Evaluation
from certex_bridge.ledger.domain.facts import Override
from certex_bridge.ledger.domain.figures import Declared
from certex_bridge.ledger.domain.members import ENDED_STATES, REFUSED_OUTCOMES, Member, Settlement
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimKey, DeclarationState, LicenceState
from certex_bridge.ledger.domain.override import applies, as_told, attempt_with, govern, governing
from certex_bridge.ledger.domain.phases import (
    Phase,
    amended_after,
    attempt_of,
    decided_after_release,
    phase_of,
    released_figures,
)
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.rules import evaluate

Place = tuple[int, int, str]
"""Item, document and licence: a claim's key before its line is known."""


class Grouping:
    """Makes the members of one settlement from payload, facts and claims."""

    def __init__(
        self,
        declaration: DeclarationState,
        licences: Mapping[str, LicenceState],
        policy: Policy,
        barred: frozenset[tuple[str, str, str, str]],
    ) -> None:
        self._declaration = declaration
        self._facts = declaration.facts
        self._licences = licences
        self._policy = policy
        self._barred = barred
        self._held_lines: dict[Place, int] = {}
        self._refused: dict[Place, Claim] = {}
        self._known_items: set[int] = set()
        self._recorded_items: set[int] = set()
        for claim in declaration.claims.values():
            self._look_at(claim)

    def _look_at(self, claim: Claim) -> None:
        key = claim.key
        place = (key.item, key.doc_seq, key.licence_id)
        if claim.holds:
            self._held_lines[place] = key.line_no
        elif claim.outcome in REFUSED_OUTCOMES and claim.state not in ENDED_STATES:
            self._refused[place] = claim
        self._known_items.add(key.item)
        if decided_after_release(claim):
            self._recorded_items.add(key.item)

    def groups(self, payload: Payload, settlement: Settlement) -> list[list[Member]]:
        """All members, in groups that are booked whole or not at all."""
        holding = frozenset([place[2] for place in self._held_lines])
        around = Circumstances(payload, self._facts, self._policy, self._barred, holding, self._licences)
        members = list(self._cited(payload, around))
        cited = {member.key for member in members}
        for key, claim in self._declaration.claims.items():
            if key in cited:
                continue
            if claim.holds:
                members.append(self._uncited(key, claim))
            elif claim.state not in ENDED_STATES:
                settlement.obsolete.append(claim)
        if self._policy.settle_group is SettleGroup.DECLARATION:
            return [members] if members else []
        by_item: dict[int, list[Member]] = {}
        for member in members:
            by_item.setdefault(member.key.item, []).append(member)
        groups = list(by_item.values())
        if len(groups) > 1:
            _join_renumbered(groups, {item.number for item in payload.items})
        return groups

    def _cited(self, payload: Payload, around: Circumstances) -> Iterable[Member]:
        for item in payload.items:
            for spec in item.claims:
                yield self._member(spec, item, around)
        for spec in payload.header_claims:
            procedure = payload.items[0].procedure if payload.items else ""
            shipment = Item(0, procedure, "", payload.destination, "", None, None, None, (), ())
            yield self._member(spec, shipment, around)

    def _member(self, spec: ClaimSpec, item: Item, around: Circumstances) -> Member:
        override = governing(self._facts, item.number, spec.doc_seq) if self._facts.overrides else None
        if override is not None:
            spec = as_told(spec, override)
        place = (item.number, spec.doc_seq, spec.licence_id)
        seen = evaluate(spec, item, self._licences[spec.licence_id], around, self._held_lines.get(place, 0))
        key = ClaimKey(self._declaration.decl_id, item.number, spec.doc_seq, spec.licence_id, seen.line_no)
        current = self._declaration.claims.get(key)
        attempt = attempt_of(self._facts, item.number)
        if override is not None:
            attempt = attempt_with(attempt, override)
        phase = phase_of(self._facts, item.number, current, recorded=self._recorded(item.number))
        if not seen.applicable and phase is not Phase.ENDED:
            return Member(key, current, seen, Phase.NOT_APPLICABLE, NOTHING, "")
        advisory = phase is Phase.CHECK
        if advisory:
            phase = Phase.RESERVE
        elsewhere = self._refused.get(place) if current is None else None
        used = self._used(seen, phase, override)
        member = Member(key, current, seen, phase, used.figures, attempt, used.problems, elsewhere, advisory=advisory)
        if override is not None and applies(member, override):
            govern(member, override)
        return member

    def _recorded(self, item: int) -> bool:
        """Whether the item's release was booked before; an item never heard of is an addition to what was."""
        return item in self._recorded_items or (bool(self._recorded_items) and item not in self._known_items)

    def _used(self, seen: Evaluation, phase: Phase, override: Override | None) -> Declared:
        """The figures that count in this phase; an officer's, unless the goods were released after the decision."""
        if phase is Phase.ENDED or not seen.managed:
            return Declared()
        if phase is Phase.RECORD:
            release = last_word(self._facts, seen.item.number)
            by_hand = override is not None and release is not None and override.stamp > release.stamp
            told = release is not None and not by_hand and not amended_after(self._facts, release)
            if told and release is not None and release.figures is not None:
                state = self._licences[seen.spec.licence_id]
                used = released_figures(seen, release.figures, state, self._policy)
                if used is not seen.declared:
                    seen.judge_figures(used.problems)
                return used
        return seen.declared

    def _uncited(self, key: ClaimKey, claim: Claim) -> Member:
        phase = phase_of(self._facts, key.item, claim)
        if phase is Phase.ENDED:
            return Member(key, claim, None, phase, NOTHING, "dropped")
        return Member(key, claim, None, Phase.DROPPED, NOTHING, "dropped", released=phase is Phase.RECORD)


def _join_renumbered(groups: list[list[Member]], items: set[int]) -> None:
    """Goods items that got another number are one change: what the old one holds, and what the new one asks for."""
    gone = {
        member.key.licence_id
        for group in groups
        for member in group
        if member.phase is Phase.DROPPED and member.key.item not in items
    }
    if not gone:
        return
    together: list[Member] = []
    apart = []
    for group in groups:
        if any(_moves(member, gone, items) for member in group):
            together += group
        else:
            apart.append(group)
    groups[:] = [together, *apart]


def _moves(member: Member, gone: set[str], items: set[int]) -> bool:
    if member.key.licence_id not in gone:
        return False
    arrives = member.phase.books and member.held == NOTHING
    return arrives or (member.phase is Phase.DROPPED and member.key.item not in items)
