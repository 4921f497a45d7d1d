"""F9, periodic lists (IR 2024/2145 Art. 10(2)): made when due, once per period, with one clock that the test turns."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from certex_bridge.singlewindow.adapters.desk_memory import WrittenTwice
from certex_bridge.singlewindow.messages.listing import ListOrderState, ListResponse
from certex_bridge.singlewindow.orders import MadePage
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import AUTHORITY, CUSTOMS, FRENCH, DeskWorld
from tests.support.ledger_words import licence


async def order(w: DeskWorld, period: dict[str, Any], **items: Any) -> ListOrderState:
    told = await w.ask(action="PERIODIC", Period=period, **{"messageIdentification": "ORDER", **items})
    return told.orders[0]


async def made(w: DeskWorld) -> list[str]:
    """Make what is due; numbers of the licences of each page pushed."""
    before = len(w.pushed.messages)
    await w.maker.make_due()
    pages = [message for *_, message in w.pushed.messages[before:]]
    return [
        " ".join(one.reference_number for one in page.certificates) for page in pages if isinstance(page, ListResponse)
    ]


@pytest.mark.row("IR 10(2)")
async def test_a_daily_list_comes_every_day_by_itself(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    told = await order(w, {"unit": "DAILY", "fromDateAndTime": "2026-03-02T08:00:00"})
    assert (told.order_identification, told.state, told.next_date_and_time) == (
        "ORDER",
        "ACTIVE",
        "2026-03-02T08:00:00Z",
    )
    assert await made(w) == []
    w.turn(hours=2)
    assert await made(w) == ["A"]
    assert await made(w) == []
    await w.story.issue(licence("B", "1 NAR"))
    w.turn(hours=24)
    assert await made(w) == ["A B"]
    (to, kind, subject, message) = w.pushed.messages[-1]
    assert (to, kind, subject) == ("NSW.BE", "list", "ORDER")
    assert isinstance(message, ListResponse)
    assert (message.delivery_number, message.page_number, message.last_page) == (2, 1, "1")
    assert (message.correlation_identifier, message.message_recipient) == ("ORDER", "NSW.BE")


@pytest.mark.row("IR 10(2)")
@pytest.mark.parametrize(
    ("period", "hours"), [({"unit": "WEEKLY"}, 168), ({"unit": "DAILY"}, 24), ({"unit": "HOURLY", "hours": 6}, 6)]
)
async def test_the_period_is_kept(w: DeskWorld, period: dict[str, Any], hours: int) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(w, period)
    assert await made(w) == ["A"]
    for _ in range(3):
        w.turn(hours=hours, seconds=-1)
        assert await made(w) == []
        w.turn(seconds=1)
        assert await made(w) == ["A"]


async def test_after_an_outage_one_list_makes_up_for_all(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(w, {"unit": "HOURLY", "hours": 1})
    assert await made(w) == ["A"]
    w.turn(hours=49, minutes=20)
    assert await made(w) == ["A"]
    (state,) = (await w.ask(action="ORDERS")).orders
    assert (state.deliveries, state.next_date_and_time) == (2, "2026-03-04T08:00:00Z")


async def test_it_ends_when_it_was_to_end(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(w, {"unit": "DAILY", "untilDateAndTime": "2026-03-04T06:00:00"})
    for _ in range(6):
        await made(w)
        w.turn(hours=24)
    (state,) = (await w.ask(action="ORDERS")).orders
    assert (state.state, state.deliveries, state.next_date_and_time) == ("ENDED", 3, None)


async def test_what_was_due_before_the_end_is_made_after_an_outage(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(
        w, {"unit": "DAILY", "fromDateAndTime": "2026-03-03T06:00:00", "untilDateAndTime": "2026-03-03T07:00:00"}
    )
    w.turn(days=9)
    assert await made(w) == ["A"]
    assert (await w.ask(action="ORDERS")).orders[0].state == "ENDED"


async def test_it_can_be_cancelled_once(w: DeskWorld) -> None:
    await order(w, {"unit": "DAILY"})
    with pytest.raises(Refusal) as foreign:
        await w.ask(FRENCH, action="CANCEL", orderIdentification="ORDER")
    assert foreign.value.code == "ORDER_UNKNOWN"
    told = await w.ask(action="CANCEL", orderIdentification="ORDER", messageIdentification="C")
    assert told.orders[0].state == "CANCELLED"
    assert await made(w) == []
    assert (await w.ask(action="CANCEL", orderIdentification="ORDER", messageIdentification="C")) == told
    with pytest.raises(Refusal) as again:
        await w.ask(action="CANCEL", orderIdentification="ORDER")
    assert again.value.code == "ORDER_ENDED"


async def test_an_order_told_twice_is_one_order(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    first = await order(w, {"unit": "DAILY"})
    assert await order(w, {"unit": "DAILY"}) == first
    with pytest.raises(Refusal) as other:
        await order(w, {"unit": "WEEKLY"})
    assert other.value.code == "DUPLICATE_ID"
    assert await made(w) == ["A"]


async def test_several_processes_make_each_list_once(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    for number in range(6):
        await order(w, {"unit": "DAILY"}, messageIdentification=f"O{number}")
    await asyncio.gather(*(w.make_maker().make_due() for _ in range(3)))
    assert sorted(subject for _, _, subject, _ in w.pushed.messages) == [f"O{number}" for number in range(6)]


async def test_a_list_of_changes_counts_from_the_one_before(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"), licence("B", "1 NAR"))
    await order(w, {"unit": "DAILY"}, Criteria={"changedSince": "2026-01-01T00:00:00"})
    assert await made(w) == ["A B"]
    await w.story.suspend("B")
    w.turn(hours=24)
    assert "B" in (await made(w))[0]
    w.turn(hours=24)
    assert await made(w) == [""]


async def test_a_long_list_comes_in_pages_that_can_be_fetched(w: DeskWorld) -> None:
    await w.story.issue(*(licence(f"N{number}", "1 NAR") for number in range(5)))
    await order(w, {"unit": "DAILY"}, pageSize=2, content="DATA")
    assert await made(w) == ["N0 N1", "N2 N3", "N4"]
    pages = [message for *_, message in w.pushed.messages]
    assert [(p.page_number, p.last_page) for p in pages if isinstance(p, ListResponse)] == [
        (1, "0"),
        (2, "0"),
        (3, "1"),
    ]
    fetched = await w.ask(action="DELIVERED", orderIdentification="ORDER", pageNumber=2)
    assert fetched.certificates == pages[1].certificates  # type: ignore[attr-defined]  # the reply is a list
    assert fetched.certificates[0].data is not None
    for wrong in ({"pageNumber": 4}, {"deliveryNumber": 2}):
        with pytest.raises(Refusal) as none:
            await w.ask(action="DELIVERED", orderIdentification="ORDER", **wrong)
        assert none.value.code == "LIST_UNKNOWN"


async def test_rights_are_those_of_the_moment(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(w, {"unit": "DAILY"})
    known = w.callers.pop("NSW.BE")
    assert await made(w) == []
    w.callers["NSW.BE"] = known
    w.turn(hours=24)
    assert await made(w) == ["A"]
    (state,) = (await w.ask(action="ORDERS")).orders
    assert state.deliveries == 1


async def test_a_caller_that_is_no_customs_any_more_gets_no_foreign_licences(w: DeskWorld) -> None:
    await w.story.issue(licence("DE/A", "1 NAR"))
    await order(w, {"unit": "DAILY"}, Criteria={"issuingCountry": "DE"})
    w.callers["NSW.BE"] = AUTHORITY.model_copy(update={"name": "NSW.BE"})
    assert await made(w) == []


async def test_a_list_that_fails_for_good_keeps_no_other_waiting(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"))
    await order(w, {"unit": "DAILY"})
    w.pushed.fails = True
    assert await made(w) == []
    w.pushed.fails = False
    await order(w, {"unit": "DAILY"}, messageIdentification="SECOND")
    assert await made(w) == ["A"]
    w.turn(minutes=10)
    assert await made(w) == ["A"]
    states = {one.order_identification: one.deliveries for one in (await w.ask(action="ORDERS")).orders}
    assert states == {"ORDER": 1, "SECOND": 1}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"unit": "HOURLY"}, "Period/hours"),
    ({"unit": "DAILY", "hours": 3}, "Period/hours"),
    ({"unit": "DAILY", "untilDateAndTime": "2026-03-01T00:00:00"}, "Period/untilDateAndTime"),
    ({"unit": "DAILY", "fromDateAndTime": "2026-02-30T00:00:00"}, "Period/fromDateAndTime"),
]


@pytest.mark.parametrize(("period", "field"), WRONG)
async def test_a_period_that_cannot_be_is_refused(w: DeskWorld, period: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as told:
        await order(w, period)
    assert (told.value.code, told.value.field) == ("SCHEMA_INVALID", field)
    assert (await w.ask(CUSTOMS, action="ORDERS")).orders == ()


async def test_a_list_is_stored_once(w: DeskWorld) -> None:
    await order(w, {"unit": "DAILY"})
    await made(w)
    (stored,) = await w.orders.of_caller("NSW.BE")
    with pytest.raises((WrittenTwice, asyncpg.UniqueViolationError)):
        async with w.orders.transaction() as unit:
            await unit.deliver(stored, MadePage(1, 1, b"another"), w.now)
