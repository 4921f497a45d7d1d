"""A limit on the time of work that has no place to stop in: a timer's signal ends it (ADR 0018)."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, TypeVar

from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

D = TypeVar("D")
T = TypeVar("T")


class Overdue(BaseException):
    """The work took longer than it may; no `Exception`, so that nothing inside the work takes it for its own."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of `work`, which must be pure: it may end between any two steps.

    There is no limit outside the main thread, where no signal arrives. One call of C code is never interrupted, so what
    it is given must be bounded by other means.

    Raises:
        Overdue: it took longer than this.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    armed = True

    def end(_signal: int, _frame: FrameType | None) -> None:
        # Again and again: an exception is lost where Python ignores it, in a finalizer for instance.
        if armed:
            raise Overdue

    before = signal.signal(signal.SIGALRM, end)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
            return work()
        finally:
            armed = False
    except Overdue:
        armed = False  # it came just as the work had ended, and kept the line above from being run
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def timed(decode: Callable[[D], T], seconds: float) -> Callable[[D], T]:
    """The decoder with a limit on its time.

    Raises (the result, when called):
        Poison: DECODE_TIME, and what the decoder raises.
    """

    def decode_in_time(record: D) -> T:
        try:
            return within(seconds, lambda: decode(record))
        except Overdue:
            raise Poison("DECODE_TIME", f"decoding took longer than {seconds:g} s") from None

    return decode_in_time
