"""What subscriptions, fan-out and delivery need of their store; the doubles in memory keep the same promises."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.pushes.model import Paused, Push, PushKind, Subscription


class Interest(NamedTuple):
    """A declaration checked against a licence (Art. 5(1)) whose customs office may still wait for it."""

    licence_id: str
    caller: str
    declaration: str


class StatusChanges(Protocol):
    """The ledger's side; each method works on the caller's open transaction."""

    async def take(self, transaction: object, limit: int) -> list[StatusRecord]:
        """The oldest changes nobody was told of, in order; they count as told once the transaction ends."""

    async def open_claims(self, transaction: object, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims of these licences whose customs office still has an interest, in order."""

    async def finished(self, transaction: object, declarations: Collection[str]) -> set[str]:
        """Those of the declarations that wait for no licence any more."""


class FanOutUnit(Protocol):
    """One open transaction of the fan-out."""

    async def changes(self, limit: int) -> list[StatusRecord]:
        """As `StatusChanges.take`."""

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """As `StatusChanges.open_claims`."""

    async def interests(self, licence_ids: Collection[str], since: datetime) -> list[Interest]:
        """Checks since then whose declarations are not finished."""

    async def lock_subscriptions(self, now: datetime) -> list[Subscription]:
        """All that are owed something new, in order of id, locked until the transaction ends."""

    async def append(self, pushes: Sequence[Push]) -> None:
        """Add pushes, whose numbers follow on `last_number` of their subscriptions."""


class FanOutStore(Protocol):
    """Where changes of status become pushes."""

    async def waiting(self) -> bool:
        """Whether there are changes nobody was told of, without a lock."""

    def fan_out(self) -> AbstractAsyncContextManager[FanOutUnit | None]:
        """Begin; None while another process is at it."""


class Pushes(Protocol):
    """Where other functions leave what they have for a caller."""

    async def enqueue(  # who, what about, and the message itself
        self, transaction: object, caller: str, kind: PushKind, subject: str, message: Message
    ) -> str:
        """Owe a message to a caller, in the transaction of what it tells of; on a connection of the database.

        It goes to the caller's oldest subscription in force. Returns the push's identity on the wire, or an empty text
        when the caller has none: then it must ask.
        """


class DeliveryLead(Protocol):
    """What is owed, in the hands of the one process that delivers; raises once it is no longer the one."""

    async def due(self, now: datetime) -> list[Subscription]:
        """Subscriptions with a push whose time has come."""

    async def owed(self, subscription_id: str, now: datetime, limit: int) -> list[Push]:
        """The oldest pushes not delivered, in order; none when the subscription is paused, ended, or not due."""

    async def delivered(self, push: Push, at: datetime) -> None:
        """The receiver has it."""

    async def failed(self, push: Push, error: str, at: datetime, next_try: datetime, paused: Paused) -> None:
        """The receiver has not; try again from `next_try` on, or once a paused subscription is resumed."""


class Deliveries(Protocol):
    """Where pushes wait for their delivery."""

    def leadership(self) -> AbstractAsyncContextManager[DeliveryLead | None]:
        """Try to become the one process that delivers; None while another is."""


class SubscriptionUnit(Protocol):
    """One open transaction of the subscribing function."""

    async def answered(self, call_id: str) -> tuple[str, bytes] | None:
        """Content hash and stored answer of a call seen before; a call of the same id waits for this transaction."""

    async def keep_answer(self, call_id: str, sha256: str, body: bytes, at: datetime) -> None:
        """Store an answer for ever."""

    async def add(self, subscription: Subscription) -> None:
        """A new subscription."""

    async def alone(self, caller: str) -> None:
        """Nobody else adds a subscription of this caller until the transaction ends."""

    async def of_caller(self, caller: str) -> list[Subscription]:
        """All of a caller that have not ended, oldest first."""

    async def end(self, subscription_id: str, at: datetime) -> None:
        """Nothing more is owed, nothing more is sent."""


class SubscriptionStore(Protocol):
    """Where subscriptions are kept."""

    def transaction(self) -> AbstractAsyncContextManager[SubscriptionUnit]:
        """Begin; commit at the end of the block, roll back on any exception."""
