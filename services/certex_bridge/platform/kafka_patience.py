"""A pause after a fetch that brought nothing and was answered too soon.

A broker holds an empty fetch back for `fetch_max_wait_ms`. One that answers at once (the embedded one always does, a
real one while a partition has no leader) makes aiokafka ask again at once, thousands of times a second: an idle
consumer takes a whole core. Here each such answer doubles a short pause, up to the time the broker should have waited;
the first record ends it.

aiokafka has no opening for this, so its fetcher's method for one fetch is replaced by `install`.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from aiokafka.consumer.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIRST_PAUSE_SECONDS = 0.001
SOON = 0.5
"""An answer within this part of the asked time came too soon."""


def patient(
    fetch: Callable[..., Awaitable[bool]], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Callable[..., Awaitable[bool]]:
    """`fetch` (assignment, node, request; whether records came) with a pause where it must not be called again soon."""
    pauses: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()

    async def fetch_with_pause(fetcher: Any, assignment: Any, node_id: Any, request: Any) -> bool:
        clock = asyncio.get_running_loop().time
        asked, began = fetcher._fetch_max_wait_ms / 1000, clock()  # noqa: SLF001  # told to the fetcher, and kept by nobody else
        if await fetch(fetcher, assignment, node_id, request):
            pauses.pop(fetcher, None)
            return True
        if clock() - began < asked * SOON and assignment.active:
            pause = min(pauses.get(fetcher, FIRST_PAUSE_SECONDS), asked)
            pauses[fetcher] = 2 * pause
            try:
                await sleep(pause)
            except asyncio.CancelledError:  # closed, or the partitions went away: as aiokafka has it
                return False
        return False

    return fetch_with_pause


def install() -> None:
    """Make every consumer of this process patient."""
    original = Fetcher._proc_fetch_request  # noqa: SLF001  # what is replaced
    if original.__name__ != "fetch_with_pause":
        Fetcher._proc_fetch_request = patient(original)  # noqa: SLF001  # aiokafka has no opening for it
