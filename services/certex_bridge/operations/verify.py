"""The verifier: proves from the tables alone that the ledger is right, and names the first row that is wrong.

Balances are added up from the journal and from the claims, the hash chain of every licence is computed from its first
row, what was published is compared with what was booked, and what was written with the seals. Each check has a snapshot
of its own, and one that reads every row has one for each page of licences or declarations: so it may run beside the
bridge and beside millions of movements, and no snapshot is old enough to hold up the vacuum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

import asyncpg

from certex_bridge.operations.heads import Heads
from certex_bridge.operations.seals import Seal
from certex_bridge.operations.verify_checks import STREAMS, Stream
from certex_bridge.operations.verify_finding import Finding, Reader
from certex_bridge.operations.verify_heads import SESSION, compare_licences, compare_rows
from certex_bridge.operations.verify_schema import GUARDS, guards
from certex_bridge.operations.verify_seals import SealsCheck, Witness
from certex_bridge.platform.migrations import load_queries

Progress = Callable[[str, int, int], None]
"""Called with the check's name, rows examined and rows there are (0 while unknown)."""

PAGE = 1_000
"""Licences or declarations read in one snapshot."""

WAKE_SECONDS = 60.0
"""A declaration is settled this long after its licence came; later ones are told (ledger invariant I12)."""

_IN_THE_DATABASE: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("account figures", "account_figures", (None,)),
    ("account = movements", "account_journal", (None,)),
    ("account = claims", "account_claims", ()),
    ("claim states", "claim_states", ()),
    ("claim = movements", "claim_journal", ()),
    ("movements booked once", "journal_unique", ()),
    ("movements have an event", "journal_events", ()),
    ("licence versions", "licence_versions", ()),
    ("hashes of licence events", "event_hashes", ()),
    ("originals of authorities", "originals", ()),
    ("acts kept for licences", "kept_acts", ()),
    ("status changes", "status_changes", ()),
    ("frozen licences", "frozen_licences", ()),
    ("pushes numbered", "push_numbers", ()),
    ("balances published", "outbox_versions", ("balance",)),
    ("outcomes published", "outbox_versions", ("outcome",)),
    ("notifications published", "outbox_versions", ("notification",)),
    ("incidents published", "outbox_versions", ("incident",)),
    ("certificates published", "outbox_versions", ("certificate",)),
    ("records published", "outbox_versions", ("record",)),
    ("seals published", "outbox_versions", ("seal",)),
    ("certificates of versions", "outbox_certificates", ()),
    ("dead letters published", "outbox_deadletters", ()),
    ("events answered", "inbox_answers", ()),
    ("offsets behind events", "inbox_offsets", ()),
    ("parked = waiting", "parked_declarations", ()),
    ("states as written", "state_hashes", (None, None)),
    ("rows = their history", "row_histories", ()),
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
    database_url: str,
    *,
    progress: Progress | None = None,
    ssl: SSLContext | bool | None = None,
    heads: Heads | None = None,
    witness: Witness | None = None,
    after: Seal | None = None,
    page: int = PAGE,
) -> Report:
    """Check the whole ledger, and against its heads of an earlier moment and its seals kept outside; changes nothing.

    With `after`, a seal kept outside by which the ledger was right, only what was written later is looked at, and the
    licences and declarations that it belongs to. `page` is the number of licences or declarations read in one snapshot.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be reached or read.
    """
    connection = await asyncpg.connect(database_url, ssl=ssl, timeout=30, command_timeout=None)
    try:
        await connection.execute(SESSION)
        run = _Run(connection, progress or _silent, page)
        return await (run.newer(after, witness or Witness()) if after else run.all(heads, witness or Witness()))
    finally:
        await connection.close()


def _silent(_name: str, _done: int, _total: int) -> None:
    """Nobody watches."""


