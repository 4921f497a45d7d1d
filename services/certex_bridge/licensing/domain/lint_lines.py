"""Lint of the licence lines and of the limits: figures, units, tolerance, control, and lines against the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import QUANTITY_SCALE, VALUE_SCALE, Money, Quantity, format_decimal, parse_decimal
from certex_bridge.kernel.countries import check_country
from certex_bridge.kernel.currencies import minor_unit
from certex_bridge.kernel.errors import AmountError, Finding, Severity
from certex_bridge.kernel.identifiers import check_commodity_code
from certex_bridge.licensing.domain.caps import unlimited, with_tolerance
from certex_bridge.licensing.domain.licence import Control, Licence, LicenceLine, LicenceType
from certex_bridge.licensing.domain.lint_case import Case, check_count, warning
from certex_bridge.licensing.domain.texts import check_text

MAX_LINE_NUMBER = 99_999
"""D.E. 12 03 013 is n..5."""

MAX_TOLERANCE = 100
"""Per cent; a larger one is a typing error."""

WHOLE_UNITS = frozenset({"NAR", "NPR", "NCL"})
"""Pieces, pairs and cells cannot be halved; hundreds and thousands of them can be decimal."""

_LINE_TYPES = (LicenceType.INDIVIDUAL, LicenceType.LARGE_PROJECT_INDIVIDUAL, LicenceType.TRANSIT)
_CAS = re.compile(r"([0-9]{2,7})-([0-9]{2})-([0-9])", re.ASCII).fullmatch


def check_lines(licence: Licence) -> Iterator[Finding]:
    """Findings on the lines one by one, each with its place in the list, whatever the licence's type."""
    yield from check_count("lines", licence.lines)
    seen: set[int] = set()
    for index, line in enumerate(licence.lines):
        field = f"lines[{index}]"
        yield from _check_number(line, field, seen)
        yield from _check_goods(line, field)
        yield from _check_figures(line, field)


def check_control(case: Case) -> Iterator[Finding]:
    """Findings on what limits the lines, which depends on the licence's type."""
    licence = case.licence
    if not case.read("type"):
        return
    if not licence.lines and licence.type in _LINE_TYPES:
        yield Finding("LINE_MISSING", "lines", "", "this type of licence has at least one line")
    for index, line in enumerate(licence.lines):
        yield from _check_control(case, line, f"lines[{index}]")


def _check_number(line: LicenceLine, field: str, seen: set[int]) -> Iterator[Finding]:
    if not 1 <= line.line_no <= MAX_LINE_NUMBER:
        message = f"a line number is 1 to {MAX_LINE_NUMBER}"
        yield Finding("LINE_NUMBER", f"{field}.line", str(line.line_no)[:80], message)
    if line.line_no in seen:
        yield Finding("LINE_DUPLICATE", f"{field}.line", str(line.line_no)[:80], "two lines have this number")
    seen.add(line.line_no)


def _check_goods(line: LicenceLine, field: str) -> Iterator[Finding]:
    yield from check_text(line.description, f"{field}.description", "descriptionOfGoods", required=True)
    yield from check_text(line.control_list, f"{field}.controlList", "controlListCode")
    for name, element, text in (
        ("controlListRegulation", "regulation", line.regulation),
        ("itemType", "itemType", line.item_type),
        ("technicalSpecification", "technicalSpecification", line.technical_specification),
        ("endUse", "endUse", line.end_use),
        ("consumptionMethod", "consumptionMethod", line.consumption_method),
        ("customsPurposesOnly", "customsPurposesOnly", line.customs_purposes_only),
    ):
        if text:
            yield from check_text(text, f"{field}.{name}", element)
    yield from check_count("commodityCodes", line.commodity_codes, f"{field}.commodityCodes")
    yield from check_count("cas", line.cas, f"{field}.cas")
    for index, code in enumerate(line.commodity_codes):
        for finding in check_commodity_code(code, f"{field}.commodityCodes[{index}]"):
            yield replace(finding, value=finding.value[:80])
    for index, cas in enumerate(line.cas):
        yield from _check_cas(cas, f"{field}.cas[{index}]")
    if line.origin:
        yield from check_country(line.origin, f"{field}.origin")


