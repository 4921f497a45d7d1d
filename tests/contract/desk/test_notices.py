"""F10, unavailability (IR 2024/2145 Art. 11): announced, ended, told to everybody once, and what follows for calls."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from certex_bridge.singlewindow.adapters.desk_memory import WrittenTwice
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.functions.unavailability import operations
from certex_bridge.singlewindow.messages.notice import NoticeList
from certex_bridge.singlewindow.notices import AvailabilityWatch
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import AUTHORITY, CUSTOMS, FRENCH, DeskWorld, caller

PLANNED = {
    "action": "ANNOUNCE",
    "noticeIdentification": "N1",
    "function": "F3",
    "kind": "PLANNED",
    "fromDateAndTime": "2026-03-02T22:00:00",
    "untilDateAndTime": "2026-03-03T02:00:00",
    "reason": "database upgrade",
    "degradedMode": "paper, entered afterwards",
}
SUDDEN = {
    "action": "ANNOUNCE",
    "noticeIdentification": "N2",
    "function": "ALL",
    "kind": "SUDDEN",
    "reason": "fire in the data centre",
}
END = {"action": "END", "noticeIdentification": "N1"}


def refusal_of(watch: AvailabilityWatch, function: str, *issuers: str) -> Refusal | None:
    try:
        watch.require(function, issuers or ("BE",))
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.row("IR 11(1)(a)")
async def test_a_planned_unavailability_is_told_beforehand_and_in_force_from_its_begin(w: DeskWorld) -> None:
    told = await w.notice(**PLANNED)
    (notice,) = told.notices
    assert (notice.state, notice.kind, notice.function, notice.announced_by) == ("PLANNED", "PLANNED", "F3", "LIC.BE")
    watch = AvailabilityWatch(w.notices, w.clock)
    await watch.refresh()
    assert refusal_of(watch, "F3") is None
    w.turn(hours=16, minutes=30)
    refusal = refusal_of(watch, "F3")
    assert refusal is not None
    assert (refusal.code, refusal.kind.status, refusal.headers["Retry-After"]) == ("NOT_AVAILABLE", 503, "3600")
    assert "N1" in refusal.message
    assert "database upgrade" in refusal.message
    assert "paper, entered afterwards" in refusal.message
    assert [refusal_of(watch, name) for name in ("F1", "F4", "F10")] == [None, None, None]
    w.turn(hours=3, minutes=29, seconds=30)
    refusal = refusal_of(watch, "F3")
    assert refusal is not None
    assert refusal.headers["Retry-After"] == "30"
    w.turn(seconds=30)
    assert refusal_of(watch, "F3") is None


@pytest.mark.row("IR 11(1)(b)")
async def test_a_failure_is_announced_at_once_and_ends_when_it_is_over(w: DeskWorld) -> None:
    (notice,) = (await w.notice(**SUDDEN)).notices
    assert (notice.state, notice.until_date_and_time) == ("IN_FORCE", None)
    watch = AvailabilityWatch(w.notices, w.clock)
    await watch.refresh()
    refusal = refusal_of(watch, "F1")
    assert refusal is not None
    assert (refusal.headers["Retry-After"], "until further notice" in refusal.message) == ("60", True)
    assert refusal_of(watch, "F10") is None
    w.turn(minutes=5)
    (ended,) = (await w.notice(action="END", noticeIdentification="N2")).notices
    assert (ended.state, ended.notice_version, ended.until_date_and_time) == ("ENDED", 2, "2026-03-02T06:05:00Z")
    await watch.refresh()
    assert refusal_of(watch, "F1") is None


@pytest.mark.row("IR 11(1)(a)", "IR 11(1)(b)")
async def test_every_caller_is_told_every_version_once(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    names = list(w.callers)
    await asyncio.gather(*(w.unavailability.tell(names, w.pushed) for _ in range(3)))
    assert sorted(to for to, *_ in w.pushed.messages) == sorted(names)
    (_, kind, subject, message), *_ = w.pushed.messages
    assert (kind, subject) == ("notice", "N1")
    assert isinstance(message, NoticeList)
    assert message.notices[0].state == "PLANNED"
    await w.notice(**END)
    assert await w.unavailability.tell(names, w.pushed) == 1
    assert await w.unavailability.tell(names, w.pushed) == 0
    assert len(w.pushed.messages) == 2 * len(names)
    assert len({one.message_identification for *_, one in w.pushed.messages}) == 2 * len(names)


async def test_whoever_cannot_be_told_now_is_told_later(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    w.pushed.fails = True
    with pytest.raises(RuntimeError):
        await w.unavailability.tell(["NSW.BE"], w.pushed)
    w.pushed.fails = False
    assert await w.unavailability.tell(["NSW.BE"], w.pushed) == 1


async def test_everybody_may_ask_what_is_announced(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    await w.notice(**SUDDEN)
    for who in (CUSTOMS, FRENCH, AUTHORITY):
        told = await w.notice(who, action="LIST")
        assert [(one.notice_identification, one.state) for one in told.notices] == [
            ("N2", "IN_FORCE"),
            ("N1", "PLANNED"),
        ]
    read = await w.unavailability.read(Call(CUSTOMS, w.now))
    assert [one.notice_identification for one in read.notices] == ["N2", "N1"]
    w.turn(days=1)
    assert [one.notice_identification for one in (await w.notice(action="LIST")).notices] == ["N2"]


async def test_an_end_can_be_moved_and_a_plan_taken_back(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    (moved,) = (await w.notice(**END, untilDateAndTime="2026-03-03T05:00:00")).notices
    assert (moved.state, moved.until_date_and_time, moved.notice_version) == ("PLANNED", "2026-03-03T05:00:00Z", 2)
    (ended,) = (await w.notice(**END)).notices
    assert ended.state == "ENDED"
    assert (await w.notice(action="LIST")).notices == ()


async def test_a_repeated_announcement_is_one(w: DeskWorld) -> None:
    first = await w.notice(**PLANNED, messageIdentification="same")
    assert await w.notice(**PLANNED, messageIdentification="same") == first
    with pytest.raises(Refusal) as told:
        await w.notice(**SUDDEN, messageIdentification="same")
    assert told.value.code == "DUPLICATE_ID"


def without(items: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in items.items() if key != name}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (PLANNED, "NOTICE_EXISTS", "noticeIdentification"),
    (without(SUDDEN, "noticeIdentification"), "SCHEMA_INVALID", "noticeIdentification"),
    (without(SUDDEN, "function"), "SCHEMA_INVALID", "function"),
    (without(SUDDEN, "kind"), "SCHEMA_INVALID", "kind"),
    (without(SUDDEN, "reason"), "SCHEMA_INVALID", "reason"),
    (SUDDEN | {"untilDateAndTime": "2026-03-02T05:00:00"}, "SCHEMA_INVALID", "untilDateAndTime"),
    (SUDDEN | {"fromDateAndTime": "2026-02-30T05:00:00"}, "SCHEMA_INVALID", "fromDateAndTime"),
    (END | {"noticeIdentification": "none"}, "NOTICE_UNKNOWN", "noticeIdentification"),
    (END | {"untilDateAndTime": "2026-03-02T05:00:00"}, "SCHEMA_INVALID", "untilDateAndTime"),
    (END | {"function": "F4"}, "SCHEMA_INVALID", "function"),
    (END | {"reason": "x"}, "SCHEMA_INVALID", "reason"),
    (END | {"issuingCountry": "BE"}, "SCHEMA_INVALID", "issuingCountry"),
]


@pytest.mark.parametrize(("items", "code", "field"), REFUSED)
async def test_what_cannot_be_announced_is_refused(w: DeskWorld, items: dict[str, Any], code: str, field: str) -> None:
    before = await w.notice(**PLANNED)
    with pytest.raises(Refusal) as told:
        await w.notice(**items)
    assert (told.value.code, told.value.field) == (code, field)
    assert (await w.notice(action="LIST")).notices == before.notices


async def test_an_authority_announces_for_its_own_licences(w: DeskWorld) -> None:
    (notice,) = (await w.notice(**SUDDEN)).notices
    assert notice.issuing_country == "BE"
    watch = AvailabilityWatch(w.notices, w.clock)
    await watch.refresh()
    assert watch.by_issuer
    refusal = refusal_of(watch, "F1", "FR", "BE")
    assert refusal is not None
    assert "for licences of BE" in refusal.message
    assert refusal_of(watch, "F1", "FR") is None
    for items in (PLANNED | {"issuingCountry": "FR"}, END | {"issuingCountry": "FR"}):
        with pytest.raises(Refusal) as told:
            await w.notice(**items)
        assert (told.value.code, told.value.field) == ("FOREIGN_MEMBER_STATE", "issuingCountry")


async def test_only_the_announcer_ends_a_notice(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    for other in (caller("LIC2.BE", CallerRole.LICENSING_OFFICER), caller("LIC.FR", CallerRole.LICENSING_OFFICER)):
        with pytest.raises(Refusal) as told:
            await w.notice(other, **END)
        assert (told.value.code, told.value.kind.status) == ("NOTICE_FOREIGN", 403)
    (ended,) = (await w.notice(**END)).notices
    assert ended.state == "ENDED"


async def test_an_ended_notice_stays_ended(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    await w.notice(**END)
    with pytest.raises(Refusal) as told:
        await w.notice(**END, untilDateAndTime="2026-03-05T05:00:00")
    assert told.value.code == "NOTICE_ENDED"


async def test_only_the_licensing_side_announces(w: DeskWorld) -> None:
    for items in (PLANNED, END):
        with pytest.raises(Refusal) as told:
            await w.notice(CUSTOMS, **items)
        assert told.value.code == "ROLE_MISSING"
    (operation,) = operations(w.unavailability)
    CUSTOMS.require(*operation.roles)


async def test_a_version_is_written_once(w: DeskWorld) -> None:
    await w.notice(**PLANNED)
    (stored,) = await w.notices.current(w.now)
    with pytest.raises((WrittenTwice, asyncpg.UniqueViolationError)):
        async with w.notices.transaction() as unit:
            await unit.write(stored, w.now)