class _Run:
    """One verification on one connection."""

    def __init__(self, connection: Any, progress: Progress, page: int) -> None:
        self._connection = connection
        self._progress = progress
        self._page = page
        self._queries = load_queries("certex_bridge.operations", "verify.sql")
        self._report = Report()

    async def all(self, heads: Heads | None, witness: Witness) -> Report:
        """Every check; a check that cannot run is wrong, the others still run."""
        self._add(await self._guarded(GUARDS, self._guards()))
        for name, query, arguments in _IN_THE_DATABASE:
            self._progress(name, 0, 0)
            self._add(await self._guarded(name, self._in_the_database(name, query, arguments)))
        for stream in STREAMS:
            self._report.checks += await self._guarded(stream.name, self._stream(stream), in_pages=True)
        self._report.checks += await self._guarded("seals", self._seals(witness), in_pages=True)
        await self._gaps()
        if heads is not None:
            self._add(await self._guarded("heads", self._heads(heads)))
        await self._left_over()
        return self._report

    async def newer(self, after: Seal, witness: Witness) -> Report:
        """What was written after a seal, with everything else about the same licences and declarations."""
        self._add(await self._guarded(GUARDS, self._guards()))
        self._report.checks += await self._guarded("seals", self._seals(witness, after), in_pages=True)
        licences, declarations = (
            await self._touched("licences_since", after),
            await self._touched("declarations_since", after),
        )
        for name, query, arguments in (
            ("account figures", "account_figures", (licences,)),
            ("account = movements", "account_journal", (licences,)),
            ("states as written", "state_hashes", (declarations, after.as_of)),
            ("rows = their history", "row_histories", ()),
        ):
            self._add(await self._guarded(name, self._in_the_database(name, query, arguments)))
        for stream in STREAMS:
            ids = licences if stream.of == "licence" else declarations
            self._report.checks += await self._guarded(stream.name, self._stream_of(stream, ids), in_pages=True)
        await self._gaps()
        await self._left_over()
        return self._report

    async def _touched(self, query: str, after: Seal) -> list[str]:
        return [row[0] for row in await self._connection.fetch(self._queries[query], after.as_of)]

    def _add(self, checks: list[Check]) -> None:
        for check in checks:
            self._progress(check.name, check.examined, check.examined)
        self._report.checks += checks

    def _snapshot(self) -> Any:
        return self._connection.transaction(isolation="repeatable_read", readonly=True)

    async def _guarded(self, name: str, work: Any, *, in_pages: bool = False) -> list[Check]:
        """What one tampered value breaks stays its own."""
        found: list[Check]
        try:
            if in_pages:
                found = await work
            else:
                async with self._snapshot():
                    found = await work
            return found
        except (asyncpg.DataError, asyncpg.UndefinedObjectError, ValueError, ArithmeticError) as error:
            return [Check(name, ok=False, examined=0, detail=f"cannot be read: {error}")]

    async def _guards(self) -> list[Check]:
        return [_check(await guards(self._connection))]

    async def _heads(self, heads: Heads) -> list[Check]:
        licences = await compare_licences(self._connection, heads)
        return [_check(licences), _check(await compare_rows(self._connection, heads))]

    async def _in_the_database(self, name: str, query: str, arguments: tuple[Any, ...]) -> list[Check]:
        row = await self._connection.fetchrow(self._queries[query], *arguments)
        return [Check(name, row["wrong"] is None, row["examined"], row["wrong"] or "")]

    async def _stream(self, stream: Stream) -> list[Check]:
        """All rows, in pages of names."""
        total = await self._connection.fetchval(f"SELECT count(*) FROM {stream.table}")  # noqa: S608 - our own names
        reader = stream.reader()
        done, after, to_come = 0, "", True
        while to_come:
            async with self._snapshot():
                end = await self._connection.fetchrow(self._queries[f"{stream.of}_page"], after, self._page)
                to_come = end["number"] == self._page
                done += await self._read(stream, reader, after, end["last"] if to_come else None, None)
            self._progress(stream.name, done, max(total, done))
            after = end["last"]
        return [_check(finding) for finding in reader.findings()]

    async def _stream_of(self, stream: Stream, ids: list[str]) -> list[Check]:
        """The rows of these licences or declarations."""
        reader = stream.reader()
        for start in range(0, len(ids), self._page):
            part = ids[start : start + self._page]
            async with self._snapshot():
                await self._read(stream, reader, "", None, part)
            self._progress(stream.name, start + len(part), len(ids))
        return [_check(finding) for finding in reader.findings()]

    async def _read(self, stream: Stream, reader: Reader, *page: object) -> int:
        done = 0
        cursor = await self._connection.cursor(self._queries[stream.query], *page)
        while rows := await cursor.fetch(stream.batch):
            for row in rows:
                reader.read(row)
            done += len(rows)
        return done

    async def _seals(self, witness: Witness, after: Seal | None = None) -> list[Check]:
        found = await SealsCheck(self._connection, witness, self._progress, after).findings()
        return [_check(one) for one in found]

    async def _gaps(self) -> None:
        """Records that were never read: wrong until somebody accepted it, and named for ever."""
        rows = await self._connection.fetch(self._queries["position_gaps"])
        unaccepted = [row["told"] for row in rows if row["is_open"]]
        told = "; ".join(unaccepted or [row["told"] for row in rows])
        self._add([Check("records never read", ok=not unaccepted, examined=len(rows), detail=told)])

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
