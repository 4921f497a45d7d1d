"""The desk in memory and on PostgreSQL, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.desk_world import desk_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.desk_world import DeskWorld


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str:
    """Address of a fresh database, empty for the stores in memory."""
    return "" if request.param == "memory" else str(request.getfixturevalue("database_url"))


@pytest.fixture
async def w(address: str) -> AsyncIterator[DeskWorld]:
    """A fresh world; the same tests hold for each kind."""
    async with desk_world(address) as world:
        yield world
