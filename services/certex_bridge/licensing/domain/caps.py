"""Where a licence limits use: one account per controlled line and dimension, fixed at issue (rule R7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from certex_bridge.licensing.domain.licence import Licence, LicenceLine, LicenceType

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


def unlimited(licence_type: LicenceType) -> bool:
    """General authorisations carry no limit: use is checked and reported, never written off (domain 7.3)."""
    return licence_type.is_eugea or licence_type is LicenceType.NGEA


def line_caps(licence: Licence) -> tuple[AccountCap, ...]:
    """The accounts of one licence version, in stable order: whole licence first, then lines, QTY before VAL."""
    if unlimited(licence.type):
        return ()
    caps = []
    if licence.cap.quantity is not None:
        caps.append(AccountCap(WHOLE_LICENCE, QTY, licence.cap.quantity.unit, licence.cap.quantity.amount))
    if licence.cap.value is not None:
        caps.append(AccountCap(WHOLE_LICENCE, VAL, licence.cap.value.currency, licence.cap.value.amount))
    for line in licence.lines:
        caps.extend(_caps_of(line))
    return tuple(caps)


def _caps_of(line: LicenceLine) -> list[AccountCap]:
    caps = []
    if line.control.quantity and line.quantity is not None:
        cap = with_tolerance(line.quantity.amount, line.tolerance_percent)
        caps.append(AccountCap(line.line_no, QTY, line.quantity.unit, cap))
    if line.control.value_ and line.value is not None:
        cap = with_tolerance(line.value.amount, line.tolerance_percent)
        caps.append(AccountCap(line.line_no, VAL, line.value.currency, cap))
    return caps
