"""Who asked about which licence for which declaration: the open interests of IR 2024/2145 Art. 5(2).

A check is answered at once; that it was made is noted in memory and written a moment later, many at a time. What a
crash loses is an interest, not a reservation: a push that customs then miss is one they ask for with the next check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from certex_bridge.platform.logs import get_logger

LOG = get_logger("certex_bridge.interests")

KEPT = 20_000
"""Interests kept in memory; the oldest go first when the database is away for long."""
AT_ONCE = 2_000
"""Interests written in one statement."""
EVERY_SECONDS = 0.25


class Interest(NamedTuple):
    """One caller's interest in one licence for one declaration."""

    licence_id: str
    caller: str
    declaration: str
    """MRN, or exporter/LRN while there is none."""
    member_state: str
    asked_at: datetime
    """Last time."""


class Interests(Protocol):
    """Takes note of interests."""

    def note(self, interest: Interest) -> None:
        """Remember it; returns at once and never fails."""


class InterestStore(Protocol):
    """Keeps interests for ever after."""

    async def keep(self, interests: Sequence[Interest]) -> None:
        """Add them; of one known already the later time counts."""


class BufferedInterests:
    """Keeps interests in memory until they are written, each once however often it is noted."""

    def __init__(
        self,
        store: InterestStore,
        transient: Callable[[BaseException], str | None],
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._store = store
        self._transient = transient
        self._every = every_seconds
        self._waiting: dict[tuple[str, str, str], Interest] = {}
        self.dropped = 0
        """Interests lost because too many waited."""

    def note(self, interest: Interest) -> None:
        """Remember it."""
        key = interest[:3]
        self._waiting.pop(key, None)
        if len(self._waiting) >= KEPT:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1
        self._waiting[key] = interest

    async def run(self, stop: asyncio.Event) -> None:
        """Write from time to time until told to stop, then once more.

        Raises:
            Exception: a failure that cannot pass.
        """
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                await self.flush()
        await self.flush()

    async def flush(self) -> None:
        """Write what waits; what cannot be written now waits on.

        Raises:
            Exception: a failure that cannot pass.
        """
        while batch := list(self._waiting.values())[:AT_ONCE]:
            try:
                await self._store.keep(batch)
            except Exception as error:
                if self._transient(error) is None:
                    raise
                LOG.warning("interests.postponed", waiting=len(self._waiting), dropped=self.dropped)
                return
            for interest in batch:
                if self._waiting.get(interest[:3]) is interest:
                    del self._waiting[interest[:3]]
