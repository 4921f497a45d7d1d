"""Times that decide what an event can still say: the years for amendments, and lodging anew after a rejection."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts, Stamp
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.standing import rejection


def too_late(known: Facts, command: DeclarationCommand, policy: Policy) -> bool:
    """Whether an amendment comes after the years of UCC Art. 173(3), counted from acceptance by customs' time."""
    if command.kind is not EventKind.AMENDED or known.accepted is None:
        return False
    accepted = known.accepted.occurred_at
    return command.occurred_at > _years_later(accepted, policy.amendment_years)


def _years_later(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + years, month=3, day=1)


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
