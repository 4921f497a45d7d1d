"""How much work something is: processor time against a yardstick taken on the same machine a moment before.

Wall-clock limits fail on a busy machine and prove nothing on a fast one; this holds on both, and still tells a linear
reader from a quadratic one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_YARDSTICK_SECONDS = 0.05
"""What the yardstick takes on the machine on which the limits were chosen."""


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _yardstick() -> int:
    return sum(number * number for number in range(700_000))


def effort(work: Callable[[], object], runs: int = 2) -> float:
    """Processor seconds of the cheapest of `runs`, as the machine of the limits would have taken."""
    pace = min(_spent(_yardstick) for _ in range(3)) / _YARDSTICK_SECONDS
    return min(_spent(work) for _ in range(runs)) / pace
