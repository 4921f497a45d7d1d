"""PostgreSQL: the pool with its safety settings, TLS, named SQL.

Law of this module: a transaction that was answered is on disk (synchronous_commit), no wait is unbounded (lock,
statement and idle time-outs), and the server is who it says it is (certificates are checked unless it is on loopback).
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.platform.database_address import is_local, shown_address
from certex_bridge.platform.database_errors import retry_cause, sentence
from certex_bridge.platform.database_session import connect, session_lock, unfit_sessions
from certex_bridge.platform.migrations import SchemaMismatch, SchemaState, load_queries, migrate, schema_state

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from certex_bridge.platform.settings import Settings

__all__ = [
    "DatabaseUnfit",
    "SchemaMismatch",
    "SchemaState",
    "check_schema",
    "connection_arguments",
    "create_pool",
    "load_queries",
    "migrate",
    "migrate_with",
    "retry_cause",
    "schema_state",
    "session_lock",
]

STATEMENT_CACHE = 256

ANSWER_SECONDS = 5.0
"""How much longer than the longest statement we wait for its answer."""
KEEPALIVE_SECONDS = (15, 5, 3)
"""First probe of an idle connection after, interval of probes, probes without answer that end it."""


class DatabaseUnfit(BridgeError):
    """The database server or its schema is not one the bridge may work on."""

    code = "DATABASE_UNFIT"


def ssl_argument(settings: Settings, url: str) -> ssl.SSLContext | bool | None:
    """What asyncpg needs as `ssl`: None leaves it to the URL, False is plain, a context checks as the mode says."""
    mode = settings.database_ssl_mode
    if mode == "auto":
        if "sslmode" in parse_qs(urlsplit(url).query):
            return None
        mode = "disable" if is_local(url) else "verify-full"
    if mode == "disable":
        return False
    context = ssl.create_default_context(cafile=settings.database_ssl_rootcert)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    if settings.database_ssl_cert:
        context.load_cert_chain(settings.database_ssl_cert, settings.database_ssl_key)
    return context


def connection_arguments(settings: Settings, url: str = "") -> dict[str, Any]:
    """Keyword arguments of `asyncpg.connect` and `create_pool` that decide safety."""
    url = url or settings.database_url.get_secret_value()
    return {
        "dsn": url,
        "ssl": ssl_argument(settings, url),
        "timeout": settings.database_connect_seconds,
        # The server ends a statement first; this limit is for a server that does not answer any more.
        "command_timeout": settings.statement_timeout_ms / 1000 + ANSWER_SECONDS,
        "statement_cache_size": STATEMENT_CACHE,
        "server_settings": {
            "application_name": settings.kafka_group,
            "timezone": "UTC",
            "default_transaction_isolation": "read committed",
            "lock_timeout": str(settings.lock_timeout_ms),
            "statement_timeout": str(settings.statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(settings.idle_transaction_timeout_ms),
            # Short statements over arrays: compiling them costs more than it saves.
            "jit": "off",
        },
    }


async def create_pool(
    settings: Settings, init: Callable[[Any], Coroutine[Any, Any, None]] | None = None
) -> asyncpg.Pool[asyncpg.Record]:
    """The pool of connections; close it with `await pool.close()`. `init` prepares each new connection.

    Raises:
        DatabaseUnfit: the server cannot be reached, could forget an answered reservation (`check_durability`), sorts
            texts in another way than its indexes (`check_collation`), or gives us no sessions of our own, as some
            poolers do (`check_sessions`).
    """
    arguments = connection_arguments(settings)
    try:
        await check_sessions(arguments)
        return await _checked_pool(settings, BoundedPool(settings, arguments, init))
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnfit(f"{shown_address(arguments['dsn'])} does not let us in: {sentence(error)}") from error


async def _checked_pool(settings: Settings, pool: BoundedPool) -> BoundedPool:
    try:
        await pool
        async with pool.acquire() as connection:
            await check_durability(connection, settings)
            await check_collation(connection)
    except BaseException:
        pool.terminate()
        raise
    return pool


async def _nothing(_connection: object) -> None:
    """A connection is given back as it was taken: settings are those of transactions, and `session_lock` cleans up.

    asyncpg's own clean-up costs a round trip for every read and every transaction.
    """


class BoundedPool(asyncpg.Pool):
    """A pool whose connections nobody waits for without limit, neither when taking one nor when giving it back."""

    __slots__ = ("_wait_seconds",)

    def __init__(
        self,
        settings: Settings,
        arguments: dict[str, Any],
        init: Callable[[Any], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._wait_seconds = settings.database_connect_seconds

        async def prepare(connection: Any) -> None:
            keep_alive(connection)
            if init is not None:
                await init(connection)

        arguments = dict(arguments)
        super().__init__(
            arguments.pop("dsn"),
            min_size=min(settings.database_pool_min, settings.database_pool_max),
            max_size=settings.database_pool_max,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            init=prepare,
            reset=_nothing,
            connect=connect,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **arguments,
        )

    def acquire(self, *, timeout: float | None = None) -> Any:  # asyncpg's signature
        """Take a connection; the limit holds for giving it back, too."""
        return super().acquire(timeout=timeout or self._wait_seconds)


def keep_alive(connection: Any) -> None:
    """Let the kernel find out that the other side of an idle connection is gone."""
    transport = connection._transport  # noqa: SLF001  # asyncpg shows the socket in no other way
    channel = transport.get_extra_info("socket")
    if channel is None or channel.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    idle, interval, probes = KEEPALIVE_SECONDS
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", idle),
        ("TCP_KEEPINTVL", interval),
        ("TCP_KEEPCNT", probes),
        ("TCP_USER_TIMEOUT", (idle + interval * probes) * 1000),
    ):
        if hasattr(socket, name):  # each system has its own
            channel.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def check_sessions(arguments: dict[str, Any]) -> None:
    """Refuse a server, or a pooler before it, whose connections are not sessions with the settings we ask for.

    Raises:
        DatabaseUnfit: says which of the two it is.
        OSError, asyncpg.PostgresError: it cannot be reached.
    """
    problem = await unfit_sessions(arguments)
    if problem is not None:
        raise DatabaseUnfit(f"{shown_address(arguments['dsn'])} cannot be used: {problem}")


async def check_durability(connection: Any, settings: Settings) -> None:
    """Refuse a server that may lose what was committed, unless the settings declare it.

    synchronous_commit is not raised by us: a cluster that waits for replicas (remote_apply) has set it for all.

    Raises:
        DatabaseUnfit: names the server's setting and the variable that accepts it.
    """
    row = await connection.fetchrow(
        """SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
                  current_setting('synchronous_standby_names') AS standbys,
                  EXISTS (SELECT FROM pg_replication_slots
                          WHERE slot_type = 'physical' AND active AND NOT temporary) AS replicas"""
    )
    if not settings.database_async_commit and (row["commit"] == "off" or row["fsync"] == "off"):
        raise DatabaseUnfit(
            f"the server has synchronous_commit {row['commit']} and fsync {row['fsync']}: a crash would lose answered "
            "reservations. Turn both on, or accept that with CERTEX_DATABASE_ASYNC_COMMIT=true."
        )
    waits = row["standbys"] and row["commit"] not in {"off", "local"}
    if row["replicas"] and not waits and not settings.database_async_replicas:
        raise DatabaseUnfit(
            "the server has replicas it does not wait for: after a failover to one, answered reservations may be gone. "
            "Set synchronous_standby_names (and synchronous_commit not to local), or declare that no failover goes to "
            "them with CERTEX_DATABASE_ASYNC_REPLICAS=true."
        )


async def check_collation(connection: Any) -> None:
    """Refuse a database whose indexes may be in another order than its server now sorts texts in.

    Keys of ours are texts. After another C library or ICU an index built before may miss rows that are there, and a
    unique one may take a key twice: an event would be booked again. PostgreSQL itself only warns. A database with a
    locale that has no version (C) has none of this.

    Raises:
        DatabaseUnfit: names both versions and what to do.
    """
    row = await connection.fetchrow(
        """SELECT datname, datcollversion AS built, pg_database_collation_actual_version(oid) AS now
           FROM pg_database WHERE datname = current_database()"""
    )
    if row["built"] is not None and row["now"] is not None and row["built"] != row["now"]:
        name = row["datname"]
        raise DatabaseUnfit(
            f"the database was built with version {row['built']} of its collation, and the server has {row['now']}: "
            "its indexes may no longer find what is there. With all roles stopped, as the owner: REINDEX DATABASE "
            f'"{name}"; ALTER DATABASE "{name}" REFRESH COLLATION VERSION; then certex-bridge journal verify.'
        )


async def check_schema(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Refuse to work on a schema of another version.

    Raises:
        SchemaMismatch: says which migrations are missing or unknown.
    """
    problem = (await schema_state(pool)).problem
    if problem:
        raise SchemaMismatch(problem)


async def migrate_with(settings: Settings, phase: str = "all") -> int:
    """Run migrations as the schema's owner; returns how many files were applied.

    Raises:
        SchemaMismatch: see `migrate`.
    """
    url = settings.database_migration_url.get_secret_value() or settings.database_url.get_secret_value()
    return await migrate(url, phase, ssl=ssl_argument(settings, url))
