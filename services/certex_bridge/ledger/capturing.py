"""A write-off made outside the bridge in an open transaction: remember it, settle it, tell what did not fit."""

from __future__ import annotations

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.booking import book
from certex_bridge.ledger.domain.arrival import after
from certex_bridge.ledger.domain.capture import findings_on, settle_captured
from certex_bridge.ledger.domain.facts import Captured, Facts
from certex_bridge.ledger.domain.members import Settlement
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import ClaimState, DeclarationState
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.ledger.parking import park
from certex_bridge.ledger.work import Cause, Work
from certex_bridge.licensing.domain.writeoff import WriteOff


def capture(work: Work, write_off: WriteOff, findings: tuple[Finding, ...], cause: Cause) -> LicenceDecision:
    """Apply one captured write-off; what cannot be booked on its licence changes nothing and is told."""
    declaration = work.declarations[write_off.evidence.write_off_id]
    state = work.licences[write_off.licence_id]
    problems = findings_on(write_off, state)
    if problems:
        return LicenceDecision(Verdict.REFUSED, [*findings, *problems])
    told = Captured(_stamp(declaration, write_off, cause), write_off)
    declaration.facts = merge(declaration.facts, Facts(captured=(told,)))
    work.changes.declarations[declaration.decl_id] = declaration
    if told not in declaration.facts.captured:
        return LicenceDecision(Verdict.SUPERSEDED, list(findings))
    settlement = settle_write_off(work, declaration, cause)
    return LicenceDecision(Verdict.ACCEPTED, [*findings, *_remarks(settlement, write_off)])


def _stamp(declaration: DeclarationState, write_off: WriteOff, cause: Cause) -> Stamp:
    """When the totals were told: after those of the same second, and by a sender that waits after all known."""
    at = cause.occurred_at
    stamp = Stamp(at, cause.event_id)
    for held in declaration.facts.captured:
        known = held.stamp.occurred_at
        if held.write_off.licence_id == write_off.licence_id:
            return after(stamp, held.stamp) if cause.waits or at in (known, known.replace(microsecond=0)) else stamp
    return stamp


def settle_write_off(work: Work, declaration: DeclarationState, cause: Cause) -> Settlement:
    """Book what the captured totals move, and wait for the licences that are not known yet."""
    work.changes.declarations[declaration.decl_id] = declaration
    settlement = settle_captured(declaration, work.licences)
    book(work, settlement, declaration, cause)
    park(work, declaration, settlement.waiting_for)
    return settlement


def _remarks(settlement: Settlement, write_off: WriteOff) -> list[Finding]:
    """What the authority must know of an event that was accepted."""
    if write_off.licence_id in settlement.waiting_for:
        sentence = "The licence is not known; the write-off is booked when it arrives."
        return [_warning("NOT_FOUND", "number", write_off.licence_id, sentence)]
    found = []
    for result in settlement.results:
        claim = result.claim
        if claim.key.licence_id != write_off.licence_id:
            continue
        if claim.state is ClaimState.UNCOVERED:
            about = f"lines[{claim.key.line_no}]"
            found.append(_warning("UNCOVERED", about, result.reasons[0].declared, Reason("UNCOVERED").sentence))
        elif claim.outcome == "OK_NOT_MANAGED":
            sentence = "Neither this line nor the licence has a limit: nothing is written off."
            found.append(_warning("NOT_MANAGED", f"lines[{claim.key.line_no}]", "", sentence))
    return found


def _warning(code: str, about: str, value: str, sentence: str) -> Finding:
    return Finding(code, about, value, sentence, Severity.WARNING)
