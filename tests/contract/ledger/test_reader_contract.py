"""What every reader of the ledger promises: the last committed state, in one piece, without waiting for anybody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal

import asyncpg
import pytest

from certex_bridge.kernel.dates import parse_instant
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.reader import PostgresReader, ReadLimits
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.ledger.domain.model import ClaimState, Dim, Figures, Status
from certex_bridge.ledger.ports import Bar
from certex_bridge.ledger.reading import LedgerAway, PastAccount, ReadTooSlow, Until
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import Party
from tests.support.ledger_words import HOLDER, cite, licence, mrn_of
from tests.support.scenario import Scenario

Reader = InMemoryReader | PostgresReader
A, B, M1 = "BE/A", "BE/B", mrn_of("M1")
PATIENT = ReadLimits(check=20, shown=20, connection=20)
"""A busy machine must not fail a test that is about content."""


@pytest.fixture
def reader(store: InMemoryStore | PostgresStore) -> Reader:
    """A reader of the same ledger."""
    if isinstance(store, InMemoryStore):
        return InMemoryReader(store)
    return PostgresReader(store._pool, PATIENT)


@pytest.fixture
async def story(store: InMemoryStore | PostgresStore) -> Scenario:
    """100 pieces on licence A, 40 of them reserved."""
    told = Scenario(store)
    await told.issue(licence("A", "100"), licence("B", "50 KGM", cap="1000.00 EUR"))
    await told.accepted("M1", A=40)
    return told


async def test_a_picture_has_licences_with_balances(reader: Reader, story: Scenario) -> None:
    picture = await reader.picture([A, B])
    state = picture.licences[A]
    assert (state.licence, state.version, state.status, state.frozen) == (licence("A", "100"), 1, Status.VALID, False)
    assert state.lv == (await story.state("A")).lv
    account = state.accounts[1, Dim.QTY]
    assert (account.cap, account.reserved, account.available) == (Decimal(100), Decimal(40), Decimal(60))
    assert sorted(picture.licences[B].accounts) == [(0, Dim.VAL), (1, Dim.QTY)]
    assert picture.declaration is None


async def test_a_new_version_replaces_the_content_in_memory(reader: Reader, story: Scenario) -> None:
    assert (await reader.picture([A])).licences[A].version == 1
    await story.modify("A", "70")
    again = (await reader.picture([A])).licences[A]
    assert again.licence is not None
    assert (again.version, again.licence.version) == (2, 2)
    assert (await reader.picture([A])).licences[A].licence == again.licence


async def test_a_licence_nobody_knows_is_a_placeholder(reader: Reader, story: Scenario) -> None:
    await story.accepted("M2", cite("Y", 1))
    picture = await reader.picture(["BE/X", "BE/Y"])
    assert [(one.known, one.status) for one in picture.licences.values()] == [(False, Status.UNKNOWN)] * 2


async def test_a_declaration_comes_with_its_claims_and_their_licences(reader: Reader, story: Scenario) -> None:
    picture = await reader.picture([B], M1)
    known = picture.declaration
    assert known is not None
    (claim,) = known.claims.values()
    assert (claim.key.licence_id, claim.state, claim.reserved) == (A, ClaimState.RESERVED, Figures(Decimal(40)))
    assert known.facts.mrn == M1
    assert known.dv == await story.dv("M1")
    assert sorted(picture.licences) == [A, B]
    assert picture.licences[A].licence is not None
    assert (await reader.picture([], mrn_of("M9"))).declaration is None


async def test_bars_are_those_of_the_exporter(reader: Reader, story: Scenario) -> None:
    bar = ExporterBar("BE", HOLDER, ("X068",), date(2026, 2, 1))
    await story.tell(story.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    barred = (await reader.picture([], "", [HOLDER])).barred
    assert Bar("BE", HOLDER, "X068", "2026-02-01") in barred
    assert (await reader.picture([], "", ["BE999"])).barred == frozenset()


@pytest.mark.row("E172", "E181")
async def test_an_open_transaction_is_neither_seen_nor_waited_for(reader: Reader, story: Scenario) -> None:
    """The claim is read again after the commit: who was told of it sees it."""
    before = (await reader.picture([A])).licences[A]
    async with story.store.transaction() as unit:
        states = await unit.lock_licences([A])
        states[A].lv += 1
        during = (await reader.picture([A])).licences[A]
    assert (during.lv, during.accounts) == (before.lv, before.accounts)
    await story.accepted("M2", A=7)
    after = (await reader.picture([A])).licences[A]
    assert (after.lv, after.accounts[1, Dim.QTY].reserved) == (before.lv + 1, Decimal(47))


async def test_open_claims_are_counted(reader: Reader, story: Scenario) -> None:
    await story.accepted("M2", A=61)
    await story.accepted("M3", A=5)
    await story.released("M3")
    assert dict(await reader.open_claims(A)) == {"REFUSED": 1, "RESERVED": 1}


async def test_licences_of_a_holder(reader: Reader, story: Scenario) -> None:
    await story.suspend("A")
    await story.issue(licence("C", "1", holder=Party("Other", "BE1")), licence("DE/D", "1"))
    assert [state.licence_id for state in await reader.held_by("BE", HOLDER, 10)] == [B, A]
    assert [state.licence_id for state in await reader.held_by("BE", HOLDER, 1)] == [B]
    (state, *_) = await reader.held_by("BE", HOLDER, 10)
    assert state.accounts[1, Dim.QTY].unit == "KGM"
    assert await reader.held_by("BE", "", 10) == []


async def test_the_past_is_rebuilt_from_the_journal(reader: Reader, story: Scenario) -> None:
    await story.released("M1", A=30)
    await story.modify("A", "30")
    past = await reader.past(A, Until(lv=2))
    assert past is not None
    assert (past.version, past.status, past.lv) == (1, "Valid", 2)
    assert past.accounts == (PastAccount(1, "QTY", "NAR", Decimal(100), Decimal(40), Decimal(0)),)
    assert past.accounts[0].available == Decimal(60)
    now = await reader.past(A, Until())
    assert now is not None
    assert (now.version, now.status, now.accounts[0][3:]) == (2, "Exhausted", (Decimal(30), Decimal(0), Decimal(30)))
    at = parse_instant("2026-01-01T09:01:30Z")
    issued = await reader.past(A, Until(at))
    assert issued is not None
    assert issued.accounts[0][3:] == (Decimal(100), Decimal(0), Decimal(0))
    assert await reader.past(A, Until(parse_instant("2025-01-01"))) is None
    assert await reader.past("BE/X", Until()) is None


async def reserved_at(reader: Reader, *moments: str) -> list[Decimal]:
    """What was reserved on licence A at these moments."""
    found = [await reader.past(A, Until(parse_instant(moment))) for moment in moments]
    return [sum((account.reserved for account in past.accounts), Decimal(0)) if past else Decimal(-1) for past in found]


async def test_what_waited_for_its_licence_was_not_reserved_before_it_was_accepted(
    store: InMemoryStore | PostgresStore, reader: Reader
) -> None:
    told = Scenario(store)
    issued = told.licence_event(licence("A", "100"), LicenceEventKind.ISSUED)  # on 1 January, and late
    await told.accepted("M1", at="2026-03-01T10:00:00Z", A=40)
    await told.tell(issued)
    await told.wake()
    assert await reserved_at(reader, "2026-03-01T09:59:59Z", "2026-03-01T10:00:00Z") == [0, 40]


async def test_content_that_came_late_was_not_reserved_before_it_was_accepted(
    store: InMemoryStore | PostgresStore, reader: Reader
) -> None:
    told = Scenario(store)
    await told.issue(licence("A", "100"))
    await told.tell(told.customs.bare("M1", EventKind.ACCEPTED, at="2026-03-01T10:00:00Z", accepted=True))
    await told.amended("M1", version=1, at="2026-03-01T09:00:00Z", A=40)
    assert await reserved_at(reader, "2026-03-01T09:59:59Z", "2026-03-01T10:00:00Z") == [0, 40]


async def test_a_status_that_the_ledger_found_is_in_the_past(reader: Reader, story: Scenario) -> None:
    await story.accepted("M2", A=60)
    await story.released("M1")
    await story.released("M2")
    past = await reader.past(A, Until())
    assert past is not None
    assert past.status == "Exhausted"


async def test_versions_with_status_and_certificate(reader: Reader, story: Scenario) -> None:
    await story.suspend("A")
    original = await reader.original(A, 2)
    assert original is not None
    assert (original.version, original.event_id) == (2, "licensing-3")
    assert original.certificate
    assert await reader.original(A, 3) is None
    assert await reader.status_on(A, parse_instant(original.at)) == "Suspended"
    assert await reader.status_on(A, parse_instant("2026-01-01T09:02:59Z")) == "Valid"
    assert await reader.status_on(A, parse_instant("2025-01-01")) == ""


async def test_what_a_declaration_moved(reader: Reader, story: Scenario) -> None:
    await story.accepted("M10", A=1)
    await story.released("M1", A=30)
    moves = await reader.moves(M1, [A, B])
    assert [(m.kind, m.reserved, m.consumed) for m in moves] == [
        ("RESERVE", Decimal(40), Decimal(0)),
        ("CONSUME", Decimal(-30), Decimal(30)),
        ("UNRESERVE", Decimal(-10), Decimal(0)),
    ]
    assert await reader.moves(M1, []) == []


# -- PostgreSQL only: time


@pytest.mark.row("E178")
@pytest.mark.postgres
async def test_a_slow_database_ends_the_read_not_the_caller(database_url: str) -> None:
    """The statement waits for a table lock that nobody gives up; the connection comes back by itself."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool, pool.acquire() as other:
        reader = PostgresReader(pool, PATIENT)
        await reader.picture([A])
        reader._limits = replace(PATIENT, check=0.05)  # only now: the first read of a busy machine may take longer
        async with other.transaction():
            await other.execute("LOCK TABLE licence IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(ReadTooSlow, match="50 ms"):
                await reader.picture([A])
        while reader._reads:
            await asyncio.wait(set(reader._reads))
        assert A in (await PostgresReader(pool, PATIENT).picture([A])).licences


@pytest.mark.postgres
async def test_memory_dropped_while_a_read_is_under_way_is_not_missed(database_url: str) -> None:
    """A new connection of the pool drops what is remembered of the database."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        reader = PostgresReader(pool, PATIENT)
        await Scenario(PostgresStore(pool)).issue(licence("A", "100"))
        await reader.picture([A])
        under_way = asyncio.create_task(reader.picture([A]))
        await asyncio.sleep(0)
        reader.forget()
        assert (await under_way).licences[A].licence == licence("A", "100")


@pytest.mark.postgres
async def test_a_connection_that_ended_between_two_reads_is_not_used_again(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool, pool.acquire() as other:
        reader = PostgresReader(pool, PATIENT)
        await reader.picture([A])
        while reader._reads:
            await asyncio.wait(set(reader._reads))
        (kept,) = reader._leases._kept
        closed = asyncio.Event()
        kept.add_termination_listener(lambda _: closed.set())
        await other.execute("SELECT pg_terminate_backend($1)", kept.get_server_pid())
        await closed.wait()
        assert A in (await reader.picture([A])).licences


@pytest.mark.postgres
async def test_no_connection_means_that_the_database_is_away(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool, pool.acquire():
        with pytest.raises(LedgerAway):
            await PostgresReader(pool, ReadLimits(check=20, connection=0.01)).picture([A])
    with pytest.raises(LedgerAway):
        await PostgresReader(pool, PATIENT).picture([A])
