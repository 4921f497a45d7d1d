"""One sender's words count in the order in which it says them, whatever its clock and its message ids are."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from certex_bridge.kernel.dates import parse_instant
from tests.support.by_hand import captured, write_off
from tests.support.clearance import Desk, Replied, caller
from tests.support.ledger_words import item
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from datetime import datetime

    from certex_bridge.licensing.domain.commands import LicenceCommand

IDS = list(permutations(["call-a", "call-b", "call-c"]))


def at(second: int) -> dict[str, str]:
    """When a message was prepared."""
    return {"preparationDateAndTime": f"2026-03-01T10:00:{second:02}"}


async def told(
    desk: Desk, movement: str, second: int, call_id: str = "", figure: str = "", version: int = 0
) -> Replied:
    """A movement of M1 on licence A."""
    claims = {"A": figure} if figure else {}
    message = desk.message(movement, "M1", call_id=call_id, **claims) | at(second)
    if version:
        message["DeclarationReference"]["declarationVersion"] = version
    return await desk.send(message)


@pytest.mark.parametrize("mode", ["block", "warn", "shadow"])
@pytest.mark.parametrize("seconds", [(0, 5, 3), (0, 0, 0), (5, 3, 0)])
@pytest.mark.parametrize("ids", IDS)
async def test_an_amendment_told_after_the_release_is_booked(
    s: Scenario, desk: Desk, mode: str, seconds: tuple[int, ...], ids: tuple[str, ...]
) -> None:
    """Article 7, on a clock that stands still or runs backwards."""
    desk.caller = caller(mode=mode)
    reserve, consume, adjust = zip(seconds, ids, strict=True)
    calls = [
        await told(desk, "RESERVE", *reserve, "8"),
        await told(desk, "CONSUME", *consume, "8"),
        await told(desk, "ADJUST", *adjust, "6"),
    ]
    assert await s.balance("A") == "0/6/94"
    calls.append(await told(desk, "ADJUST", 0, "", "101", version=3))
    assert await s.balance("A") == "0/6/94"
    said = ["OK_RESERVED", "OK_CONSUMED", "OK_ADJUSTED", "REFUSED QUANTITY_EXCEEDED ADJUST_REFUSED"]
    assert [reply.outcomes for reply in calls] == ([[]] * 4 if mode == "shadow" else [[one] for one in said])


@pytest.mark.parametrize("seconds", [(0, 5, 3), (0, 0, 0), (5, 3, 0)])
@pytest.mark.parametrize("ids", IDS)
async def test_a_release_told_after_the_amendment_is_of_the_amended_goods(
    s: Scenario, desk: Desk, seconds: tuple[int, ...], ids: tuple[str, ...]
) -> None:
    reserve, adjust, consume = zip(seconds, ids, strict=True)
    await told(desk, "RESERVE", *reserve, "8")
    assert (await told(desk, "ADJUST", *adjust, "6")).outcomes == ["OK_ADJUSTED"]
    assert (await told(desk, "CONSUME", *consume, "5")).outcomes == ["OK_CONSUMED"]
    assert await s.balance("A") == "0/5/95"


@pytest.mark.parametrize("ids", IDS)
async def test_a_second_release_in_the_same_second_is_refused_like_any_other(
    s: Scenario, desk: Desk, ids: tuple[str, ...]
) -> None:
    await told(desk, "RESERVE", 0, ids[0], "8")
    await told(desk, "CONSUME", 0, ids[1], "8")
    other = await told(desk, "CONSUME", 0, ids[2], "5")
    assert other.findings == ["ERROR CLAIM_STATE items[1].documents[1] CONSUMED"]
    assert await s.balance("A") == "0/8/92"


@pytest.mark.parametrize("ids", IDS)
async def test_what_goes_on_whatever_the_answer_is_goes_on_in_the_order_told(
    s: Scenario, desk: Desk, ids: tuple[str, ...]
) -> None:
    """A caller that does not stop: its second release counts; a refusal of the rest frees nothing that was released."""
    desk.caller = caller(mode="warn")
    await told(desk, "RESERVE", 3, ids[0], "8")
    await told(desk, "CONSUME", 3, ids[1], "8")
    assert (await told(desk, "CONSUME", 0, ids[2], "5")).outcomes == ["OK_ADJUSTED"]
    assert await s.balance("A") == "0/5/95"
    assert (await told(desk, "UNRESERVE", 0)).outcomes == ["OK_ADJUSTED"]
    assert await s.balance("A") == "0/5/95"


async def test_a_call_repeated_has_no_second_effect(s: Scenario, desk: Desk) -> None:
    for movement, second, figure in [("RESERVE", 5, "8"), ("CONSUME", 5, "8"), ("ADJUST", 0, "6")]:
        first = await told(desk, movement, second, f"once-{movement}", figure)
        assert (await told(desk, movement, second, f"once-{movement}", figure)).answer.body == first.answer.body
    assert await s.balance("A") == "0/6/94"


# -- events, whose order of arrival says nothing


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("late", [False, True])
async def test_an_amendment_of_the_same_instant_is_the_later_word(
    s: Scenario, ids: tuple[str, str], late: bool
) -> None:
    """Neither message id nor order of arrival decides; the release itself came on the version before."""
    moment = "2026-03-01T11:00:00Z"
    await s.accepted("M1", A=8)
    release = s.customs.released("M1", item(A=8), at=moment, event_id=ids[0])
    amendment = s.customs.amended("M1", A=6, at=moment, event_id=ids[1])
    for event in (amendment, release) if late else (release, amendment):
        await s.tell(event)
    assert await s.balance("A") == "0/6/94"


async def test_an_amendment_dated_before_the_release_is_said_to_change_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=8)
    await s.tell(s.customs.released("M1", item(A=7), at="2026-03-01T11:00:00Z"))
    before = await s.dv("M1")
    await s.tell(s.customs.amended("M1", A=6, at="2026-03-01T10:59:59Z"))
    assert await s.balance("A") == "0/7/93"
    said = (await s.messages("outcome", (await s.claims("M1"))[0].key.decl_id))[before:]
    assert [[finding["code"] for finding in one["findings"]] for one in said] == [["DATED_BEFORE_RELEASE"]]


async def test_an_amendment_that_came_before_the_release_needs_no_remark(s: Scenario) -> None:
    await s.accepted("M1", A=8)
    await s.tell(s.customs.amended("M1", A=6, at="2026-03-01T10:59:59Z"))
    await s.tell(s.customs.released("M1", item(A=5), at="2026-03-01T11:00:00Z"))
    assert await s.balance("A") == "0/5/95"
    said = await s.messages("outcome", (await s.claims("M1"))[0].key.decl_id)
    assert [one["findings"] for one in said] == [[], [], []]


# -- write-offs on paper


def _correction(s: Scenario, total: str, event_id: str, moment: datetime, *, waits: bool = False) -> LicenceCommand:
    command = captured(s.authority, write_off("A", {1: total}), at=moment)
    return replace(command, event_id=event_id, waits=waits)


@pytest.mark.parametrize("waits", [False, True])
async def test_the_last_total_of_one_second_counts(s: Scenario, waits: bool) -> None:
    """Three corrections of one form in one second, the ids falling."""
    moment = parse_instant("2026-03-02T09:00:00Z")
    for number, total in [(9, "10"), (8, "12"), (7, "4")]:
        await s.tell(_correction(s, total, f"form-{number}", moment, waits=waits))
    assert await s.balance("A") == "0/4/96"


async def test_only_a_sender_that_waits_overtakes_its_own_clock(s: Scenario) -> None:
    later, earlier = parse_instant("2026-03-02T09:00:05Z"), parse_instant("2026-03-02T09:00:00Z")
    await s.tell(_correction(s, "10", "form-1", later))
    (answer,) = await s.tell(_correction(s, "12", "form-2", earlier))
    assert (answer.result, await s.balance("A")) == ("SUPERSEDED", "0/10/90")
    await s.tell(_correction(s, "4", "form-3", earlier, waits=True))
    assert await s.balance("A") == "0/4/96"
