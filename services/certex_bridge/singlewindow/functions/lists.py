"""F9: lists of licences, once or periodically (IR 2024/2145 Art. 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from certex_bridge.ledger.listing import LicenceIndex
from certex_bridge.singlewindow.answering import (
    instant_text,
    missing,
    not_here,
    reply_header,
)
from certex_bridge.singlewindow.answers import once
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.list_page import certificates, within_bounds
from certex_bridge.singlewindow.listing import Place, View, criteria_of, place_of, read_instant, token_of
from certex_bridge.singlewindow.messages.listing import ListRequest, ListResponse
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.orders import ListOrder, Orders, OrderUnit
from certex_bridge.singlewindow.quotas import USUAL, Quotas, require_room
from certex_bridge.singlewindow.refusals import Refusal

_HOURS = {"DAILY": 24, "WEEKLY": 7 * 24}


class Listing:
    """The function's handler."""

    def __init__(
        self,
        index: LicenceIndex,
        orders: Orders,
        sender: str,
        *,
        figures_shown: bool = True,
        clock: Callable[[], datetime] | None = None,
        quotas: Quotas = USUAL,
    ) -> None:
        self._index = index
        self._orders = orders
        self._sender = sender
        self._figures_shown = figures_shown
        self._clock = clock or (lambda: datetime.now(UTC))
        self._quotas = quotas

    async def ask(self, call: Call, request: ListRequest) -> Reply:
        """Answer by what is asked for.

        Raises:
            Refusal: SCHEMA_INVALID, FOREIGN_MEMBER_STATE, CONTINUATION_INVALID, ORDER_UNKNOWN, ORDER_ENDED,
                LIST_UNKNOWN, QUOTA_EXCEEDED, DUPLICATE_ID.
        """
        _check(request)
        match request.action:
            case "ONCE":
                return await self._once(call, request)
            case "ORDERS":
                orders = await self._orders.of_caller(call.caller.name)
                return self._reply(call, request, Order=[order_state(order) for order in orders])
            case "DELIVERED":
                return await self._delivered(call, request)
            case _:
                return await self._change(call, request)

    async def _once(self, call: Call, request: ListRequest) -> Reply:
        view = View.of(call.caller, figures_shown=self._figures_shown)
        criteria, place = criteria_of(request.criteria, view), place_of(request)
        content = request.content == "DATA"
        page = await self._index.find(criteria, place.after if place else "", request.page_size, content=content)
        as_of = place.as_of if place else page.as_of
        listed = within_bounds(page.licences)
        told: dict[str, Any] = {"asOf": instant_text(as_of), "Certificate": certificates(listed, view)}
        if listed and (page.more or len(listed) < len(page.licences)):
            told["continuationToken"] = token_of(request, Place(as_of, listed[-1].entry.licence_id))
        return self._reply(call, request, **told)

    async def _delivered(self, call: Call, request: ListRequest) -> Reply:
        name = request.order_identification or ""
        orders = {order.order_id: order for order in await self._orders.of_caller(call.caller.name)}
        if name not in orders:
            raise _unknown_order(name)
        number, page = request.delivery_number or orders[name].deliveries, request.page_number or 1
        body = await self._orders.made(call.caller.name, name, number, page)
        if body is None:
            sentence = f"the order {name} has no list {number} with a page {page}"
            raise Refusal("LIST_UNKNOWN", sentence, field="deliveryNumber", value=number)
        message = ListResponse.model_validate_json(body)
        return Reply(message.model_copy(update={"correlation_identifier": request.message_identification}))

    async def _change(self, call: Call, request: ListRequest) -> Reply:
        async with self._orders.transaction() as unit:
            work = self._order if request.action == "PERIODIC" else self._cancel
            answer, repeated = await once(unit, call, request, ListResponse, lambda: work(unit, call, request))
        return Reply(answer, repeated=repeated)

    async def _order(self, unit: OrderUnit, call: Call, request: ListRequest) -> ListResponse:
        criteria = criteria_of(request.criteria, View.of(call.caller, figures_shown=self._figures_shown))
        order = _new_order(call, request, criteria.changed_since, self._clock())
        held = await unit.active_of(call.caller.name)
        require_room(held, self._quotas.orders, "periodic lists that have not ended: cancel one")
        await unit.write(order)
        return self._message(call, request, Order=[order_state(order)])

    async def _cancel(self, unit: OrderUnit, call: Call, request: ListRequest) -> ListResponse:
        name = request.order_identification or ""
        order = await unit.lock(call.caller.name, name)
        if order is None:
            raise _unknown_order(name)
        if order.state != "ACTIVE":
            raise Refusal("ORDER_ENDED", f"the order {name} has ended", field="orderIdentification", value=name)
        order = order._replace(state="CANCELLED", next_due=None)
        await unit.write(order)
        return self._message(call, request, Order=[order_state(order)])

    def _reply(self, call: Call, request: ListRequest, **told: Any) -> Reply:
        return Reply(self._message(call, request, **told))

    def _message(self, call: Call, request: ListRequest, **told: Any) -> ListResponse:
        header = reply_header(self._sender, call, request, ListResponse, self._clock())
        return ListResponse.model_validate({**header, **told})


