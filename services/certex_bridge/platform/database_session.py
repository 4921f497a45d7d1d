"""Whether a connection is a session of PostgreSQL of our own, as advisory locks and time-outs need it.

A pooler in transaction mode hands the server's connection on after every transaction. Then a lock of the session
belongs to nobody in particular: two processes hold it at once, and it stays when both have ended. And what a connection
asked for when it began, its time-outs, is not in force.

Only the simple protocol is used here: it needs no prepared statement, which such a pooler may mix up.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from certex_bridge.platform.database_errors import DatabaseRefuses, sentence

SESSIONS = 3
"""Connections that are compared; a process needs more than that to work."""

TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
"""Settings of a session, in milliseconds, without which a wait of ours has no end."""

POOLED = (
    "its connections are not sessions of their own: a pooler between it and us hands them on after each transaction. "
    "Locks of a session and time-outs mean nothing there. Let the pooler work in session mode, or connect without it."
)


async def connect(*arguments: Any, **more: Any) -> Any:
    """`asyncpg.connect`, whose refusals are told as what they are: the server does not let us in.

    Raises:
        DatabaseRefuses: carries the server's or the driver's sentence.
        OSError: the server cannot be reached.
    """
    try:
        return await asyncpg.connect(*arguments, **more)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseRefuses(sentence(error)) from error


@asynccontextmanager
async def session_lock(connection: Any, key: int) -> AsyncIterator[bool]:
    """Whether the connection holds an advisory lock of the session for as long as the block runs.

    A connection that may still hold it is closed and not given back to its pool: a closed one has given it back.
    """
    try:
        held = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", key))
    except BaseException:
        connection.terminate()
        raise
    try:
        yield held
    finally:
        if held and not connection.is_closed():
            try:
                await connection.execute("SELECT pg_advisory_unlock($1)", key)
            except BaseException:
                connection.terminate()
                raise


async def unfit_sessions(arguments: Mapping[str, Any]) -> str | None:
    """Why what these arguments of `asyncpg.connect` lead to cannot be worked on, or None.

    Several connections are marked, each with a mark of its own that lives as long as its session; then each must find
    its mark again, while the others are between transactions and while they are in one. A pooler that gives back
    whatever is idle fails at the first round, one that takes them in turn at the second. No lock is taken.

    Raises:
        OSError, asyncpg.PostgresError: the server cannot be reached, or lets no more connections in.
    """
    async with AsyncExitStack() as stack:
        connections = []
        for _ in range(SESSIONS):
            connection = await connect(**arguments)
            stack.callback(connection.terminate)
            connections.append(connection)
        try:
            if not await _own(connections):
                return POOLED
        except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
            return POOLED
        absent = await _not_in_force(connections[0], arguments["server_settings"])
        for connection in connections:
            await connection.close()
    if absent:
        return (
            f"it does not keep what we ask for when we connect: {', '.join(absent)}. A pooler that drops these "
            "parameters must be told to pass them on, or the database's role must have them (ALTER ROLE … SET …)."
        )
    return None


async def _own(connections: Sequence[Any]) -> bool:
    """Whether each connection is a session: it finds its mark, whatever the others do."""
    marks = [secrets.token_hex(8) for _ in connections]
    for connection, mark in zip(connections, marks, strict=True):
        await connection.execute(f"SELECT set_config('certex.session', '{mark}', false)")
    for connection, mark in zip(connections, marks, strict=True):
        if not await _has(connection, mark):
            return False
    # The first is between transactions while the others occupy what is idle, and the other way round.
    groups = list(zip(connections, marks, strict=True))
    for busy, idle in ((groups[1:], groups[:1]), (groups[:1], groups[1:])):
        for connection, mark in busy:
            await connection.execute("BEGIN")
            if not await _has(connection, mark):
                return False
        for connection, mark in idle:
            if not await _has(connection, mark):
                return False
        for connection, _ in busy:
            await connection.execute("ROLLBACK")
    return True


async def _has(connection: Any, mark: str) -> bool:
    return await _one(connection, f"SELECT WHERE current_setting('certex.session', true) = '{mark}'")


async def _not_in_force(connection: Any, wanted: Mapping[str, str]) -> list[str]:
    """The time-outs that are others than those asked for, with what was asked for."""
    absent = []
    for name in TIMEOUTS:
        asked = int(wanted[name])
        if not await _one(connection, f"SELECT FROM pg_settings WHERE name = '{name}' AND setting = '{asked}'"):
            absent.append(f"{name} = {asked} ms")
    return absent


async def _one(connection: Any, query: str) -> bool:
    """Whether a query has one row, which the simple protocol tells in the status."""
    return bool(await connection.execute(query) == "SELECT 1")
