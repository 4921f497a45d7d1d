"""Which declared figure counts for an account, and whether its unit is the account's."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import AmountError
from certex_bridge.kernel.units import alias_factor
from certex_bridge.ledger.domain.facts import ClaimSpec, Item
from certex_bridge.ledger.domain.model import ZERO, Account, Dim, Figures
from certex_bridge.ledger.domain.policy import FigureSource, Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule

_KILOGRAM = "KGM"


@dataclass(slots=True)
class Declared:
    """The figures of a claim in the accounts' own units, or the problems that prevent them."""

    figures: Figures = field(default_factory=Figures)
    problems: list[tuple[Rule, Reason]] = field(default_factory=list)
    source: str = ""
    """How a figure was found when it is not the document's own, for the record."""


def declared_figures(spec: ClaimSpec, item: Item, limits: list[tuple[Dim, Account]], policy: Policy) -> Declared:
    """Find the figure for each limited dimension; the accounts of one dimension share one unit (lint at intake)."""
    found = Declared()
    quantity = value = ZERO
    for dim, account in limits:
        if dim is Dim.QTY:
            quantity = _quantity(spec.quantity, item, account, policy, found) or quantity
        else:
            value = _value(spec.value, item, account, policy, found) or value
    found.figures = Figures(quantity, value)
    return found


def _quantity(
    declared: Quantity | None, item: Item, account: Account, policy: Policy, found: Declared
) -> Decimal | None:
    if declared is None:
        if FigureSource.NET_MASS in policy.ladder and account.unit == _KILOGRAM and item.net_mass:
            found.source = FigureSource.NET_MASS.value
            return item.net_mass
        found.problems.append((Rule.FIGURES, Reason("QUANTITY_MISSING", "quantity", "", account.unit)))
        return None
    if declared.unit == account.unit:
        return declared.amount
    factor = alias_factor(declared.unit, account.unit) if policy.unit_aliases else None
    if factor is None:
        reason = Reason("UNIT_MISMATCH", "measurementUnitAndQualifier", declared.unit, account.unit)
        found.problems.append((Rule.UNIT, reason))
        return None
    try:
        converted = declared.convert(factor, account.unit, field="quantity")
    except AmountError as error:
        found.problems.append((Rule.UNIT, Reason(error.code, "quantity", str(declared), account.unit)))
        return None
    found.source = f"{declared.unit}x{factor}"
    return converted.amount


def _value(declared: Money | None, item: Item, account: Account, policy: Policy, found: Declared) -> Decimal | None:
    if declared is None:
        if FigureSource.ITEM_AMOUNT in policy.ladder and item.amount and item.amount.currency == account.unit:
            found.source = FigureSource.ITEM_AMOUNT.value
            return item.amount.amount
        found.problems.append((Rule.FIGURES, Reason("VALUE_MISSING", "amount", "", account.unit)))
        return None
    if declared.currency != account.unit:
        reason = Reason("CURRENCY_MISMATCH", "currency", declared.currency, account.unit)
        found.problems.append((Rule.UNIT, reason))
        return None
    return declared.amount
