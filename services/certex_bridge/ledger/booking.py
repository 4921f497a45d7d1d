"""What a settlement changes: claims, journal and balances, and what the licensing side hears of it."""

from __future__ import annotations

from datetime import datetime

from certex_bridge.ledger.domain.journal import Booking
from certex_bridge.ledger.domain.members import REFUSED_OUTCOMES, Settlement
from certex_bridge.ledger.domain.model import Claim, ClaimState, DeclarationState
from certex_bridge.ledger.domain.steps import Step
from certex_bridge.ledger.statuses import publish_balance, raise_incidents
from certex_bridge.ledger.work import Cause, Work


def book(work: Work, settlement: Settlement, declaration: DeclarationState, cause: Cause) -> None:
    """Change claims and balances as decided, with the journal rows, balance messages and incidents that follow."""
    bookings: dict[str, list[Booking]] = {}
    for claim in settlement.obsolete:
        claim.state, claim.refused_at = ClaimState.CLOSED, None
        work.changes.claims[claim.key] = claim
    for result in settlement.results:
        claim, known = result.claim, declaration.claims.get(result.claim.key)
        claim.refused_at = _refused_at(claim, known, cause)
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
        if any(_gives_back(step) for _, steps in moves for step in steps):
            work.free(licence_id, cause, declaration.decl_id)
        entry.book(moves)
        if entry.rows:
            publish_balance(work, work.licences[licence_id], entry, cause, declaration.decl_id)
    for result in settlement.results:
        key = result.claim.key
        raise_incidents(
            work, work.licences[key.licence_id], result.incidents, key.decl_id, str(key), cause, by=result.by
        )


def _refused_at(claim: Claim, known: Claim | None, cause: Cause) -> datetime | None:
    """The moment on which it was refused first, on the same facts."""
    if claim.outcome not in REFUSED_OUTCOMES or claim.state is ClaimState.CHECKED:
        return None
    if known is not None and known.attempt == claim.attempt and known.refused_at is not None:
        return known.refused_at
    return cause.occurred_at


def _gives_back(step: Step) -> bool:
    held = step.d_reserved.plus(step.d_consumed)
    return min(held) < 0
