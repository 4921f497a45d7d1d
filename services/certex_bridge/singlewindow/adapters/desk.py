"""Records, periodic orders and notices on PostgreSQL; each transaction has its answers with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Generic, TypeVar

import asyncpg

from certex_bridge.ledger.ports import OutboxRow, Outgoing
from certex_bridge.platform.migrations import load_queries
from certex_bridge.singlewindow.adapters.call_answers import PostgresCallAnswers
from certex_bridge.singlewindow.notices import NoticeRow
from certex_bridge.singlewindow.orders import ListOrder, MadePage
from certex_bridge.singlewindow.records import AGGREGATE, RecordState, RecordVersion, Said, record_key


class _Unit(PostgresCallAnswers):
    """One open transaction, with the answers stored in it."""

    def __init__(self, connection: Any, queries: dict[str, str]) -> None:
        super().__init__(connection)
        self.connection = connection
        self._desk = queries

    async def _row(self, query: str, *arguments: object) -> Any:
        return await self.connection.fetchrow(self._desk[query], *arguments)

    async def _run(self, query: str, *arguments: object) -> None:
        await self.connection.execute(self._desk[query], *arguments)


Unit = TypeVar("Unit", bound=_Unit)


class _Store(Generic[Unit]):
    """Transactions on a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = load_queries("certex_bridge.singlewindow.adapters.sql", "desk.sql")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Begin; commit at the end of the block."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            yield self._unit(connection)

    def _unit(self, connection: Any) -> Unit:
        raise NotImplementedError


class PostgresRecordUnit(_Unit):
    """Records in one open transaction."""

    def __init__(self, connection: Any, queries: dict[str, str], outgoing: Outgoing) -> None:
        super().__init__(connection, queries)
        self._outgoing = outgoing

    async def lock(self, caller: str, record_id: str) -> RecordState | None:
        """The record; the outbox orders its versions by the same lock."""
        await self._outgoing.lock(self.connection, AGGREGATE, record_key(caller, record_id))
        row = await self._row("record", caller, record_id)
        return _record(row) if row else None

    async def written_by(self, caller: str, since: datetime) -> int:
        """How many versions."""
        await self._run("lock_name", f"records {caller}")
        return int((await self._row("written_records", caller, since))[0])

    async def write(self, version: RecordVersion, message: OutboxRow) -> None:
        """Append the version and queue its message."""
        state = version.state
        information = _json(state.information)
        await self._run("write_record", state.key, *state[:7], information, state.deleted)
        await self._run(
            "append_record",
            state.key,
            state.version,
            version.action,
            _json(version.before),
            information,
            version.reason,
            version.licence_version,
            version.call_id,
            version.at,
        )
        await self._outgoing.send(self.connection, [message])


class PostgresRecords(_Store[PostgresRecordUnit]):
    """The store of records."""

    def __init__(self, pool: asyncpg.Pool, outgoing: Outgoing) -> None:
        super().__init__(pool)
        self._outgoing = outgoing

    def _unit(self, connection: Any) -> PostgresRecordUnit:
        return PostgresRecordUnit(connection, self._queries, self._outgoing)

    async def history(self, caller: str, record_id: str) -> Sequence[RecordVersion]:
        """All versions of a record."""
        rows = await self._pool.fetch(self._queries["record_history"], caller, record_id)
        return [RecordVersion(_record(row[:9]), row[9], row[10], _said(row[11]), *row[12:]) for row in rows]


def _record(row: Any) -> RecordState:
    *about, information, deleted = row
    return RecordState._make([*about, _said(information), deleted])


def _json(information: Said) -> str:
    return json.dumps(information, ensure_ascii=False)


def _said(text: str) -> Said:
    return tuple((code, said) for code, said in json.loads(text))


class PostgresOrderUnit(_Unit):
    """Periodic orders in one open transaction."""

    async def lock(self, caller: str, order_id: str) -> ListOrder | None:
        """The order."""
        row = await self._row("lock_order", caller, order_id)
        return ListOrder(*row) if row else None

    async def active_of(self, caller: str) -> int:
        """How many have not ended."""
        await self._run("lock_name", f"orders {caller}")
        return int((await self._row("active_orders", caller))[0])

    async def lock_due(self, now: datetime) -> ListOrder | None:
        """The order that is due longest and free."""
        row = await self._row("lock_due_order", now)
        return ListOrder(*row) if row else None

    async def write(self, order: ListOrder) -> None:
        """Store the order."""
        await self._run("write_order", *order)

    async def deliver(self, order: ListOrder, made: MadePage, at: datetime) -> None:
        """Store a page."""
        await self._run("deliver", order.caller, order.order_id, *made, at)

    async def page(self, order: ListOrder, number: int, page: int) -> bytes:
        """A page stored before."""
        body: bytes = (await self._row("delivered", order.caller, order.order_id, number, page))["body"]
        return body


class PostgresOrders(_Store[PostgresOrderUnit]):
    """The store of periodic orders."""

    def _unit(self, connection: Any) -> PostgresOrderUnit:
        return PostgresOrderUnit(connection, self._queries)

    async def of_caller(self, caller: str) -> Sequence[ListOrder]:
        """All orders of a caller."""
        return [ListOrder(*row) for row in await self._pool.fetch(self._queries["orders"], caller)]

    async def made(self, caller: str, order_id: str, number: int, page: int) -> bytes | None:
        """A page made earlier."""
        body: bytes | None = await self._pool.fetchval(self._queries["delivered"], caller, order_id, number, page)
        return body


class PostgresNoticeUnit(_Unit):
    """Notices in one open transaction."""

    async def lock(self, notice_id: str) -> NoticeRow | None:
        """The notice."""
        await self._run("lock_name", f"notice {notice_id}")
        row = await self._row("notice", notice_id)
        return NoticeRow(*row) if row else None

    async def write(self, notice: NoticeRow, at: datetime) -> None:
        """Append this version."""
        await self._run("write_notice", *notice)
        await self._run("append_notice", notice.notice_id, notice.version, notice.ends, notice.announced_by, at)

    async def open_of(self, who: str, now: datetime) -> int:
        """How many have not ended."""
        await self._run("lock_name", f"notices {who}")
        return int((await self._row("open_notices", who, now))[0])

    async def take_untold(self, limit: int) -> Sequence[NoticeRow]:
        """Notices that callers do not know yet."""
        return [NoticeRow(*row) for row in await self.connection.fetch(self._desk["untold_notices"], limit)]

    async def told(self, notice: NoticeRow) -> None:
        """The callers know this version."""
        await self._run("told_notice", notice.notice_id, notice.version)


class PostgresNotices(_Store[PostgresNoticeUnit]):
    """The store of notices."""

    def _unit(self, connection: Any) -> PostgresNoticeUnit:
        return PostgresNoticeUnit(connection, self._queries)

    async def current(self, now: datetime) -> Sequence[NoticeRow]:
        """Notices that have not ended."""
        return [NoticeRow(*row) for row in await self._pool.fetch(self._queries["current_notices"], now)]
