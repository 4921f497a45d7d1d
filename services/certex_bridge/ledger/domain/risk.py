"""Whether what was granted while a licence was Valid still stands on firm ground: one rule for answers and pushes."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from certex_bridge.kernel.dates import ZONES, legal_day, parse_date, parse_instant, valid_on
from certex_bridge.ledger.domain.model import ClaimState, Status
from certex_bridge.licensing.domain.licence import Licence

BLOCKED = frozenset({Status.SUSPENDED, Status.REVOKED, Status.CANCELLED})
"""Statuses that put an open claim at risk; an expiry alone does not, for validity is judged by the acceptance day."""

_GRANTED = (ClaimState.RESERVED, ClaimState.NOT_MANAGED)
_DEFAULT_ZONE = ZoneInfo("Europe/Brussels")


def at_risk(state: ClaimState, status: Status, *, valid: bool) -> bool:
    """Granted, and since then the licence was blocked or its validity moved away from the day of acceptance.

    Customs decide on release; the figures stay (no rule of Implementing Regulation (EU) 2024/2145 takes them away).
    """
    return state in _GRANTED and (status in BLOCKED or not valid)


def valid_at_acceptance(accepted: str, licence: Licence) -> bool | None:
    """Whether the licence covers the day of acceptance (UCC Art. 172(2)); None when nothing was accepted yet.

    `accepted` is a day or an instant, ISO text; an instant counts as the day it is in the issuing state.
    """
    return covered(accepted, licence.issuer, licence.valid_from, licence.valid_to)


def covered(accepted: str, issuer: str, valid_from: date | None, valid_to: date | None) -> bool | None:
    """The same of a licence known by its issuer and its days of validity only."""
    if not accepted:
        return None
    return valid_on(_day(accepted, issuer), valid_from, valid_to) == "OK"


def _day(text: str, issuer: str) -> date:
    if len(text) == len("2026-12-31"):
        return parse_date(text)
    zone = ZONES.get(issuer, _DEFAULT_ZONE)
    return legal_day(parse_instant(text, zone), zone)
