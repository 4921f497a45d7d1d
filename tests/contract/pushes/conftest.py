"""A ledger with subscribers, in memory and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.support.push_world import PushWorld

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str:
    """Address of a fresh database, empty for the store in memory."""
    return "" if request.param == "memory" else str(request.getfixturevalue("database_url"))


@pytest.fixture
async def world(address: str) -> AsyncIterator[PushWorld]:
    """The same tests hold for each kind of store."""
    if not address:
        yield PushWorld()
        return
    settings = {"timezone": "UTC", "lock_timeout": "20000"}
    async with asyncpg.create_pool(address, min_size=1, max_size=6, server_settings=settings) as pool:
        yield PushWorld(pool)
