"""A gateway on a ledger with licences A (100 NAR), B (50 KGM) and V (10 NAR, 50,000 EUR)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.postgres import PostgresStore
from tests.support.clearance import Desk
from tests.support.ledger_words import licence
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FIXTURE = (licence("A", "100 NAR"), licence("B", "50.000000 KGM"), licence("V", "10 NAR + 50000.00 EUR"))


@pytest.fixture
async def s() -> AsyncIterator[Scenario]:
    """The ledger in memory; checked when the test has ended."""
    scenario = Scenario(InMemoryStore())
    await scenario.issue(*FIXTURE)
    yield scenario
    await scenario.sound()


@pytest.fixture
def desk(s: Scenario) -> Desk:
    """The gateway on it."""
    return Desk(s.store)


@pytest.fixture
async def pg(database_url: str) -> AsyncIterator[Scenario]:
    """The ledger on PostgreSQL; checked when the test has ended."""
    async with asyncpg.create_pool(database_url, min_size=2, max_size=8, server_settings={"timezone": "UTC"}) as pool:
        scenario = Scenario(PostgresStore(pool))
        await scenario.issue(*FIXTURE)
        yield scenario
        await scenario.sound()
