"""How often strangers may try to log in, by address: each attempt costs work, and none may be made without end."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

ADDRESSES_MAX = 10_000


class Pace:
    """A token bucket for each address, in this process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Take one attempt; False when there is none left for now."""
        now = self._clock()
        left, at = self._left.pop(address, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        self._left[address] = (max(left - 1, 0) if left >= 1 else left, now)
        while len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)
        return left >= 1
