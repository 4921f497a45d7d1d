"""What follows a change of balance or version: the balance message, the status if it changed, the certificate."""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.model import Kind, LicenceState, Status
from certex_bridge.ledger.domain.reasons import Answerable, Incident
from certex_bridge.ledger.ports import StatusChange
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.ledger.work import Cause, Work

VALIDITY_SHORTENED = "VALIDITY_SHORTENED"
"""Reason of a status push that changes no status."""


def publish_balance(work: Work, state: LicenceState, entry: Entry, cause: Cause, declaration: str = "") -> None:
    """Queue the balance of this journal version; a change of status (limit reached or restored) goes with it."""
    change = note_status(work, state, cause)
    if change is not None:
        entry.note(Kind.STATUS, f"{change.old}->{state.status.value}")
        issue_certificate(work, state, cause)
    work.touch(state)
    work.changes.movements += entry.rows
    for row in entry.rows:
        work.count(f"movement:{row.kind}")
    kind = entry.rows[0].kind.value
    body = work.documents.balance(state, {"event": cause.event_id, "kind": kind, "declaration": declaration}, cause.at)
    work.send("balance", state.licence_id, state.lv, state.licence_id, body, cause.at)


def issue_certificate(work: Work, state: LicenceState, cause: Cause) -> bytes:
    """Queue the certificate as it now stands, in its next version, and return it.

    The topic keeps the newest certificate of a licence, so it must follow every change of the status that customs
    judge by, not the authority's versions only.
    """
    state.cv += 1
    work.touch(state)
    document = work.documents.certificate(state, cause.event_id, cause.occurred_at, work.made_at)
    work.send("certificate", state.licence_id, state.cv, state.licence_id, document, cause.at)
    work.count("certificates")
    return document


def note_status(work: Work, state: LicenceState, cause: Cause, reason: str = "") -> StatusChange | None:
    """Compare the derived status with the one last published."""
    now = state.derived_status()
    if now is state.status:
        return None
    old, state.status = state.status, now
    if not reason:
        restored = "LIMIT_RESTORED" if old is Status.EXHAUSTED else "VERSION"
        reason = "LIMIT_REACHED" if now is Status.EXHAUSTED else restored
    first = work.status_changes.get(state.licence_id)
    change = StatusChange(state.licence_id, old.value, reason, cause.at, cause.event_id)
    work.status_changes[state.licence_id] = change._replace(old=first.old) if first else change
    record_status(work, state, change)
    return change


def note_shortened(work: Work, state: LicenceState, cause: Cause) -> None:
    """Whoever has an open interest hears of a shorter validity, even though the status is the same."""
    change = StatusChange(state.licence_id, state.status.value, VALIDITY_SHORTENED, cause.at, cause.event_id)
    work.status_changes.setdefault(state.licence_id, change)
    record_status(work, state, change)


def record_status(work: Work, state: LicenceState, change: StatusChange, exporter: str = "") -> None:
    """Keep one change for ever, each step of several in one transaction too; the licence's row must be written."""
    licence = state.licence
    assert licence is not None, "a licence that is not known has no status"
    state.sv += 1
    work.touch(state)
    record = StatusRecord(
        state.licence_id,
        state.sv,
        change.old,
        state.status.value,
        change.reason,
        change.at,
        change.event_id,
        exporter,
        state.version,
        state.lv,
        licence.number,
        licence.document_code,
        licence.direction.value,
        licence.valid_from,
        licence.valid_to,
        work.trace,
    )
    work.changes.status_records.append(record)


def raise_incidents(  # what, where, why, and who answers for it
    work: Work,
    state: LicenceState,
    incidents: Sequence[Incident],
    declaration: str,
    claim: str,
    cause: Cause,
    *,
    by: Answerable | None = None,
) -> None:
    """Tell the licensing side what was recorded although it should not have happened, or by hand."""
    if not incidents:
        return
    state.iv += 1
    work.touch(state)
    body = work.documents.incidents(state, incidents, declaration, claim, cause.at, cause.event_id, by)
    work.send("incident", state.licence_id, state.iv, state.licence_id, body, cause.at)
    for incident in incidents:
        work.count(f"incident:{incident.value}")
