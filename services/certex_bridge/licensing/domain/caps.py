"""Where a licence limits use: one account per controlled line and dimension, fixed at issue (rule R7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from certex_bridge.licensing.domain.licence import Licence, LicenceLine, LicenceType, is_eugea

QTY = "QTY"
VAL = "VAL"
WHOLE_LICENCE = 0
"""Line number of the account that caps a whole licence."""


@dataclass(frozen=True, slots=True)
class AccountCap:
    """The limit of one account: line (0 for the whole licence), dimension, unit and exact figure."""

    line_no: int
    dim: str
    unit: str
    """TARIC unit for QTY, ISO 4217 currency for VAL."""
    cap: Decimal


def with_tolerance(amount: Decimal, tolerance_percent: str) -> Decimal:
    """`amount x (1 + t/100)`, exact and never rounded; as many decimals as the product needs.

    Args:
        amount: the authorised figure, in any unit.
        tolerance_percent: decimal text, for instance "5" or "2.5".
    """
    if tolerance_percent == "0":
        return amount
    with localcontext() as context:
        # 16 digits times at most 16 digits plus the shift by 100: 40 digits hold every product exactly.
        context.prec = 40
        return amount + amount * Decimal(tolerance_percent) / 100


def unlimited(licence_type: str) -> bool:
    """General authorisations carry no limit: use is checked and reported, never written off (domain 7.3)."""
    return is_eugea(licence_type) or licence_type == LicenceType.NGEA


def line_caps(licence: Licence) -> tuple[AccountCap, ...]:
    """The accounts of one licence version, in stable order: whole licence first, then lines, QTY before VAL.

    The limit is authorised x (1 + t), or what remained of it at hand-over where the licence states that: what was
    written off on paper before is never available again.
    """
    if unlimited(licence.type):
        return ()
    caps = []
    whole = licence.cap
    if whole.quantity is not None:
        left = whole.quantity_remaining or whole.quantity
        caps.append(AccountCap(WHOLE_LICENCE, QTY, whole.quantity.unit, left.amount))
    if whole.value is not None:
        rest = whole.value_remaining or whole.value
        caps.append(AccountCap(WHOLE_LICENCE, VAL, whole.value.currency, rest.amount))
    for line in licence.lines:
        caps.extend(_caps_of(line))
    return tuple(caps)


def _caps_of(line: LicenceLine) -> list[AccountCap]:
    caps = []
    if line.control.quantity and line.quantity is not None:
        left = line.quantity_remaining
        cap = left.amount if left else with_tolerance(line.quantity.amount, line.tolerance_percent)
        caps.append(AccountCap(line.line_no, QTY, line.quantity.unit, cap))
    if line.control.value_ and line.value is not None:
        rest = line.value_remaining
        cap = rest.amount if rest else with_tolerance(line.value.amount, line.tolerance_percent)
        caps.append(AccountCap(line.line_no, VAL, line.value.currency, cap))
    return caps
