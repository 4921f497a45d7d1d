"""An HttpRole in the background of a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.platform.health import HttpRole


@asynccontextmanager
async def serving(role: HttpRole) -> AsyncIterator[int]:
    """Serve until the end of the block; gives the port."""
    stop = asyncio.Event()
    running = asyncio.create_task(role.run(stop))
    try:
        async with asyncio.timeout(30):
            while role.ready() and not running.done():  # noqa: ASYNC110  # the server has no event for it
                await asyncio.sleep(0.01)
        yield role.port
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)
