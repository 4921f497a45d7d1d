"""Lint of the licence lines and of the limits: figures, units, tolerance, control, and lines against the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from certex_bridge.kernel.amounts import QUANTITY_SCALE, VALUE_SCALE, format_decimal, parse_decimal
from certex_bridge.kernel.countries import check_country
from certex_bridge.kernel.currencies import minor_unit
from certex_bridge.kernel.errors import AmountError, Finding, Severity
from certex_bridge.licensing.domain.caps import unlimited, with_tolerance
from certex_bridge.licensing.domain.licence import Control, Licence, LicenceLine, LicenceType
from certex_bridge.licensing.domain.texts import COUNTS, check_text

MAX_LINE_NUMBER = 99_999
"""D.E. 12 03 013 is n..5."""

MAX_TOLERANCE = 100
"""Per cent; a larger one is a typing error."""

WHOLE_UNITS = frozenset({"NAR", "NPR", "NCL"})
"""Pieces, pairs and cells cannot be halved; hundreds and thousands of them can be decimal."""

_LINE_TYPES = (LicenceType.INDIVIDUAL, LicenceType.LARGE_PROJECT_INDIVIDUAL, LicenceType.TRANSIT)
_COMMODITY = re.compile(r"[0-9]{6}(?:[0-9]{2}){0,2}", re.ASCII).fullmatch
_CAS = re.compile(r"([0-9]{2,7})-([0-9]{2})-([0-9])", re.ASCII).fullmatch


def check_lines(licence: Licence) -> Iterator[Finding]:
    """Findings on the lines one by one, each with its place in the list, whatever the licence's type."""
    seen: set[int] = set()
    for index, line in enumerate(licence.lines):
        field = f"lines[{index}]"
        yield from _check_number(line, field, seen)
        yield from _check_goods(line, field)
        yield from _check_figures(line, field)


def check_control(licence: Licence) -> Iterator[Finding]:
    """Findings on what limits the lines, which depends on the licence's type."""
    if not licence.lines and licence.type in _LINE_TYPES:
        yield Finding("LINE_MISSING", "lines", "", "this type of licence has at least one line")
    for index, line in enumerate(licence.lines):
        yield from _check_control(licence, line, f"lines[{index}]")


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
    for name, count in (("commodityCodes", len(line.commodity_codes)), ("cas", len(line.cas))):
        if count > COUNTS[name]:
            yield Finding("TOO_MANY", f"{field}.{name}", str(count), f"at most {COUNTS[name]} entries")
    for index, code in enumerate(line.commodity_codes):
        if not _COMMODITY(code):
            message = "a commodity code has 6 (HS), 8 (CN) or 10 (TARIC) digits"
            yield Finding("COMMODITY_CODE_INVALID", f"{field}.commodityCodes[{index}]", code[:80], message)
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


def _check_control(licence: Licence, line: LicenceLine, field: str) -> Iterator[Finding]:
    if unlimited(licence.type):
        if line.control is not Control.NONE:
            message = "a general authorisation has no limit; the figures are kept and never written off"
            yield Finding("CONTROL_IGNORED", f"{field}.control", line.control.value, message, Severity.WARNING)
        return
    if line.control.quantity and line.quantity is None:
        yield Finding("CONTROL_FIGURE", f"{field}.quantity", "", "the quantity is controlled but not given")
    if line.control.value_ and line.value is None:
        yield Finding("CONTROL_FIGURE", f"{field}.value", "", "the value is controlled but not given")
    no_cap = licence.cap.quantity is None and licence.cap.value is None
    if line.control is Control.NONE and no_cap and licence.type in _LINE_TYPES:
        message = "nothing limits this line: use is checked and not written off"
        yield Finding("CONTROL_NONE", f"{field}.control", line.control.value, message, Severity.WARNING)


def _check_figures(line: LicenceLine, field: str) -> Iterator[Finding]:
    tolerance = Decimal(line.tolerance_percent)
    if tolerance > MAX_TOLERANCE:
        message = f"at most {MAX_TOLERANCE} per cent"
        yield Finding("TOLERANCE_RANGE", f"{field}.tolerancePercent", line.tolerance_percent, message)
        return
    if line.quantity is not None:
        yield from _check_pieces(line.quantity.amount, line.quantity.unit, f"{field}.quantity.amount")
        if line.control.quantity:
            yield from _check_cap(line.quantity.amount, line.tolerance_percent, QUANTITY_SCALE, field)
    if line.value is not None and line.control.value_:
        scale = min(VALUE_SCALE, minor_unit(line.value.currency))
        yield from _check_cap(line.value.amount, line.tolerance_percent, scale, field)


def _check_pieces(amount: Decimal, unit: str, field: str) -> Iterator[Finding]:
    if unit[:3] in WHOLE_UNITS and amount % 1:
        message = f"{unit} counts whole things; a fraction is neither cut nor rounded"
        yield Finding("FRACTION", field, format_decimal(amount), message)


def _check_cap(amount: Decimal, tolerance: str, scale: int, field: str) -> Iterator[Finding]:
    """The limit is authorised x (1 + t), fixed at issue: it must be a figure the customs format can hold exactly."""
    cap = format_decimal(with_tolerance(amount, tolerance))
    try:
        parse_decimal(cap, scale=scale)
    except AmountError as refused:
        message = f"with this tolerance the limit is {cap}: {refused.message}"
        yield Finding(refused.code, f"{field}.tolerancePercent", tolerance, message)


def check_whole_cap(licence: Licence) -> Iterator[Finding]:
    """Findings on the limit over all lines: same unit as the lines it sums, and not larger than all of them."""
    if licence.cap.quantity is not None:
        cap = licence.cap.quantity
        yield from _check_pieces(cap.amount, cap.unit, "cap.quantity.amount")
        figures = [(line.quantity.amount, line.quantity.unit) if line.quantity else None for line in licence.lines]
        yield from _check_total("quantity", cap.amount, cap.unit, figures)
    if licence.cap.value is not None:
        limit = licence.cap.value
        figures = [(line.value.amount, line.value.currency) if line.value else None for line in licence.lines]
        yield from _check_total("value", limit.amount, limit.currency, figures)
    if unlimited(licence.type) and (licence.cap.quantity or licence.cap.value):
        message = "a general authorisation has no limit; the figure is kept and never written off"
        yield Finding("CONTROL_IGNORED", "cap", "", message, Severity.WARNING)


def _check_total(name: str, cap: Decimal, unit: str, figures: list[tuple[Decimal, str] | None]) -> Iterator[Finding]:
    leaf = "unit" if name == "quantity" else "currency"
    mixed = False
    for index, figure in enumerate(figures):
        if figure is not None and figure[1] != unit:
            mixed = True
            message = f"the limit over all lines is in {unit}: figures in another {leaf} cannot be summed under it"
            yield Finding("CAP_UNIT", f"lines[{index}].{name}.{leaf}", figure[1], message)
    known = [figure[0] for figure in figures if figure is not None]
    if not mixed and figures and len(known) == len(figures) and sum(known) < cap:
        message = f"the lines sum up to {format_decimal(sum(known, Decimal(0)))}: the limit over all lines never binds"
        yield Finding("CAP_TOTAL", f"cap.{name}.amount", format_decimal(cap), message, Severity.WARNING)
