"""The time in which a declaration may still be amended."""

from __future__ import annotations

from datetime import datetime

from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.policy import Policy


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
