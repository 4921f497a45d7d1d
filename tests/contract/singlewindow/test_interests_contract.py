"""What every store of interests promises: each once, with the latest time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from certex_bridge.singlewindow.adapters.interests import InMemoryInterests, PostgresInterests
from certex_bridge.singlewindow.interests import Interest

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


def interest(licence: str, at: datetime = AT) -> Interest:
    return Interest(licence, "NSWE-C.BE", "M1", "BE", at)


async def tell(store: InMemoryInterests | PostgresInterests) -> None:
    """Later, earlier, twice in one go, and another one."""
    await store.keep([interest("BE/A", LATER)])
    await store.keep([interest("BE/A"), interest("BE/B", LATER), interest("BE/B")])
    await store.keep([interest("BE/A")])


EXPECTED = [interest("BE/A", LATER), interest("BE/B", LATER)]


async def test_in_memory() -> None:
    store = InMemoryInterests()
    await tell(store)
    assert sorted(store.kept.values()) == EXPECTED


@pytest.mark.postgres
async def test_on_postgresql(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1, server_settings={"timezone": "UTC"}) as pool:
        await tell(PostgresInterests(pool))
        found = await pool.fetch(
            "SELECT licence_id, caller, declaration, member_state, asked_at FROM interest ORDER BY 1"
        )
        assert [Interest(*row) for row in found] == EXPECTED
