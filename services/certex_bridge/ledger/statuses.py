"""What follows a change of balance or version: the balance message, and the status if it changed."""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.model import Kind, LicenceState, Status
from certex_bridge.ledger.domain.reasons import Incident
from certex_bridge.ledger.work import Cause, StatusChange, Work

VALIDITY_SHORTENED = "VALIDITY_SHORTENED"
"""Reason of a status push that changes no status."""


def publish_balance(work: Work, state: LicenceState, entry: Entry, cause: Cause, declaration: str = "") -> None:
    """Queue the balance of this journal version, and note a change of status (limit reached or restored)."""
    change = note_status(work, state, cause.at)
    if change is not None:
        entry.note(Kind.STATUS, f"{change.old}->{state.status.value}")
    work.touch(state)
    work.changes.movements += entry.rows
    for row in entry.rows:
        work.count(f"movement:{row.kind}")
    kind = entry.rows[0].kind.value
    body = work.documents.balance(state, {"event": cause.event_id, "kind": kind, "declaration": declaration}, cause.at)
    work.send("balance", state.licence_id, state.lv, state.licence_id, body, cause.at)


def note_status(work: Work, state: LicenceState, at: str, reason: str = "") -> StatusChange | None:
    """Compare the derived status with the one last published."""
    now = state.derived_status()
    if now is state.status:
        return None
    old, state.status = state.status, now
    if not reason:
        restored = "LIMIT_RESTORED" if old is Status.EXHAUSTED else "VERSION"
        reason = "LIMIT_REACHED" if now is Status.EXHAUSTED else restored
    first = work.status_changes.get(state.licence_id)
    change = StatusChange(state.licence_id, first.old if first else old.value, reason, at)
    work.status_changes[state.licence_id] = change
    work.touch(state)
    return StatusChange(state.licence_id, old.value, reason, at)


def note_shortened(work: Work, state: LicenceState, at: str) -> None:
    """Whoever has an open interest hears of a shorter validity, even though the status is the same."""
    change = StatusChange(state.licence_id, state.status.value, VALIDITY_SHORTENED, at)
    work.status_changes.setdefault(state.licence_id, change)


def raise_incidents(
    work: Work, state: LicenceState, incidents: Sequence[Incident], declaration: str, claim: str, cause: Cause
) -> None:
    """Tell the licensing side what was recorded although it should not have happened."""
    if not incidents:
        return
    state.nv += 1
    work.touch(state)
    body = work.documents.incidents(state, incidents, declaration, claim, cause.at)
    work.send("notification", state.licence_id, state.nv, state.licence_id, body, cause.at)
    for incident in incidents:
        work.count(f"incident:{incident.value}")
