"""A declaration event in an open transaction: join, merge, settle, book, and say what became of it."""

from __future__ import annotations

from collections.abc import Iterable

from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.members import Settlement
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import ClaimState, DeclarationState
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.window import too_late
from certex_bridge.ledger.outcomes import (
    conflict_reasons,
    dropped,
    fingerprint,
    tell,
    tell_refused,
    too_late_reasons,
)
from certex_bridge.ledger.statuses import publish_balance, raise_incidents
from certex_bridge.ledger.work import Cause, Work


def draft_id(exporter: str, lrn: str) -> str:
    """Identity of a declaration before it has an MRN: two exporters may use the same LRN."""
    return f"{exporter}/{lrn}"


def main_id(command: DeclarationCommand) -> str:
    """The declaration an event is about: by MRN, or by (exporter, LRN) before one exists."""
    return command.mrn or draft_id(command.exporter, command.lrn)


_ASKS = (EventKind.LODGED, EventKind.PRESENTED, EventKind.ACCEPTED, EventKind.RECHECK)
"""Events that are answered even when they say nothing new and the answer is the one given before."""


class DeclarationHandling:
    """Applies declaration events to the working set; decides with `Settling`, writes nothing itself."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def on_event(self, work: Work, command: DeclarationCommand, cause: Cause) -> str:
        """Apply one event; returns the stored answer.

        Raises:
            Conflict: the same payload version arrived before with other content.
        """
        declaration = work.declarations[main_id(command)]
        known = declaration.facts
        before = self._join(work, command, declaration)
        if _conflicts(before, command):
            tell_refused(work, declaration, cause, command, conflict_reasons(command))
            raise Conflict
        if too_late(before, command, self._policy):
            work.count("refused:TOO_LATE")
            tell_refused(work, declaration, cause, command, too_late_reasons(before))
            return work.answer(
                cause.event_id, "REFUSED", reason="ADJUST_REFUSED", detail="TOO_LATE", declaration=declaration.decl_id
            )
        declaration.facts = merge(before, command.facts)
        self._tell_joined(work, command, cause)
        repeated = declaration.facts == known
        if repeated and command.kind is not EventKind.NOTED and command.kind not in _ASKS:
            return work.answer(cause.event_id, _no_effect(known, command), declaration=declaration.decl_id)
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.joined:
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id)
        return self.settle(work, declaration, cause, command, _no_effect(known, command) if repeated else "")

    def on_wake(self, work: Work, declaration: DeclarationState, cause: Cause) -> None:
        """Settle again because a licence arrived, or facts of the draft came late."""
        facts = declaration.facts
        if facts.lrn:
            declaration.facts = self._with_drafts(work, facts, facts.lrn, facts.exporter)
            work.changes.declarations[declaration.decl_id] = declaration
        self.settle(work, declaration, cause, None)

    # -- joining LRN and MRN

    def _join(self, work: Work, command: DeclarationCommand, declaration: DeclarationState) -> Facts:
        facts = declaration.facts
        lrn = command.lrn or facts.lrn
        if not lrn or lrn not in work.anchors:
            return facts
        anchor = work.anchors[lrn]
        if not command.mrn:
            if command.exporter not in anchor.exporters:
                anchor.exporters = tuple(sorted({*anchor.exporters, command.exporter}))
                work.changes.anchors[lrn] = anchor
            return facts
        if command.mrn not in anchor.mrns:
            anchor.mrns = tuple(sorted({*anchor.mrns, command.mrn}))
            work.changes.anchors[lrn] = anchor
        return self._with_drafts(work, facts, lrn, command.exporter or facts.exporter)

    def _with_drafts(self, work: Work, facts: Facts, lrn: str, exporter: str) -> Facts:
        """The facts with those of the draft, if it is certain which exporter's draft it is."""
        anchor = work.anchors.get(lrn)
        if anchor is None:
            return facts
        if not exporter and len(anchor.exporters) == 1:
            exporter = anchor.exporters[0]
        draft = work.declarations.get(draft_id(exporter, lrn)) if exporter else None
        if draft is None:
            return facts
        if not draft.joined:
            draft.joined = True
            work.changes.declarations[draft.decl_id] = draft
            for claim in draft.claims.values():
                claim.state = ClaimState.CLOSED
                work.changes.claims[claim.key] = claim
            _park(work, draft, frozenset())
        return merge(facts, draft.facts)

    def _tell_joined(self, work: Work, command: DeclarationCommand, cause: Cause) -> None:
        """A draft that changes after acceptance wakes the declarations it became."""
        if command.mrn or command.lrn not in work.anchors:
            return
        for mrn in work.anchors[command.lrn].mrns:
            work.changes.wakes.append((mrn, cause.event_id, cause.at))

    # -- settling

    def settle(
        self,
        work: Work,
        declaration: DeclarationState,
        cause: Cause,
        command: DeclarationCommand | None,
        unless_moved: str = "",
    ) -> str:
        """Bring the ledger to what the facts ask for; publish what changed.

        `unless_moved` is the answer to an event that said nothing new, stored when nothing moves either.
        """
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.facts.payload is None:
            if command is None:  # a wake is no event: nobody waits for its answer
                return ""
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="NO_CONTENT_YET")
        settlement = Settling(declaration, work.licences, self._policy, work.barred).run()
        self._book(work, settlement, declaration, cause)
        _park(work, declaration, settlement.waiting_for)
        results = settlement.results + dropped(settlement) if settlement.obsolete else settlement.results
        said = fingerprint(declaration, settlement.results)
        asked = command is not None and command.kind in _ASKS
        if results and (said != declaration.said or asked):
            declaration.said = said
            tell(work, declaration, cause, results, command.findings if command else ())
        if command is None:
            return ""
        if unless_moved and not any(result.changed for result in settlement.results):
            return work.answer(cause.event_id, unless_moved, declaration=declaration.decl_id)
        return work.answer_applied(cause.event_id, declaration, [result.claim for result in settlement.results])

    def _book(self, work: Work, settlement: Settlement, declaration: DeclarationState, cause: Cause) -> None:
        entries: dict[str, Entry] = {}
        for claim in settlement.obsolete:
            claim.state = ClaimState.CLOSED
            work.changes.claims[claim.key] = claim
        for result in settlement.results:
            claim, known = result.claim, declaration.claims.get(result.claim.key)
            work.count(f"claim:{claim.outcome}:{claim.reasons[0] if claim.reasons else ''}")
            if known == claim:
                result.changed = False
                result.incidents = ()
                continue
            declaration.claims[claim.key] = claim
            work.changes.claims[claim.key] = claim
            licence_id = claim.key.licence_id
            if result.steps:
                entry = entries.get(licence_id)
                if entry is None:
                    entry = entries[licence_id] = work.entry(licence_id, cause)
                entry.book(claim, result.steps)
        for licence_id, entry in entries.items():
            if entry.rows:
                publish_balance(work, work.licences[licence_id], entry, cause, declaration.decl_id)
        for result in settlement.results:
            key = result.claim.key
            raise_incidents(work, work.licences[key.licence_id], result.incidents, key.decl_id, str(key), cause)


class Conflict(Exception):
    """The same payload version with other content."""

    code = "CONFLICTING_DUPLICATE"


def _conflicts(held: Facts, command: DeclarationCommand) -> bool:
    """Whether the event tells another content under a version that is held already."""
    told = command.facts
    if told.payload is None or held.payload is None or told.payload_rank is None or held.payload_rank is None:
        return False
    return told.payload_rank.order == held.payload_rank.order and told.payload != held.payload


def _no_effect(known: Facts, command: DeclarationCommand) -> str:
    told, held = command.facts.payload_rank, known.payload_rank
    return "SUPERSEDED" if told and held and told.order < held.order else "ALREADY_DONE"


def _park(work: Work, declaration: DeclarationState, waiting_for: Iterable[str]) -> None:
    now = set(waiting_for)
    before = set(declaration.waiting_for)
    for licence_id in now - before:
        work.changes.unparked.discard((licence_id, declaration.decl_id))
        work.changes.parked.add((licence_id, declaration.decl_id))
    for licence_id in before - now:
        work.changes.parked.discard((licence_id, declaration.decl_id))
        work.changes.unparked.add((licence_id, declaration.decl_id))
    declaration.waiting_for = tuple(sorted(now))
