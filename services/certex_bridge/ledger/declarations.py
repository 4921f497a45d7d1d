"""A declaration event in an open transaction: join, merge, settle, book, and say what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.evaluation import not_tested
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.journal import Booking
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
from certex_bridge.ledger.statuses import publish_balance, raise_incidents
from certex_bridge.ledger.work import Cause, Work


def draft_id(exporter: str, lrn: str) -> str:
    """Identity of a declaration before it has an MRN: two exporters may use the same LRN."""
    return f"{exporter}/{lrn}"


def main_id(command: DeclarationCommand) -> str:
    """The declaration an event is about: by MRN, or by (exporter, LRN) before one exists."""
    return command.mrn or draft_id(command.exporter, command.lrn)


_ASKS = (EventKind.LODGED, EventKind.PRESENTED, EventKind.ACCEPTED, EventKind.RECHECK)
"""Events that are answered even when the answer is the one given before."""


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
        _refuse_conflict(before, command)
        if too_late(before, command, self._policy):
            work.count("refused:TOO_LATE")
            return work.answer(
                cause.event_id, "REFUSED", reason="ADJUST_REFUSED", detail="TOO_LATE", declaration=declaration.decl_id
            )
        declaration.facts = merge(before, command.facts)
        self._tell_joined(work, command, cause)
        if declaration.facts == known and command.kind not in (EventKind.NOTED, EventKind.RECHECK):
            return work.answer(cause.event_id, _no_effect(known, command), declaration=declaration.decl_id)
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.joined:
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id)
        return self.settle(work, declaration, cause, command)

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
        self, work: Work, declaration: DeclarationState, cause: Cause, command: DeclarationCommand | None
    ) -> str:
        """Bring the ledger to what the facts ask for; publish what changed."""
        work.changes.declarations[declaration.decl_id] = declaration
        if declaration.facts.payload is None:
            if command is None:  # a wake is no event: nobody waits for its answer
                return ""
            return work.answer(cause.event_id, "RECORDED", declaration=declaration.decl_id, state="NO_CONTENT_YET")
        settlement = Settling(declaration, work.licences, self._policy, work.barred).run()
        self._book(work, settlement, declaration, cause)
        _park(work, declaration, settlement.waiting_for)
        said = _fingerprint(declaration, settlement)
        asked = command is not None and command.kind in _ASKS
        if settlement.results and (said != declaration.said or asked):
            declaration.said = said
            declaration.dv += 1
            findings = command.findings if command else ()
            work.outcomes.append(self._outcome(work, declaration, settlement, cause, findings))
            work.outcome_slots.append(len(work.changes.outbox))
            work.send("outcome", declaration.decl_id, declaration.dv, declaration.decl_id, b"", cause.at)
        if command is None:
            return ""
        return work.answer_applied(cause.event_id, declaration, [result.claim for result in settlement.results])

    def _book(self, work: Work, settlement: Settlement, declaration: DeclarationState, cause: Cause) -> None:
        bookings: dict[str, list[Booking]] = {}
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
            if result.steps:
                bookings.setdefault(claim.key.licence_id, []).append((claim, result.steps))
        for licence_id, moves in bookings.items():
            entry = work.entry(licence_id, cause)
            entry.book(moves)
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
        quantity = _accounts(state, claim, Dim.QTY)
        value = _accounts(state, claim, Dim.VAL)
        show = self._policy.show_available
        passed, warned = _passed(result), tuple(seen.warned) if seen else ()
        failed = (*(seen.failed if seen else ()), *_short(result))
        return ClaimOutcome(
            key=claim.key,
            reference=seen.spec.reference if seen else claim.key.licence_id.partition("/")[2],
            document_code=claim.document_code,
            outcome=claim.outcome,
            state=claim.state,
            unit=quantity[0].unit if quantity else "",
            currency=value[0].unit if value else "",
            requested=claim.requested,
            reserved=claim.reserved,
            consumed=claim.consumed,
            uncovered=claim.uncovered,
            passed=passed,
            failed=failed,
            warned=warned,
            reasons=result.reasons,
            incidents=result.incidents,
            source=claim.source,
            at_risk=_at_risk(result, state),
            licence=state.licence,
            licence_status=state.status,
            licence_version=state.version,
            lv=state.lv,
            available_quantity=_available(quantity) if show else None,
            available_value=_available(value) if show else None,
            notes=result.notes,
            not_tested=not_tested(passed, failed, warned) if seen else (),
        )


class Conflict(Exception):
    """The same payload version with other content."""

    code = "CONFLICTING_DUPLICATE"


_EXCEEDED = ("QUANTITY_EXCEEDED", "VALUE_EXCEEDED")


def _short(result: ClaimResult) -> list[tuple[Rule, Reason]]:
    return [(Rule.AVAILABILITY, reason) for reason in result.reasons if reason.code in _EXCEEDED]


def _passed(result: ClaimResult) -> tuple[Rule, ...]:
    seen = result.evaluation
    if seen is None:
        return ()
    fits = seen.managed and not seen.failed and result.claim.outcome.startswith("OK_")
    return (*seen.passed, Rule.AVAILABILITY) if fits else tuple(seen.passed)


def _refuse_conflict(known: Facts, command: DeclarationCommand) -> None:
    told, held = command.facts, known
    if told.payload is None or held.payload is None or told.payload_rank is None or held.payload_rank is None:
        return
    if told.payload_rank.order == held.payload_rank.order and told.payload != held.payload:
        raise Conflict


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


def _accounts(state: LicenceState, claim: Claim, dim: Dim) -> list[Account]:
    """What limits a claim in one dimension: its line, and the licence as a whole."""
    line_no = claim.key.line_no
    places = (line_no, WHOLE_LICENCE) if line_no else (WHOLE_LICENCE,)
    return [account for place in places if (account := state.limit(place, dim)) is not None]


def _available(accounts: list[Account]) -> Decimal | None:
    """What others may still take: never more than the tightest limit leaves."""
    return min(account.available for account in accounts) if accounts else None


_BLOCKED = (Status.SUSPENDED, Status.REVOKED, Status.CANCELLED)


def _at_risk(result: ClaimResult, state: LicenceState) -> bool:
    """Reserved, and since then the licence was blocked or its validity moved away from the acceptance date.

    An expiry alone is no risk: validity is judged by the acceptance date.
    """
    if result.claim.state is not ClaimState.RESERVED:
        return False
    failed = result.evaluation.failed if result.evaluation else ()
    return state.status in _BLOCKED or any(rule is Rule.VALIDITY for rule, _ in failed)


def _fingerprint(declaration: DeclarationState, settlement: Settlement) -> str:
    """What was said, without figures that other declarations move."""
    facts = declaration.facts
    rank = facts.payload_rank
    parts = [declaration_state(facts), f"{rank.supplementary}.{rank.version}" if rank else ""]
    for result in settlement.results:
        claim = result.claim
        key = claim.key
        figures = "|".join(map(format_decimal, (*claim.reserved, *claim.consumed, *claim.uncovered)))
        parts.append(
            f"{key.item}.{key.doc_seq}.{key.line_no}.{key.licence_id}|{claim.outcome}|{claim.state}|{claim.reasons}"
            f"|{figures}"
        )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
