"""What the demo sees of the bridge while it works: how far reading, waking and publishing are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.laboratory.publish import Published

POLL_SECONDS = 0.15
PATIENCE_SECONDS = 60.0
"""Without any progress for this long the demo gives up."""

_LEFT = """
SELECT (SELECT count(*) FROM wake) AS wakes, (SELECT count(*) FROM unsent) AS unsent,
       (SELECT count(*) FROM status_unsent) + (SELECT count(*) FROM notice WHERE told_version < version)
           + (SELECT count(*) FROM push WHERE delivered_at IS NULL) AS pushes
"""


class DemoStuck(BridgeError):
    """The bridge made no progress."""

    code = "DEMO_STUCK"


@dataclass(frozen=True, slots=True)
class Depths:
    """What still waits inside the bridge."""

    unread: int
    wakes: int
    unsent: int
    pushes: int

    @property
    def settled(self) -> bool:
        """Whether everything sent has had its effect, and every effect is published and pushed."""
        return not (self.unread or self.wakes or self.unsent or self.pushes)


class Watch:
    """Compares what was sent with what the database says was taken in."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._ends: dict[tuple[str, int], int] = {}
        """Per partition, the offset behind the last record sent."""
        self._starts: dict[tuple[str, int], int] = {}

    def sent(self, published: Iterable[Published]) -> None:
        """Remember records that must be taken in."""
        for one in published:
            place = (one.message.topic, one.partition)
            self._ends[place] = max(self._ends.get(place, 0), one.offset + 1)
            self._starts[place] = min(self._starts.get(place, one.offset), one.offset)

    async def depths(self) -> Depths:
        """What waits now."""
        rows = await self._pool.fetch("SELECT topic, partition, next_record FROM consumer_offset")
        read = {(row[0], row[1]): row[2] for row in rows}
        unread = sum(max(0, end - read.get(place, self._starts[place])) for place, end in self._ends.items())
        left = await self._pool.fetchrow(_LEFT)
        return Depths(unread, left["wakes"], left["unsent"], left["pushes"])

    async def settle(
        self,
        roles: asyncio.Task[None],
        told: Callable[[Depths], None] = lambda _depths: None,
        *,
        done: Callable[[Depths], bool] = lambda depths: depths.settled,
    ) -> float:
        """Wait until `done`; returns the seconds it took.

        Raises:
            DemoStuck: nothing moved for a minute, or the roles ended.
        """
        began = moved = time.monotonic()
        last: Depths | None = None
        while True:
            depths = await self.depths()
            told(depths)
            now = time.monotonic()
            if done(depths):
                return now - began
            if roles.done():
                roles.result()
                raise DemoStuck("the roles ended before everything was taken in")
            if depths != last:
                last, moved = depths, now
            elif now - moved > PATIENCE_SECONDS:
                waiting = (
                    f"{depths.unread} records unread, {depths.wakes} wakes, {depths.unsent} batches unpublished, "
                    f"{depths.pushes} pushes"
                )
                raise DemoStuck(f"nothing moved for {PATIENCE_SECONDS:g} s: {waiting}")
            await asyncio.sleep(POLL_SECONDS)
