"""What was refused on less than is known by now is judged anew; in the order of time a refusal stays (ADR 0016)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus
from tests.support.by_hand import captured, write_off
from tests.support.ledger_words import mrn_of
from tests.support.scenario import Scenario


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest) -> Scenario:
    """The catalogue's licences on either store."""
    scenario: Scenario = request.getfixturevalue("s" if request.param == "memory" else "pg")
    return scenario


@pytest.mark.row("E072")
async def test_room_that_was_there_and_is_told_late_is_given_to_who_was_refused(either: Scenario) -> None:
    s = either
    await s.accepted("M2", A=70)
    withdrawn = s.customs.invalidated("M2")
    await s.accepted("M1", A=40)
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    await s.tell(withdrawn)
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED"
    assert await s.balance("A") == "40/0/60"
    assert [one["claims"][0]["outcome"] for one in await s.messages("outcome", mrn_of("M1"))] == [
        "REFUSED",
        "OK_RESERVED",
    ]
    assert await s.wake() == 0


async def test_released_goods_are_covered_by_room_that_was_there_and_is_told_late(either: Scenario) -> None:
    s = either
    await s.accepted("M2", A=70)
    less = s.customs.amended("M2", A=50)
    await s.accepted("M1", A=40)
    await s.released("M1")
    assert await s.verdict("M1") == "UNCOVERED UNCOVERED QUANTITY_EXCEEDED"
    await s.tell(less)
    await s.wake()
    assert await s.verdict("M1") == "OK_CONSUMED"
    assert await s.balance("A") == "50/40/10"


async def test_a_licence_changed_before_the_refusal_and_told_late_is_what_the_refusal_is_judged_by(
    either: Scenario,
) -> None:
    s = either
    suspended = s.licence_event(s.next_version("A", status=AuthorityStatus.SUSPENDED), LicenceEventKind.SUSPENDED)
    resumed = s.licence_event(s.next_version("A", status=AuthorityStatus.VALID), LicenceEventKind.RESUMED)
    more = s.licence_event(s.next_version("A", "200 NAR"), LicenceEventKind.MODIFIED)
    await s.tell(suspended)
    await s.accepted("M1", A=40)
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await s.tell(resumed)
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED"
    await s.accepted("M2", A=150)
    assert await s.verdict("M2") == "REFUSED QUANTITY_EXCEEDED"
    await s.tell(more)
    await s.wake()
    assert await s.verdict("M2") == "OK_RESERVED"
    await s.accepted("M3", A=150)
    later = s.licence_event(s.next_version("A", "400 NAR"), LicenceEventKind.MODIFIED)
    await s.tell(replace(later, occurred_at=s.customs.stamp().occurred_at))
    await s.wake()
    assert await s.verdict("M3") == "REFUSED QUANTITY_EXCEEDED"  # in the order of time a refusal stays


async def test_a_write_off_on_paper_is_covered_by_room_that_was_there_and_is_told_late(s: Scenario) -> None:
    await s.accepted("M2", A=70)
    withdrawn = s.customs.invalidated("M2")
    await s.tell(captured(s.authority, write_off("A", {1: "40 NAR"}), at=s.customs.stamp().occurred_at))
    assert await s.balance("A") == "70/0/30"
    await s.tell(withdrawn)
    await s.wake()
    assert await s.balance("A") == "0/40/60"
