"""What the platform promises about PostgreSQL: who it is, what it forgets, which schema it has, what it gives up on."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.migrations import list_migrations
from certex_bridge.platform.postgres import (
    DatabaseUnfit,
    SchemaMismatch,
    check_collation,
    check_durability,
    check_schema,
    create_pool,
    load_queries,
    migrate,
    migrate_with,
    retry_cause,
    schema_state,
    session_lock,
    ssl_argument,
)
from certex_bridge.platform.settings import Settings
from tests.support.databases import run
from tests.support.postgres_tls import SecurePostgres, server_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = {"0001_pre_first.sql": "CREATE TABLE one (id int PRIMARY KEY);", "0002_pre_second.sql": "CREATE TABLE two ();"}
POST = {"0003_post_third.sql": "DROP TABLE two;"}
LATER = {"0004_pre_fourth.sql": "CREATE TABLE four ();"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    made = Folder(tmp_path / "migrating_package")
    monkeypatch.syspath_prepend(str(tmp_path))
    return made


class Folder:
    """A package with migrations."""

    names = ("migrating_package:sql",)

    def __init__(self, package: Path) -> None:
        self._sql = package / "sql"
        self._sql.mkdir(parents=True)

    def write(self, files: dict[str, str]) -> tuple[str, ...]:
        for name, text in files.items():
            (self._sql / name).write_text(text)
        return self.names

    def remove(self, *names: str) -> None:
        for name in names:
            (self._sql / name).unlink()


def settings_for(url: str, **changes: Any) -> Settings:
    return Settings.load(**{"database_url": url, "database_async_commit": True} | changes)


async def names(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


# --- migrations


async def test_migrations_run_once_in_order(empty_database_url: str, folder: Folder) -> None:
    folders = folder.write(FIRST | POST)
    assert await migrate(empty_database_url, folders=folders) == 3
    assert await names(empty_database_url) == {"one", "schema_version"}
    assert await migrate(empty_database_url, folders=folders) == 0
    assert await migrate(empty_database_url, "pre", folders=folder.write(LATER)) == 1
    assert await migrate(empty_database_url, "post", folders=folders) == 0


async def test_many_processes_migrate_at_once_and_one_does_it(empty_database_url: str, folder: Folder) -> None:
    folders = folder.write(FIRST | POST | LATER)
    assert sorted(await asyncio.gather(*(migrate(empty_database_url, folders=folders) for _ in range(6)))) == [
        0
    ] * 5 + [4]


async def test_before_and_after_a_deploy(empty_database_url: str, folder: Folder) -> None:
    """Pre before the new release runs, post when the old one is gone."""
    await migrate(empty_database_url, folders=folder.write(FIRST))
    folders = folder.write({"0003_pre_next.sql": "CREATE TABLE three ();", "0004_post_next.sql": "DROP TABLE two;"})
    assert await migrate(empty_database_url, "pre", folders=folders) == 1
    assert "two" in await names(empty_database_url)
    assert await migrate(empty_database_url, "post", folders=folders) == 1
    assert "two" not in await names(empty_database_url)


async def test_a_changed_file_is_refused(empty_database_url: str, folder: Folder) -> None:
    await migrate(empty_database_url, folders=folder.write(FIRST))
    folder.write({"0002_pre_second.sql": "CREATE TABLE two (id int);"})
    with pytest.raises(SchemaMismatch, match=re.escape("0002_pre_second.sql")) as caught:
        await migrate(empty_database_url, folders=folder.names)
    assert caught.value.code == "SCHEMA_CHANGED"


async def test_a_release_is_not_skipped(empty_database_url: str, folder: Folder) -> None:
    await migrate(empty_database_url, folders=folder.write(FIRST))
    with pytest.raises(SchemaMismatch, match=re.escape("0003_post_third.sql")) as caught:
        await migrate(empty_database_url, "pre", folders=folder.write(POST | LATER))
    assert caught.value.code == "SCHEMA_ORDER"
    assert await migrate(empty_database_url, "all", folders=folder.names) == 2


async def test_a_failing_file_leaves_nothing_behind(empty_database_url: str, folder: Folder) -> None:
    folders = folder.write(FIRST | {"0003_pre_wrong.sql": "CREATE TABLE three (); CREATE TABLE three ();"})
    with pytest.raises(SchemaMismatch, match=r"0003_pre_wrong\.sql failed: .*three") as caught:
        await migrate(empty_database_url, folders=folders)
    assert caught.value.code == "SCHEMA_FAILED"
    assert await names(empty_database_url) == {"one", "two", "schema_version"}


async def test_an_index_may_be_built_without_blocking(empty_database_url: str, folder: Folder) -> None:
    index = {"0003_pre_index.sql": "-- no transaction\nCREATE INDEX CONCURRENTLY one_id ON one (id);"}
    assert await migrate(empty_database_url, folders=folder.write(FIRST | index)) == 3


@pytest.mark.parametrize("wrong", ["0001_pre_again.sql", "3_pre_x.sql", "0003_before_x.sql", "0003_pre_X.sql"])
def test_misnamed_files_and_numbers_used_twice(folder: Folder, wrong: str) -> None:
    folder.write(FIRST | {wrong: ""})
    with pytest.raises(ConfigurationError, match=r"same number|NNNN"):
        list_migrations(folder.names)


async def test_an_unknown_phase_is_refused(empty_database_url: str) -> None:
    with pytest.raises(ConfigurationError, match="pre, post, all"):
        await migrate(empty_database_url, "during")


@pytest.mark.row("E162")
async def test_a_release_refuses_an_older_and_a_newer_schema(empty_database_url: str, folder: Folder) -> None:
    folders = folder.write(FIRST | POST)
    connection = await asyncpg.connect(empty_database_url)
    state = await schema_state(connection, folders)
    assert "0001, 0002 are missing" in (state.problem or "")
    await migrate(empty_database_url, folders=folders)
    assert (await schema_state(connection, folders)).problem is None
    folder.write(LATER)
    assert "older than this release: migrations 0004" in ((await schema_state(connection, folders)).problem or "")
    folder.remove("0004_pre_fourth.sql", "0003_post_third.sql")
    newer = (await schema_state(connection, folders)).problem or ""
    assert "newer than this release: migrations 0003" in newer
    for phase in ("pre", "post", "all"):  # whoever runs the old release's migrate is told, and nothing is done
        with pytest.raises(SchemaMismatch, match=re.escape(newer)) as caught:
            await migrate(empty_database_url, phase, folders=folders)
        assert caught.value.code == "SCHEMA_MISMATCH"
    await connection.close()


async def test_the_migration_of_an_older_release_does_not_call_a_newer_schema_its_own(
    empty_database_url: str, folder: Folder
) -> None:
    folders = folder.write(FIRST | POST | LATER)
    await migrate(empty_database_url, folders=folders)
    folder.remove("0004_pre_fourth.sql")
    assert await migrate(empty_database_url, folders=folders) == 0, "widened only: the release before runs on it"
    folder.remove("0003_post_third.sql")
    for phase in ("pre", "post", "all"):
        with pytest.raises(SchemaMismatch, match="newer than this release: migrations 0003") as caught:
            await migrate(empty_database_url, phase, folders=folders)
        assert caught.value.code == "SCHEMA_MISMATCH"


async def test_what_the_release_before_and_after_a_deploy_run_on(empty_database_url: str, folder: Folder) -> None:
    connection = await asyncpg.connect(empty_database_url)
    old = folder.write(FIRST)
    await migrate(empty_database_url, folders=old)
    folder.write({"0003_pre_next.sql": "CREATE TABLE three ();", "0004_post_next.sql": "DROP TABLE two;"})
    await migrate(empty_database_url, "pre", folders=folder.names)
    assert (await schema_state(connection, folder.names)).problem is None, "the new release does not wait for post"
    folder.remove("0003_pre_next.sql", "0004_post_next.sql")
    assert (await schema_state(connection, folder.names)).problem is None, "the old release runs on a widened schema"
    await connection.close()


async def test_the_check_of_our_own_schema(database_url: str) -> None:
    pool = await create_pool(settings_for(database_url))
    await check_schema(pool)
    if list_migrations():
        await pool.execute("DELETE FROM schema_version WHERE number = $1", list_migrations()[0].number)
        with pytest.raises(SchemaMismatch, match="run migrate"):
            await check_schema(pool)
    await pool.close()


# --- named SQL


def test_named_sql(folder: Folder, tmp_path: Path) -> None:
    package = tmp_path / "migrating_package"
    (package / "q.sql").write_text(
        "-- preamble\n-- name: find_one\n-- Finds one row.\n-- In two lines of comment.\nSELECT 1;\n\n"
        "-- name: add\n-- Adds.\nSELECT 2\nFROM x; -- end\n"
    )
    queries = load_queries("migrating_package", "q.sql")
    assert queries["find_one"] == "-- find_one\nSELECT 1"
    assert queries["add"].startswith("-- add\nSELECT 2\nFROM x;")


@pytest.mark.parametrize(
    "text", ["-- name: a\nSELECT 1;", "-- name: a\n-- P.\nSELECT 1;\n-- name: a\n-- P.\nSELECT 1;"]
)
def test_named_sql_without_purpose_or_twice(folder: Folder, tmp_path: Path, text: str) -> None:
    name = f"bad{abs(hash(text))}.sql"
    (tmp_path / "migrating_package" / name).write_text(text)
    with pytest.raises(ConfigurationError, match=r"what it is for|twice"):
        load_queries("migrating_package", name)


# --- the pool


async def test_the_connections_carry_the_limits(empty_database_url: str) -> None:
    pool = await create_pool(settings_for(empty_database_url, lock_timeout_ms=1234, kafka_group="the-bridge"))
    shown = {
        name: await pool.fetchval(f"SHOW {name}")
        for name in (
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "application_name",
            "transaction_isolation",
            "timezone",
        )
    }
    await pool.close()
    assert shown == {
        "lock_timeout": "1234ms",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "1min",
        "application_name": "the-bridge",
        "transaction_isolation": "read committed",
        "timezone": "UTC",
    }


async def test_the_causes_of_retries(empty_database_url: str) -> None:
    pool = await create_pool(settings_for(empty_database_url, lock_timeout_ms=50))
    await pool.execute("CREATE TABLE t (id int PRIMARY KEY)")
    await pool.execute("INSERT INTO t VALUES (1), (2)")
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT * FROM t WHERE id = 1 FOR UPDATE")
        with pytest.raises(asyncpg.LockNotAvailableError) as locked:
            await pool.execute("SELECT * FROM t WHERE id = 1 FOR UPDATE")
    with pytest.raises(asyncpg.QueryCanceledError) as slow:
        async with pool.acquire() as sleeper, sleeper.transaction():
            await sleeper.execute("SET LOCAL statement_timeout = 50")  # for this one: others may be late, too
            await sleeper.execute("SELECT pg_sleep(60)")
    with pytest.raises(asyncpg.UniqueViolationError) as wrong:
        await pool.execute("INSERT INTO t VALUES (1)")
    async with pool.acquire() as victim:
        me = await victim.fetchval("SELECT pg_backend_pid()")
        async with pool.acquire() as killer:
            assert await killer.fetchval("SELECT pg_terminate_backend($1, 60000)", me)  # waits for its end
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as gone:
            await victim.execute("SELECT 1")
    await pool.close()
    with pytest.raises(asyncpg.InterfaceError) as closed:
        await pool.execute("SELECT 1")
    causes = [retry_cause(one.value) for one in (locked, slow, wrong, gone, closed)]
    assert causes == ["lock_timeout", "statement_timeout", None, "connection", "connection"]
    assert retry_cause(ConnectionRefusedError()) == "connection"
    assert retry_cause(asyncpg.DeadlockDetectedError("")) == "deadlock"
    assert retry_cause(asyncpg.SerializationError("")) == "serialization"
    ending = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert retry_cause(ending) == "connection"
    assert retry_cause(asyncpg.InternalClientError("something else")) is None
    assert retry_cause(ValueError()) is None


async def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(DatabaseUnfit, match=r"PostgreSQL at 127\.0\.0\.1:1/certex") as caught:
        await create_pool(settings_for("postgresql://u:hunter2@127.0.0.1:1/certex"))
    assert "hunter2" not in str(caught.value)


# --- what a server may forget


class Server:
    """A connection to a server with the given settings."""

    def __init__(self, **row: object) -> None:
        self._row = {"commit": "on", "fsync": "on", "standbys": "", "replicas": False} | row

    async def fetchrow(self, _query: str) -> dict[str, object]:
        return self._row


@pytest.mark.row("E147")
@pytest.mark.parametrize(
    ("row", "accepted_by"),
    [
        ({"commit": "off"}, "database_async_commit"),
        ({"fsync": "off"}, "database_async_commit"),
        ({"replicas": True}, "database_async_replicas"),
        ({"replicas": True, "standbys": "ANY 1 (a, b)", "commit": "local"}, "database_async_replicas"),
    ],
)
async def test_a_forgetful_server_is_refused_unless_declared(row: dict[str, object], accepted_by: str) -> None:
    with pytest.raises(DatabaseUnfit, match=f"CERTEX_{accepted_by.upper()}=true"):
        await check_durability(Server(**row), Settings.load())
    await check_durability(Server(**row), Settings.load(**{accepted_by: True}))


@pytest.mark.parametrize(
    "row",
    [{}, {"commit": "remote_apply"}, {"replicas": True, "standbys": "*"}, {"standbys": "*", "commit": "remote_write"}],
)
async def test_a_durable_server_is_taken(row: dict[str, object]) -> None:
    await check_durability(Server(**row), Settings.load())


async def test_indexes_in_another_order_than_the_servers_are_refused(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        await check_collation(connection)
        await connection.execute("UPDATE pg_database SET datcollversion = '0.1' WHERE datname = current_database()")
        with pytest.raises(DatabaseUnfit, match=r"version 0\.1 of its collation.* REINDEX DATABASE"):
            await create_pool(settings_for(empty_database_url))
    finally:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" REFRESH COLLATION VERSION')
        await connection.close()
    await (await create_pool(settings_for(empty_database_url))).close()


# --- TLS


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecurePostgres]:
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("needs a PostgreSQL built with TLS: apt-get install postgresql")
    server = SecurePostgres(tmp_path_factory.mktemp("secure") / "postgres", binaries)
    run(server.start())
    yield server
    run(server.stop())


def verified(server: SecurePostgres, host: str = "localhost", **changes: Any) -> Settings:
    values = {"database_ssl_mode": "verify-full", "database_ssl_rootcert": server.certificates.authority}
    return Settings.load(**{"database_url": server.url(host)} | values | changes)


async def test_a_verified_connection_is_encrypted(secure: SecurePostgres) -> None:
    settings = verified(secure)
    pool = await create_pool(settings)
    assert await pool.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "TLSv1.3"
    await pool.close()
    assert await migrate_with(settings) >= 0


async def test_a_plain_connection_is_refused(secure: SecurePostgres) -> None:
    with pytest.raises(DatabaseUnfit, match=r"no encryption|SSL off"):
        await create_pool(verified(secure, database_ssl_mode="disable"))


async def test_an_unknown_authority_is_refused(secure: SecurePostgres) -> None:
    with pytest.raises(DatabaseUnfit, match="certificate verify failed"):
        await create_pool(verified(secure, database_ssl_rootcert=None))


async def test_another_servers_name_is_refused(secure: SecurePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *arguments: Any, **more: Any) -> Any:
        return original("127.0.0.1" if host == "db.example" else host, *arguments, **more)

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(DatabaseUnfit, match=r"db\.example"):
        await create_pool(verified(secure, "db.example"))
    pool = await create_pool(verified(secure, "db.example", database_ssl_mode="verify-ca"))
    await pool.close()


def test_the_modes() -> None:
    loopback, remote = "postgresql://u:p@127.0.0.1/d", "postgresql://u:p@db.example/d"
    settings = Settings.load()
    assert ssl_argument(settings, loopback) is False
    assert ssl_argument(settings, "postgresql:///d") is False
    assert ssl_argument(settings, remote + "?sslmode=verify-full") is None
    context = ssl_argument(settings, remote)
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    context = ssl_argument(Settings.load(database_ssl_mode="verify-ca"), remote)
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_REQUIRED)
    context = ssl_argument(Settings.load(database_ssl_mode="require"), loopback)
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_NONE


HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77"


async def test_a_session_s_lock_is_never_left_on_a_pooled_connection(database_url: str) -> None:
    settings = Settings.load(
        database_url=database_url, database_pool_min=1, database_pool_max=14, database_async_commit=True
    )
    pool = await create_pool(settings)
    try:
        async with pool.acquire() as one, session_lock(one, 77) as held:
            assert held
            async with pool.acquire() as other, session_lock(other, 77) as second:
                assert not second
        assert await pool.fetchval(HELD) == 0

        async def cut_off() -> None:
            async with pool.acquire() as one, session_lock(one, 77):
                await one.execute("SELECT pg_sleep(60)")

        task = asyncio.create_task(cut_off())
        while not await pool.fetchval(HELD):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(30):
            while await pool.fetchval(HELD):  # noqa: ASYNC110  # the server tells nobody
                await asyncio.sleep(0.01)
    finally:
        await pool.close()
