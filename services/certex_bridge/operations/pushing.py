"""Pushes wired: fan-out and delivery for the worker, subscribing for the gateway.

Both run in the role worker, which needs no way in from outside and already exists once or more: a handshake with a slow
subscriber must not share a loop with calls that customs wait for, and without any gateway the queue of changes must
still be emptied.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from certex_bridge.ledger.worker import Rhythm
from certex_bridge.operations.policies import types_of
from certex_bridge.singlewindow.functions.subscriptions import Subscribing, operations
from certex_bridge.singlewindow.pushes.delivery import Delivery
from certex_bridge.singlewindow.pushes.fan_out import FanOut
from certex_bridge.singlewindow.pushes.sending import HttpSender
from certex_bridge.singlewindow.pushes.signing import PushKeys
from certex_bridge.singlewindow.pushes.verdicts import Verdicts
from certex_bridge.singlewindow.quotas import Quotas

if TYPE_CHECKING:
    from collections.abc import Callable

    from certex_bridge.operations.composition import Bridge
    from certex_bridge.operations.gateway_role import GatewayParts, GatewayTimes
    from certex_bridge.platform.settings import Settings


def push_keys(settings: Settings) -> PushKeys:
    """The keys of the settings."""
    return PushKeys([key.get_secret_value() for key in settings.push_keys])


def fan_out_rhythm(bridge: Bridge) -> Rhythm:
    """The worker's part: changes of status become pushes."""
    settings = bridge.settings
    fan_out = FanOut(bridge.pushes, Verdicts(types_of(settings)), settings.message_sender)
    return Rhythm("fan_out", settings.worker_poll_ms / 1000, fan_out.hand_out_all)


class DeliveryRole:
    """Delivers what subscribers are owed, while it leads."""

    name = "delivery"

    def __init__(self, bridge: Bridge, transient: Callable[[BaseException], str | None]) -> None:
        self._bridge = bridge
        self._transient = transient

    def ready(self) -> str | None:
        """It needs nothing but the database, which is checked by itself."""
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; attempts that were begun are finished.

        Raises:
            Exception: a failure that cannot pass.
        """
        bridge, settings = self._bridge, self._bridge.settings
        longest = settings.statement_timeout_ms / 1000 + settings.database_connect_seconds
        sender = HttpSender(
            push_keys(settings),
            seconds=settings.push_seconds,
            private=settings.push_private_networks,
            cafile=settings.push_cafile,
            tracing=bridge.tracing,
        )
        try:
            async with sender:
                delivery = Delivery(
                    bridge.pushes,
                    sender,
                    meter=bridge.meter,
                    transient=self._transient,
                    turned=lambda: bridge.turns.mark(self.name, longest),
                )
                await delivery.run(stop)
        finally:
            bridge.turns.forget(self.name)


def subscriptions(bridge: Bridge, _times: GatewayTimes) -> GatewayParts:
    """The gateway's part: function F2."""
    from certex_bridge.operations.composition import transient
    from certex_bridge.operations.gateway_role import GatewayParts

    settings = bridge.settings
    handler = Subscribing(
        bridge.pushes,
        push_keys(settings),
        settings.message_sender,
        private=settings.push_private_networks,
        transient=transient,
        quotas=Quotas.of(settings),
    )
    return GatewayParts(operations(handler))