def _check_cas(text: str, field: str) -> Iterator[Finding]:
    """CAS numbers are original data: a wrong check digit is told, only what the format cannot hold is refused."""
    findings = check_text(text, field, "casNumber", required=True)
    yield from findings
    match = _CAS(text)
    if match:
        digits = (match[1] + match[2])[::-1]
        if sum(place * int(digit) for place, digit in enumerate(digits, 1)) % 10 == int(match[3]):
            return
    if not findings:
        message = "not a CAS number, or its check digit does not verify"
        yield Finding("CAS_INVALID", field, text, message, Severity.WARNING)


def _check_control(case: Case, line: LicenceLine, field: str) -> Iterator[Finding]:
    licence = case.licence
    if unlimited(licence.type):
        if line.control is not Control.NONE:
            message = "a general authorisation has no limit; the figures are kept and never written off"
            yield warning("CONTROL_IGNORED", f"{field}.control", line.control.value, message)
        return
    if line.control.quantity and line.quantity is None:
        yield Finding("CONTROL_FIGURE", f"{field}.quantity", "", "the quantity is controlled but not given")
    if line.control.value_ and line.value is None:
        yield Finding("CONTROL_FIGURE", f"{field}.value", "", "the value is controlled but not given")
    no_cap = case.read("cap") and licence.cap.quantity is None and licence.cap.value is None
    if line.control is Control.NONE and no_cap and licence.type in _LINE_TYPES:
        message = "nothing limits this line: use is checked and not written off"
        yield warning("CONTROL_NONE", f"{field}.control", line.control.value, message)


def _check_figures(line: LicenceLine, field: str) -> Iterator[Finding]:
    tolerance = Decimal(line.tolerance_percent)
    if tolerance > MAX_TOLERANCE:
        message = f"at most {MAX_TOLERANCE} per cent"
        yield Finding("TOLERANCE_RANGE", f"{field}.tolerancePercent", line.tolerance_percent, message)
        return
    quantity, value = _quantity(line.quantity), _money(line.value)
    if quantity:
        yield from _check_whole(quantity, f"{field}.quantity.amount")
        if line.control.quantity and line.quantity_remaining is None:
            yield from _check_cap(quantity, line.tolerance_percent, QUANTITY_SCALE, field)
    if value and line.control.value_ and line.value_remaining is None:
        scale = min(VALUE_SCALE, minor_unit(value.unit))
        yield from _check_cap(value, line.tolerance_percent, scale, field)
    left, rest = _quantity(line.quantity_remaining), _money(line.value_remaining)
    if left:
        needed = line.control.quantity
        limit = quantity and quantity.raised(line.tolerance_percent)
        yield from _check_remaining(left, limit, f"{field}.netQuantityRemaining", needed=needed)
    if rest:
        limit = value and value.raised(line.tolerance_percent)
        yield from _check_remaining(rest, limit, f"{field}.netValueRemaining", needed=line.control.value_)


class _Figure(NamedTuple):
    """A quantity or an amount of money, for rules that hold for both."""

    amount: Decimal
    unit: str
    leaf: str
    """Wire name of the unit."""

    def raised(self, tolerance_percent: str) -> _Figure:
        """The figure with its tolerance."""
        return self._replace(amount=with_tolerance(self.amount, tolerance_percent))


def _quantity(quantity: Quantity | None) -> _Figure | None:
    return None if quantity is None else _Figure(quantity.amount, quantity.unit, "unit")


def _money(money: Money | None) -> _Figure | None:
    return None if money is None else _Figure(money.amount, money.currency, "currency")


