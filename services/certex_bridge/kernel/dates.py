"""Dates and instants: read strictly, kept aware, judged as calendar days in a state's legal time.

A licence is valid on calendar days, the last day included. Which day an instant falls on depends on where one
stands: what a customs office does has the day of that office, what a licensing authority does the day of its own state.
No day is ever derived from UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from certex_bridge.kernel.errors import InputError

Validity = Literal["OK", "NOT_YET_VALID", "EXPIRED"]

# Legal time of the 27 member states (seat of the authority; IANA time zone database), of the United Kingdom for
# licences under GB and XI, and of the Union's own licensing systems.
_ZONE_NAMES: dict[str, str] = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid",
    "EU": "Europe/Brussels",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IT": "Europe/Rome",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MT": "Europe/Malta",
    "NL": "Europe/Amsterdam",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
    "XI": "Europe/London",
}

ZONES: dict[str, ZoneInfo] = {country: ZoneInfo(name) for country, name in _ZONE_NAMES.items()}
"""State to its legal time."""

FIRST_YEAR = "1900"
"""Years before it are typing errors; refused with DATE_RANGE."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII).fullmatch
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-6][0-9](?:\.[0-9]{1,9})?)?"
    r"(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?",
    re.ASCII,
).fullmatch

_WCO_ZONE = r"(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)"
_WCO_DAY = r"([0-9]{4})([0-9]{2})([0-9]{2})"
_WCO_MINUTE = _WCO_DAY + r"([0-9]{2})([0-9]{2})"
_WCO_SECOND = _WCO_MINUTE + r"([0-9]{2})"
# WCO data model format codes (UN/EDIFACT code list 2379).
_WCO_FORMATS = {
    "102": re.compile(_WCO_DAY, re.ASCII).fullmatch,
    "203": re.compile(_WCO_MINUTE, re.ASCII).fullmatch,
    "204": re.compile(_WCO_SECOND, re.ASCII).fullmatch,
    "205": re.compile(_WCO_MINUTE + _WCO_ZONE, re.ASCII).fullmatch,
    "208": re.compile(_WCO_SECOND + _WCO_ZONE, re.ASCII).fullmatch,
    "304": re.compile(_WCO_SECOND + _WCO_ZONE, re.ASCII).fullmatch,
}


def _invalid(text: str, field: str, message: str) -> InputError:
    return InputError(message, field=field, value=text, code="DATE_INVALID")


def _out_of_range(text: str, field: str) -> InputError:
    return InputError(f"only the years {FIRST_YEAR} to 9999 are accepted", field=field, value=text, code="DATE_RANGE")


def parse_date(text: str, field: str = "") -> date:
    """Read a calendar day written YYYY-MM-DD.

    Raises:
        InputError: code DATE_INVALID (other form, no such day) or DATE_RANGE (year before 1900).
    """
    if _DATE(text) is None:
        raise _invalid(text, field, "a date is written YYYY-MM-DD")
    if text < FIRST_YEAR:
        raise _out_of_range(text, field)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid(text, field, "the calendar has no such day") from None


def parse_instant(text: str, assumed_zone: tzinfo = UTC, field: str = "") -> datetime:
    """Read YYYY-MM-DDThh:mm[:ss[.fraction]][zone] as an aware instant; without zone `assumed_zone` counts.

    A local time that the clock shows twice is the first of the two; one that it skips is read with the offset before
    the change: the day is right in both cases. A leap second becomes the last microsecond of its minute, so that it
    stays on its day. A bare date is noon in `assumed_zone`: the same day in every member state.

    Raises:
        InputError: code DATE_INVALID (other form, no such time) or DATE_RANGE (before 1900, or after 9999 in UTC).
    """
    match = _INSTANT(text)
    if match is None:
        raise _invalid(text, field, "an instant is written YYYY-MM-DDThh:mm:ss with optional zone")
    if text < FIRST_YEAR:
        raise _out_of_range(text, field)
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = _leap_second(text, match.group(1) or "", field)
    if len(text) == len("2026-12-31"):
        value = value.replace(hour=12)
    if value.tzinfo is None:
        value = value.replace(tzinfo=assumed_zone)
    if text.startswith("9999-12-31"):
        _check_end_of_time(value, text, field)
    return value


def has_zone(text: str) -> bool:
    """Whether an instant states its zone; when not, `parse_instant` assumes one and the assumption is recorded."""
    match = _INSTANT(text)
    return match is not None and match.group(1) is not None


def _leap_second(text: str, zone: str, field: str) -> datetime:
    """The instant of hh:mm:60, or the refusal of a day that does not exist."""
    if text[16:19] == ":60":
        try:
            return datetime.fromisoformat(f"{text[:16]}:59.999999{zone}")
        except ValueError:
            pass
    raise _invalid(text, field, "the calendar has no such time")


def _check_end_of_time(value: datetime, text: str, field: str) -> None:
    """Refuse what lies after year 9999 in UTC: neither Python nor the database could convert it."""
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise _out_of_range(text, field) from None


def parse_wco_datetime(text: str, format_code: str, assumed_zone: tzinfo = UTC, field: str = "") -> datetime:
    """Read a WCO data model date-time: format codes 102, 203, 204, 205, 208 and 304.

    Zones are Z, UTC or an offset; 102, 203 and 204 carry none and take `assumed_zone` (102 at noon).

    Raises:
        InputError: code DATE_INVALID or DATE_RANGE as for `parse_instant`.
    """
    matcher = _WCO_FORMATS.get(format_code)
    match = matcher(text) if matcher else None
    if match is None:
        raise _invalid(text, field, f"not a date-time of WCO format code {format_code[:8]!r}")
    year, month, day, *rest = match.groups()
    zone = _iso_zone(rest.pop()) if format_code in {"205", "208", "304"} else ""
    clock = "T" + ":".join(rest) if rest else ""
    try:
        return parse_instant(f"{year}-{month}-{day}{clock}{zone}", assumed_zone, field)
    except InputError as refused:
        raise InputError(refused.message, field=field, value=text, code=refused.code) from None


def _iso_zone(zone: str) -> str:
    if zone in {"Z", "UTC"}:
        return "Z"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def legal_day(instant: datetime, zone: tzinfo) -> date:
    """The calendar day of an instant in this legal time.

    Raises:
        InputError: code DATE_INVALID when the instant has no zone (the host's zone must never decide).
    """
    if instant.tzinfo is None:
        raise InputError("an instant without zone has no legal day", value=instant, code="DATE_INVALID")
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        # Within hours of the ends of the calendar the zone's day does not exist; the day as written is the nearest.
        return instant.date()


def valid_on(day: date, valid_from: date | None, valid_to: date | None) -> Validity:
    """Whether a licence is valid on a calendar day; both ends are included, None leaves an end open."""
    if valid_from is not None and day < valid_from:
        return "NOT_YET_VALID"
    if valid_to is not None and day > valid_to:
        return "EXPIRED"
    return "OK"


def years_later(day: date, years: int) -> date:
    """The same day so many years later; of 29 February the last of the month (Regulation 1182/71 Art. 3(2)(c))."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
