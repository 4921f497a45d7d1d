"""Days are days of the issuing state; instants are aware; no time of the clock crashes anything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.countries import MEMBER_STATES
from certex_bridge.kernel.dates import (
    ZONES,
    has_zone,
    legal_day,
    parse_date,
    parse_instant,
    parse_wco_datetime,
    valid_on,
    years_later,
)
from certex_bridge.kernel.errors import InputError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

BRUSSELS = ZONES["BE"]
zones = st.sampled_from(sorted(ZONES))


def verdict(text: str, zone: ZoneInfo = BRUSSELS) -> str:
    """Validity at an acceptance time of a licence valid through 2026."""
    return valid_on(legal_day(parse_instant(text, zone), zone), date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-12-31T23:30+01:00", "OK", marks=pytest.mark.row("E134")),
        pytest.param("2026-12-31T22:30Z", "OK", marks=pytest.mark.row("E135")),
        pytest.param("2027-01-01T00:10+01:00", "EXPIRED", marks=pytest.mark.row("E136")),
        pytest.param("2026-12-31T23:10Z", "EXPIRED", marks=pytest.mark.row("E136")),
        ("2025-12-31T23:10Z", "OK"),
        ("2025-12-31T22:59:59Z", "NOT_YET_VALID"),
        ("2026-01-01", "OK"),
        ("2026-12-31", "OK"),
        ("2027-01-01", "EXPIRED"),
    ],
)
def test_validity_is_a_matter_of_the_issuing_states_day(text: str, expected: str) -> None:
    assert verdict(text) == expected


def test_open_ends_never_limit() -> None:
    assert valid_on(date(2026, 1, 1), None, None) == "OK"
    assert valid_on(date(2026, 1, 1), date(2026, 1, 2), None) == "NOT_YET_VALID"
    assert valid_on(date(2026, 1, 1), None, date(2025, 12, 31)) == "EXPIRED"


@pytest.mark.row("E137")
def test_without_zone_the_declaring_offices_time_counts_and_the_assumption_shows() -> None:
    text = "2026-12-31T23:30:00"
    assert not has_zone(text)
    assert has_zone(text + "Z")
    assert has_zone(text + "+01:00")
    assert not has_zone("2026-12-31")
    assert not has_zone("yesterday")
    assert parse_instant(text, ZONES["BE"]) == parse_instant(text + "+01:00", UTC)
    assert parse_instant(text, ZONES["FI"]) == parse_instant(text + "+02:00", UTC)
    assert parse_instant(text) == parse_instant(text + "Z")


@pytest.mark.row("E138")
@pytest.mark.parametrize(
    ("text", "utc"),
    [("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"), ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z")],
)
def test_repeated_and_skipped_local_times_keep_their_day(text: str, utc: str) -> None:
    instant = parse_instant(text, BRUSSELS)
    assert instant.astimezone(UTC) == parse_instant(utc)
    assert legal_day(instant, BRUSSELS).isoformat() == text[:10]


@pytest.mark.row("E139")
def test_the_ends_of_the_calendar() -> None:
    assert parse_date("2028-02-29") == date(2028, 2, 29)
    assert parse_date("9999-12-31") == date.max
    last = parse_instant("9999-12-31T23:59:59.999999Z")
    assert legal_day(last, BRUSSELS) == date.max
    assert legal_day(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))), UTC) == date.min


@pytest.mark.row("E139")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0001-01-01", "DATE_RANGE"),
        ("0000-01-01", "DATE_RANGE"),
        ("1899-12-31", "DATE_RANGE"),
        ("2026-13-01", "DATE_INVALID"),
        ("2026-02-29", "DATE_INVALID"),
        ("2026-00-10", "DATE_INVALID"),
        ("20261231", "DATE_INVALID"),
        ("2026-W53-4", "DATE_INVALID"),
        ("2026-1-1", "DATE_INVALID"),
        ("31.12.2026", "DATE_INVALID"),
        ("2026-12-31\n", "DATE_INVALID"),
        (" 2026-12-31", "DATE_INVALID"),
        ("٢٠٢٦-12-31", "DATE_INVALID"),
        ("+2026-12-31", "DATE_INVALID"),
        ("", "DATE_INVALID"),
    ],
)
def test_impossible_dates_are_refused(text: str, code: str) -> None:
    for read in (parse_date, lambda text, field: parse_instant(text, BRUSSELS, field)):
        with pytest.raises(InputError) as caught:
            read(text, "validTo")
        assert (caught.value.code, caught.value.field, caught.value.value) == (code, "validTo", text)


def test_a_date_is_no_instant() -> None:
    with pytest.raises(InputError):
        parse_date("2026-12-31T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-12-31T24:00:00Z", "DATE_INVALID"),
        ("2026-12-31T23:61:00Z", "DATE_INVALID"),
        ("2026-12-31T23:59:61Z", "DATE_INVALID"),
        ("2026-12-31 23:59:00Z", "DATE_INVALID"),
        ("2026-12-31T23Z", "DATE_INVALID"),
        ("2026-12-31T23:59:00,5Z", "DATE_INVALID"),
        ("2026-12-31T23:59:00+15:00", "DATE_INVALID"),
        ("2026-12-31T23:59:00+0100", "DATE_INVALID"),
        ("2026-12-31T23:59:00 CET", "DATE_INVALID"),
        ("2026-12-31Z", "DATE_INVALID"),
        ("2026-02-30T23:59:00Z", "DATE_INVALID"),
        ("2026-02-30T23:59:60Z", "DATE_INVALID"),
        ("0001-01-01T00:00:00Z", "DATE_RANGE"),
        ("9999-12-31T23:59:59-05:00", "DATE_RANGE"),
    ],
)
def test_impossible_instants_are_refused(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_instant(text, BRUSSELS, "acceptedAt")
    assert (caught.value.code, caught.value.field, caught.value.value) == (code, "acceptedAt", text)


@pytest.mark.row("E142")
@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31T23:59:60+01:00", date(2026, 12, 31)),
        ("2026-12-31T23:59:60.5+01:00", date(2026, 12, 31)),
        ("2026-12-31T23:59:60Z", date(2027, 1, 1)),
        ("2016-12-31T23:59:60", date(2016, 12, 31)),
    ],
)
def test_a_leap_second_stays_on_its_day(text: str, day: date) -> None:
    instant = parse_instant(text, BRUSSELS)
    assert legal_day(instant, BRUSSELS) == day
    assert (instant.second, instant.microsecond) == (59, 999_999)


def test_fractions_of_a_second_are_read_to_the_microsecond() -> None:
    assert parse_instant("2026-12-31T23:59:59.123456789Z").microsecond == 123_456


def test_an_instant_without_zone_has_no_legal_day() -> None:
    with pytest.raises(InputError) as caught:
        legal_day(datetime(2026, 12, 31), BRUSSELS)  # noqa: DTZ001 - the very case
    assert caught.value.code == "DATE_INVALID"


@given(st.dates(min_value=date(1900, 1, 1)), zones, zones)
def test_a_bare_date_is_the_same_day_in_every_member_state(day: date, declared_in: str, issued_in: str) -> None:
    assert legal_day(parse_instant(day.isoformat(), ZONES[declared_in]), ZONES[issued_in]) == day


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9999, 12, 30)), zones)  # noqa: DTZ001
def test_a_local_time_keeps_its_day(local: datetime, country: str) -> None:
    zone = ZONES[country]
    assert legal_day(parse_instant(local.isoformat(), zone), zone) == local.date()


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)), zones)  # noqa: DTZ001
def test_an_instant_survives_writing_and_reading(instant: datetime, country: str) -> None:
    written = instant.astimezone(ZONES[country]).isoformat()
    assert parse_instant(written) == instant


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_a_refusal(text: str) -> None:
    try:
        seen = str(parse_instant(text, BRUSSELS).tzinfo is not None)
    except InputError as refused:
        seen = refused.code
    assert seen in {"True", "DATE_INVALID", "DATE_RANGE"}


@pytest.mark.parametrize(
    ("text", "code", "utc"),
    [
        ("20261231", "102", "2026-12-31T11:00:00Z"),
        ("202612312330", "203", "2026-12-31T22:30:00Z"),
        ("20261231233015", "204", "2026-12-31T22:30:15Z"),
        ("202612312330+0100", "205", "2026-12-31T22:30:00Z"),
        ("20261231233015+0130", "208", "2026-12-31T22:00:15Z"),
        ("20261231233015Z", "304", "2026-12-31T23:30:15Z"),
        ("20261231233015UTC", "304", "2026-12-31T23:30:15Z"),
        ("20261231233015+01", "304", "2026-12-31T22:30:15Z"),
        ("20261231233015-01:00", "304", "2027-01-01T00:30:15Z"),
        ("20261231235960Z", "304", "2026-12-31T23:59:59.999999Z"),
    ],
)
def test_wco_date_times(text: str, code: str, utc: str) -> None:
    assert parse_wco_datetime(text, code, BRUSSELS) == parse_instant(utc)


@pytest.mark.parametrize(
    ("text", "format_code", "code"),
    [
        ("20261231", "999", "DATE_INVALID"),
        ("2026-12-31", "102", "DATE_INVALID"),
        ("20261301", "102", "DATE_INVALID"),
        ("00010101", "102", "DATE_RANGE"),
        ("20261231233015", "304", "DATE_INVALID"),
        ("20261231233015CET", "304", "DATE_INVALID"),
        ("20261231233015+99", "304", "DATE_INVALID"),
        ("20261231", "", "DATE_INVALID"),
    ],
)
def test_impossible_wco_date_times_are_refused(text: str, format_code: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_wco_datetime(text, format_code, field="issued")
    assert (caught.value.code, caught.value.field, caught.value.value) == (code, "issued", text)


def test_every_member_state_the_united_kingdom_and_the_union_have_a_legal_time() -> None:
    assert ZONES.keys() == MEMBER_STATES | {"GB", "XI", "EU"}


def test_years_later_is_the_same_day_or_the_last_of_the_month() -> None:
    assert years_later(date(2026, 3, 1), 3) == date(2029, 3, 1)
    assert years_later(date(2024, 2, 29), 5) == date(2029, 2, 28)
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_each_state_has_the_legal_time_of_its_part_of_the_union() -> None:
    """Hours ahead of UTC in winter and in summer."""
    hours = {
        (0, 1): "GB IE PT XI",
        (1, 2): "AT BE CZ DE DK ES EU FR HR HU IT LU MT NL PL SE SI SK",
        (2, 3): "BG CY EE FI GR LT LV RO",
    }
    seasons = (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC))
    for (winter, summer), states in hours.items():
        for state in states.split():
            found = [moment.astimezone(ZONES[state]).utcoffset() for moment in seasons]
            assert found == [timedelta(hours=winter), timedelta(hours=summer)], state
    assert set(" ".join(hours.values()).split()) == ZONES.keys()
