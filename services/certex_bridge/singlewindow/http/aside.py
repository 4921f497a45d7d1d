"""Reading large messages apart from the event loop, on which everybody's answers wait (ADR 0026)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

LARGE_BYTES = 65_536
"""A body up to this size is read at once: to hand it over would cost more than it saves."""


class Aside:
    """One thread for all large messages of a process: they wait for each other, and nobody else for them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "large-message")

    async def __call__(self, size: int, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The result of work on a body of so many bytes.

        Raises:
            Exception: what the work raises.
        """
        call = partial(work, *arguments, **named)
        if size <= LARGE_BYTES:
            return call()
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
