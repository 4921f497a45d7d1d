"""Failures of the world, said in a sentence a person can act on."""

from __future__ import annotations


def explain(error: BaseException) -> tuple[str, str] | None:
    """(sentence, code) of an error that is no defect of ours, or None."""
    if isinstance(error, BaseExceptionGroup):
        return explain(error.exceptions[0])
    origin = type(error).__module__.partition(".")[0]
    if origin == "asyncpg":
        return _database(error)
    if origin == "aiokafka":
        message = str(error).removeprefix(f"{type(error).__name__}: ")
        return f"Kafka: {message} Is CERTEX_KAFKA_BOOTSTRAP_SERVERS right?", "BROKER_AWAY"
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError) and error.filename:
        return f"{error.filename}: {error.strerror}", "FILE"
    if isinstance(error, TimeoutError):
        return "A server did not answer in time: see CERTEX_DATABASE_URL, CERTEX_KAFKA_BOOTSTRAP_SERVERS.", "TIMEOUT"
    if isinstance(error, OSError):
        return (
            f"PostgreSQL cannot be reached: {error.strerror or error}. Is CERTEX_DATABASE_URL right?",
            "DATABASE_AWAY",
        )
    return None


def _database(error: BaseException) -> tuple[str, str] | None:
    import asyncpg

    from certex_bridge.platform.database_errors import sentence

    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return "The database has no schema of this release yet: run certex-bridge migrate.", "SCHEMA_MISSING"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
        return f"PostgreSQL refuses the connection: {sentence(error)}.", "DATABASE_REFUSED"
    if isinstance(error, asyncpg.PostgresConnectionError | asyncpg.CannotConnectNowError | asyncpg.InterfaceError):
        return f"PostgreSQL cannot be reached: {sentence(error)}. Is CERTEX_DATABASE_URL right?", "DATABASE_AWAY"
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"The database role lacks a right: {sentence(error)}.", "DATABASE_RIGHTS"
    return None
