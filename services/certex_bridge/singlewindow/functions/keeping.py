"""Keeping events while the database is away: published on their topic, confirmed by every in-sync replica."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from certex_bridge.platform.kafka import Record
from certex_bridge.platform.tracing import TRACEPARENT, current_trace

if TYPE_CHECKING:
    from certex_bridge.platform.envelope import Envelope

SendAll = Callable[[Sequence[Record]], Awaitable[list[Exception | None]]]
"""Publishes in order; one error or None for each record."""


class Keeping:
    """Publishes what several calls keep, one batch after the other; those that come meanwhile share the next."""

    def __init__(self, send_all: SendAll, seconds: float) -> None:
        """`seconds` is how long a caller waits for the broker."""
        self._send_all = send_all
        self._seconds = seconds
        self._waiting: list[tuple[Record, asyncio.Future[Exception | None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def keep(self, envelope: Envelope) -> None:
        """Publish one event.

        Raises:
            Exception: it is not confirmed, and may or may not be on the broker; to publish it again does no harm.
        """
        headers = tuple((name, value) for name, value in envelope.headers if value is not None)
        if trace := current_trace():
            headers = (*headers, (TRACEPARENT, trace.encode()))
        record = Record(envelope.topic, envelope.key, envelope.value, headers)
        done: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="keeping")
        async with asyncio.timeout(self._seconds):
            error = await done
        if error is not None:
            raise error

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            # Whoever gave up must not find its event applied later as if it had been taken over.
            batch = [(record, done) for record, done in batch if not done.done()]
            errors: Sequence[Exception | None]
            try:
                errors = await self._send_all([record for record, _ in batch])
            except Exception as failure:  # noqa: BLE001  # every caller is told
                errors = [failure] * len(batch)
            for (_, done), error in zip(batch, errors, strict=True):
                if not done.done():
                    done.set_result(error)
        self._flushing = None

    async def stop(self) -> None:
        """Wait for what is being published."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
