"""Subscriptions and pushes in memory: the same promises in one process, for tests and explanations.

Transactions are serial and work on a copy that replaces the contents at the end; what they took from the ledger is put
back when they fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, cast

from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.pushes.bodies import CONTENT_TYPES, body_of
from certex_bridge.singlewindow.pushes.model import Paused, Push, PushKind, Subscription
from certex_bridge.singlewindow.pushes.ports import Interest, StatusChanges

Key = tuple[str, int]


class QueueInMemory(StatusChanges, Protocol):
    """The ledger's side, which can say without a transaction whether something waits."""

    def waiting(self) -> bool:
        """Whether there are changes nobody was told of."""


@dataclass
class PushContents:
    """Everything that is kept."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    pushes: dict[Key, Push] = field(default_factory=dict)
    delivered: dict[Key, datetime] = field(default_factory=dict)
    next_try: dict[Key, datetime] = field(default_factory=dict)
    errors: dict[Key, str] = field(default_factory=dict)
    answers: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def copy(self) -> PushContents:
        """All values are immutable: copies of the tables do."""
        tables = (self.subscriptions, self.pushes, self.delivered, self.next_try, self.errors, self.answers)
        return PushContents(*(dict(table) for table in tables))  # type: ignore[arg-type]  # in their order

    def owed(self, subscription_id: str) -> list[Push]:
        """Pushes not delivered, in order."""
        keys = sorted(key for key in self.pushes if key[0] == subscription_id and key not in self.delivered)
        return [self.pushes[key] for key in keys]

    def sendable(self, subscription_id: str, now: datetime) -> list[Push]:
        """The same, unless the subscription is left alone or its oldest push is put off."""
        one = self.subscriptions[subscription_id]
        owed = self.owed(subscription_id)
        if not owed or one.ended_at or one.paused:
            return []
        head = (subscription_id, owed[0].number)
        return [] if self.next_try.get(head, now) > now else owed

    def append(self, pushes: Sequence[Push]) -> None:
        """Add pushes."""
        for push in pushes:
            key = (push.subscription_id, push.number)
            assert key not in self.pushes, f"numbered twice: {key}"
            self.pushes[key] = push
            known = self.subscriptions[push.subscription_id]
            self.subscriptions[push.subscription_id] = replace(known, last_number=max(known.last_number, push.number))


class InMemoryPushes:
    """Everything about pushes in memory."""

    def __init__(self, changes: QueueInMemory, clock: Callable[[], datetime] | None = None) -> None:
        self.contents = PushContents()
        self.interest: dict[Interest, datetime] = {}
        """Checks, and when they were made."""
        self._changes = changes
        self._clock = clock or (lambda: datetime.now(UTC))
        self._serial = asyncio.Lock()
        self._leading = asyncio.Lock()

    async def waiting(self) -> bool:
        """Whether there are changes nobody was told of."""
        return self._changes.waiting()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryPushUnit]:
        """Begin; the copy becomes the contents at the end of the block."""
        async with self._serial:
            unit = InMemoryPushUnit(self.contents.copy(), self.interest, self._changes)
            try:
                yield unit
            except BaseException:
                for undo in reversed(unit.undo):
                    undo()
                raise
            self.contents = unit.contents

    @asynccontextmanager
    async def fan_out(self) -> AsyncIterator[InMemoryPushUnit | None]:
        """The same; there is one process only."""
        async with self.transaction() as unit:
            yield unit

    @asynccontextmanager
    async def leadership(self) -> AsyncIterator[InMemoryDeliveryLead | None]:
        """One leads at a time."""
        if self._leading.locked():
            yield None
            return
        async with self._leading:
            yield InMemoryDeliveryLead(self)

    async def enqueue(self, transaction: object, caller: str, kind: PushKind, subject: str, message: Message) -> str:
        """Owe a message to a caller's oldest subscription in force; on a unit of ours."""
        unit, now = cast("InMemoryPushUnit", transaction), self._clock()
        mine = [one for one in await unit.lock_subscriptions(now) if one.caller == caller]
        if not mine:
            return ""
        to = min(mine, key=lambda one: (one.created_at, one.subscription_id))
        body = body_of(message, to.form)
        number, form = to.last_number + 1, CONTENT_TYPES[to.form]
        owed = Push(to.subscription_id, number, kind, subject, form, body, now, trace=current_trace())
        await unit.append([owed])
        return owed.webhook_id


