"""Running roles in this process until a signal, or until one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge


async def run_roles(bridge: Bridge, names: Collection[str], stop: asyncio.Event) -> None:
    """Run the roles until `stop`; when one fails the others are stopped too.

    Raises:
        Exception: the first failure of a role.
    """
    tasks = [asyncio.create_task(role.run(stop), name=role.name) for role in bridge.roles(names)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(bridge: Bridge, names: Collection[str]) -> AsyncIterator[asyncio.Task[None]]:
    """The bridge's roles in the background; the task ends early only with a failure.

    Raises:
        Exception: what a role raised, at the end of the block.
    """
    stop = asyncio.Event()
    await bridge.open()
    try:
        task = asyncio.create_task(run_roles(bridge, names, stop))
        try:
            yield task
        finally:
            stop.set()
            await task
    finally:
        await bridge.close()
