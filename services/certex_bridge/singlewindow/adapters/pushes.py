"""Subscriptions and pushes on PostgreSQL: fan-out, what other functions owe, delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.platform.postgres import load_queries, session_lock
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.adapters import push_rows
from certex_bridge.singlewindow.adapters.call_answers import PostgresCallAnswers
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.pushes.bodies import CONTENT_TYPES, body_of
from certex_bridge.singlewindow.pushes.model import Paused, Push, PushKind, Subscription
from certex_bridge.singlewindow.pushes.ports import Interest, StatusChanges

FAN_OUT_LOCK = 0x6365727465780010
DELIVERY_LOCK = 0x6365727465780011
"""Advisory locks: "certex" and what it is for."""


class PostgresPushes:
    """Everything about pushes on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool, changes: StatusChanges, clock: Callable[[], datetime] | None = None) -> None:
        self._pool = pool
        self._changes = changes
        self._clock = clock or (lambda: datetime.now(UTC))
        self._queries = load_queries("certex_bridge.singlewindow.adapters.sql", "pushes.sql")

    async def waiting(self) -> bool:
        """Whether there are changes nobody was told of."""
        return bool(await self._pool.fetchval(self._queries["waiting"]))

    @asynccontextmanager
    async def fan_out(self) -> AsyncIterator[PostgresFanOut | None]:
        """One transaction at a time hands out, over all processes; the lock ends with it."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            alone = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", FAN_OUT_LOCK)
            yield PostgresFanOut(connection, self._queries, self._changes) if alone else None

    @asynccontextmanager
    async def leadership(self) -> AsyncIterator[PostgresDeliveryLead | None]:
        """Hold the advisory lock for as long as the block runs; what is written down goes over its connection."""
        async with self._pool.acquire() as connection, session_lock(connection, DELIVERY_LOCK) as leads:
            yield PostgresDeliveryLead(connection, self._queries) if leads else None

    async def enqueue(self, transaction: Any, caller: str, kind: PushKind, subject: str, message: Message) -> str:
        """Owe a message to a caller's oldest subscription in force; empty when it has none."""
        now = self._clock()
        row = await transaction.fetchrow(self._queries["lock_main_subscription"], caller, now)
        if row is None:
            return ""
        to = push_rows.subscription(row)
        body = body_of(message, to.form)
        number, form = to.last_number + 1, CONTENT_TYPES[to.form]
        owed = Push(to.subscription_id, number, kind, subject, form, body, now, trace=current_trace())
        await append(transaction, self._queries, [owed])
        return owed.webhook_id

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresSubscriptions]:
        """Begin; commit at the end of the block."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            yield PostgresSubscriptions(connection, self._queries)

    async def depths(self) -> Mapping[str, float]:
        """Figures for the gauges of the same names."""
        row = await self._pool.fetchrow(self._queries["depths"])
        assert row is not None, "a SELECT without FROM has one row"
        return {name: float(value) for name, value in row.items()}


async def append(connection: Any, queries: Mapping[str, str], pushes: Sequence[Push]) -> None:
    """Add pushes to subscriptions that are locked."""
    columns = zip(*map(push_rows.new_push, pushes), strict=True)
    await connection.execute(queries["append"], *map(list, columns))
    newest = {one.subscription_id: one.number for one in pushes}
    await connection.execute(queries["numbered"], list(newest), list(newest.values()))


class PostgresFanOut:
    """One open transaction of the fan-out."""

    def __init__(self, connection: Any, queries: Mapping[str, str], changes: StatusChanges) -> None:
        self._connection = connection
        self._queries = queries
        self._changes = changes

    async def changes(self, limit: int) -> list[StatusRecord]:
        """Changes nobody was told of."""
        return await self._changes.take(self._connection, limit)

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims that wait for these licences."""
        return await self._changes.open_claims(self._connection, licence_ids)

    async def interests(self, licence_ids: Collection[str], since: datetime) -> list[Interest]:
        """Checks whose declarations are not finished."""
        rows = await self._connection.fetch(self._queries["interests"], sorted(licence_ids), since)
        found = [Interest(*row) for row in rows]
        if not found:
            return []
        finished = await self._changes.finished(self._connection, {one.declaration for one in found})
        return [one for one in found if one.declaration not in finished]

    async def lock_subscriptions(self, now: datetime) -> list[Subscription]:
        """All that are owed something new."""
        return [
            push_rows.subscription(row)
            for row in await self._connection.fetch(self._queries["lock_subscriptions"], now)
        ]

    async def append(self, pushes: Sequence[Push]) -> None:
        """Add pushes."""
        await append(self._connection, self._queries, pushes)


class PostgresDeliveryLead:
    """What is owed, in the hands of the leader; its tasks share one connection, one statement after the other."""

    def __init__(self, connection: Any, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._queries = queries
        self._turn = asyncio.Lock()

    async def due(self, now: datetime) -> list[Subscription]:
        """Subscriptions with a push whose time has come."""
        async with self._turn:
            return [push_rows.subscription(row) for row in await self._connection.fetch(self._queries["due"], now)]

    async def owed(self, subscription_id: str, now: datetime, limit: int) -> list[Push]:
        """The oldest pushes, unless the first of them is put off."""
        async with self._turn:
            rows = await self._connection.fetch(self._queries["owed"], subscription_id, limit, now)
        if not rows or rows[0]["put_off"]:
            return []
        return [push_rows.push(row) for row in rows]

    async def delivered(self, push: Push, at: datetime) -> None:
        """The receiver has it."""
        async with self._turn, self._connection.transaction():
            await self._connection.execute(self._queries["delivered"], push.subscription_id, push.number, at)
            await self._connection.execute(self._queries["works"], push.subscription_id)

    async def failed(self, push: Push, error: str, at: datetime, next_try: datetime, paused: Paused) -> None:
        """The receiver has not."""
        name, number = push.subscription_id, push.number
        async with self._turn, self._connection.transaction():
            await self._connection.execute(self._queries["failed"], name, number, error, next_try)
            await self._connection.execute(self._queries["fails"], name, at, paused)


class PostgresSubscriptions(PostgresCallAnswers):
    """One open transaction of the subscribing function."""

    def __init__(self, connection: Any, queries: Mapping[str, str]) -> None:
        super().__init__(connection)
        self._statements = queries

    async def add(self, subscription: Subscription) -> None:
        """A new subscription."""
        await self._connection.execute(self._statements["add"], *push_rows.new_subscription(subscription))

    async def alone(self, caller: str) -> None:
        """Nobody else adds one of this caller."""
        await self._connection.execute(self._statements["alone"], f"subscriptions {caller}")

    async def of_caller(self, caller: str) -> list[Subscription]:
        """All of a caller that have not ended."""
        return [
            push_rows.subscription(row) for row in await self._connection.fetch(self._statements["of_caller"], caller)
        ]

    async def end(self, subscription_id: str, at: datetime) -> None:
        """End it."""
        await self._connection.execute(self._statements["end"], subscription_id, at)
