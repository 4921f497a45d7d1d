"""Chapter 6.8 of the catalogue: days at the office of declaration, and timers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.commands import ExpiryUndone, ValidityPassed
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from tests.support.ledger_recorder import Recorder
from tests.support.ledger_words import cite, licence, mrn_in
from tests.support.scenario import Scenario


@pytest.mark.row("E134", "E135", "E136", "E137", "E138")
@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("2026-12-31T23:30+01:00", "OK_RESERVED"),
        ("2026-12-31T22:30Z", "OK_RESERVED"),
        ("2027-01-01T00:10+01:00", "REFUSED EXPIRED_AT_ACCEPTANCE"),
        ("2026-12-31T23:10Z", "REFUSED EXPIRED_AT_ACCEPTANCE"),
        ("2026-12-31T23:59", "OK_RESERVED"),
        ("2026-10-25T02:30", "OK_RESERVED"),
        ("2026-03-29T02:30", "OK_RESERVED"),
        ("2025-12-31T23:30Z", "OK_RESERVED"),
    ],
)
async def test_the_calendar_day_of_the_declaring_office(s: Scenario, on: str, verdict: str) -> None:
    await s.accepted("M1", A=1, on=on)
    assert await s.verdict("M1") == verdict


@pytest.mark.row("DU 12(1)", "UCC 172(2)")
@pytest.mark.parametrize("issuer", ["BE", "FI", "PT"])
@pytest.mark.parametrize(
    ("state", "day", "instant", "verdict"),
    [
        ("PT", "2026-12-31", "2026-12-31T23:30Z", "OK_RESERVED"),
        ("PT", "2027-01-01", "2027-01-01T00:30Z", "REFUSED EXPIRED_AT_ACCEPTANCE"),
        ("FI", "2026-12-31", "2026-12-31T21:30Z", "OK_RESERVED"),
        ("FI", "2027-01-01", "2026-12-31T22:30Z", "REFUSED EXPIRED_AT_ACCEPTANCE"),
        ("FI", "2026-01-01", "2025-12-31T22:30Z", "OK_RESERVED"),
        ("PT", "2025-12-31", "2025-12-31T23:30Z", "REFUSED NOT_YET_VALID"),
    ],
)
async def test_a_day_and_an_instant_of_one_acceptance_get_one_answer(
    s: Scenario, issuer: str, state: str, day: str, instant: str, verdict: str
) -> None:
    """The date of acceptance is that of the office of declaration, whoever issued the licence (decision 0012)."""
    await s.issue(licence(f"{issuer}/W", "10 NAR"))
    for name, on in (("M1", day), ("M2", instant)):
        mrn = mrn_in(state, name)
        await s.tell(s.customs.accepted(mrn, cite(f"{issuer}/W", 1), on=on, at="2026-12-31T12:00Z"))
        assert await s.verdict(mrn) == verdict


@pytest.mark.row("E139")
@pytest.mark.parametrize(
    ("first", "last", "on", "verdict"),
    [
        (date(2028, 1, 1), date(2028, 2, 29), "2028-02-29", "OK_RESERVED"),
        (date(2026, 1, 1), date(9999, 12, 31), "2026-03-01", "OK_RESERVED"),
        (date(2026, 1, 1), None, "9999-12-31", "OK_RESERVED"),
    ],
)
async def test_odd_but_real_dates(s: Scenario, first: date, last: date | None, on: str, verdict: str) -> None:
    await s.issue(licence("D", "10 NAR", valid_from=first, valid_to=last))
    await s.accepted("M1", D=1, on=on)
    assert await s.verdict("M1") == verdict


@pytest.mark.row("E140")
@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=3650)])
async def test_our_clock_decides_nothing(jump: timedelta) -> None:
    ends = set()
    for now in (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC) + jump):
        s = Scenario(InMemoryStore())
        s.executor = Executor(s.store, Recorder(), Policy(), clock=lambda now=now: now)  # type: ignore[misc]
        await s.issue(licence("A", "100 NAR"))
        await s.accepted("M1", A=40)
        await s.released("M1")
        held = await s.sound()
        ends.add((await s.balance("A"), held.movements[-1].chain, tuple(row.body for row in held.outbox.values())))
    assert len(ends) == 1


@pytest.mark.row("E141")
async def test_the_timer_fires_late_and_twice(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2026-12-31")
    await s.validity_passed("A")
    assert await s.status("A") == "Expired"
    again = ValidityPassed("BE/A", 1, datetime(2027, 5, 1, tzinfo=UTC))
    (answer,) = await s.tell(again)
    assert answer.repeated
    assert await s.notifications("A") == ["STATUS Valid->Expired VALIDITY_PASSED"]
    await s.accepted("M2", A=1, on="2026-12-31")
    assert await s.verdict("M2") == "OK_RESERVED"
    await s.released("M1")
    assert await s.balance("A") == "1/40/59"


def undone(today: date, change: int = 2, version: int = 1) -> ExpiryUndone:
    """An operator's word on licence A."""
    return ExpiryUndone("BE/A", version, change, today, "ops", "clock ran ahead", datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.row("E141")
async def test_an_expiry_that_a_wrong_clock_fired_is_undone_and_comes_again_in_its_time(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.validity_passed("A")
    (answer,) = await s.tell(undone(date(2026, 3, 2)))
    assert answer.result == "APPLIED"
    assert await s.status("A") == "Valid"
    held = await s.sound()
    assert held.movements[-1].detail == "Expired->Valid; expiry undone by ops: clock ran ahead"
    (again,) = await s.tell(undone(date(2026, 3, 2), change=3))
    assert again.result == "ALREADY_DONE"
    assert await s.balance("A") == "40/0/60"
    await s.tell(ValidityPassed("BE/A", 1, datetime(2027, 1, 1, 12, tzinfo=UTC), change=3))
    assert await s.status("A") == "Expired"
    assert await s.notifications("A") == [
        "STATUS Valid->Expired VALIDITY_PASSED",
        "STATUS Expired->Valid EXPIRY_UNDONE",
        "STATUS Valid->Expired VALIDITY_PASSED",
    ]


@pytest.mark.row("E141")
async def test_an_expiry_in_its_time_is_not_undone(s: Scenario) -> None:
    await s.validity_passed("A")
    (answer,) = await s.tell(undone(date(2027, 1, 1)))
    assert (answer.result, await s.status("A")) == ("REFUSED", "Expired")
    (answer,) = await s.tell(undone(date(2026, 3, 2), change=7, version=2))
    assert (answer.result, await s.status("A")) == ("ALREADY_DONE", "Expired")


@pytest.mark.row("E141")
async def test_a_timer_for_an_older_version_does_nothing(s: Scenario) -> None:
    await s.modify("A", valid_to=date(2027, 12, 31))
    answer = await s.validity_passed("A", version=1)
    assert answer.result == "ALREADY_DONE"
    assert await s.status("A") == "Valid"


@pytest.mark.row("E142")
async def test_a_leap_second_stays_on_its_day(s: Scenario) -> None:
    await s.accepted("M1", A=1, on="2026-12-31T22:59:60Z")
    assert await s.verdict("M1") == "OK_RESERVED"
