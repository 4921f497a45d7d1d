"""A declaration event in an open transaction: join, merge, settle, book, and say what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts, Request
from certex_bridge.ledger.domain.issuers import as_declared, resolved
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.members import ClaimResult, Settlement
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import (
    WHOLE_LICENCE,
    Account,
    Claim,
    ClaimState,
    DeclarationState,
    Dim,
    LicenceState,
    Status,
)
from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.domain.window import too_late
from certex_bridge.ledger.instrument import defer, emptied, is_linked, members, share
from certex_bridge.ledger.joining import Conflict, adopt, find, main_id, park, tell_joined, wake_target
from certex_bridge.ledger.statuses import publish_balance, raise_incidents
from certex_bridge.ledger.work import Cause, Work

_ASKS = (EventKind.LODGED, EventKind.PRESENTED, EventKind.ACCEPTED, EventKind.RECHECK)
"""Events that are answered even when the answer is the one given before."""


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
        before, told = meeting.facts, meeting.told
        _refuse_conflict(before, told)
        if too_late(before, command, self._policy):
            work.count("refused:TOO_LATE")
            return work.answer(
                cause.event_id, "REFUSED", reason="ADJUST_REFUSED", detail="TOO_LATE", declaration=main_id(command)
            )
        declaration = meeting.declaration
        if command.kind is EventKind.NOT_PRESENTED and _shown(before):
            # The timer read without a lock; meanwhile the goods came.
            return work.answer(cause.event_id, "SUPERSEDED", detail="PRESENTED", declaration=declaration.decl_id)
        known = declaration.facts
        adopt(work, command, meeting, cause)
        declaration.facts = merge(before, told)
        tell_joined(work, command, declaration, cause)
        if declaration.facts == known and command.kind not in (EventKind.NOTED, EventKind.RECHECK):
            return work.answer(cause.event_id, _no_effect(known, command), declaration=declaration.decl_id)
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.joined:
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id)
        if is_linked(declaration.facts):
            defer(work, declaration, cause)
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="ONE_INSTRUMENT")
        return self.settle(work, declaration, cause, command)

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
    ) -> str:
        """Bring the ledger to what the facts ask for (`facts`: to these instead); publish what changed."""
        work.changes.declarations[declaration.decl_id] = declaration
        counted, remarks = amended(facts or declaration.facts)
        counted = resolved(counted)
        if counted.payload is None:
            if command is None:  # a wake is no event: nobody waits for its answer
                return ""
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="NO_CONTENT_YET")
        seen = declaration if counted is declaration.facts else replace(declaration, facts=counted)
        settlement = Settling(seen, work.licences, self._policy, work.barred).run()
        self._book(work, settlement, declaration, cause)
        park(work, declaration, settlement.waiting_for)
        said = _fingerprint(counted, settlement, remarks)
        asked = command is not None and command.kind in _ASKS
        findings = (*command.findings, *remarks) if command else remarks
        if (settlement.results or findings) and (said != declaration.said or asked):
            declaration.said = said
            seen.dv = declaration.dv = declaration.dv + 1
            work.outcomes.append(self._outcome(work, seen, settlement, cause, findings))
            work.outcome_slots.append(len(work.changes.outbox))
            work.send("outcome", declaration.decl_id, declaration.dv, declaration.decl_id, b"", cause.at)
        if command is None:
            return ""
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

    def _outcome(
        self,
        work: Work,
        declaration: DeclarationState,
        settlement: Settlement,
        cause: Cause,
        findings: tuple[Finding, ...],
    ) -> DeclarationOutcome:
        facts = declaration.facts
        payload = facts.payload
        return DeclarationOutcome(
            decl_id=declaration.decl_id,
            dv=declaration.dv,
            mrn=facts.mrn,
            lrn=facts.lrn,
            exporter=payload.exporter if payload else facts.exporter,
            office=payload.office if payload else "",
            state=declaration_state(facts),
            payload_version=facts.payload_rank.version if facts.payload_rank else 0,
            event_id=cause.event_id,
            event_kind=cause.kind,
            occurred_at=cause.occurred_at,
            claims=tuple(self._claim_outcome(work, result) for result in settlement.results),
            findings=findings,
        )

    def _claim_outcome(self, work: Work, result: ClaimResult) -> ClaimOutcome:
        claim, seen = result.claim, result.evaluation
        state = work.licences[claim.key.licence_id]
        quantity = _account(state, claim, Dim.QTY)
        value = _account(state, claim, Dim.VAL)
        show = self._policy.show_available
        return ClaimOutcome(
            key=claim.key,
            reference=seen.spec.reference if seen else claim.key.licence_id.partition("/")[2],
            document_code=claim.document_code,
            outcome=claim.outcome,
            state=claim.state,
            unit=quantity.unit if quantity else "",
            currency=value.unit if value else "",
            requested=claim.requested,
            reserved=claim.reserved,
            consumed=claim.consumed,
            uncovered=claim.uncovered,
            passed=_passed(result),
            failed=(*(seen.failed if seen else ()), *_short(result)),
            warned=tuple(seen.warned) if seen else (),
            reasons=result.reasons,
            incidents=result.incidents,
            source=claim.source,
            at_risk=_at_risk(result, state),
            licence=state.licence,
            licence_status=state.status,
            licence_version=state.version,
            lv=state.lv,
            available_quantity=quantity.available if quantity and show else None,
            available_value=value.available if value and show else None,
        )


_EXCEEDED = ("QUANTITY_EXCEEDED", "VALUE_EXCEEDED")


def _short(result: ClaimResult) -> list[tuple[Rule, Reason]]:
    return [(Rule.AVAILABILITY, reason) for reason in result.reasons if reason.code in _EXCEEDED]


def _passed(result: ClaimResult) -> tuple[Rule, ...]:
    seen = result.evaluation
    if seen is None:
        return ()
    fits = seen.managed and not seen.failed and result.claim.outcome.startswith("OK_")
    return (*seen.passed, Rule.AVAILABILITY) if fits else tuple(seen.passed)


def _refuse_conflict(held: Facts, told: Facts) -> None:
    """One version has one content, one reference one request.

    Raises:
        Conflict: it is told with another.
    """
    if told.requests and held.requests:
        known = {request.reference: request for request in held.requests}
        for request in told.requests:
            other = known.get(request.reference)
            if other is not None and other.asked and request.asked and _asks(other) != _asks(request):
                raise Conflict
    if told.generation != held.generation or told.payload is None or held.payload is None:
        return
    if told.payload_rank is None or held.payload_rank is None or told.payload_rank.order != held.payload_rank.order:
        return
    if told.payload != held.payload and as_declared(told.payload) != as_declared(held.payload):
        raise Conflict


def _asks(request: Request) -> tuple[object, ...]:
    return request.changes, request.content


def _shown(facts: Facts) -> bool:
    """Whether the goods were presented, or customs went on as only after a presentation."""
    return facts.presented is not None or facts.accepted is not None or bool(facts.releases)


def _no_effect(known: Facts, command: DeclarationCommand) -> str:
    told, held = command.facts.payload_rank, known.payload_rank
    return "SUPERSEDED" if told and held and told.order < held.order else "ALREADY_DONE"


def _account(state: LicenceState, claim: Claim, dim: Dim) -> Account | None:
    return state.limit(claim.key.line_no, dim) or state.limit(WHOLE_LICENCE, dim)


_BLOCKED = (Status.SUSPENDED, Status.REVOKED, Status.CANCELLED)


def _at_risk(result: ClaimResult, state: LicenceState) -> bool:
    """Reserved, and since then the licence was blocked or its validity moved away from the acceptance date.

    An expiry alone is no risk: validity is judged by the acceptance date.
    """
    if result.claim.state is not ClaimState.RESERVED:
        return False
    failed = result.evaluation.failed if result.evaluation else ()
    return state.status in _BLOCKED or any(rule is Rule.VALIDITY for rule, _ in failed)


def _fingerprint(facts: Facts, settlement: Settlement, remarks: tuple[Finding, ...]) -> str:
    """What was said, without figures that other declarations move."""
    rank = facts.payload_rank
    parts = [declaration_state(facts), f"{rank.supplementary}.{rank.version}" if rank else "", *map(str, remarks)]
    for result in settlement.results:
        claim = result.claim
        key = claim.key
        figures = "|".join(map(format_decimal, (*claim.reserved, *claim.consumed, *claim.uncovered)))
        parts.append(
            f"{key.item}.{key.doc_seq}.{key.line_no}.{key.licence_id}|{claim.outcome}|{claim.state}|{claim.reasons}"
            f"|{figures}"
        )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
