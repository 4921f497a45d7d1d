"""The figures of a licence from their wire form: units brought to TARIC codes, zero and unknown units judged.

A figure that does not bind is the authority's information: when the ledger could not use it, it is kept in the
authority's own words and told as a warning. One that binds must be usable.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.units import taric_unit
from certex_bridge.licensing.domain.texts import check_text
from certex_bridge.licensing.events import WireCap, WireLine, WireMoney, WireQuantity


class Figures(NamedTuple):
    """The figures of a line, or of the limit over all lines."""

    quantity: Quantity | None = None
    value: Money | None = None
    quantity_remaining: Quantity | None = None
    value_remaining: Money | None = None
    quantity_stated: str = ""
    value_stated: str = ""


def read_figures(
    wire: WireLine | WireCap, field: str, findings: list[Finding], *, by_quantity: bool, by_value: bool
) -> Figures:
    """The figures of `wire`, adding UNIT_UNKNOWN and ZERO to `findings`.

    Args:
        wire: a line or a cap.
        field: its path, for the findings.
        findings: what was found is added here: errors for a figure that binds, else warnings.
        by_quantity: whether the quantity binds.
        by_value: whether the value binds.
    """
    quantity, stated = _quantity(wire.quantity, f"{field}.quantity", findings, binds=by_quantity)
    value, value_stated = _money(wire.value, f"{field}.value", findings, binds=by_value)
    # Nothing left is a figure like any other.
    left, _ = _quantity(
        wire.net_quantity_remaining, f"{field}.netQuantityRemaining", findings, binds=by_quantity, zero=True
    )
    rest, _ = _money(wire.net_value_remaining, f"{field}.netValueRemaining", findings, binds=by_value, zero=True)
    return Figures(quantity, value, left, rest, stated, value_stated)


def read_total(
    quantity: WireQuantity | None, value: WireMoney | None, field: str, findings: list[Finding]
) -> tuple[Quantity | None, Money | None]:
    """The totals of a captured write-off, adding UNIT_UNKNOWN to `findings`; zero is a total like any other."""
    amount, _ = _quantity(quantity, f"{field}.quantity", findings, binds=True, zero=True)
    money, _ = _money(value, f"{field}.value", findings, binds=True, zero=True)
    return amount, money


def _quantity(
    wire: WireQuantity | None, field: str, findings: list[Finding], *, binds: bool, zero: bool = False
) -> tuple[Quantity | None, str]:
    """The quantity, and the words of the authority where they say it otherwise or instead."""
    if wire is None:
        return None, ""
    unit, amount = taric_unit(wire.unit), Decimal(wire.amount)
    if unit == wire.unit and (amount or zero):
        return Quantity(amount, unit), ""
    usable = True
    if unit is None:
        usable = False
        findings += check_text(wire.unit, f"{field}.unit", "unitAsStated", required=True)
        message = "neither a TARIC unit nor the UN/ECE Recommendation 20 code of one"
        findings.append(_refusal("UNIT_UNKNOWN", f"{field}.unit", wire.unit[:80], message, binds=binds))
    if not amount and not zero:
        usable = False
        findings.append(_zero(f"{field}.amount", wire.amount, binds=binds))
    stated = f"{wire.amount} {wire.unit}"
    return (Quantity(amount, unit), stated) if usable and unit else (None, stated)


def _money(
    wire: WireMoney | None, field: str, findings: list[Finding], *, binds: bool, zero: bool = False
) -> tuple[Money | None, str]:
    if wire is None:
        return None, ""
    amount = Decimal(wire.amount)
    if amount or zero:
        return Money(amount, wire.currency), ""
    findings.append(_zero(f"{field}.amount", wire.amount, binds=binds))
    return None, f"{wire.amount} {wire.currency}"


def _zero(field: str, seen: str, *, binds: bool) -> Finding:
    return _refusal("ZERO", field, seen, "the figure must be greater than zero", binds=binds)


def _refusal(code: str, field: str, seen: str, message: str, *, binds: bool) -> Finding:
    if binds:
        return Finding(code, field, seen, message)
    return Finding(code, field, seen, f"{message}; kept as the authority's words, it limits nothing", Severity.WARNING)
