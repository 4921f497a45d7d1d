"""Wiring of records, lists and notices (IR 2024/2145 Art. 9 to 11) for the role gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg

from certex_bridge.ledger.adapters.listing import PostgresLicenceIndex
from certex_bridge.ledger.adapters.outgoing import PostgresOutgoing
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.adapters.desk import PostgresNotices, PostgresOrders, PostgresRecords
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.deliveries import Pushes
from certex_bridge.singlewindow.functions import lists, records, unavailability
from certex_bridge.singlewindow.list_making import ListMaker
from certex_bridge.singlewindow.notices import AvailabilityWatch
from certex_bridge.singlewindow.operation import Operation

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

    def __init__(  # what the gateway has, and options
        self,
        pool: asyncpg.Pool[Any],
        settings: Settings,
        callers: Callable[[], Mapping[str, Caller]],
        *,
        pushes: Pushes | None = None,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
    ) -> None:
        sender, figures_shown = settings.message_sender, settings.figures_shown_to_customs
        index, orders, notices = PostgresLicenceIndex(pool), PostgresOrders(pool), PostgresNotices(pool)
        self._callers = callers
        self._pushes = pushes
        self._transient = transient
        self.unavailability = unavailability.Unavailability(notices, sender)
        self.availability = AvailabilityWatch(notices)
        """To be asked before every call of another function."""
        self._maker = ListMaker(
            index, orders, callers, sender, pushes=pushes, figures_shown=figures_shown, transient=transient
        )
        self.operations: Sequence[Operation] = (
            *records.operations(records.RecordKeeping(PostgresRecords(pool, PostgresOutgoing()), index, sender)),
            *lists.operations(lists.Listing(index, orders, sender, figures_shown=figures_shown)),
            *unavailability.operations(self.unavailability),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Make lists, read and tell notices until told to stop; a failure is told and tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(stop, "lists", LISTS_SECONDS, self._maker.make_due))
            group.create_task(self._repeat(stop, "notices", NOTICES_SECONDS, self.availability.refresh))
            if self._pushes is not None:
                group.create_task(self._repeat(stop, "telling", NOTICES_SECONDS, self._tell))

    async def _tell(self) -> None:
        assert self._pushes is not None
        while await self.unavailability.tell(list(self._callers()), self._pushes):
            pass

    async def _repeat(
        self, stop: asyncio.Event, name: str, seconds: float, work: Callable[[], Awaitable[object]]
    ) -> None:
        failing = ""
        while not stop.is_set():
            try:
                await work()
            except Exception as error:
                cause = self._transient(error)
                if (cause or type(error).__name__) != failing:
                    LOG.warning("desk.waits", what=name, cause=cause, exc_info=None if cause else error)
                failing = cause or type(error).__name__
            else:
                failing = ""
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue
