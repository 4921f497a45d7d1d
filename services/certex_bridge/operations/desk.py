"""Wiring of records, lists and notices (IR 2024/2145 Art. 9 to 11) for the role gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from certex_bridge.ledger.adapters.listing import PostgresLicenceIndex
from certex_bridge.ledger.adapters.outgoing import PostgresOutgoing
from certex_bridge.operations.policies import decode_options_of
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.postgres import retry_cause
from certex_bridge.singlewindow.adapters.desk import PostgresNotices, PostgresOrders, PostgresRecords
from certex_bridge.singlewindow.functions import lists, records, unavailability
from certex_bridge.singlewindow.list_making import ListMaker
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.notices import AvailabilityWatch, function_of, issuers_of
from certex_bridge.singlewindow.operation import Call, Operation, Read, Reply
from certex_bridge.singlewindow.pushes.ports import Pushes
from certex_bridge.singlewindow.quotas import Quotas

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge

LOG = get_logger("certex_bridge.desk")

LISTS_SECONDS = 5.0
"""How often is looked which periodic lists are due."""
NOTICES_SECONDS = 1.0
"""How often the notices are read."""


class Desk:
    """Operations F8 to F10, and what goes on beside the calls.

    Periodic lists are made here and not by the role worker: they depend on the callers' rights of the moment, and the
    callers' file is the gateway's. Several gateways share the work by row locks.
    """

    def __init__(self, bridge: Bridge, pushes: Pushes | None = None) -> None:
        """`pushes` takes lists and notices to callers; without it they are there to be fetched."""
        pool, settings = bridge.pool, bridge.settings
        sender, figures_shown = settings.message_sender, settings.figures_shown_to_customs
        index, orders, notices = PostgresLicenceIndex(pool), PostgresOrders(pool), PostgresNotices(pool)
        quotas = Quotas.of(settings)
        keeping = records.RecordKeeping(PostgresRecords(pool, PostgresOutgoing()), index, sender, quotas=quotas)
        self._callers = bridge.callers
        self._settings = settings
        self._pushes = pushes
        self._unavailability = unavailability.Unavailability(notices, sender, quotas=quotas)
        self._availability = AvailabilityWatch(notices)
        self._maker = ListMaker(
            index, orders, self._callers, sender, pushes=pushes, figures_shown=figures_shown, transient=retry_cause
        )
        self.operations: Sequence[Operation] = (
            *records.operations(keeping),
            *lists.operations(lists.Listing(index, orders, sender, figures_shown=figures_shown, quotas=quotas)),
            *unavailability.operations(self._unavailability),
        )
        self.reads: Sequence[Read] = unavailability.reads(self._unavailability)

    def guard(self, operation: Operation) -> Operation:
        """The operation, refused while its function is announced to be unavailable."""

        async def handler(call: Call, request: Message) -> Reply:
            self._availability.require(function_of(operation.function, request), self._issuers(call, request))
            return await operation.handler(call, request)

        return replace(operation, handler=handler)

    def _issuers(self, call: Call, request: Message) -> frozenset[str]:
        """Whose licences a call is about; read only while a notice depends on it."""
        if not self._availability.by_issuer:
            return frozenset()
        state = call.caller.member_state
        return issuers_of(request, state, decode_options_of(self._settings).licence_codes(state))

    async def run(self, stop: asyncio.Event) -> None:
        """Make lists, read and tell notices until told to stop; a failure is told and tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(stop, "lists", LISTS_SECONDS, self._maker.make_due))
            group.create_task(self._repeat(stop, "notices", NOTICES_SECONDS, self._availability.refresh))
            if self._pushes is not None:
                group.create_task(self._repeat(stop, "telling", NOTICES_SECONDS, self._tell))

    async def _tell(self) -> None:
        assert self._pushes is not None
        while await self._unavailability.tell(list(self._callers()), self._pushes):
            pass

    async def _repeat(
        self, stop: asyncio.Event, name: str, seconds: float, work: Callable[[], Awaitable[object]]
    ) -> None:
        failing = ""
        while not stop.is_set():
            try:
                await work()
            except Exception as error:
                cause = retry_cause(error)
                if (cause or type(error).__name__) != failing:
                    LOG.warning("desk.waits", what=name, cause=cause, exc_info=None if cause else error)
                failing = cause or type(error).__name__
            else:
                failing = ""
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue
