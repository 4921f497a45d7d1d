"""What lasts is limited: periodic lists, notices and records of one caller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.quotas import Quotas
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import AUTHORITY, CUSTOMS, FRENCH, DeskWorld, caller
from tests.support.ledger_words import licence

PERIOD = {"action": "PERIODIC", "Period": {"unit": "DAILY"}}
NOTICE = {"action": "ANNOUNCE", "function": "F3", "kind": "SUDDEN", "reason": "x"}
RECORD = {"action": "ADD", "Information": [{"code": "00100", "text": "x"}]}
OTHER_AUTHORITY = caller("LIC.FR", CallerRole.LICENSING_OFFICER)


async def code_of(asked: Awaitable[Any]) -> str:
    try:
        await asked
    except Refusal as refusal:
        assert refusal.kind.status == 409
        return refusal.code
    return ""


async def test_periodic_lists(w: DeskWorld) -> None:
    w.limit(Quotas(orders=2))
    await w.ask(**PERIOD, messageIdentification="one")
    await w.ask(**PERIOD)
    assert await code_of(w.ask(**PERIOD)) == "QUOTA_EXCEEDED"
    assert await code_of(w.ask(FRENCH, **PERIOD)) == ""
    await w.ask(action="CANCEL", orderIdentification="one")
    assert await code_of(w.ask(**PERIOD)) == ""


async def test_notices(w: DeskWorld) -> None:
    w.limit(Quotas(notices=2))
    await w.notice(**NOTICE, noticeIdentification="N1", untilDateAndTime="2026-03-02T07:00:00")
    await w.notice(**NOTICE, noticeIdentification="N2")
    assert await code_of(w.notice(**NOTICE, noticeIdentification="N3")) == "QUOTA_EXCEEDED"
    assert await code_of(w.notice(OTHER_AUTHORITY, **NOTICE, noticeIdentification="N4")) == ""
    w.turn(hours=1)
    assert await code_of(w.notice(**NOTICE, noticeIdentification="N3")) == ""


async def test_records(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100"))
    w.limit(Quotas(records=2))
    await w.record(**RECORD, recordIdentification="R1")
    await w.record(**RECORD | {"action": "AMEND", "reason": "y"}, recordIdentification="R1")
    assert await code_of(w.record(**RECORD, recordIdentification="R2")) == "QUOTA_EXCEEDED"
    assert await code_of(w.record(FRENCH, **RECORD, recordIdentification="R1")) == ""
    w.turn(hours=24)
    assert await code_of(w.record(**RECORD, recordIdentification="R2")) == ""


def _order(w: DeskWorld, _number: int) -> Awaitable[Any]:
    return w.ask(CUSTOMS, **PERIOD)


def _notice(w: DeskWorld, number: int) -> Awaitable[Any]:
    return w.notice(AUTHORITY, **NOTICE, noticeIdentification=f"N{number}")


def _record(w: DeskWorld, number: int) -> Awaitable[Any]:
    return w.record(CUSTOMS, **RECORD, recordIdentification=f"R{number}")


@pytest.mark.parametrize("make", [_order, _notice, _record])
async def test_calls_at_once_do_not_pass_the_limit(
    w: DeskWorld, make: Callable[[DeskWorld, int], Awaitable[Any]]
) -> None:
    await w.story.issue(licence("A", "100"))
    w.limit(Quotas(orders=2, notices=2, records=2))
    codes = await asyncio.gather(*(code_of(make(w, number)) for number in range(5)))
    assert sorted(codes) == ["", "", *["QUOTA_EXCEEDED"] * 3]
