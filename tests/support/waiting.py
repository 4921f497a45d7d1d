"""Waiting for a state of another task, instead of for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

BOUND_SECONDS = 30.0
"""Only what never comes takes so long, on any machine."""


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Let the other tasks work until the condition holds.

    Raises:
        AssertionError: it does not.
    """
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while not condition():  # noqa: ASYNC110  # it is another task's, without an event
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError(f"{what} did not come about within {BOUND_SECONDS:g} s") from None
