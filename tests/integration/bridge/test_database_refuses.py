"""A database that answers and lets nobody in, while the roles run: they wait for it, whatever it says."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from certex_bridge.operations.composition import Bridge, transient
from certex_bridge.operations.running import running
from certex_bridge.platform.database_errors import DatabaseRefuses, retry_cause
from certex_bridge.platform.settings import Settings
from tests.support.databases import with_database
from tests.support.wire_feed import until

WAYS = {
    "no login": ("ALTER ROLE {role} NOLOGIN", "ALTER ROLE {role} LOGIN"),
    "another password": ("ALTER ROLE {role} PASSWORD 'x'", "ALTER ROLE {role} PASSWORD '{password}'"),
    "expired password": ("ALTER ROLE {role} VALID UNTIL '2001-01-01'", "ALTER ROLE {role} VALID UNTIL 'infinity'"),
    "no connections": ("ALTER DATABASE {name} ALLOW_CONNECTIONS false", "ALTER DATABASE {name} ALLOW_CONNECTIONS true"),
    "none left": ("ALTER ROLE {role} CONNECTION LIMIT 0", "ALTER ROLE {role} CONNECTION LIMIT -1"),
    "no right": (
        "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, certex_app",
        "GRANT CONNECT ON DATABASE {name} TO PUBLIC",
    ),
    "another name": ("ALTER DATABASE {name} RENAME TO {name}_away", "ALTER DATABASE {name}_away RENAME TO {name}"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_the_worker_waits_for_a_database_that_lets_nobody_in(
    way: str, app_database_url: str, database_url: str
) -> None:
    parts = urlsplit(app_database_url)
    words = {"role": parts.username, "password": parts.password, "name": parts.path.strip("/")}
    shut, opened = (statement.format(**words) for statement in WAYS[way])
    now_named = f"{words['name']}_away" if way == "another name" else words["name"]
    settings = Settings.load(
        database_url=app_database_url,
        kafka_bootstrap_servers="127.0.0.1:1",
        database_async_commit=True,
        database_connect_seconds=2,
        worker_poll_ms=20,
    )
    bridge = Bridge(settings)
    owner = await asyncpg.connect(with_database(database_url, "postgres"))
    waits = bridge.metrics.database_retries_total.labels("connection")._value

    async def waited() -> bool:
        return bool(waits.get() >= before + 3)

    async def settled() -> bool:
        return not await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", words["name"])

    async def refused() -> bool:
        # One that was on its way in when the others were sent away is sent away as well.
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", words["name"])
        try:
            await bridge.pool.fetchval("SELECT 1")
        except Exception as error:  # noqa: BLE001  # whatever it is when the connection was just sent away
            assert transient(error) == "connection", error
            return isinstance(error, DatabaseRefuses)
        return False

    async def works() -> bool:
        return bool(await bridge.pool.fetchval("SELECT 1"))

    async with running(bridge, {"worker"}) as roles:
        try:
            await until(works)
            # Nobody comes in while those that are there are sent away; then only what is tried stands in the way.
            await owner.execute(f"ALTER DATABASE {words['name']} ALLOW_CONNECTIONS false")
            await owner.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1", words["name"]
            )
            await until(settled)
            await owner.execute(shut)
            if way != "no connections":
                await owner.execute(f"ALTER DATABASE {now_named} ALLOW_CONNECTIONS true")
            before = waits.get()
            await until(waited, what="the worker to wait")
            await until(refused, what="the database to let nobody in")
            assert not roles.done(), "the role goes on"
        finally:
            await owner.execute(opened)
            await owner.close()
        async with asyncio.timeout(30):
            assert await bridge.pool.fetchval("SELECT count(*) FROM licence") == 0
        assert not roles.done()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DatabaseRefuses('role "certex" is not permitted to log in'), "connection"),
        (asyncpg.IdleSessionTimeoutError(""), "connection"),
        (asyncpg.DatabaseDroppedError(""), "connection"),
        (asyncpg.TransactionTimeoutError(""), "connection"),
        (asyncpg.PostgresIOError(""), "connection"),
        (asyncpg.QueryCanceledError(""), "statement_timeout"),
        (asyncpg.InsufficientPrivilegeError("permission denied for table outbox"), None),
        (asyncpg.InvalidPasswordError(""), None),
    ],
)
def test_what_is_about_the_connection_passes_and_what_is_about_the_work_does_not(
    error: Exception, cause: str | None
) -> None:
    assert retry_cause(error) == cause
