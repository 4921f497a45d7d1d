"""The verifier: proves from the tables alone that the ledger is right, and names the first row that is wrong.

Balances are added up from the journal and from the claims, the hash chain of every licence is computed from its first
row, and what was published is compared with what was booked. It reads one consistent snapshot in batches, so it may run
beside the bridge and beside a million movements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

import asyncpg

from certex_bridge.operations.verify_checks import STREAMS, Finding, Stream
from certex_bridge.platform.migrations import load_queries

Progress = Callable[[str, int, int], None]
"""Called with the check's name, rows examined and rows there are (0 while unknown)."""

WAKE_SECONDS = 60.0
"""A declaration is settled this long after its licence came; later ones are told (ledger invariant I12)."""

_IN_THE_DATABASE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("account figures", "account_figures", ()),
    ("account = movements", "account_journal", ()),
    ("account = claims", "account_claims", ()),
    ("claim states", "claim_states", ()),
    ("claim = movements", "claim_journal", ()),
    ("movements booked once", "journal_unique", ()),
    ("movements have an event", "journal_events", ()),
    ("licence versions", "licence_versions", ()),
    ("status changes", "status_changes", ()),
    ("pushes numbered", "push_numbers", ()),
    ("balances published", "outbox_versions", ("balance",)),
    ("outcomes published", "outbox_versions", ("outcome",)),
    ("notifications published", "outbox_versions", ("notification",)),
    ("incidents published", "outbox_versions", ("incident",)),
    ("certificates published", "outbox_versions", ("certificate",)),
    ("records published", "outbox_versions", ("record",)),
    ("certificates of versions", "outbox_certificates", ()),
    ("dead letters published", "outbox_deadletters", ()),
    ("events answered", "inbox_answers", ()),
    ("offsets behind events", "inbox_offsets", ()),
    ("parked = waiting", "parked_declarations", ()),
)
"""(name, query, arguments) of checks that the database does alone."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified."""

    name: str
    ok: bool
    examined: int
    """Rows looked at."""
    detail: str = ""
    """The first row that is wrong; for information when the check is ok."""


@dataclass(slots=True)
class Report:
    """All checks of one run, in order."""

    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.ok for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """What is wrong."""
        return [check for check in self.checks if not check.ok]


async def verify(
    database_url: str, *, progress: Progress | None = None, ssl: SSLContext | bool | None = None
) -> Report:
    """Check the whole ledger in one snapshot; changes nothing.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be reached or read.
    """
    connection = await asyncpg.connect(database_url, ssl=ssl, timeout=30, command_timeout=None)
    try:
        await connection.execute(
            "SET statement_timeout = 0; SET work_mem = '64MB'; SET jit = off; SET TimeZone = 'UTC'"
        )
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _Run(connection, progress or _silent).all()
    finally:
        await connection.close()


def _silent(_name: str, _done: int, _total: int) -> None:
    """Nobody watches."""


class _Run:
    """One verification on one snapshot."""

    def __init__(self, connection: Any, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._queries = load_queries("certex_bridge.operations", "verify.sql")
        self._report = Report()

    async def all(self) -> Report:
        """Every check; a check that cannot run is wrong, the others still run."""
        for name, query, arguments in _IN_THE_DATABASE:
            self._progress(name, 0, 0)
            self._add(await self._guarded(name, self._in_the_database(name, query, arguments)))
        for stream in STREAMS:
            for check in await self._guarded(stream.name, self._stream(stream)):
                self._report.checks.append(check)
        await self._left_over()
        return self._report

    def _add(self, checks: list[Check]) -> None:
        for check in checks:
            self._progress(check.name, check.examined, check.examined)
        self._report.checks += checks

    async def _guarded(self, name: str, work: Any) -> list[Check]:
        try:
            async with self._connection.transaction():  # a savepoint: what one tampered value breaks stays its own
                found: list[Check] = await work
                return found
        except (asyncpg.DataError, ValueError, ArithmeticError) as error:
            return [Check(name, ok=False, examined=0, detail=f"cannot be read: {error}")]

    async def _in_the_database(self, name: str, query: str, arguments: tuple[str, ...]) -> list[Check]:
        row = await self._connection.fetchrow(self._queries[query], *arguments)
        return [Check(name, row["wrong"] is None, row["examined"], row["wrong"] or "")]

    async def _stream(self, stream: Stream) -> list[Check]:
        total = await self._connection.fetchval(f"SELECT count(*) FROM {stream.table}")  # noqa: S608 - our own names
        reader = stream.reader()
        done = 0
        cursor = await self._connection.cursor(self._queries[stream.query])
        while rows := await cursor.fetch(stream.batch):
            for row in rows:
                reader.read(row)
            done += len(rows)
            self._progress(stream.name, done, max(total, done))
        return [_check(finding) for finding in reader.findings()]

    async def _left_over(self) -> None:
        row = await self._connection.fetchrow(self._queries["left_over"], WAKE_SECONDS)
        told = ", ".join(
            f"{row[column]} {words}"
            for column, words in (
                ("wakes", "declarations to settle again"),
                ("late", f"of them for more than {WAKE_SECONDS:.0f} s"),
                ("batches", "batches to publish"),
                ("held", "messages the broker refuses"),
            )
            if row[column]
        )
        self._add([Check("left over", ok=True, examined=row["wakes"] + row["batches"], detail=told)])


def _check(finding: Finding) -> Check:
    return Check(finding.name, not finding.wrong, finding.examined, finding.wrong)