def order_state(order: ListOrder) -> dict[str, Any]:
    """Element Order."""
    told: dict[str, Any] = {"orderIdentification": order.order_id, "state": order.state, "deliveries": order.deliveries}
    if order.next_due is not None:
        told["nextDateAndTime"] = instant_text(order.next_due)
    if order.until is not None:
        told["untilDateAndTime"] = instant_text(order.until)
    return told


def _new_order(call: Call, request: ListRequest, since: datetime | None, now: datetime) -> ListOrder:
    period = request.period
    assert period is not None
    hours = _HOURS.get(period.unit) or period.hours
    if hours is None:
        raise missing("Period/hours", "every how many hours?")
    if period.unit != "HOURLY" and period.hours is not None:
        raise not_here("Period/hours", period.hours, "hours are stated with HOURLY only")
    first = read_instant(period.from_date_and_time, "Period/fromDateAndTime") or now
    until = read_instant(period.until_date_and_time, "Period/untilDateAndTime")
    if until is not None and until < max(first, now):
        sentence = "the order ends before its first list"
        raise Refusal("SCHEMA_INVALID", sentence, field="Period/untilDateAndTime", value=period.until_date_and_time)
    return ListOrder(
        caller=call.caller.name,
        order_id=request.message_identification,
        request=request.model_dump_json(by_alias=True, exclude_none=True).encode(),
        first=first,
        hours=hours,
        until=until,
        next_due=first,
        deliveries=0,
        since=since,
        state="ACTIVE",
    )


_ALLOWED: dict[str, frozenset[str]] = {
    "ONCE": frozenset({"criteria", "content", "page_size", "continuation_token"}),
    "PERIODIC": frozenset({"criteria", "content", "page_size", "period"}),
    "CANCEL": frozenset({"order_identification"}),
    "ORDERS": frozenset(),
    "DELIVERED": frozenset({"order_identification", "delivery_number", "page_number"}),
}
"""Items that an action takes."""

_ITEMS = frozenset().union(*_ALLOWED.values())
_NEEDED = {"PERIODIC": "period", "CANCEL": "order_identification", "DELIVERED": "order_identification"}


def _check(request: ListRequest) -> None:
    """Items without meaning for the action are refused: they would be ignored, and the caller would not know."""
    fields = ListRequest.model_fields
    for name in sorted((request.model_fields_set & _ITEMS) - _ALLOWED[request.action]):
        if getattr(request, name) != fields[name].default:
            raise not_here(fields[name].alias or name, getattr(request, name), f"has no meaning for {request.action}")
    needed = _NEEDED.get(request.action)
    if needed is not None and getattr(request, needed) is None:
        raise missing(fields[needed].alias or needed, f"{request.action} needs it")


def _unknown_order(name: str) -> Refusal:
    return Refusal("ORDER_UNKNOWN", f"there is no order {name}", field="orderIdentification", value=name)


def operations(listing: Listing) -> Sequence[Operation]:
    """F9 as an operation."""
    return (
        Operation(
            name="listDocuments",
            function="F9",
            law="10(1), 10(2)",
            path="/v1/lists",
            request=ListRequest,
            response=ListResponse,
            roles=frozenset(CallerRole),
            handler=listing.ask,
            summary="Lists licences by criteria, page by page, once or periodically.",
            statuses=(404, 409),
        ),
    )