class InMemoryPushUnit:
    """One open transaction: of the fan-out, of the subscribing function, or of who owes something."""

    def __init__(self, contents: PushContents, interest: dict[Interest, datetime], changes: StatusChanges) -> None:
        self.contents = contents
        self.undo: list[Callable[[], None]] = []
        self._interest = interest
        self._changes = changes

    async def changes(self, limit: int) -> list[StatusRecord]:
        """Changes nobody was told of."""
        return await self._changes.take(self, limit)

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims that wait for these licences."""
        return await self._changes.open_claims(self, licence_ids)

    async def interests(self, licence_ids: Collection[str], since: datetime) -> list[Interest]:
        """Checks whose declarations are not finished."""
        found = [one for one, at in sorted(self._interest.items()) if one.licence_id in licence_ids and at >= since]
        finished = await self._changes.finished(self, {one.declaration for one in found})
        return [one for one in found if one.declaration not in finished]

    async def lock_subscriptions(self, now: datetime) -> list[Subscription]:
        """All that are owed something new."""
        held = sorted(self.contents.subscriptions.items())
        return [one for _, one in held if one.ended_at is None and (one.valid_to is None or one.valid_to > now)]

    async def append(self, pushes: Sequence[Push]) -> None:
        """Add pushes."""
        self.contents.append(pushes)

    async def answered(self, call_id: str) -> tuple[str, bytes] | None:
        """Content hash and stored answer of a call seen before."""
        return self.contents.answers.get(call_id)

    async def keep_answer(self, call_id: str, sha256: str, body: bytes, at: datetime) -> None:  # noqa: ARG002  # nobody asks when
        """Store an answer for ever."""
        assert call_id not in self.contents.answers, f"answered twice: {call_id}"
        self.contents.answers[call_id] = (sha256, body)

    async def add(self, subscription: Subscription) -> None:
        """A new subscription."""
        assert subscription.subscription_id not in self.contents.subscriptions, "subscribed twice"
        self.contents.subscriptions[subscription.subscription_id] = subscription

    async def alone(self, caller: str) -> None:
        """One transaction at a time, anyway."""

    async def of_caller(self, caller: str) -> list[Subscription]:
        """All of a caller that have not ended."""
        mine = [one for one in self.contents.subscriptions.values() if one.caller == caller and not one.ended_at]
        return sorted(mine, key=lambda one: (one.created_at, one.subscription_id))

    async def end(self, subscription_id: str, at: datetime) -> None:
        """End it."""
        known = self.contents.subscriptions[subscription_id]
        if known.ended_at is None:
            self.contents.subscriptions[subscription_id] = replace(known, ended_at=at)


class InMemoryDeliveryLead:
    """What is owed, in the hands of the leader."""

    def __init__(self, pushes: InMemoryPushes) -> None:
        self._pushes = pushes

    async def due(self, now: datetime) -> list[Subscription]:
        """Subscriptions with a push whose time has come."""
        held = self._pushes.contents
        return [one for name, one in sorted(held.subscriptions.items()) if held.sendable(name, now)]

    async def owed(self, subscription_id: str, now: datetime, limit: int) -> list[Push]:
        """The oldest pushes, unless the first of them is put off."""
        return self._pushes.contents.sendable(subscription_id, now)[:limit]

    async def delivered(self, push: Push, at: datetime) -> None:
        """The receiver has it."""
        async with self._pushes.transaction() as unit:
            held, key = unit.contents, (push.subscription_id, push.number)
            held.delivered[key] = at
            held.errors.pop(key, None)
            held.pushes[key] = replace(held.pushes[key], attempts=held.pushes[key].attempts + 1)
            held.subscriptions[key[0]] = replace(held.subscriptions[key[0]], failing_since=None)

    async def failed(self, push: Push, error: str, at: datetime, next_try: datetime, paused: Paused) -> None:
        """The receiver has not."""
        async with self._pushes.transaction() as unit:
            held, key = unit.contents, (push.subscription_id, push.number)
            held.next_try[key], held.errors[key] = next_try, error
            held.pushes[key] = replace(held.pushes[key], attempts=held.pushes[key].attempts + 1)
            known = held.subscriptions[key[0]]
            since, left_alone = known.failing_since or at, known.paused or paused
            held.subscriptions[key[0]] = replace(known, failing_since=since, paused=left_alone)
