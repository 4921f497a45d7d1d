"""Balance bars: shares of what is authorised, drawn exactly enough to look at; the figures stand beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

WIDTH = 240
"""Units of the drawing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Parts from left to right, in units of the drawing."""

    consumed: float
    reserved: float
    over: float
    """Part of the whole that lies beyond the limit."""
    percent: int
    """Share of the limit in use, rounded down; 100 and more only when it is full."""


def bar(account: Mapping[str, Any]) -> Bar:
    """The bar of a balance; its whole is the limit, or what is in use when that is more."""
    cap, reserved, consumed = account["cap"], account["reserved"], account["consumed"]
    used = reserved + consumed
    whole = max(cap, used)
    if not whole:
        return Bar(0, 0, 0, 0)
    percent = int(used * 100 / cap) if cap else 100
    return Bar(_part(consumed, whole), _part(reserved, whole), _part(used - cap, whole) if used > cap else 0, percent)


def _part(amount: Decimal, whole: Decimal) -> float:
    return round(float(amount / whole) * WIDTH, 2)
