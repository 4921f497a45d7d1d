"""Delivery: every push to its subscriber, in order of its number, at least once, for as long as it takes.

One process delivers; each subscription that has something due is served by a task of its own, so a receiver that is
slow or away delays nobody else. A push counts as delivered when the receiver answered 2xx and this was written down
on the connection that holds the lead; a crash in between sends it again under the same number.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from certex_bridge.platform.failpoints import failpoint
from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.pushes.model import Paused, Push, Subscription, pause_seconds
from certex_bridge.singlewindow.pushes.ports import Deliveries, DeliveryLead
from certex_bridge.singlewindow.pushes.sending import Attempt, Sender

LOG = get_logger("certex_bridge.pushes")

_AT_ONCE = 16
"""Pushes of one subscription read from the database at a time."""


class Meter(Protocol):
    """Who counts attempts."""

    def pushed(self, result: str) -> None:
        """One attempt: delivered, failed or gone."""

    def retry(self, cause: str) -> None:
        """Something is tried again for a cause that can pass."""


class Delivery:
    """The task that delivers while it leads."""

    name = "delivery"

    def __init__(  # noqa: PLR0913  # two partners, and what tests replace
        self,
        deliveries: Deliveries,
        sender: Sender,
        *,
        clock: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
        poll_seconds: float = 0.5,
        meter: Meter | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        self._deliveries = deliveries
        self._sender = sender
        self._clock = clock or (lambda: datetime.now(UTC))
        self._chance = chance
        self._poll_seconds = poll_seconds
        self._meter = meter
        self._transient = transient
        self._turned = turned
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Lead when possible and deliver until told to stop; attempts that were begun are finished.

        Raises:
            Exception: a failure that cannot pass.
        """
        waits = ""
        while not stop.is_set():
            self._turned()
            try:
                async with self._deliveries.leadership() as lead:
                    if lead is not None:
                        await self._lead(lead, stop)
                waits = ""
            except Exception as error:
                cause = self._transient(error)
                if cause is None:
                    raise
                if self._meter is not None:
                    self._meter.retry(cause)
                if cause != waits:
                    LOG.warning("delivery.waits", cause=cause, error=type(error).__name__)
                waits = cause
            await _pause(stop, self._poll_seconds * 4)

    async def _lead(self, lead: DeliveryLead, stop: asyncio.Event) -> None:
        self._stopping = False
        try:
            while not stop.is_set():
                self._turned()
                await self.turn(lead)
                await _pause(stop, self._poll_seconds)
            self._stopping = True
            await self.settle()
        finally:
            for task in self._serving.values():
                task.cancel()
            await asyncio.gather(*self._serving.values(), return_exceptions=True)
            self._serving.clear()

    async def turn(self, lead: DeliveryLead) -> None:
        """Begin to serve every subscription that has something due and is not being served.

        Raises:
            Exception: what ended the task of a subscription; the lead is in doubt then.
        """
        for subscription_id, task in list(self._serving.items()):
            if task.done():
                del self._serving[subscription_id]
                task.result()
        for subscription in await lead.due(self._clock()):
            if subscription.subscription_id not in self._serving:
                serving = asyncio.create_task(self._serve(lead, subscription), name=f"push {subscription.caller}")
                self._serving[subscription.subscription_id] = serving

    async def settle(self) -> None:
        """Wait for what was begun."""
        if self._serving:
            await asyncio.wait(self._serving.values())

    async def _serve(self, lead: DeliveryLead, subscription: Subscription) -> None:
        """Deliver what is owed, until there is nothing more or an attempt fails."""
        while owed := await lead.owed(subscription.subscription_id, self._clock(), _AT_ONCE):
            for push in owed:
                if self._stopping:
                    return
                attempt = await self._sender.send(subscription, push, self._clock())
                if not attempt.delivered:
                    await self._failed(lead, subscription, push, attempt)
                    return
                failpoint("delivery.after_sent")
                await lead.delivered(push, self._clock())
                self._count("delivered")

    async def _failed(self, lead: DeliveryLead, subscription: Subscription, push: Push, attempt: Attempt) -> None:
        now = self._clock()
        again = now + timedelta(seconds=pause_seconds(push.attempts + 1, self._chance()))
        paused = Paused.GONE if attempt.gone else Paused.NO
        await lead.failed(push, attempt.error, now, again, paused)
        self._count("gone" if attempt.gone else "failed")
        if subscription.failing_since is None and not push.attempts:  # told once, not at every attempt
            LOG.warning("push.fails", subscription=push.subscription_id, number=push.number, error=attempt.error)

    def _count(self, result: str) -> None:
        if self._meter is not None:
            self._meter.pushed(result)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
