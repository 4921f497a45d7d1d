"""The catalogue's fixture: licences A, B and V, in memory and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.postgres import PostgresStore
from tests.support.ledger_words import licence
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from certex_bridge.ledger.domain.policy import Policy

CONNECTIONS = 8

FIXTURE = (licence("A", "100 NAR"), licence("B", "50.000000 KGM"), licence("V", "10 NAR + 50000.00 EUR"))


async def prepared(scenario: Scenario) -> Scenario:
    """The scenario with the three licences issued."""
    await scenario.issue(*FIXTURE)
    return scenario


@pytest.fixture
async def s() -> AsyncIterator[Scenario]:
    """A ledger in memory with A, B and V; checked when the test has ended."""
    scenario = await prepared(Scenario(InMemoryStore()))
    yield scenario
    await scenario.finish()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest) -> Scenario:
    """The same ledger on each store in turn."""
    made: Scenario = request.getfixturevalue("s" if request.param == "memory" else "pg")
    return made


@pytest.fixture
def with_policy() -> Callable[[Policy], object]:
    """A ledger in memory under another policy."""

    async def make(policy: Policy) -> Scenario:
        return await prepared(Scenario(InMemoryStore(), policy))

    return make


@pytest.fixture
async def pg(database_url: str) -> AsyncIterator[Scenario]:
    """A ledger on PostgreSQL with A, B and V and several connections; checked when the test has ended."""
    settings = {"lock_timeout": "20000", "timezone": "UTC"}
    async with asyncpg.create_pool(database_url, min_size=1, max_size=CONNECTIONS, server_settings=settings) as pool:
        scenario = await prepared(Scenario(PostgresStore(pool)))
        yield scenario
        await scenario.finish()
