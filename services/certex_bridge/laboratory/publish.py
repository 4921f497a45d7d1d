"""Sending the laboratory's records, and remembering where each of them lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from certex_bridge.platform.kafka import producer_arguments

if TYPE_CHECKING:
    from types import TracebackType

    from aiokafka import AIOKafkaProducer

    from certex_bridge.laboratory.messages import Message
    from certex_bridge.platform.settings import Settings

CHUNK = 250
"""Records in flight at a time."""
_LINGER_MS = 5


class Published(NamedTuple):
    """A record and its place."""

    message: Message
    partition: int
    offset: int

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic without prefix, partition, offset."""
        return self.message.topic, self.partition, self.offset


class Sender:
    """A producer that waits for every acknowledgement; order is kept per record key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            KafkaError: the broker cannot be reached.
        """
        from aiokafka import AIOKafkaProducer

        arguments = producer_arguments(self._settings) | {"linger_ms": _LINGER_MS}
        self._producer = AIOKafkaProducer(**arguments)
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing unsent."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(
        self, messages: Sequence[Message], on_sent: Callable[[int], None] = lambda _number: None
    ) -> list[Published]:
        """Send in order; `on_sent` hears how many were acknowledged each time.

        Raises:
            KafkaError: the broker refuses a record or is away.
        """
        assert self._producer is not None, "use it as a context"
        published: list[Published] = []
        for start in range(0, len(messages), CHUNK):
            chunk = messages[start : start + CHUNK]
            pending = [await self._send(message) for message in chunk]
            for message, done in zip(chunk, await asyncio.gather(*pending), strict=True):
                published.append(Published(message, done.partition, done.offset))
            on_sent(len(chunk))
        return published

    async def _send(self, message: Message) -> asyncio.Future[Any]:
        assert self._producer is not None
        topic = self._settings.topic_prefix + message.topic
        pending: asyncio.Future[Any] = await self._producer.send(
            topic, message.value, message.key, headers=list(message.headers)
        )
        return pending
