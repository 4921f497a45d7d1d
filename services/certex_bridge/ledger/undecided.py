"""Declarations that customs accepted or released and whose content nobody can tell.

Either nothing was ever lodged under their LRN, or it could be one of several lodgings. Nothing is booked for them, and
customs, the licensing side and the operator hear of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.issuers import cited
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.reasons import SENTENCES, Incident
from certex_bridge.ledger.matching import draft_id
from certex_bridge.ledger.statuses import raise_incidents
from certex_bridge.ledger.work import Cause, Work

NO_CONTENT = Payload("", "", "", "", "", "", "", ())
"""What is booked for such a declaration: nothing."""


class CandidateLodging(NamedTuple):
    """A lodging that an undecided declaration could be."""

    exporter: str
    """EORI of the trader who lodged it."""
    lodged_event: str
    """Id of the event that lodged it."""
    lodged_at: datetime


def candidates_of(anchor: Anchor, mrn: str) -> tuple[CandidateLodging, ...]:
    """What an undecided declaration could be, the oldest first; empty: nothing that is known, or it is certain."""
    if mrn not in anchor.mrns:
        return ()
    keys = set(anchor.placements()[mrn].candidates)
    marks = sorted((mark for mark in anchor.lodgings if mark.key in keys), key=lambda mark: mark.stamp)
    return tuple([CandidateLodging(mark.exporter, mark.stamp.event_id, mark.stamp.occurred_at) for mark in marks])


def missing_content(declaration: DeclarationState) -> tuple[Finding, ...]:
    """The finding on a declaration that no known lodging can be."""
    if any(doubt.code == "DRAFT_AMBIGUOUS" for doubt in declaration.doubts):
        return ()
    facts = declaration.facts
    return (Finding("CONTENT_MISSING", "lrn", facts.lrn, SENTENCES["CONTENT_MISSING"], Severity.WARNING),)


def raise_undecided(work: Work, declaration: DeclarationState, cause: Cause) -> None:
    """Tell the authorities of all licences that it may have used, once its goods were released."""
    if not any(release.released for _, release in declaration.facts.releases):
        return
    told = [
        work.licences[licence_id]
        for licence_id in sorted(_possible_licences(work, declaration))
        if licence_id in work.licences and work.licences[licence_id].known
    ]
    for state in told:
        raise_incidents(work, state, (Incident.RELEASED_UNDECIDED,), declaration.decl_id, "", cause)
    if not told:
        work.count(f"incident:{Incident.RELEASED_UNDECIDED.value}")


def _possible_licences(work: Work, declaration: DeclarationState) -> set[str]:
    """Licences cited by the lodgings that the declaration could be."""
    anchor = work.anchors.get(declaration.facts.lrn)
    if anchor is None or declaration.decl_id not in anchor.mrns:
        return set()
    candidates = set(anchor.placements()[declaration.decl_id].candidates)
    drafts = [work.declarations.get(draft_id(key.exporter, anchor.lrn)) for key in candidates]
    events = [event for draft in drafts if draft is not None for event in draft.events]
    return {licence_id for event in events for licence_id in cited(event.facts, declaration.facts.mrn)}
