"""Records, periodic orders and notices in memory: the same promises in one process.

A lock makes transactions serial; a transaction works on a copy that replaces the contents at commit.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.singlewindow.notices import NoticeRow, in_order
from certex_bridge.singlewindow.orders import ListOrder, MadePage
from certex_bridge.singlewindow.records import RecordState, RecordVersion

_Order = tuple[str, str]


class WrittenTwice(Exception):
    """A row that may be written once was written again."""


@dataclass
class DeskContents:
    """Everything the desk holds."""

    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    records: dict[tuple[str, str], RecordState] = field(default_factory=dict)
    versions: list[RecordVersion] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    orders: dict[_Order, ListOrder] = field(default_factory=dict)
    made: dict[tuple[str, str, int, int], bytes] = field(default_factory=dict)
    notices: dict[str, NoticeRow] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)


class InMemoryDesk:
    """What all stores of one desk share."""

    def __init__(self) -> None:
        self.contents = DeskContents()
        self.lock = asyncio.Lock()


class InMemoryAnswers:
    """One open transaction on a copy."""

    connection = None

    def __init__(self, contents: DeskContents) -> None:
        self._contents = contents

    async def answered(self, call_id: str) -> tuple[str, bytes] | None:
        """What was answered before."""
        return self._contents.answers.get(call_id)

    async def keep_answer(self, call_id: str, sha256: str, body: bytes, at: datetime) -> None:  # noqa: ARG002  # no clock
        """Store an answer for ever."""
        answer = (sha256, body)
        if self._contents.answers.setdefault(call_id, answer) is not answer:
            raise WrittenTwice(call_id)


Unit = TypeVar("Unit", bound=InMemoryAnswers)


class _Store(Generic[Unit]):
    unit: type[Unit]

    def __init__(self, desk: InMemoryDesk) -> None:
        self._desk = desk

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Begin; the copy becomes the contents at the end of the block."""
        async with self._desk.lock:
            draft = copy.deepcopy(self._desk.contents)
            yield self.unit(draft)
            self._desk.contents = draft


class InMemoryRecordUnit(InMemoryAnswers):
    """Records in one open transaction."""

    async def lock(self, caller: str, record_id: str) -> RecordState | None:
        """The record."""
        return self._contents.records.get((caller, record_id))

    async def written_by(self, caller: str, since: datetime) -> int:
        """How many versions."""
        return sum(one.state.caller == caller and one.at > since for one in self._contents.versions)

    async def write(self, version: RecordVersion, message: OutboxRow) -> None:
        """Append the version and queue its message."""
        held, state = self._contents, version.state
        if any(one.state[:3] == state[:3] for one in held.versions):
            raise WrittenTwice(state.key)
        held.records[state.caller, state.record_id] = state
        held.versions.append(version)
        held.outbox.append(message)


class InMemoryRecords(_Store[InMemoryRecordUnit]):
    """The store of records."""

    unit = InMemoryRecordUnit

    async def history(self, caller: str, record_id: str) -> Sequence[RecordVersion]:
        """All versions of a record."""
        return [one for one in self._desk.contents.versions if one.state[:2] == (caller, record_id)]


class InMemoryOrderUnit(InMemoryAnswers):
    """Periodic orders in one open transaction."""

    async def lock(self, caller: str, order_id: str) -> ListOrder | None:
        """The order."""
        return self._contents.orders.get((caller, order_id))

    async def active_of(self, caller: str) -> int:
        """How many have not ended."""
        return sum(one.caller == caller and one.state == "ACTIVE" for one in self._contents.orders.values())

    async def lock_due(self, now: datetime) -> ListOrder | None:
        """The order that is due longest."""
        due = [(o.next_due, o) for o in self._contents.orders.values() if o.next_due is not None and o.next_due <= now]
        return min(due, key=lambda one: (one[0], one[1][:2]))[1] if due else None

    async def write(self, order: ListOrder) -> None:
        """Store the order."""
        self._contents.orders[order[:2]] = order

    async def deliver(self, order: ListOrder, made: MadePage, at: datetime) -> None:  # noqa: ARG002  # kept for ever
        """Store a page."""
        if self._contents.made.setdefault((*order[:2], made.number, made.page), made.body) is not made.body:
            raise WrittenTwice(order.order_id)

    async def page(self, order: ListOrder, number: int, page: int) -> bytes:
        """A page stored before."""
        return self._contents.made[order.caller, order.order_id, number, page]


class InMemoryOrders(_Store[InMemoryOrderUnit]):
    """The store of periodic orders."""

    unit = InMemoryOrderUnit

    async def of_caller(self, caller: str) -> Sequence[ListOrder]:
        """All orders of a caller."""
        orders = self._desk.contents.orders
        return [orders[key] for key in sorted(orders) if key[0] == caller]

    async def made(self, caller: str, order_id: str, number: int, page: int) -> bytes | None:
        """A page made earlier."""
        return self._desk.contents.made.get((caller, order_id, number, page))


class InMemoryNoticeUnit(InMemoryAnswers):
    """Notices in one open transaction."""

    async def lock(self, notice_id: str) -> NoticeRow | None:
        """The notice."""
        return self._contents.notices.get(notice_id)

    async def write(self, notice: NoticeRow, at: datetime) -> None:  # noqa: ARG002  # memory keeps the last version
        """Store this version."""
        known = self._contents.notices.get(notice.notice_id)
        if known is not None and known.version >= notice.version:
            raise WrittenTwice(notice.notice_id)
        self._contents.notices[notice.notice_id] = notice

    async def open_of(self, who: str, now: datetime) -> int:
        """How many have not ended."""
        notices = self._contents.notices.values()
        return sum(one.announced_by == who and (one.ends is None or one.ends > now) for one in notices)

    async def take_untold(self, limit: int) -> Sequence[NoticeRow]:
        """Notices that callers do not know yet."""
        held = self._contents
        untold = [held.notices[name] for name in sorted(held.notices)]
        return [one for one in untold if held.told.get(one.notice_id, 0) < one.version][:limit]

    async def told(self, notice: NoticeRow) -> None:
        """The callers know this version."""
        self._contents.told[notice.notice_id] = notice.version


class InMemoryNotices(_Store[InMemoryNoticeUnit]):
    """The store of notices."""

    unit = InMemoryNoticeUnit

    async def current(self, now: datetime) -> Sequence[NoticeRow]:
        """Notices that have not ended."""
        notices = self._desk.contents.notices.values()
        return in_order(notice for notice in notices if notice.ends is None or notice.ends > now)
