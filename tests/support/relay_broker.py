"""A broker in memory with what the relay rests on: one publisher at a time per topic, whoever began last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence

from aiokafka.errors import ProducerFenced

from certex_bridge.platform.kafka import Record


class MemoryBroker:
    """What is published, by topic, and who may publish."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.begun: dict[str, object] = {}
        """The beginning that counts, by topic."""


class MemoryPublisher:
    """As `FencedPublisher`, on a broker in memory."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._proof: Callable[[], Awaitable[None]] | None = None
        self._own: dict[str, object] = {}

    async def lead(self, proof: Callable[[], Awaitable[None]]) -> None:
        """Begin a lead."""
        self._proof, self._own = proof, {}

    async def stop(self) -> None:
        """End it."""
        self._proof = None

    async def complete(self, topics: Collection[str]) -> int | None:
        """Readers see everything at once."""
        return 0

    async def send_all(self, records: Sequence[Record]) -> list[Exception | None]:
        """Publish everything.

        Raises:
            ProducerFenced: somebody began later.
        """
        assert self._proof is not None, "lead() first"
        for topic in dict.fromkeys(record.topic for record in records):
            if topic not in self._own:
                self._broker.begun[topic] = self._own[topic] = object()
                try:
                    await self._proof()
                except BaseException:
                    del self._own[topic]
                    raise
            if self._broker.begun[topic] is not self._own[topic]:
                raise ProducerFenced
            self._broker.records[topic] += [record for record in records if record.topic == topic]
        return [None] * len(records)
