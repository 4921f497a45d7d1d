"""Times that decide what an event can still say: the years for amendments, and lodging anew after a rejection."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, tzinfo

from certex_bridge.kernel.dates import legal_day, years_later
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts, Stamp
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.standing import rejection

_AMENDING = (EventKind.AMENDED, EventKind.SUPPLEMENTARY)


def too_late(known: Facts, command: DeclarationCommand, policy: Policy) -> bool:
    """Whether an amendment comes after the years of UCC Art. 173(3), counted from the day of acceptance.

    The day is the one customs state (D.E. 15 09), else that of the acceptance event; the last day still counts, in
    the legal time of the declaration's member state. A supplementary declaration changes figures as well.
    """
    if command.kind not in _AMENDING or known.accepted is None:
        return False
    zone = policy.zone(known.mrn[2:4])
    accepted = _acceptance_day(known, known.accepted.occurred_at, zone)
    return legal_day(command.occurred_at, zone) > years_later(accepted, policy.amendment_years)


def _acceptance_day(known: Facts, told: datetime, zone: tzinfo) -> date:
    stated = known.acceptance_day
    if not stated:
        return legal_day(told, zone)
    moment = datetime.fromisoformat(stated)
    return moment.date() if moment.tzinfo is None else legal_day(moment, zone)


def in_generation(known: Facts, command: DeclarationCommand) -> Facts:
    """The event's facts in the generation of the draft they belong to.

    A trader may lodge again under the same LRN after a rejection: what was told before then no longer counts.
    """
    told = command.facts
    stamp = Stamp(command.occurred_at, command.event_id)
    rejected = rejection(known)
    if told.lodged is not None and rejected is not None and rejected < told.lodged:
        return replace(told, generation=told.lodged)
    if known.generation is not None and stamp > known.generation:
        return replace(told, generation=known.generation)
    return told
