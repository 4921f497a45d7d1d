"""What a pooler between the bridge and PostgreSQL may do: keep sessions apart and pass on what they ask for."""

from __future__ import annotations

from typing import Any, Literal

import asyncpg
import pytest

from certex_bridge.platform.database_session import TIMEOUTS
from certex_bridge.platform.postgres import DatabaseUnfit, create_pool
from certex_bridge.platform.settings import Settings
from tests.support.transaction_pooler import Pooler

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = $1)"


def settings_for(url: str, **changes: Any) -> Settings:
    return Settings.load(**{"database_url": url, "database_async_commit": True} | changes)


async def locks_left(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(LOCKS, await connection.fetchval("SELECT current_database()")))
    finally:
        await connection.close()


@pytest.mark.parametrize("turns", ["newest", "oldest"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 20])
async def test_a_pooler_in_transaction_mode_is_refused(
    empty_database_url: str, turns: Literal["newest", "oldest"], size: int
) -> None:
    """The time-outs are in force there: only the sessions give it away."""
    pooler = Pooler(empty_database_url, "transaction", turns=turns, size=size)
    async with pooler.running() as url:
        with pytest.raises(DatabaseUnfit, match="in session mode, or connect without it") as caught:
            await create_pool(settings_for(url))
        assert caught.value.code == "DATABASE_UNFIT"
    assert await locks_left(empty_database_url) == 0


async def test_a_pooler_in_session_mode_that_passes_on_the_time_outs_is_taken(empty_database_url: str) -> None:
    async with Pooler(empty_database_url, "session").running() as url:
        pool = await create_pool(settings_for(url, lock_timeout_ms=1234))
        assert await pool.fetchval("SHOW lock_timeout") == "1234ms"
        await pool.close()


@pytest.mark.parametrize("dropped", TIMEOUTS)
async def test_a_time_out_that_is_not_in_force_is_named(empty_database_url: str, dropped: str) -> None:
    async with Pooler(empty_database_url, "session", dropped={dropped}).running() as url:
        with pytest.raises(DatabaseUnfit, match=rf"when we connect: {dropped} = \d+ ms\. A pooler") as caught:
            await create_pool(settings_for(url))
    assert caught.value.code == "DATABASE_UNFIT"


async def test_a_time_out_may_be_the_role_s_own(databases: Any, empty_database_url: str) -> None:
    """A pooler that drops parameters can be used in session mode when the database has them."""
    settings = settings_for(empty_database_url)
    owner = await asyncpg.connect(empty_database_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f'ALTER DATABASE "{name}" SET lock_timeout = {settings.lock_timeout_ms}')
    await owner.close()
    async with Pooler(empty_database_url, "session", dropped={"lock_timeout"}).running() as url:
        pool = await create_pool(settings_for(url))
        await pool.close()
