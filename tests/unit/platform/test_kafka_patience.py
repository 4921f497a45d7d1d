"""A broker that answers empty fetches at once does not cost a core; one that has records is never kept waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka.consumer.fetcher import Fetcher

from certex_bridge.platform import kafka
from certex_bridge.platform.kafka_patience import patient


@dataclass(eq=False)
class Consumer:
    """What the pause looks at: aiokafka's fetcher, its assignment, and a broker's answers."""

    wait_ms: int = 50
    takes: float = 0.0
    active: bool = True
    slept: list[float] = field(default_factory=list)

    @property
    def _fetch_max_wait_ms(self) -> int:
        return self.wait_ms

    async def answers(self, *records: bool) -> list[float]:
        """The pauses made while the broker answers so, one after the other."""
        told = iter(records)

        async def fetch(*_: Any) -> bool:
            await asyncio.sleep(self.takes)
            return next(told)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        asked = patient(fetch, sleep)
        assert [await asked(self, self, 1, None) for _ in records] == list(records)
        return self.slept


async def test_empty_answers_at_once_are_paused_longer_and_longer_up_to_the_brokers_own_time() -> None:
    assert await Consumer().answers(*[False] * 9) == [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.05, 0.05, 0.05]


async def test_an_answer_that_took_its_time_is_not_paused() -> None:
    assert await Consumer(wait_ms=10, takes=0.006).answers(False, False) == []


async def test_records_are_not_paused_and_the_next_pause_starts_short() -> None:
    assert await Consumer().answers(True, False, False, True, True, False) == [0.001, 0.002, 0.001]


async def test_partitions_that_went_away_are_not_waited_for() -> None:
    assert await Consumer(active=False).answers(False, False) == []


async def test_a_consumer_closed_in_its_pause_answers_as_aiokafka_does() -> None:
    paused = asyncio.Event()

    async def fetch(*_: Any) -> bool:
        return False

    async def sleep(_: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    consumer = Consumer()
    task = asyncio.ensure_future(patient(fetch, sleep)(consumer, consumer, 1, None))
    await paused.wait()
    task.cancel()
    assert await task is False


def test_every_consumer_of_the_bridge_is_patient() -> None:
    assert kafka.create_consumer is not None
    assert Fetcher._proc_fetch_request.__name__ == "fetch_with_pause"
