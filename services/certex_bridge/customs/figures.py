"""Declared figures of one claim or item: an exact amount, or a finding that says why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from certex_bridge.kernel.amounts import QUANTITY_SCALE, Money, Quantity, parse_decimal
from certex_bridge.kernel.errors import Finding, InputError, Severity

if TYPE_CHECKING:
    from decimal import Decimal

    from certex_bridge.customs.wire import MoneyText, QuantityText

_NOT_POSITIVE = {"ZERO", "NEGATIVE"}


def at(place: str, findings: list[Finding]) -> list[Finding]:
    """The findings with their fields below `place`; sound figures never need the path, so it is made afterwards."""
    return [replace(finding, field=f"{place}.{finding.field}") for finding in findings]


def read_quantity(text: QuantityText | None, findings: list[Finding]) -> Quantity | None:
    """The quantity to be written off, or None with a finding."""
    if text is None:
        return None
    try:
        return Quantity.parse(text.amount, text.unit)
    except InputError as error:
        findings.append(_refusal(error, "quantity"))
        return None


def read_money(text: MoneyText | None, findings: list[Finding]) -> Money | None:
    """The value to be written off, or None with a finding."""
    if text is None:
        return None
    try:
        return Money.parse(text.amount, text.currency)
    except InputError as error:
        findings.append(_refusal(error, "value"))
        return None


def _refusal(error: InputError, field: str) -> Finding:
    """Why a figure cannot be written off; zero and negative are one reason to customs."""
    code = "INVALID_QUANTITY" if error.code in _NOT_POSITIVE else error.code
    return Finding(code, field, error.value, error.message)


def read_measure(text: str | None, findings: list[Finding], field: str) -> Decimal | None:
    """A measure of the goods (mass, supplementary units); what cannot be read is absent, with a warning."""
    if text is None:
        return None
    try:
        return parse_decimal(text, scale=QUANTITY_SCALE)
    except InputError as error:
        findings.append(Finding(error.code, field, error.value, error.message, Severity.WARNING))
        return None


def read_item_amount(text: MoneyText | None, findings: list[Finding]) -> Money | None:
    """The item's invoice amount; what cannot be read is absent, with a warning."""
    if text is None:
        return None
    try:
        return Money.parse(text.amount, text.currency)
    except InputError as error:
        findings.append(Finding(error.code, "amount", error.value, error.message, Severity.WARNING))
        return None