def _check_remaining(left: _Figure, limit: _Figure | None, field: str, *, needed: bool) -> Iterator[Finding]:
    """What remains is a part of the limit: in its unit and not more; `needed` where the limit is controlled."""
    yield from _check_whole(left, f"{field}.amount")
    if limit is None:
        if needed:
            yield Finding("REMAINING_FIGURE", field, str(left.amount), "the figure of which this remains is not given")
    elif left.unit != limit.unit:
        message = f"what remains is in the licence's own {left.leaf}, {limit.unit}"
        yield Finding("REMAINING_UNIT", f"{field}.{left.leaf}", left.unit, message)
    elif left.amount > limit.amount:
        message = f"more than the limit of {format_decimal(limit.amount)} remains"
        yield Finding("REMAINING_LIMIT", f"{field}.amount", format_decimal(left.amount), message)


def _counts_whole_things(unit: str) -> bool:
    """Pieces, pairs and cells do; thousands of them (qualifier C) can be decimal."""
    return unit[:3] in WHOLE_UNITS and unit[3:] != "C"


def _check_whole(figure: _Figure, field: str) -> Iterator[Finding]:
    if _counts_whole_things(figure.unit) and figure.amount % 1:
        message = f"{figure.unit} counts whole things; a fraction is neither cut nor rounded"
        yield Finding("FRACTION", field, format_decimal(figure.amount), message)


def _check_cap(figure: _Figure, tolerance: str, scale: int, field: str) -> Iterator[Finding]:
    """The limit is authorised x (1 + t), fixed at issue: it must be a figure the customs format can hold exactly.

    Half a piece over can never be used, and a licence with such a limit would never be exhausted.
    """
    limit = with_tolerance(figure.amount, tolerance)
    cap = format_decimal(limit)
    field = f"{field}.tolerancePercent"
    try:
        parse_decimal(cap, scale=scale)
    except AmountError as refused:
        yield Finding(refused.code, field, tolerance, f"with this tolerance the limit is {cap}: {refused.message}")
        return
    if _counts_whole_things(figure.unit) and limit % 1 and not figure.amount % 1:
        message = f"with this tolerance the limit is {cap} {figure.unit}, which counts whole things"
        yield Finding("FRACTION", field, tolerance, message)


def check_whole_cap(case: Case) -> Iterator[Finding]:
    """Findings on the limit over all lines: same unit as the lines it sums, and not larger than all of them."""
    licence, cap = case.licence, case.licence.cap
    if not case.read("type", "cap"):
        return
    quantity, value = _quantity(cap.quantity), _money(cap.value)
    if quantity:
        yield from _check_whole(quantity, "cap.quantity.amount")
        figures = [_quantity(line.quantity) if line.control.quantity else None for line in licence.lines]
        yield from _check_total(case, "quantity", quantity, figures)
    if value:
        figures = [_money(line.value) if line.control.value_ else None for line in licence.lines]
        yield from _check_total(case, "value", value, figures)
    left, rest = _quantity(cap.quantity_remaining), _money(cap.value_remaining)
    if left:
        yield from _check_remaining(left, quantity, "cap.netQuantityRemaining", needed=True)
    if rest:
        yield from _check_remaining(rest, value, "cap.netValueRemaining", needed=True)
    if unlimited(licence.type) and (quantity or value):
        message = "a general authorisation has no limit; the figure is kept and never written off"
        yield warning("CONTROL_IGNORED", "cap", "", message)


def _check_total(case: Case, name: str, cap: _Figure, figures: list[_Figure | None]) -> Iterator[Finding]:
    """`figures` are those that bind; a line without one takes as much as the limit over all lines leaves."""
    if not case.read("lines"):
        return
    mixed = False
    for index, figure in enumerate(figures):
        if figure is not None and figure.unit != cap.unit:
            mixed = True
            message = f"the limit over all lines is in {cap.unit}: figures in another {cap.leaf} cannot be summed"
            yield Finding("CAP_UNIT", f"lines[{index}].{name}.{cap.leaf}", figure.unit, message)
    known = [figure.amount for figure in figures if figure is not None]
    if not mixed and figures and len(known) == len(figures) and sum(known) < cap.amount:
        total = format_decimal(sum(known, Decimal(0)))
        message = f"the lines sum up to {total}: the limit over all lines never binds"
        yield warning("CAP_TOTAL", f"cap.{name}.amount", format_decimal(cap.amount), message)
