"""How much work something is: processor time against a yardstick taken on the same machine a moment before.

Wall-clock limits fail on a busy machine and prove nothing on a fast one. Processor time is less, but not wholly, free of
what others do (caches, threads of one core), so each run has its own yardstick before and after it, and runs are repeated
until one is within the limit: what is linear has many chances to show it, and what is quadratic has none.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

_YARDSTICK_SECONDS = 0.05
"""What the yardstick takes on the machine on which the limits were chosen."""
RUNS = 5


def _spent(work: Callable[[], object]) -> float:
    gc.collect()
    gc.freeze()  # what thousands of tests before left behind is no part of the work
    try:
        began = time.process_time()
        work()
        return time.process_time() - began
    finally:
        gc.unfreeze()


def _yardstick() -> int:
    return sum(number * number for number in range(700_000))


def effort(work: Callable[[], object], limit: float) -> float:
    """Processor seconds as the machine of the limits would have taken: of the first run within the limit, or the least."""
    least = float("inf")
    for _ in range(RUNS):
        before, spent, after = _spent(_yardstick), _spent(work), _spent(_yardstick)
        least = min(least, spent * _YARDSTICK_SECONDS / max(before, after))
        if least < limit:
            break
    return least
