"""A declaration event in an open transaction: join, merge, settle, book, and say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.answering import answered_elsewhere, no_effect, overtaken_by
from certex_bridge.ledger.booking import book
from certex_bridge.ledger.capturing import settle_write_off
from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.arrival import arriving
from certex_bridge.ledger.domain.attributed import attribution_remarks
from certex_bridge.ledger.domain.citations import identified, waits_for
from certex_bridge.ledger.domain.correlation import last_told
from certex_bridge.ledger.domain.days import exit_remarks
from certex_bridge.ledger.domain.differences import conflicting
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.instrument import Counted
from certex_bridge.ledger.domain.issuers import resolved
from certex_bridge.ledger.domain.members import ENDED_STATES, Settlement
from certex_bridge.ledger.domain.model import ZERO, DeclarationState
from certex_bridge.ledger.domain.order import Known, contradiction
from certex_bridge.ledger.domain.phases import release_stands
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import EXPLANATIONS, Reason
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.superseded import conflicts
from certex_bridge.ledger.domain.supplementing import is_unnamed, unnamed
from certex_bridge.ledger.domain.window import too_late
from certex_bridge.ledger.instrument import counted, defer, is_linked, let_go, link, members
from certex_bridge.ledger.joining import Meeting, adopt, find, main_id, wake_target
from certex_bridge.ledger.outcomes import (
    conflict_reasons,
    dropped,
    fingerprint,
    info,
    tell,
    tell_refused,
    tell_standing,
    too_late_reasons,
)
from certex_bridge.ledger.overriding import refusal
from certex_bridge.ledger.parking import park
from certex_bridge.ledger.put_aside import Conflict
from certex_bridge.ledger.undecided import NO_CONTENT, missing_content, raise_undecided
from certex_bridge.ledger.work import Cause, Work, utc_text

_ASKS = (
    EventKind.LODGED,
    EventKind.PRESENTED,
    EventKind.ACCEPTED,
    EventKind.RECHECK,
    EventKind.OVERRIDDEN,
    EventKind.IDENTIFIED,
)
"""Events that are answered even when they say nothing new and the answer is the one given before."""


_BRINGS_CONTENT = (EventKind.ACCEPTED, EventKind.AMENDED)
"""Calls that ask for quantities by what the declaration says."""


class DeclarationHandling:
    """Applies declaration events to the working set; decides with `Settling`, writes nothing itself."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def on_event(self, work: Work, command: DeclarationCommand, cause: Cause) -> str:
        """Apply one event; returns the stored answer.

        Raises:
            PutAside: other content under a version or request known before, or an LRN of several exporters.
        """
        meeting = _meeting(work, command)
        declaration, before = meeting.declaration, meeting.facts
        if held := _contradicted(command, meeting):
            found = conflicting(held, meeting.told)
            sentence = found.sentence(declaration.decl_id)
            tell_refused(work, declaration, cause, command, conflict_reasons(found), sentence)
            raise Conflict(found.field, found.told, sentence)
        reasons = self._refusal(work, command, meeting)
        if reasons:
            work.count(f"refused:{reasons[-1].code}")
            tell_refused(work, declaration, cause, command, reasons)
            work.note_mismatches(command, declaration, recorded=False)
            detail = {"detail": reasons[-1].code} if len(reasons) > 1 else {}
            return work.answer(
                cause.event_id, "REFUSED", reason=reasons[0].code, **detail, declaration=main_id(command)
            )
        if overtaken := overtaken_by(command, before):
            return work.answer(cause.event_id, "SUPERSEDED", detail=overtaken, declaration=declaration.decl_id)
        known, rows = declaration.facts if command.mrn else before, (declaration.facts, declaration.own)
        adopt(work, command, meeting, cause)
        if command.mrn:
            let_go(work, known, declaration.facts, cause)
        now = declaration.facts if command.mrn else meeting.merged
        _note_if_changed(work, declaration, *rows)
        repeated = known == replace(now, superseded=known.superseded)
        if repeated and command.kind is not EventKind.NOTED and not _asks(command):
            return work.answer(cause.event_id, no_effect(known, command), declaration=declaration.decl_id)
        work.changes.declarations[declaration.decl_id] = declaration
        if command.facts.releases or command.facts.exited:
            work.note_mismatches(command, declaration, recorded=True)
        elsewhere = answered_elsewhere(work, command, meeting)
        if elsewhere is None:
            unless_moved = no_effect(known, command) if repeated else ""
            stands = release_stands(meeting.told, before, declaration.facts)
            noted = (info("DATED_BEFORE_RELEASE"),) if stands else ()
            return self.settle(work, declaration, cause, command, unless_moved=unless_moved, noted=noted)
        if elsewhere != "RECORDED":
            defer(work, declaration, cause)
        if command.waits:
            tell_standing(work, declaration, cause, command, elsewhere if elsewhere in EXPLANATIONS else "RECORDED")
        state = {} if elsewhere == "RECORDED" else {"state": elsewhere}
        return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, **state)

    def _refusal(self, work: Work, command: DeclarationCommand, meeting: Meeting) -> tuple[Reason, ...]:
        """Why the event as a whole is refused before it becomes a fact; empty when it is not."""
        if too_late(meeting.facts, command, self._policy):
            return too_late_reasons(meeting.facts)
        if meeting.told.overrides:
            return refusal(work, command, meeting, self._policy)
        if not command.demands_order:
            return ()
        merged = meeting.merged
        if command.kind in _BRINGS_CONTENT and is_unnamed(merged):
            return (Reason("SIMPLIFIED_NOT_NAMED", "simplifiedDeclarations", merged.mrn),)
        if is_linked(merged):
            return ()  # its claims may be the other half's, which is not locked here

        def settled() -> Settlement:
            claims = meeting.declaration.claims
            counted = identified(resolved(amended(merged).facts), claims, work.licences, self._policy.types)
            seen = replace(meeting.declaration, facts=counted)
            return Settling(seen, work.licences, self._policy, work.barred).run()

        reason = contradiction(command, Known(meeting.facts, meeting.declaration.claims, settled))
        return (reason,) if reason else ()

    def on_wake(self, work: Work, woken: DeclarationState, cause: Cause) -> None:
        """Settle again because a licence arrived, facts of the draft came late, or the other half of an instrument."""
        before = woken.facts
        declaration = wake_target(work, woken, cause)
        let_go(work, before, woken.facts, cause)
        if declaration.joined:
            return
        declaration.late = cause.occurred_at
        if not is_linked(declaration.facts):
            self.settle(work, declaration, cause, None)
            return
        group = members(work, declaration)
        if group is None:
            defer(work, declaration, cause)
            return
        self._settle_instrument(work, group, cause)

    def _settle_instrument(self, work: Work, group: Mapping[str, DeclarationState], cause: Cause) -> None:
        """Settle all declarations of an instrument: those that give back before those that take."""
        link(work, group)
        told = tuple((decl_id, declaration.facts) for decl_id, declaration in group.items())
        if work.settled.get(next(iter(group))) == told:
            return  # woken again in the same transaction, and nothing was said since
        work.settled[next(iter(group))] = told
        counts = counted(group)
        for decl_id in sorted(
            counts, key=lambda decl_id: (self._taken(work, group[decl_id], counts[decl_id]), decl_id)
        ):
            self.settle(work, group[decl_id], cause, None, counts[decl_id])

    def _taken(self, work: Work, declaration: DeclarationState, counts: Counted) -> Decimal:
        """How much more the declaration would hold than it does, over all licences: only its sign is meant."""
        facts = identified(counts.facts, declaration.claims, work.licences, self._policy.types)
        settlement = Settling(replace(declaration, facts=facts), work.licences, self._policy, work.barred).run()
        steps = [step for result in settlement.results for step in result.steps]
        taken = [figure for step in steps for figure in (*step.d_reserved, *step.d_consumed)]
        return min(sum(taken, ZERO), ZERO)

    # -- settling

    def settle(
        self,
        work: Work,
        declaration: DeclarationState,
        cause: Cause,
        command: DeclarationCommand | None,
        counts: Counted | None = None,
        unless_moved: str = "",
        noted: tuple[Finding, ...] = (),
    ) -> str:
        """Bring the ledger to what the facts ask for (`counts`: what counts of an instrument); publish what changed.

        `unless_moved` is the answer to an event that said nothing new, stored when nothing moves either; `noted` is
        what its outcome must say besides.
        """
        before = (declaration.said, declaration.dv, declaration.waiting_for)
        answer = self._settle(work, declaration, cause, command, counts, unless_moved, noted)
        declaration.moved, declaration.late = False, None
        if command is not None or before != (declaration.said, declaration.dv, declaration.waiting_for):
            work.changes.declarations[declaration.decl_id] = declaration
        return answer

    def _settle(
        self,
        work: Work,
        declaration: DeclarationState,
        cause: Cause,
        command: DeclarationCommand | None,
        counts: Counted | None,
        unless_moved: str,
        noted: tuple[Finding, ...],
    ) -> str:
        if declaration.facts.captured:
            settle_write_off(work, declaration, cause)
            return ""
        facts, remarks = counts or _counted(declaration.facts)
        facts = identified(facts, declaration.claims, work.licences, self._policy.types)
        remarks += (*declaration.doubts, *work.remarks.pop(declaration.decl_id, ()))
        remarks += exit_remarks(facts, self._policy)
        undecided = facts.payload is None
        if undecided and not _is_told(declaration):
            return _without_content(work, declaration, cause, command)
        if undecided:
            remarks += missing_content(declaration)
            # What it holds was booked for a content that is no longer certainly its own.
            facts = replace(facts, payload=NO_CONTENT)
        assert facts.payload is not None
        remarks += attribution_remarks(facts.payload)
        seen = declaration if facts is declaration.facts else replace(declaration, facts=facts)
        settlement = Settling(seen, work.licences, self._policy, work.barred).run()
        book(work, settlement, declaration, _counted_from(cause, facts))
        park(work, declaration, settlement.waiting_for | waits_for(facts, settlement.waiting_for))
        results = settlement.results + dropped(settlement) if settlement.obsolete else settlement.results
        said = fingerprint(seen, results, remarks)
        if unless_moved and any(result.changed for result in settlement.results):
            unless_moved = ""
        # Only a sender that waits hears it, and nothing later than its call is known (ledger.domain.arrival).
        why = "ALREADY_DONE" if unless_moved else "NO_CONTENT_YET" if undecided else "NO_CLAIMS"
        findings = _findings(command, (*remarks, *noted), "" if results and not unless_moved else why)
        if (results or findings) and (said != declaration.said or (command is not None and _asks(command))):
            if undecided and said != declaration.said:
                raise_undecided(work, declaration, cause)
            declaration.said = said
            tell(work, seen, cause, results, findings)
            declaration.dv = seen.dv
        if command is None:
            return ""
        if undecided:
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="UNDECIDED")
        if unless_moved:
            return work.answer(cause.event_id, unless_moved, declaration=declaration.decl_id)
        return work.answer_applied(cause.event_id, declaration, [result.claim for result in settlement.results])


