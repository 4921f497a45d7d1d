"""Whether what was granted while a licence was Valid still stands on firm ground: one rule for answers and pushes."""

from __future__ import annotations

from datetime import date

from certex_bridge.kernel.dates import valid_on
from certex_bridge.ledger.domain.days import STRICT, day_of
from certex_bridge.ledger.domain.model import ClaimState, Status

BLOCKED = frozenset({Status.SUSPENDED, Status.REVOKED, Status.CANCELLED})
"""Statuses that put an open claim at risk; an expiry alone does not, for validity is judged by the acceptance day."""

_GRANTED = (ClaimState.RESERVED, ClaimState.NOT_MANAGED)


def at_risk(state: ClaimState, status: Status, *, valid: bool) -> bool:
    """Granted, and since then the licence was blocked or its validity moved away from the day of acceptance.

    Customs decide on release; the figures stay (no rule of Implementing Regulation (EU) 2024/2145 takes them away).
    """
    return state in _GRANTED and (status in BLOCKED or not valid)


def covered(accepted: str, state: str, valid_from: date | None, valid_to: date | None) -> bool | None:
    """Whether these days of validity cover that of acceptance (UCC Art. 172(2)); None: nothing was accepted yet.

    `accepted` is a day or an instant, ISO text; an instant counts as the day it is in the declaring state.
    """
    if not accepted:
        return None
    return valid_on(day_of(accepted, STRICT.zone(state)), valid_from, valid_to) == "OK"
