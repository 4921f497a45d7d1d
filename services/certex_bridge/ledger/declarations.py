"""A declaration event in an open transaction: join, merge, settle, book, and say what became of it."""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.ledger.booking import book
from certex_bridge.ledger.capturing import settle_write_off
from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.correlation import last_told
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.issuers import resolved
from certex_bridge.ledger.domain.members import Settlement
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.order import Known, contradiction
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.window import too_late
from certex_bridge.ledger.instrument import defer, emptied, is_linked, members, share
from certex_bridge.ledger.joining import (
    Conflict,
    Meeting,
    adopt,
    conflicts,
    find,
    main_id,
    park,
    tell_joined,
    wake_target,
)
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
from certex_bridge.ledger.work import Cause, Work, utc_text

_ASKS = (EventKind.LODGED, EventKind.PRESENTED, EventKind.ACCEPTED, EventKind.RECHECK, EventKind.OVERRIDDEN)
"""Events that are answered even when they say nothing new and the answer is the one given before."""


class DeclarationHandling:
    """Applies declaration events to the working set; decides with `Settling`, writes nothing itself."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def on_event(self, work: Work, command: DeclarationCommand, cause: Cause) -> str:
        """Apply one event; returns the stored answer.

        Raises:
            PutAside: other content under a version or request known before, or an LRN of several exporters.
        """
        meeting = find(work, command)
        declaration, before, told = meeting.declaration, meeting.facts, meeting.told
        if conflicts(before, told):
            tell_refused(work, declaration, cause, command, conflict_reasons(command))
            raise Conflict
        reasons = self._refusal(work, command, meeting)
        if reasons:
            work.count(f"refused:{reasons[-1].code}")
            tell_refused(work, declaration, cause, command, reasons)
            work.note_mismatches(command, declaration.claims, recorded=False)
            detail = {"detail": reasons[-1].code} if len(reasons) > 1 else {}
            return work.answer(
                cause.event_id, "REFUSED", reason=reasons[0].code, **detail, declaration=main_id(command)
            )
        if command.kind is EventKind.NOT_PRESENTED and _shown(before):
            # The timer read without a lock; meanwhile the goods came.
            return work.answer(cause.event_id, "SUPERSEDED", detail="PRESENTED", declaration=declaration.decl_id)
        known = declaration.facts
        adopt(work, command, meeting)
        declaration.facts = merge(before, told)
        tell_joined(work, command, declaration, cause)
        repeated = declaration.facts == known
        if repeated and command.kind is not EventKind.NOTED and not _asks(command):
            return work.answer(cause.event_id, _no_effect(known, command), declaration=declaration.decl_id)
        work.changes.declarations[declaration.decl_id] = declaration
        if command.facts.releases:
            work.note_mismatches(command, declaration.claims, recorded=True)
        if declaration.joined:
            if command.waits:
                tell_standing(work, declaration, cause, command, "RECORDED")
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id)
        if is_linked(declaration.facts):
            if command.waits:
                tell_standing(work, declaration, cause, command, "ONE_INSTRUMENT")
            defer(work, declaration, cause)
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="ONE_INSTRUMENT")
        return self.settle(
            work, declaration, cause, command, unless_moved=_no_effect(known, command) if repeated else ""
        )

    def _refusal(self, work: Work, command: DeclarationCommand, meeting: Meeting) -> tuple[Reason, ...]:
        """Why the event as a whole is refused before it becomes a fact; empty when it is not."""
        if too_late(meeting.facts, command, self._policy):
            return too_late_reasons(meeting.facts)
        if meeting.told.overrides:
            return refusal(work, command, meeting, self._policy)
        if not command.demands_order:
            return ()
        merged = merge(meeting.facts, meeting.told)
        if is_linked(merged):
            return ()  # its claims may be the other half's, which is not locked here

        def settled() -> Settlement:
            seen = replace(meeting.declaration, facts=resolved(amended(merged).facts))
            return Settling(seen, work.licences, self._policy, work.barred).run()

        reason = contradiction(command, Known(meeting.facts, meeting.declaration.claims, settled))
        return (reason,) if reason else ()

    def on_wake(self, work: Work, woken: DeclarationState, cause: Cause) -> None:
        """Settle again because a licence arrived, facts of the draft came late, or the other half of an instrument."""
        declaration = wake_target(work, woken, cause)
        if declaration.joined:
            return
        if not is_linked(declaration.facts):
            self.settle(work, declaration, cause, None)
            return
        group = members(work, declaration)
        if group is None:
            defer(work, declaration, cause)
            return
        main, *supplements = group
        shared = share(main, supplements)
        for one in supplements:
            self.settle(work, one, cause, None, emptied(one.facts) if shared else one.facts)
        self.settle(work, main, cause, None)

    # -- settling

    def settle(
        self,
        work: Work,
        declaration: DeclarationState,
        cause: Cause,
        command: DeclarationCommand | None,
        facts: Facts | None = None,
        unless_moved: str = "",
    ) -> str:
        """Bring the ledger to what the facts ask for (`facts`: to these instead); publish what changed.

        `unless_moved` is the answer to an event that said nothing new, stored when nothing moves either.
        """
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.facts.captured:
            settle_write_off(work, declaration, cause)
            return ""
        counted, remarks = amended(facts or declaration.facts)
        remarks += work.remarks.pop(declaration.decl_id, ())
        counted = resolved(counted)
        if counted.payload is None:
            if command is None:  # a wake is no event: nobody waits for its answer
                return ""
            if command.waits:
                tell_standing(work, declaration, cause, command, "NO_CONTENT_YET")
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="NO_CONTENT_YET")
        seen = declaration if counted is declaration.facts else replace(declaration, facts=counted)
        settlement = Settling(seen, work.licences, self._policy, work.barred).run()
        book(work, settlement, declaration, _counted_from(cause, counted))
        park(work, declaration, settlement.waiting_for)
        results = settlement.results + dropped(settlement) if settlement.obsolete else settlement.results
        said = fingerprint(seen, results, remarks)
        asked = command is not None and _asks(command)
        findings = (*command.findings, *remarks) if command else remarks
        if unless_moved and any(result.changed for result in settlement.results):
            unless_moved = ""
        if command is not None and command.waits and (unless_moved or not results):
            findings = (*findings, info(unless_moved or "NO_CLAIMS"))
        if (results or findings) and (said != declaration.said or asked):
            declaration.said = said
            tell(work, seen, cause, results, findings)
            declaration.dv = seen.dv
        if command is None:
            return ""
        if unless_moved:
            return work.answer(cause.event_id, unless_moved, declaration=declaration.decl_id)
        return work.answer_applied(cause.event_id, declaration, [result.claim for result in settlement.results])


def _counted_from(cause: Cause, facts: Facts) -> Cause:
    """The cause, dated with customs' last word where that is later.

    A licence that was waited for, or a part of a declaration that came late, is older than what it sets free; the
    balance of a moment between the two must not show it.
    """
    stamp = last_told(facts)
    if stamp is None or stamp.occurred_at <= cause.occurred_at:
        return cause
    return replace(cause, occurred_at=stamp.occurred_at, at=utc_text(stamp.occurred_at))


def _asks(command: DeclarationCommand) -> bool:
    return command.kind in _ASKS or command.waits


def _shown(facts: Facts) -> bool:
    """Whether the goods were presented, or customs went on as only after a presentation."""
    return facts.presented is not None or facts.accepted is not None or bool(facts.releases)


def _no_effect(known: Facts, command: DeclarationCommand) -> str:
    told, held = command.facts.payload_rank, known.payload_rank
    if command.facts.overrides and not any(one in known.overrides for one in command.facts.overrides):
        return "SUPERSEDED"
    return "SUPERSEDED" if told and held and told.order < held.order else "ALREADY_DONE"