def _findings(command: DeclarationCommand | None, remarks: tuple[Finding, ...], why: str) -> tuple[Finding, ...]:
    """What is told beside the claims; a sender that waits hears why there is nothing more."""
    if command is None:
        return remarks
    return (*command.findings, *remarks, *((info(why),) if command.waits and why else ()))


def _note_if_changed(work: Work, declaration: DeclarationState, facts: Facts, own: Facts | None) -> None:
    """What counts may be the same, and what was told another: an older version, or one of an MRN with a lodging."""
    if (facts, own) != (declaration.facts, declaration.own):
        work.changes.declarations[declaration.decl_id] = declaration


def _contradicted(command: DeclarationCommand, meeting: Meeting) -> Facts | None:
    """What gave a version another content before. What a lodging says differently makes it another lodging."""
    if command.mrn:
        held = meeting.declaration.own or meeting.declaration.facts
    else:
        held = meeting.facts
    begins = not command.mrn and command.facts.lodged is not None
    return held if not begins and conflicts(held, meeting.told) else None


def _counted(facts: Facts) -> Counted:
    """What counts of a declaration that is no part of an instrument."""
    seen, remarks = amended(facts)
    seen = resolved(seen)
    if not is_unnamed(seen):
        return Counted(seen, remarks)
    counts = unnamed(seen)
    return Counted(counts.facts, (*remarks, *counts.findings))


