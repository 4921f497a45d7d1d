"""Exact amounts: declared figures, quantities with a unit, money with a currency.

Nothing here rounds. A figure that the format cannot hold is refused with a code; a figure that it can hold is kept
digit by digit. The format is the customs one, n..16,6 for quantities and n..16,2 for money: at most 16 digits in all,
of which at most 6 (2) after the point (Implementing Regulation (EU) 2015/2447 Annex B, D.E. 12 03 006 and 12 03 014).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import cache
from typing import TYPE_CHECKING

from certex_bridge.kernel.currencies import minor_unit
from certex_bridge.kernel.errors import AmountError, CurrencyMismatch, UnitMismatch
from certex_bridge.kernel.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable

QUANTITY_SCALE = 6
"""Decimals of a quantity (n..16,6)."""
VALUE_SCALE = 2
"""Decimals of an amount of money (n..16,2)."""
AMOUNT_DIGITS = 16
"""Digits in all; the leading zero of 0.5 is not counted."""

# A context of our own: the caller's precision must not matter, and a lost digit must raise instead of pass unseen.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
_LEXICAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII).fullmatch


def decimal_pattern(scale: int) -> str:
    """Regular expression (of Python and of JSON Schema, not anchored) for plain figures of at most `scale` decimals."""
    decimals = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    return rf"(?:0|[1-9][0-9]*){decimals}"


@cache
def _within_scale(scale: int) -> Callable[[str], re.Match[str] | None]:
    return re.compile(decimal_pattern(scale), re.ASCII).fullmatch


def parse_decimal(
    text: str,
    *,
    scale: int,
    digits: int = AMOUNT_DIGITS,
    field: str = "",
    allow_zero: bool = False,
) -> Decimal:
    """Read a declared figure exactly as written.

    The lexical form is `0` or a number without leading zero, optionally a point and decimals; ASCII digits only,
    no sign, exponent or blanks. Trailing zeros are digits like any others: 1.0000000 has seven decimals.

    Raises:
        AmountError: code LEXICAL (not that form), NEGATIVE, SCALE (more than `scale` decimals), RANGE (more than
            `digits` digits in all) or ZERO.
    """
    # A text no longer than the digit limit cannot break that limit: the common case needs no counting.
    if len(text) <= digits and _within_scale(scale)(text):
        amount = Decimal(text)
    else:
        _check_form(text, scale, digits, field)
        amount = Decimal(text)
    if amount or allow_zero:
        return amount
    raise AmountError("the figure must be greater than zero", field=field, value=text, code="ZERO")


def _check_form(text: str, scale: int, digits: int, field: str) -> None:
    """Refuse a figure with the code of the first rule it breaks."""
    match = _LEXICAL(text)
    if match is None:
        if text.startswith("-") and _LEXICAL(text[1:]):
            raise AmountError("a negative figure is not accepted", field=field, value=text, code="NEGATIVE")
        message = "a figure is digits with an optional point: no sign, blank, exponent, comma or leading zero"
        raise AmountError(message, field=field, value=text, code="LEXICAL")
    whole, decimals = match.group(1), match.group(2) or ""
    if len(decimals) > scale:
        message = f"{len(decimals)} decimals where at most {scale} are accepted; figures are never rounded"
        raise AmountError(message, field=field, value=text, code="SCALE")
    count = len(decimals) + (0 if whole == "0" else len(whole))
    if count > digits:
        message = f"{count} digits where at most {digits} are accepted"
        raise AmountError(message, field=field, value=text, code="RANGE")


def format_decimal(d: Decimal) -> str:
    """Write a figure canonically: no exponent, no trailing zeros, "0" for zero.

    Raises:
        AmountError: code LEXICAL when the value is not a finite number.
    """
    if not d.is_finite():
        raise AmountError("not a finite number", value=d, code="LEXICAL")
    text = f"{d:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text != "-0" else "0"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact quantity in a TARIC unit with optional qualifier (D.E. 12 03 006 and 12 03 005).

    40 NAR equals 40.000000 NAR. Adding, subtracting and ordering need the same unit: nothing is converted unseen.
    """

    amount: Decimal
    unit: str

    @classmethod
    def parse(cls, text: str, unit: str, field: str = "", *, allow_zero: bool = False) -> Quantity:
        """Read figure and unit as declared.

        Raises:
            AmountError: the figure is not n..16,6 (codes of `parse_decimal`).
            InputError: code UNIT_UNKNOWN.
        """
        amount = parse_decimal(text, scale=QUANTITY_SCALE, field=field, allow_zero=allow_zero)
        return cls(amount, parse_unit(unit, field))

    def convert(self, factor: Decimal, unit: str, *, scale: int = QUANTITY_SCALE, field: str = "") -> Quantity:
        """The same quantity in another unit, `factor` being exact (from `units.alias_factor`).

        Raises:
            AmountError: code SCALE when the result needs more than `scale` decimals, RANGE when it has too many digits.
        """
        text = format_decimal(_EXACT.multiply(self.amount, factor))
        amount = parse_decimal(text, scale=min(scale, QUANTITY_SCALE), field=field, allow_zero=True)
        return Quantity(amount, parse_unit(unit, field))

    def _other(self, other: Quantity) -> Decimal:
        if self.unit != other.unit:
            message = f"{self.unit} and {other.unit} are different units; no conversion is applied"
            raise UnitMismatch(message, value=f"{self} / {other}")
        return other.amount

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(_EXACT.add(self.amount, self._other(other)), self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(_EXACT.subtract(self.amount, self._other(other)), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        return self.amount < self._other(other)

    def __le__(self, other: Quantity) -> bool:
        return self.amount <= self._other(other)

    def __gt__(self, other: Quantity) -> bool:
        return self.amount > self._other(other)

    def __ge__(self, other: Quantity) -> bool:
        return self.amount >= self._other(other)

    def __str__(self) -> str:
        return f"{format_decimal(self.amount)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in an ISO 4217 currency (D.E. 12 03 014 and 12 03 012).

    Adding, subtracting and ordering need the same currency: no rate is ever applied.
    """

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str, field: str = "", *, allow_zero: bool = False) -> Money:
        """Read figure and currency as declared; decimals as the currency's minor unit allows, never more than 2.

        Raises:
            AmountError: the figure is not n..16,2, or has decimals the currency does not know (code SCALE).
            InputError: code CURRENCY_UNKNOWN.
        """
        scale = min(VALUE_SCALE, minor_unit(currency, field))
        return cls(parse_decimal(text, scale=scale, field=field, allow_zero=allow_zero), currency)

    def _other(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            message = f"{self.currency} and {other.currency} are different currencies; no rate is applied"
            raise CurrencyMismatch(message, value=f"{self} / {other}")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(_EXACT.add(self.amount, self._other(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(_EXACT.subtract(self.amount, self._other(other)), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._other(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._other(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._other(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._other(other)

    def __str__(self) -> str:
        return f"{format_decimal(self.amount)} {self.currency}"
