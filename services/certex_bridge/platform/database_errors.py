"""What an error of PostgreSQL means: not now, somebody else in the way, the record's own fault, or nobody's.

The driver's text of an error quotes the row (DETAIL); `sentence` leaves that out.
"""

from __future__ import annotations

import asyncpg

NOT_NOW: tuple[type[BaseException], ...] = (
    OSError,  # includes ConnectionError, TimeoutError and DatabaseRefuses
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting, idle too long, database dropped
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,  # the server's own limit, which ends the session
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.ReadOnlySQLTransactionError,  # a failover left us on the replica
    asyncpg.PostgresSystemError,  # the server cannot read or write its files
)
"""The database is away or unable: the same work succeeds later, nothing is wrong with it."""

OUTAGES = frozenset({"connection", "broker"})
"""Causes that end by themselves and are waited for without limit."""

STATEMENT_TIMEOUT = "statement_timeout"
"""Cause of a statement that ran too long: too much work in one batch, or a database that cannot cope."""


class DatabaseRefuses(ConnectionError):
    """The server answers and lets nobody in: a right, the password, the database or a place is missing.

    Whatever it says while we connect is about the connection and not about the work, which succeeds once it lets us in
    again. The same words in the middle of a transaction (a right that is missing) would be about the work.
    """


class Overtaken(Exception):  # an event, not a fault
    """Another transaction wrote between two of our reads: the same work succeeds when it is begun anew."""


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (asyncpg.DeadlockDetectedError, "deadlock"),
    (asyncpg.SerializationError, "serialization"),
    (Overtaken, "serialization"),
    (asyncpg.LockNotAvailableError, "lock_timeout"),
    (asyncpg.QueryCanceledError, STATEMENT_TIMEOUT),
    (NOT_NOW, "connection"),  # type: ignore[assignment]  # isinstance takes the tuple
)

_OF_THE_RECORD = (
    asyncpg.DataError,  # also what the driver cannot encode
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # an identifier too long for an index
)


def retry_cause(error: BaseException) -> str | None:
    """Label for an error after which the same transaction may be tried again, None when trying again cannot help."""
    for kinds, cause in _CAUSES:
        if isinstance(error, kinds):
            return cause
    # asyncpg has no class for it: "connection is closed", "pool is closing", and "released back to the pool" when the
    # server ended the connection that a transaction of ours still held.
    closed = isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in ("clos", "released"))
    # Used at the moment at which the server ends it, a connection is found busy with its own end.
    ending = isinstance(error, asyncpg.InternalClientError) and "cannot switch to state" in str(error)
    return "connection" if closed or ending else None


def of_one_record(error: BaseException) -> bool:
    """Whether the error can be the fault of what was written.

    A missing right, table or column is not: it would meet every record alike.
    """
    if isinstance(error, _OF_THE_RECORD):
        return True
    return retry_cause(error) is None and not isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError)


def sentence(error: BaseException) -> str:
    """The error in a line, without the values that the database quotes."""
    text = str(error.args[0]) if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return text or type(error).__name__
