"""Python's cycle collector, tuned for a process that makes many short-lived objects and few cycles."""

from __future__ import annotations

import gc

_YOUNG = 100_000
"""New containers before a young collection; the default of 700 runs it hundreds of times in one batch."""
_MIDDLE = 20
_OLD = 100


def tune_collector() -> None:
    """Take what was loaded at start out of every collection, and collect less often.

    Measured: a fifth of the processor time of a batch. Cycles (exceptions, finished tasks) are still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
