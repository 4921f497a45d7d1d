"""Work that does not end is ended; what has ended is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest

from certex_bridge.platform.poison import Poison
from certex_bridge.platform.time_limit import Overdue, timed, within


def endless() -> None:
    while True:
        with contextlib.suppress(Exception):
            list(range(100))


def test_work_in_time_has_its_result_and_leaves_no_timer() -> None:
    before = signal.getsignal(signal.SIGALRM)
    assert within(30, lambda: 1) == 1
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before


def test_work_without_end_is_ended() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Overdue):
        within(0.05, endless)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_end_that_was_swallowed_comes_again() -> None:
    swallowed = []

    def stubborn() -> None:
        try:
            endless()
        except Overdue:
            swallowed.append(1)
        endless()

    with pytest.raises(Overdue):
        within(0.05, stubborn)
    assert swallowed == [1]


def test_mistakes_of_the_work_are_its_own() -> None:
    with pytest.raises(KeyError):
        within(30, lambda: {}["x"])
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


async def test_outside_the_main_thread_there_is_no_limit() -> None:
    assert await asyncio.to_thread(within, 0.0, lambda: 1) == 1


def test_a_decoder_out_of_time_has_a_code() -> None:
    def never(record: bytes) -> bytes:
        if record == b"endless":
            endless()
        return record

    assert timed(never, 30)(b"x") == b"x"
    with pytest.raises(Poison) as refused:
        timed(never, 0.05)(b"endless")
    assert refused.value.code == "DECODE_TIME"
