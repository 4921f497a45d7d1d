"""Orders in which Kafka can deliver messages: those of one key stay in order, keys interleave freely."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def how_many(queues: Sequence[Sequence[T]]) -> int:
    """Number of orders of arrival."""
    return math.factorial(sum(map(len, queues))) // math.prod(math.factorial(len(queue)) for queue in queues)


def interleavings(queues: Sequence[Sequence[T]]) -> Iterator[list[T]]:
    """Every order of arrival, each once; the first is queue after queue."""
    waiting = [place for place, queue in enumerate(queues) if queue]
    if not waiting:
        yield []
    for place in waiting:
        rest = [queue[1:] if number == place else queue for number, queue in enumerate(queues)]
        for following in interleavings(rest):
            yield [queues[place][0], *following]


def sample(queues: Sequence[Sequence[T]], size: int, seed: int) -> Iterator[list[T]]:
    """So many orders of arrival by chance, each as likely as any other; the seed says which."""
    chance = random.Random(seed)
    places = [place for place, queue in enumerate(queues) for _ in queue]
    for _ in range(size):
        chance.shuffle(places)
        left = [iter(queue) for queue in queues]
        yield [next(left[place]) for place in places]
