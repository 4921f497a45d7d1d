"""Rates and lag: how far each topic was read, looked at now and again, and where the broker's logs end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Place = tuple[str, int]
"""Topic and partition."""
Ends = Callable[[], Awaitable[Mapping[Place, int]]]
"""Where the log of each partition ends; raises what its broker raises."""
WINDOW_SECONDS = 60.0
"""Rates are means over at most so long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was taken in and written, at one moment."""

    at: float
    read: Mapping[Place, int]
    written: int


@dataclass(frozen=True, slots=True)
class TopicFlow:
    """One topic that is read."""

    topic: str
    read: int
    """Records taken in, ever."""
    rate: float | None
    """Records a second; None until two looks lie apart."""
    lag: int | None
    """Records not taken in yet; None when the broker does not say."""


class Rates:
    """Remembers the looks of the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[Sample] = deque()

    def look(self, read: Mapping[Place, int], written: int) -> Sample:
        """Take a look; gives the oldest one that counts."""
        now = self._clock()
        self._samples.append(Sample(now, dict(read), written))
        while len(self._samples) > 1 and now - self._samples[0].at > WINDOW_SECONDS:
            self._samples.popleft()
        return self._samples[0]

    def topics(self, ends: Mapping[Place, int] | None) -> list[TopicFlow]:
        """The flow of each topic at the last look."""
        last, first = self._samples[-1], self._samples[0]
        names = sorted({topic for topic, _ in last.read} | {topic for topic, _ in ends or {}})
        return [self._topic(name, first, last, ends) for name in names]

    def _topic(self, name: str, first: Sample, last: Sample, ends: Mapping[Place, int] | None) -> TopicFlow:
        read = sum(count for (topic, _), count in last.read.items() if topic == name)
        before = sum(first.read.get(place, 0) for place in last.read if place[0] == name)
        lag = None
        if ends is not None:
            lag = sum(max(0, end - last.read.get(place, 0)) for place, end in ends.items() if place[0] == name)
        return TopicFlow(name, read, _rate(read - before, last.at - first.at), lag)

    def written_rate(self) -> float | None:
        """Outbox batches a second."""
        last, first = self._samples[-1], self._samples[0]
        return _rate(last.written - first.written, last.at - first.at)


def _rate(number: int, seconds: float) -> float | None:
    return round(number / seconds, 1) if seconds > 0 else None
