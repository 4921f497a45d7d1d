"""Numbered SQL files that build the schema, and named SQL.

A file is `NNNN_pre_name.sql` or `NNNN_post_name.sql`. `pre` files widen the schema so that the running release and the
next both work on it; `post` files take away what only the older release used. So a release runs on a schema that has
all its `pre` files, with or without its own `post` files, and never on one with `post` files of a later release.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import asyncpg

from certex_bridge.kernel.errors import BridgeError, ConfigurationError

if TYPE_CHECKING:
    import ssl as tls
    from importlib.resources.abc import Traversable

FOLDERS = (
    "certex_bridge.ledger.adapters:sql/migrations",
    "certex_bridge.singlewindow.adapters:sql/migrations",
    "certex_bridge.oversight.console:sql/migrations",
)
"""package:folder; numbers are unique over all folders."""

PHASES = ("pre", "post", "all")

NO_TRANSACTION = "-- no transaction"
"""First line of a file whose one statement PostgreSQL runs outside transactions only (CREATE INDEX CONCURRENTLY)."""

LOCK = 0x6365727465780001
"""Advisory lock: two processes migrating at once run one after the other."""

LOCK_TIMEOUT = "30s"
"""A migration that cannot get its table locks gives up instead of blocking everybody behind it."""

_FILE = re.compile(r"(\d{4})_(pre|post)_([a-z0-9_]+)\.sql")

_TABLE = """CREATE TABLE IF NOT EXISTS schema_version (
    number     integer     PRIMARY KEY,
    phase      text        NOT NULL CHECK (phase IN ('pre', 'post')),
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text        NOT NULL DEFAULT current_user
)"""


class SchemaMismatch(BridgeError):
    """The schema of the database is not the one this release works on."""

    code = "SCHEMA_MISMATCH"


@dataclass(frozen=True, slots=True, order=True)
class Migration:
    """One file."""

    number: int
    phase: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Checksum of the text; line ends of another system do not count."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.number:04}_{self.phase}_{self.name}.sql"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Numbers of migrations this release brings and numbers the database has, each with its phase."""

    expected: dict[int, str]
    present: dict[int, str]

    @property
    def missing(self) -> list[int]:
        """Numbers of `pre` files that are not applied; a pending `post` file is no obstacle."""
        return sorted(
            number for number, phase in self.expected.items() if phase == "pre" and number not in self.present
        )

    @property
    def unknown(self) -> list[int]:
        """Numbers of `post` files of a later release that are applied."""
        return sorted(
            number for number, phase in self.present.items() if phase == "post" and number not in self.expected
        )

    @property
    def problem(self) -> str | None:
        """Why this release must not run on that schema, or None."""
        if self.missing:
            return (
                f"the schema is older than this release: migrations {_numbers(self.missing)} are missing; run migrate"
            )
        if self.unknown:
            return f"the schema is newer than this release: migrations {_numbers(self.unknown)} are not known to it"
        return None


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:04}" for number in numbers)


def list_migrations(folders: Sequence[str] = FOLDERS) -> list[Migration]:
    """All files in order of their number.

    Raises:
        ConfigurationError: a file is misnamed, or a number is used twice.
    """
    found: dict[int, Migration] = {}
    for folder in folders:
        package, _, path = folder.partition(":")
        root = files(package).joinpath(path)
        for file in sorted(root.iterdir(), key=lambda one: one.name) if root.is_dir() else ():
            if file.name.endswith(".sql"):
                one = _read(file)
                if one.number in found:
                    raise ConfigurationError(f"{one.file} and {found[one.number].file} have the same number")
                found[one.number] = one
    return [found[number] for number in sorted(found)]


def _read(file: Traversable) -> Migration:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise ConfigurationError(f"a migration is named NNNN_pre_name.sql or NNNN_post_name.sql, not {file.name}")
    number, phase, name = match.groups()
    return Migration(int(number), phase, name, file.read_text("utf-8"))