def _meeting(work: Work, command: DeclarationCommand) -> Meeting:
    """Where the event belongs; what a sender tells that waits for answers comes after what it was answered."""
    meeting = find(work, command)
    if command.waits and command.mrn:
        meeting.told = arriving(meeting.told, meeting.facts, command.stamp)
    return meeting


def _counted_from(cause: Cause, facts: Facts) -> Cause:
    """The cause, dated with customs' last word where that is later.

    A licence that was waited for, or a part of a declaration that came late, is older than what it sets free; the
    balance of a moment between the two must not show it.
    """
    stamp = last_told(facts)
    if stamp is None or stamp.occurred_at <= cause.occurred_at:
        return cause
    return replace(cause, occurred_at=stamp.occurred_at, at=utc_text(stamp.occurred_at))


def _is_told(declaration: DeclarationState) -> bool:
    """Whether customs must hear that nobody can say what the declaration contains.

    An acceptance may overtake the lodging; goods that were released without one, and lodgings that nobody can tell
    apart, do not wait. Nor does what was said of a content that is no longer certainly its own.
    """
    held = any(claim.state not in ENDED_STATES for claim in declaration.claims.values())
    released = any(release.released for _, release in declaration.facts.releases)
    return held or (declaration.undecided and (bool(declaration.doubts) or released))


def _without_content(
    work: Work, declaration: DeclarationState, cause: Cause, command: DeclarationCommand | None
) -> str:
    if command is None:  # a wake is no event: nobody waits for its answer
        return ""
    if command.waits:
        tell_standing(work, declaration, cause, command, "NO_CONTENT_YET")
    return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="NO_CONTENT_YET")


def _asks(command: DeclarationCommand) -> bool:
    return command.kind in _ASKS or command.waits
