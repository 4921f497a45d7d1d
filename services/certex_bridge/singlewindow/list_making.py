"""Makes periodic lists when they are due and hands them to their callers (IR 2024/2145 Art. 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from certex_bridge.ledger.listing import LicenceIndex
from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.answering import header, instant_text
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.list_page import certificates, within_bounds
from certex_bridge.singlewindow.listing import View, changed_since, criteria_of
from certex_bridge.singlewindow.messages.listing import ListRequest, ListResponse
from certex_bridge.singlewindow.orders import ListOrder, MadePage, Orders, OrderUnit, after
from certex_bridge.singlewindow.pushes.model import PushKind
from certex_bridge.singlewindow.pushes.ports import Pushes
from certex_bridge.singlewindow.refusals import Refusal

LOG = get_logger("certex_bridge.lists")

POSTPONED = timedelta(minutes=10)
"""Pause of an order whose list fails for a reason of its own."""


class ListMaker:
    """Makes one list after the other; several processes may do so at once."""

    def __init__(  # noqa: PLR0913  # four partners, and settings with defaults
        self,
        index: LicenceIndex,
        orders: Orders,
        callers: Callable[[], Mapping[str, Caller]],
        sender: str,
        *,
        pushes: Pushes | None = None,
        figures_shown: bool = True,
        clock: Callable[[], datetime] | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
    ) -> None:
        self._index = index
        self._orders = orders
        self._callers = callers
        self._sender = sender
        self._pushes = pushes
        self._figures_shown = figures_shown
        self._clock = clock or (lambda: datetime.now(UTC))
        self._transient = transient

    async def make_due(self) -> int:
        """Make every list that is due, each in a transaction of its own; returns how many.

        Raises:
            Exception: a failure that can pass; the list is made the next time.
        """
        made = 0
        while await self._make_one():
            made += 1
        return made

    async def _make_one(self) -> bool:
        in_hand: list[ListOrder] = []
        try:
            async with self._orders.transaction() as unit:
                order = await unit.lock_due(self._clock())
                if order is None:
                    return False
                in_hand.append(order)
                await self._make(unit, order)
        except Exception as error:
            if not in_hand or self._transient(error):
                raise
            LOG.exception("lists.postponed", caller=in_hand[0].caller, order=in_hand[0].order_id)
            await self._postpone(in_hand[0])
        return True

    async def _make(self, unit: OrderUnit, order: ListOrder) -> None:
        now = self._clock()
        since, deliveries = order.since, order.deliveries
        try:
            as_of = await self._deliver(unit, order, self._caller(order.caller), now)
        except Refusal as refusal:
            # Rights are those of this moment: who lost them gets nothing, and gets lists again with the rights.
            LOG.warning("lists.not_allowed", caller=order.caller, order=order.order_id, code=refusal.code)
        else:
            deliveries += 1
            since = as_of if since is not None else None
        following = after(order, now)
        state = order.state if following else "ENDED"
        await unit.write(order._replace(next_due=following, deliveries=deliveries, since=since, state=state))

    def _caller(self, name: str) -> Caller:
        caller = self._callers().get(name)
        if caller is None:
            raise Refusal("CALLER_UNKNOWN", f"{name} is no caller any more")
        return caller

    async def _deliver(self, unit: OrderUnit, order: ListOrder, caller: Caller, now: datetime) -> datetime:
        """Make the list, page by page; returns the moment before which it misses nothing."""
        request = ListRequest.model_validate_json(order.request)
        view = View.of(caller, figures_shown=self._figures_shown)
        criteria = changed_since(criteria_of(request.criteria, view), order.since)
        place, number, as_of, last = "", 0, now, False
        while not last:
            page = await self._index.find(criteria, place, request.page_size, content=request.content == "DATA")
            listed = within_bounds(page.licences)
            last = not page.more and len(listed) == len(page.licences)
            as_of, number = (as_of if number else page.as_of), number + 1
            told = {"asOf": instant_text(as_of), "Certificate": certificates(listed, view), "lastPage": str(int(last))}
            await self._store(unit, order, number, now, told)
            place = listed[-1].entry.licence_id if listed else place
        await self._push(unit, order, number)
        return as_of

    async def _push(self, unit: OrderUnit, order: ListOrder, pages: int) -> None:
        """Hand all pages over at the end: the subscription is locked from the first one on."""
        if self._pushes is None:
            return
        for page in range(1, pages + 1):
            message = ListResponse.model_validate_json(await unit.page(order, order.deliveries + 1, page))
            await self._pushes.enqueue(unit.connection, order.caller, PushKind.LIST, order.order_id, message)

    async def _store(self, unit: OrderUnit, order: ListOrder, page: int, now: datetime, told: dict[str, Any]) -> None:
        number = order.deliveries + 1
        identity = f"{order.caller}\n{order.order_id}\n{number}\n{page}"
        message = ListResponse.model_validate(
            {
                **header(self._sender, order.caller, ListResponse, now, identity),
                "correlationIdentifier": order.order_id,
                "orderIdentification": order.order_id,
                "deliveryNumber": number,
                "pageNumber": page,
                **told,
            }
        )
        body = message.model_dump_json(by_alias=True, exclude_none=True).encode()
        await unit.deliver(order, MadePage(number, page, body), now)

    async def _postpone(self, order: ListOrder) -> None:
        async with self._orders.transaction() as unit:
            current = await unit.lock(order.caller, order.order_id)
            if current is not None and current.next_due is not None:
                await unit.write(current._replace(next_due=self._clock() + POSTPONED))
