"""The live flow: what comes in, what waits, what goes out; a fragment of it comes anew every few seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from certex_bridge.ledger.adapters.mismatches import undecided_of
from certex_bridge.ledger.adapters.rows import declaration
from certex_bridge.oversight.console.flow import Rates
from certex_bridge.oversight.console.web import Visit, page
from certex_bridge.platform.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response

    from certex_bridge.oversight.console.flow import Ends, Place
    from certex_bridge.oversight.console.reading import Reading

LOG = get_logger("certex_bridge.console")

ENDS_SECONDS = 2.0
"""Longest wait for the broker; past it the page shows the rest."""

REFUSED_SHOWN = 20
"""Refused licence events listed."""

UNDECIDED_SHOWN = 20
"""Undecided declarations listed; the command `report mismatches` has them all."""

QUEUES: tuple[tuple[str, str], ...] = (
    ("outbox_unsent", "outbox_oldest_seconds"),
    ("parked_declarations", "parked_oldest_seconds"),
    ("undecided_declarations", "undecided_oldest_seconds"),
    ("quarantine_open", "quarantine_oldest_seconds"),
    ("wake_rows", ""),
    ("relay_held", ""),
)
"""What may wait, and the figure that says for how long."""


class FlowPage:
    """Rates, lag and depths."""

    def __init__(self, reading: Reading, depths: Callable[[], Awaitable[Mapping[str, float]]], ends: Ends) -> None:
        self._reading = reading
        self._depths = depths
        self._ends = ends
        self._rates = Rates()

    async def show(self, visit: Visit) -> Response:
        """The page."""
        return await self._answer(visit, "flow.html")

    async def figures(self, visit: Visit) -> Response:
        """What changes on it."""
        return await self._answer(visit, "flow_figures.html")

    async def _answer(self, visit: Visit, template: str) -> Response:
        async with self._reading.picture() as seen:
            rows = await seen.rows("read_so_far")
            written = await seen.value("written_so_far")
            undecided = await seen.rows("ledger.undecided_now", UNDECIDED_SHOWN)
            refused = await seen.rows("refused_licence_events", REFUSED_SHOWN)
        self._rates.look({(row["topic"], row["partition"]): row["next_record"] for row in rows}, written)
        depths = await self._depths()
        queues = [(name, int(depths[name]), depths[age] if age else None) for name, age in QUEUES]
        topics = self._rates.topics(await self._log_ends())
        written = self._rates.written_rate()
        return page(
            visit, template, topics=topics, queues=queues, written=written, refused=refused,
            undecided=[(undecided_of(declaration(row)), row["seconds"]) for row in undecided],
        )  # fmt: skip

    async def _log_ends(self) -> Mapping[Place, int] | None:
        """None when the broker does not answer in time."""
        try:
            async with asyncio.timeout(ENDS_SECONDS):
                return await self._ends()
        except Exception as error:  # noqa: BLE001  # a broker that is away takes the lag from the page, not the page
            LOG.warning("console.broker_away", error=f"{type(error).__name__}: {error}")
            return None