async def migrate(
    url: str, phase: str = "all", *, ssl: tls.SSLContext | bool | None = None, folders: Sequence[str] = FOLDERS
) -> int:
    """Apply what is missing of `phase` (pre, post or all), each file in its own transaction; returns how many.

    Safe to run twice and at the same time. An empty database gets every file: no older release runs on it.

    Raises:
        SchemaMismatch: SCHEMA_MISMATCH when a later release has taken away what this one needs, SCHEMA_CHANGED when an
            applied file differs from its text now, SCHEMA_ORDER when a `post` file of an earlier release is still
            missing before a `pre` file.
    """
    if phase not in PHASES:
        raise ConfigurationError(f"the phase of a migration is one of {', '.join(PHASES)}, not {phase!r}")
    migrations = list_migrations(folders)
    connection = await asyncpg.connect(url, ssl=ssl, timeout=30)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(_TABLE)
        rows = await connection.fetch("SELECT * FROM schema_version")
        refuse_later_release({row["number"]: row["phase"] for row in rows}, migrations)
        applied = {row["number"]: row["sha256"] for row in rows}
        pending = plan(migrations, applied, phase)
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for one in pending:
            await _apply(connection, one)
        return len(pending)
    finally:
        await connection.close()  # releases the advisory lock


def refuse_later_release(present: dict[int, str], migrations: Sequence[Migration]) -> None:
    """Refuse a schema, given number -> phase of what is applied, on which this release cannot run. Pure.

    Files of a later release that only widen the schema are no obstacle.

    Raises:
        SchemaMismatch: `post` files of a later release are applied. To say that nothing is missing would be a lie.
    """
    state = SchemaState({one.number: one.phase for one in migrations}, present)
    if state.unknown:
        raise SchemaMismatch(
            f"the schema is newer than this release: migrations {_numbers(state.unknown)} are not known to it; run "
            "migrate of the release that made them, or restore the moment before"
        )


def plan(migrations: Sequence[Migration], applied: dict[int, str], phase: str) -> list[Migration]:
    """Which files to apply, given number -> checksum of those applied. Pure.

    Raises:
        SchemaMismatch: see `migrate`.
    """
    changed = [one.file for one in migrations if applied.get(one.number, one.sha256) != one.sha256]
    if changed:
        raise SchemaMismatch(f"applied migrations were changed afterwards: {', '.join(changed)}", code="SCHEMA_CHANGED")
    pending = [one for one in migrations if one.number not in applied]
    if phase == "all" or not applied:
        return pending
    chosen = [one for one in pending if one.phase == phase]
    overtaken = [one.file for one in pending if one.phase != phase and chosen and one.number < chosen[-1].number]
    if overtaken:
        raise SchemaMismatch(
            f"{', '.join(overtaken)} must be applied first: upgrade through the release in between, or run phase all "
            "while nothing else runs",
            code="SCHEMA_ORDER",
        )
    return chosen


async def _apply(connection: Any, one: Migration) -> None:
    insert = "INSERT INTO schema_version (number, phase, name, sha256) VALUES ($1, $2, $3, $4)"
    values = (one.number, one.phase, one.name, one.sha256)
    try:
        if one.sql.startswith(NO_TRANSACTION):
            await connection.execute(one.sql)
            await connection.execute(insert, *values)
            return
        async with connection.transaction():
            await connection.execute(one.sql)
            await connection.execute(insert, *values)
    except asyncpg.PostgresError as error:
        raise SchemaMismatch(f"{one.file} failed: {error}", code="SCHEMA_FAILED") from error


async def schema_state(pool: Any, folders: Sequence[str] = FOLDERS) -> SchemaState:
    """What the database has and what this release expects."""
    expected = {one.number: one.phase for one in list_migrations(folders)}
    if await pool.fetchval("SELECT to_regclass('schema_version')") is None:
        return SchemaState(expected, {})
    rows = await pool.fetch("SELECT number, phase FROM schema_version")
    return SchemaState(expected, {row["number"]: row["phase"] for row in rows})


@cache
def load_queries(package: str, name: str) -> dict[str, str]:
    """The statements of `name` (a file of `package`) by their names.

    Each begins with `-- name: some_name` and a comment that says what it is for. The name stays in the text, so that
    the server's log and statistics show it.

    Raises:
        ConfigurationError: a statement without purpose, or a name used twice.
    """
    text = files(package).joinpath(name).read_text("utf-8")
    queries: dict[str, str] = {}
    for block in re.split(r"(?m)^-- name:", text)[1:]:
        title, _, rest = block.partition("\n")
        purpose = re.match(r"(?:--.*\n)+", rest)
        if purpose is None:
            raise ConfigurationError(f"{name}: {title.strip()} does not say what it is for", field=title.strip())
        if title.strip() in queries:
            raise ConfigurationError(f"{name}: {title.strip()} occurs twice", field=title.strip())
        queries[title.strip()] = f"-- {title.strip()}\n{rest[purpose.end() :].strip().rstrip(';')}"
    return queries
