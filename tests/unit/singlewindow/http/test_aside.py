"""Large messages: read in a thread of their own, one after the other, while the loop goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from certex_bridge.singlewindow.http.aside import LARGE_BYTES, Aside


async def test_a_small_body_is_read_where_it_came() -> None:
    assert await Aside()(LARGE_BYTES, threading.current_thread) is threading.current_thread()


async def test_large_ones_share_a_thread_and_the_loop_goes_on() -> None:
    aside, free, seen = Aside(), threading.Event(), []

    def read(number: int) -> threading.Thread:
        seen.append(number)
        assert free.wait(30)
        return threading.current_thread()

    reading = [asyncio.ensure_future(aside(LARGE_BYTES + 1, read, number)) for number in (1, 2)]
    while not seen:  # noqa: ASYNC110  # the thread has no event of the loop
        await asyncio.sleep(0)
    assert seen == [1], "the second waits for the first, and this line for neither"
    free.set()
    first, second = await asyncio.gather(*reading)
    assert first is second
    assert first is not threading.current_thread()


async def test_what_is_wrong_with_a_large_body_comes_back() -> None:
    def refuse() -> None:
        raise ValueError("no message")

    with pytest.raises(ValueError, match="no message"):
        await Aside()(LARGE_BYTES + 1, refuse)
