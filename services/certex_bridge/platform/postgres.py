"""PostgreSQL: the pool with its safety settings, TLS, named SQL, and which errors mean "not now".

Law of this module: a transaction that was answered is on disk (synchronous_commit), no wait is unbounded (lock,
statement and idle time-outs), and the server is who it says it is (certificates are checked unless it is on loopback).
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.platform.migrations import SchemaMismatch, SchemaState, load_queries, migrate, schema_state
from certex_bridge.platform.settings import LOOPBACK

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
]

STATEMENT_CACHE = 256

NOT_NOW: tuple[type[BaseException], ...] = (
    OSError,  # includes ConnectionError and TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory
    asyncpg.ReadOnlySQLTransactionError,  # a failover left us on the replica
)
"""The database is away or unable: the same work succeeds later, nothing is wrong with it."""

TRY_AGAIN: tuple[type[BaseException], ...] = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,  # statement_timeout
)
"""Another transaction was in the way."""


class DatabaseUnfit(BridgeError):
    """The database server or its schema is not one the bridge may work on."""

    code = "DATABASE_UNFIT"


def retry_cause(error: BaseException) -> str | None:
    """Label for an error after which the same transaction may be tried again, None when trying again cannot help."""
    if isinstance(error, asyncpg.DeadlockDetectedError):
        return "deadlock"
    if isinstance(error, asyncpg.SerializationError):
        return "serialization"
    if isinstance(error, TRY_AGAIN):
        return "timeout"
    # asyncpg has no class for it: "connection is closed", "pool is closing", and "released back to the pool" when the
    # server ended the connection that a transaction of ours still held.
    closed = isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in ("clos", "released"))
    return "connection" if closed or isinstance(error, NOT_NOW) else None


def ssl_argument(settings: Settings, url: str) -> ssl.SSLContext | bool | None:
    """What asyncpg needs as `ssl`: None leaves it to the URL, False is plain, a context checks as the mode says."""
    mode = settings.database_ssl_mode
    parts = urlsplit(url)
    if mode == "auto":
        if "sslmode" in parse_qs(parts.query):
            return None
        mode = "disable" if not parts.hostname or parts.hostname in LOOPBACK else "verify-full"
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
        DatabaseUnfit: the server cannot be reached, or could forget an answered reservation (`check_durability`).
    """
    arguments = connection_arguments(settings)
    pool = asyncpg.create_pool(
        min_size=settings.database_pool_min, max_size=settings.database_pool_max, init=init, **arguments
    )
    try:
        await pool
        async with pool.acquire(timeout=settings.database_connect_seconds) as connection:
            await check_durability(connection, settings)
    except (OSError, asyncpg.PostgresError) as error:
        pool.terminate()
        raise DatabaseUnfit(
            f"{_host(arguments['dsn'])} does not let us in: {str(error) or type(error).__name__}"
        ) from error
    except BaseException:
        pool.terminate()
        raise
    return pool


def _host(url: str) -> str:
    """Host, port and database: the part of the address that may be shown."""
    parts = urlsplit(url)
    return f"PostgreSQL at {parts.hostname or 'the local socket'}:{parts.port or 5432}{parts.path}"


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
