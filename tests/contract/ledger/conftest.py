"""Both stores, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from certex_bridge.ledger.adapters.answers import InMemoryAnswers, PostgresAnswers
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.postgres import PostgresStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.ledger.answers import Answers


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str:
    """Address of a fresh database, empty for the store in memory."""
    return "" if request.param == "memory" else str(request.getfixturevalue("database_url"))


@pytest.fixture
async def store(address: str) -> AsyncIterator[InMemoryStore | PostgresStore]:
    """A fresh store; the same tests hold for each kind."""
    if not address:
        yield InMemoryStore()
        return
    async with asyncpg.create_pool(address, min_size=1, max_size=4, server_settings={"timezone": "UTC"}) as pool:
        yield PostgresStore(pool)


@pytest.fixture
def answers(store: InMemoryStore | PostgresStore) -> Answers:
    """What was published, read from that store."""
    return InMemoryAnswers(store) if isinstance(store, InMemoryStore) else PostgresAnswers(store._pool)
