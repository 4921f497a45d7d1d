"""Fixtures of the integration tests: the database as the service sees it in production."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.support.databases import run


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def app_database_url(database_url: str) -> Iterator[str]:
    """The test's database for a login that is a member of certex_app and nothing else."""
    name, password = f"app_{secrets.token_hex(4)}", secrets.token_hex(8)
    run(_execute(database_url, f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE certex_app"))
    parts = urlsplit(database_url)
    place = parts.netloc.rpartition("@")[2]
    yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{place}"))
    run(
        _execute(
            database_url,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'",
            f"DROP ROLE {name}",
        )
    )
