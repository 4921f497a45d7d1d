"""The time in which a declaration may still be amended."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from certex_bridge.kernel.dates import ZONES, legal_day
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.policy import Policy

_AMENDING = (EventKind.AMENDED, EventKind.SUPPLEMENTARY)
_DEFAULT_ZONE = ZoneInfo("Europe/Brussels")


def too_late(known: Facts, command: DeclarationCommand, policy: Policy) -> bool:
    """Whether an amendment comes after the years of UCC Art. 173(3), counted from the day of acceptance.

    The day is the one customs state (D.E. 15 09), else that of the acceptance event; the last day still counts, in
    the legal time of the declaration's member state. A supplementary declaration changes figures as well.
    """
    if command.kind not in _AMENDING or known.accepted is None:
        return False
    zone = ZONES.get(known.mrn[2:4], _DEFAULT_ZONE)
    accepted = _acceptance_day(known, known.accepted.occurred_at, zone)
    return legal_day(command.occurred_at, zone) > _years_later(accepted, policy.amendment_years)


def _acceptance_day(known: Facts, told: datetime, zone: ZoneInfo) -> date:
    stated = known.acceptance_day
    if not stated:
        return legal_day(told, zone)
    moment = datetime.fromisoformat(stated)
    return moment.date() if moment.tzinfo is None else legal_day(moment, zone)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February: the period ends with the month (Regulation 1182/71 Art. 3(2)(c))
        return day.replace(year=day.year + years, day=28)
