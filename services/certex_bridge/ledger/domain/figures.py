"""Which declared figure counts for an account, and whether its unit is the account's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.currencies import EURO, REPLACED, in_euro, is_replaced
from certex_bridge.kernel.errors import AmountError
from certex_bridge.kernel.units import alias_factor
from certex_bridge.ledger.domain.content import ClaimSpec, Item
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


def declared_figures(  # what is declared, what limits it, and when
    spec: ClaimSpec, item: Item, limits: list[tuple[Dim, Account]], policy: Policy, day: date | None
) -> Declared:
    """Find the figure for each limited dimension; the accounts of one dimension share one unit (lint at intake).

    An amount in a currency that the euro replaced is the amount in euro that it is by law, from the day of adoption
    on (`day` is the one that counts for the declaration), and on every account that was restated.
    """
    found = Declared()
    quantity = value = ZERO
    for dim, account in limits:
        if dim is Dim.QTY:
            quantity = _quantity(spec.quantity, item, account, policy, found) or quantity
        else:
            value = _value(spec.value, item, account, (policy, day), found) or value
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


def _value(
    declared: Money | None, item: Item, account: Account, judged: tuple[Policy, date | None], found: Declared
) -> Decimal | None:
    policy, day = judged
    if declared is None:
        amount = _amount(item.amount, account, day) if FigureSource.ITEM_AMOUNT in policy.ladder else None
        if amount:
            found.source = FigureSource.ITEM_AMOUNT.value
            return amount
        found.problems.append((Rule.FIGURES, Reason("VALUE_MISSING", "amount", "", account.unit)))
        return None
    amount = _amount(declared, account, day)
    if amount is None:
        reason = Reason("CURRENCY_MISMATCH", "currency", declared.currency, _kept_in(account, day))
        found.problems.append((Rule.UNIT, reason))
    elif declared.currency != account.unit:
        found.source = f"{declared.currency}/{account.unit} {REPLACED[declared.currency].rate}"
    return amount


def _amount(stated: Money | None, account: Account, day: date | None) -> Decimal | None:
    """The amount in the account's currency; None where it is another one."""
    if stated is None:
        return None
    currency = stated.currency
    if currency == account.unit:
        return stated.amount
    by_law = currency == account.replaced or (day is not None and is_replaced(currency, day))
    return in_euro(stated.amount, currency) if by_law and account.unit == EURO else None


def _kept_in(account: Account, day: date | None) -> str:
    """The account's currency, and since when the euro stands for it: the authority restates such a licence."""
    if day is None or not is_replaced(account.unit, day):
        return account.unit
    return f"{account.unit} ({EURO} since {REPLACED[account.unit].first_day})"
