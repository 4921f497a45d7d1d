"""Periodic lists (IR 2024/2145 Art. 10): orders, and when their next list is due."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from certex_bridge.singlewindow.answers import CallAnswers
from certex_bridge.singlewindow.messages.listing import OrderState


class ListOrder(NamedTuple):
    """A periodic order as it stands."""

    caller: str
    order_id: str
    """messageIdentification of the order."""
    request: bytes
    """The order's message as JSON."""
    first: datetime
    hours: int
    """Hours between two lists."""
    until: datetime | None
    """No list is due after it."""
    next_due: datetime | None
    """None: no further list."""
    deliveries: int
    since: datetime | None
    """Where the next list of changes begins; None when everything is listed each time."""
    state: OrderState


class MadePage(NamedTuple):
    """One page of a list that an order made."""

    number: int
    """Of the list, dense per order."""
    page: int
    body: bytes
    """The message as JSON."""


class OrderUnit(CallAnswers, Protocol):
    """One open transaction."""

    async def lock(self, caller: str, order_id: str) -> ListOrder | None:
        """The order, or None; until the transaction ends nobody else changes it."""

    async def active_of(self, caller: str) -> int:
        """How many orders of the caller have not ended; nobody adds one until the transaction ends."""

    async def lock_due(self, now: datetime) -> ListOrder | None:
        """The order that is due longest and that no other process has in hand."""

    async def write(self, order: ListOrder) -> None:
        """Store the order as it now stands."""

    async def deliver(self, order: ListOrder, made: MadePage, at: datetime) -> None:
        """Store a page; a number and page that exist are an error."""

    async def page(self, order: ListOrder, number: int, page: int) -> bytes:
        """A page stored before."""

    @property
    def connection(self) -> Any:
        """What else is to be written in this transaction goes through it."""


class Orders(Protocol):
    """The store of orders."""

    def transaction(self) -> AbstractAsyncContextManager[OrderUnit]:
        """Begin; commit at the end of the block."""

    async def of_caller(self, caller: str) -> Sequence[ListOrder]:
        """All orders of a caller, by their identification."""

    async def made(self, caller: str, order_id: str, number: int, page: int) -> bytes | None:
        """A page made earlier."""


def after(order: ListOrder, now: datetime) -> datetime | None:
    """When the next list is due after one made `now`: the next point of the order's grid, or None after its end.

    Points that passed meanwhile are left out: after an outage one list makes up for all of them.
    """
    step = timedelta(hours=order.hours)
    passed = (now - order.first) // step
    following = order.first + step * (passed + 1)
    return None if order.until is not None and following > order.until else following
