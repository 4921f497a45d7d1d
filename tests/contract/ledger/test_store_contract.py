"""What every ledger store promises: the same tests for the store in memory and the one on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from certex_bridge.ledger.adapters import postgres
from certex_bridge.ledger.adapters.memory import AppendOnly, InMemoryStore
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.domain.acts import ContentSource, VersionNote
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.lodgings import Anchor, LodgingMark, MrnMark
from certex_bridge.ledger.domain.model import (
    Account,
    Claim,
    ClaimKey,
    ClaimState,
    Dim,
    Figures,
    Kind,
    LicenceState,
    Status,
)
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.steps import Step
from certex_bridge.ledger.ports import Changes, InboxEntry, OpenClaim, Origin, OutboxRow, QuarantineRow
from certex_bridge.ledger.refused_events import RefusedLicenceEvent
from certex_bridge.ledger.stored import LicenceVersionRow
from certex_bridge.licensing.domain.commands import ExporterBar
from certex_bridge.licensing.domain.documents import EUGEA_CODES
from certex_bridge.licensing.domain.licence import AuthorityStatus
from tests.support.ledger_contents import contents_of
from tests.support.ledger_recorder import read
from tests.support.ledger_words import HOLDER, Customs, item, licence, mrn_of
from tests.support.scenario import Scenario

Store = InMemoryStore | PostgresStore
Refused = (AppendOnly, asyncpg.UniqueViolationError)
ORIGIN = Origin("customs", 3, 17)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
AT = "2026-03-01T10:00:00Z"
A, M1 = "BE/A", mrn_of("M1")


async def write(store: Store, changes: Changes) -> None:
    """One transaction; what others refer to exists first."""
    async with store.transaction() as unit:
        await unit.lock_declarations({M1, mrn_of("M2")}, ())
        await unit.lock_licences({A})
        await unit.write(changes)


def entry_of(state: LicenceState, event_id: str = "e1") -> Entry:
    """A reservation of 4 in the journal of a licence."""
    state.accounts.setdefault((1, Dim.QTY), Account(1, Dim.QTY, "NAR", Decimal(10)))
    entry = Entry(state, event_id, AT)
    claim = Claim(ClaimKey(M1, 1, 1, A, 1), ClaimState.RESERVED)
    entry.book([(claim, (Step(Kind.RESERVE, Figures(Decimal(4)), Figures()),))])
    return entry


# -- transactions


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="on purpose"):
        async with store.transaction() as unit:
            await unit.register([InboxEntry("e1", "s", "", ORIGIN)])
            await unit.lock_declarations({M1}, ())
            await unit.lock_licences({A})
            await unit.write(Changes(answers=[("e1", "{}")], outbox=[OutboxRow("outcome", M1, 1, M1, b"x", AT)]))
            raise RuntimeError("on purpose")
    held = await contents_of(store)
    assert (held.inbox, held.answers, held.outbox, held.declarations, held.licences) == ({}, {}, {}, {}, {})


async def test_an_open_transaction_is_invisible(store: Store) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with store.transaction() as unit:
            await unit.write(Changes(answers=[("e1", "{}")]))
            started.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await started.wait()
    assert (await contents_of(store)).answers == {}
    go_on.set()
    await task
    assert (await contents_of(store)).answers == {"e1": "{}"}


# -- inbox


async def test_ids_are_new_once(store: Store) -> None:
    one, two = InboxEntry("e1", "sha1", "src", ORIGIN), InboxEntry("e2", "sha2", "src", ORIGIN)
    async with store.transaction() as unit:
        assert await unit.register([one]) == {}
        await unit.write(Changes(answers=[("e1", '{"result":"APPLIED"}')]))
    async with store.transaction() as unit:
        known = await unit.register([replace_sha(one, "other"), two])
    assert {key: tuple(value) for key, value in known.items()} == {"e1": ("sha1", '{"result":"APPLIED"}')}
    held = await contents_of(store)
    assert held.inbox["e1"] == one


def replace_sha(entry: InboxEntry, sha: str) -> InboxEntry:
    return entry._replace(sha256=sha)


async def test_the_same_id_in_two_transactions_at_once_is_new_once(store: Store) -> None:
    async def first_sight() -> bool:
        async with store.transaction() as unit:
            fresh = not await unit.register([InboxEntry("e1", "s", "", ORIGIN)])
            if fresh:
                await asyncio.sleep(0.02)
                await unit.write(Changes(answers=[("e1", "{}")]))
            return fresh

    assert sorted(await asyncio.gather(*(first_sight() for _ in range(4)))) == [False, False, False, True]


async def test_an_answer_is_given_once(store: Store) -> None:
    await write(store, Changes(answers=[("e1", "{}")]))
    with pytest.raises(Refused):
        await write(store, Changes(answers=[("e1", "other")]))


# -- placeholders and locks


async def test_placeholders_are_made_and_kept(store: Store) -> None:
    async with store.transaction() as unit:
        anchors = await unit.lock_anchors({"L2", "L1"})
        declarations = await unit.lock_declarations({M1}, {"not there"})
        licences = await unit.lock_licences({"BE/B", A})
    assert {key: (anchor.exporters, anchor.mrns) for key, anchor in anchors.items()} == {"L1": ((), {}), "L2": ((), {})}
    assert set(declarations) == {M1}
    assert declarations[M1].facts == Facts()
    assert {key: (state.version, state.status, state.known) for key, state in licences.items()} == {
        A: (0, Status.UNKNOWN, False),
        "BE/B": (0, Status.UNKNOWN, False),
    }
    held = await contents_of(store)
    assert set(held.licences) == {A, "BE/B"}
    assert set(held.declarations) == {M1}


async def test_a_locked_licence_makes_the_next_one_wait(store: Store) -> None:
    order: list[str] = []
    first_has_it = asyncio.Event()

    async def first() -> None:
        async with store.transaction() as unit:
            state = (await unit.lock_licences({A}))[A]
            first_has_it.set()
            await asyncio.sleep(0.05)
            entry = entry_of(state)
            await unit.lock_declarations({M1}, ())
            await unit.write(Changes(licences={A: state}, movements=entry.rows))
            order.append("first")

    async def second() -> None:
        await first_has_it.wait()
        async with store.transaction() as unit:
            state = (await unit.lock_licences({A}))[A]
            order.append("second")
            assert (state.lv, int(state.accounts[1, Dim.QTY].reserved)) == (1, 4)

    async with store.transaction() as unit:
        await unit.lock_licences({A})
    await asyncio.gather(first(), second())
    assert order == ["first", "second"]


async def test_what_a_unit_hands_out_is_a_copy(store: Store) -> None:
    async with store.transaction() as unit:
        state = (await unit.lock_licences({A}))[A]
        state.lv = 99
        (await unit.lock_declarations({M1}, ()))[M1].dv = 99
    held = await contents_of(store)
    assert (held.licences[A].lv, held.declarations[M1].dv) == (0, 0)


async def test_peeking_needs_no_row(store: Store) -> None:
    async with store.transaction() as unit:
        assert await unit.peek_references({M1}) == {}


async def test_anchors_and_references_come_back(store: Store) -> None:
    facts = Facts(
        lrn="L1", exporter="BE1", mrn=M1, simplified=(SimplifiedReference("M9", 2),), supplements=("M7", "M8")
    )
    lodged, named = (
        Stamp(datetime(2026, 3, 1, 10, tzinfo=UTC), "lodged"),
        Stamp(datetime(2026, 3, 1, 11, tzinfo=UTC), "named"),
    )
    anchor = Anchor(
        "L1",
        ("BE1", "DE1"),
        (LodgingMark("BE1", lodged), LodgingMark("DE1", named, ended=named)),
        {M1: MrnMark(named, "BE1", chosen="lodged", excluded=("DE1",))},
        unnamed=True,
    )
    async with store.transaction() as unit:
        await unit.lock_anchors({"L1"})
        state = (await unit.lock_declarations({M1}, ()))[M1]
        state.facts = facts
        await unit.write(Changes(anchors={"L1": anchor}, declarations={M1: state}))
    async with store.transaction() as unit:
        assert (await unit.lock_anchors({"L1"}))["L1"] == anchor
        assert await unit.peek_references({M1, "x"}) == {M1: ("L1", "BE1", ("M9",), ("M7", "M8"))}
        assert (await unit.lock_anchors({"L1"}))["L1"] == anchor


# -- content


async def test_facts_come_back_digit_by_digit(store: Store) -> None:
    customs = Customs()
    told = customs.accepted("M1", item(A="0.000001 KGM"), item(A="12.5 NAR + 7.10 EUR"), on="2026-03-01T23:30+01:00")
    async with store.transaction() as unit:
        state = (await unit.lock_declarations({M1}, ()))[M1]
        state.facts, state.dv, state.said, state.waiting_for, state.joined = told.facts, 7, "f", ("BE/X",), True
        await unit.write(Changes(declarations={M1: state}))
    held = (await contents_of(store)).declarations[M1]
    assert (held.facts, held.dv, held.said, held.waiting_for, held.joined) == (told.facts, 7, "f", ("BE/X",), True)


async def test_claims_come_back_and_are_replaced(store: Store) -> None:
    key = ClaimKey(M1, 1, 2, A, 1)
    claim = Claim(
        key, ClaimState.RESERVED, Figures(Decimal("9999999999.999999"), Decimal("0.01")), Figures(Decimal("0.000001")),
        attempt="a|b", outcome="OK_RESERVED", reasons=("X", "Y"), document_code="X060", source="NET_MASS",
    )  # fmt: skip
    await write(store, Changes(claims={key: claim}))
    assert (await contents_of(store)).claims == {key: claim}
    done = replace(claim, state=ClaimState.CONSUMED, reserved=Figures(), consumed=Figures(Decimal(1)), reasons=())
    await write(store, Changes(claims={key: done}))
    assert (await contents_of(store)).claims == {key: done}


async def test_a_licence_version_comes_back_with_its_accounts(store: Store) -> None:
    snapshot = licence("A", "10 NAR + 100.00 EUR", destinations=("KR", "JP"), valid_to=None)
    async with store.transaction() as unit:
        state = (await unit.lock_licences({A}))[A]
        state.version, state.licence, state.payload_sha256, state.status = 1, snapshot, "sha", Status.VALID
        state.nv, state.expired_version = 3, 1
        entry = Entry(state, "e1", AT)
        state.accounts[1, Dim.QTY] = Account(1, Dim.QTY, "NAR", Decimal(0))
        entry.set_cap(state.accounts[1, Dim.QTY], Decimal("10.000001"))
        row = LicenceVersionRow(A, 1, "e1", AT, "Valid", snapshot, b"<certificate/>")
        await unit.write(Changes(licences={A: state}, versions=[row], movements=entry.rows))
    async with store.transaction() as unit:
        again = (await unit.lock_licences({A}))[A]
    assert (again.licence, again.version, again.status, again.lv, again.nv) == (snapshot, 1, Status.VALID, 1, 3)
    assert (again.expired_version, again.payload_sha256, again.chain) == (1, "sha", state.chain)
    assert again.accounts == {(1, Dim.QTY): Account(1, Dim.QTY, "NAR", Decimal("10.000001"))}
    with pytest.raises(Refused):
        await write(store, Changes(versions=[row], licences={A: again}))


# -- the journal


async def test_the_journal_comes_back_in_order_and_grows_only(store: Store) -> None:
    async with store.transaction() as unit:
        await unit.lock_declarations({M1}, ())
        state = (await unit.lock_licences({A}))[A]
        first, second = entry_of(state), entry_of(state, "e2")
        await unit.write(Changes(licences={A: state}, movements=[*first.rows, *second.rows]))
    held = await contents_of(store)
    assert held.movements == [*first.rows, *second.rows]
    with pytest.raises(Refused):  # the same event, claim, line and verb once more, under another version
        await write(store, Changes(movements=[replace(first.rows[0], lv=9)]))
    assert len((await contents_of(store)).movements) == 2


# -- parking and waking


async def test_parked_declarations_are_found_by_number_whoever_issues_it(store: Store) -> None:
    m2 = mrn_of("M2")
    await write(store, Changes(parked={(A, m2), (A, M1), ("DE/A", M1), ("*/X/1", M1)}))
    await write(store, Changes(parked={(A, M1)}))
    async with store.transaction() as unit:
        assert await unit.parked_on({"A"}) == {"A": sorted([M1, m2])}
    await write(store, Changes(unparked={(A, M1), ("DE/A", M1), ("BE/none", M1)}))
    async with store.transaction() as unit:
        assert await unit.parked_on({"A", "X/1", "1"}) == {"A": [m2], "X/1": [M1]}


async def test_licences_are_found_by_number_once_a_version_is_known(store: Store) -> None:
    async with store.transaction() as unit:
        await unit.lock_numbers({"A", "B/1"})
        await unit.lock_licences({"DE/A"})
        assert list(await unit.known_under({"A"})) == []
    await Scenario(store).issue(licence("FR/A", "1"), licence("A", "2"), licence("DE/AA", "3"))
    async with store.transaction() as unit:
        assert list(await unit.known_under({"A", "none"})) == [A, "FR/A"]
        await unit.lock_numbers({"A"})
        await unit.lock_licences({A, "DE/A"})
        assert set(unit.surely_known({A, "DE/A"})) == {A}


@pytest.mark.postgres
async def test_a_number_is_locked_against_another_transaction(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=3, max_size=3) as pool:
        store = PostgresStore(pool)
        locked = asyncio.Event()

        async def issue() -> None:
            await locked.wait()
            await Scenario(store).issue(licence("FR/A", "1"))

        issuing = asyncio.create_task(issue())
        async with store.transaction() as unit:
            await unit.lock_numbers({"A"})
            locked.set()
            while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass
            assert list(await unit.known_under({"A"})) == []
        await issuing
        async with store.transaction() as unit:
            assert list(await unit.known_under({"A"})) == ["FR/A"]


async def test_wakes_come_in_order_and_go_when_done(store: Store) -> None:
    await write(store, Changes(wakes=[("d1", "e1", AT, ""), ("d2", "e1", AT, ""), ("d3", "e2", AT, TRACE)]))
    async with store.transaction() as unit:
        wakes = await unit.take_wakes(2)
        assert [(wake.decl_id, wake.cause, wake.at) for wake in wakes] == [("d1", "e1", AT), ("d2", "e1", AT)]
        await unit.write(Changes(wakes_done=[wakes[0].wake_id]))
    async with store.transaction() as unit:
        wakes = await unit.take_wakes(10)
        assert [(wake.decl_id, wake.trace) for wake in wakes] == [("d2", ""), ("d3", TRACE)]


async def test_two_workers_never_hold_the_same_wake(store: Store) -> None:
    await write(store, Changes(wakes=[(f"d{number}", "e", AT, "") for number in range(10)]))

    async def worker() -> list[str]:
        async with store.transaction() as unit:
            wakes = await unit.take_wakes(5)
            await asyncio.sleep(0.02)
            await unit.write(Changes(wakes_done=[wake.wake_id for wake in wakes]))
            return [wake.decl_id for wake in wakes]

    taken = [decl for found in await asyncio.gather(worker(), worker()) for decl in found]
    assert sorted(taken) == [f"d{number}" for number in range(10)]


# -- bars, open claims, messages


async def test_bars_of_exporters(store: Store) -> None:
    some = ExporterBar("BE", "BE1", ("X061",), date(2026, 1, 1))
    every = ExporterBar("DE", "DE1", (), date(2026, 1, 1))
    await write(store, Changes(bars=[some, every]))
    await write(store, Changes(bars=[replace(some, from_day=date(2026, 2, 1))]))  # the earliest day counts
    async with store.transaction() as unit:
        assert await unit.bars({"BE1"}) == {("BE", "BE1", "X061", "2026-01-01")}
        theirs = {("DE", "DE1", code, "2026-01-01") for code in EUGEA_CODES}
        assert await unit.bars({"BE1", "DE1"}) == {("BE", "BE1", "X061", "2026-01-01"), *theirs}
        assert await unit.bars({"FR1"}) == frozenset()


async def test_licences_are_looked_at_without_being_made(store: Store) -> None:
    one = licence("A", "10 NAR")
    state = LicenceState(A, 1, one, "sha", Status.SUSPENDED)
    state.accounts[1, Dim.QTY] = Account(1, Dim.QTY, "NAR", Decimal(10))
    version = LicenceVersionRow(A, 1, "e1", AT, "Suspended", one, b"<Certificate/>")
    await write(store, Changes(licences={A: state}, versions=[version]))
    async with store.transaction() as unit:
        await unit.lock_licences({"BE/placeholder"})
        found = await unit.peek_licences({A, "BE/placeholder", "BE/none"})
    assert set(found) == {A}
    assert (found[A].licence, found[A].status, found[A].version, found[A].accounts) == (one, Status.SUSPENDED, 1, {})
    assert "BE/none" not in (await contents_of(store)).licences


async def test_open_claims_include_what_this_transaction_wrote(store: Store) -> None:
    states = [ClaimState.RESERVED, ClaimState.CONSUMED, ClaimState.REFUSED, ClaimState.CHECKED, ClaimState.NOT_MANAGED]
    facts = Customs().accepted("M1", A=1, on="2026-03-01").facts
    claims: dict[object, Claim] = {}
    for number, state in enumerate(states, start=1):
        key = ClaimKey(M1, number, 1, A, 1)
        claims[key] = Claim(key, state, document_code="X060")
    async with store.transaction() as unit:
        declaration = (await unit.lock_declarations({M1}, ()))[M1]
        declaration.facts = facts
        await unit.lock_licences({A})
        await unit.write(Changes(claims=claims, declarations={M1: declaration}))
        found = await unit.open_claims({A, "BE/none"})
        assert await unit.cited_licences("BE", HOLDER, {"X060", "X061"}) == [A]
        assert not await unit.cited_licences("BE", HOLDER, {"X061"})
        assert not await unit.cited_licences("BE", "BE1", {"X060"})
        assert not await unit.cited_licences("DE", HOLDER, {"X060"})
    told = ("X060", HOLDER, "BE000123", "2026-03-01")
    assert found == [
        OpenClaim(A, M1, 1, 1, "RESERVED", *told),
        OpenClaim(A, M1, 3, 1, "REFUSED", *told),
        OpenClaim(A, M1, 4, 1, "CHECKED", *told),
        OpenClaim(A, M1, 5, 1, "NOT_MANAGED", *told),
    ]


async def test_a_message_version_is_published_once(store: Store) -> None:
    row = OutboxRow("outcome", M1, 1, M1, b"body", AT, TRACE)
    await write(store, Changes(outbox=[row, OutboxRow("balance", A, 1, A, b"b", AT)]))
    held = await contents_of(store)
    assert held.outbox[row[:3]] == row
    assert list(held.outbox) == [("outcome", M1, 1), ("balance", A, 1)]
    with pytest.raises(Refused):
        await write(store, Changes(outbox=[row]))


async def test_a_record_is_put_aside_once_with_its_bytes(store: Store) -> None:
    row = QuarantineRow(
        "q1", ORIGIN, "JSON_DEPTH", "data", "seen\x00", "too deep", "", None, b"\x00\xff", (("h", b"\xfe"),)
    )
    letter = OutboxRow("deadletter", "q1", 1, "", b"letter", AT)
    await write(store, Changes(quarantine=[row], outbox=[letter]))
    await write(store, Changes(quarantine=[row], outbox=[letter]))  # read again after a crash: no second letter
    held = await contents_of(store)
    (kept,) = held.quarantine.values()
    assert (kept.raw, kept.key, kept.headers, kept.origin) == (b"\x00\xff", None, (("h", b"\xfe"),), ORIGIN)
    assert list(held.outbox) == [("deadletter", "q1", 1)]


async def test_offsets_never_go_back(store: Store) -> None:
    await write(store, Changes(offsets={("t", 0): 10, ("t", 1): 5}))
    await write(store, Changes(offsets={("t", 0): 7, ("t", 1): 6}))
    positions = (await contents_of(store)).positions
    assert {place: one.next_record for place, one in positions.items()} == {("t", 0): 10, ("t", 1): 6}


# -- the whole ledger on it


async def story(s: Scenario) -> None:
    """A bit of everything."""
    await s.issue(licence("A", "100 NAR"), licence("V", "10 NAR + 50000.00 EUR"))
    await s.lodged("M1", A=40, V="5 NAR + 1000.00 EUR")
    await s.accepted("M1")
    await s.accepted("M2", item(A=61), item(X=3))
    await s.released("M1", A=30)
    await s.issue(licence("X", "5 NAR"))
    await s.wake()
    await s.amended("M2", item(A=60), item(X=4))
    await s.modify("A", "80 NAR")
    await s.revoke("V")
    await s.invalidated("M1")


async def test_one_story_is_the_same_on_every_store(store: Store) -> None:
    here, there = Scenario(store), Scenario(InMemoryStore())
    await story(here)
    await story(there)
    await here.finish()
    assert [await here.balance("A"), await here.balance("V"), await here.balance("X")] == ["60/0/20", "0/0/10", "4/0/1"]
    ours, theirs = await contents_of(here.store), await contents_of(there.store)
    assert {k: state.chain for k, state in ours.licences.items()} == {k: s.chain for k, s in theirs.licences.items()}
    assert ours.answers == theirs.answers
    assert {k: normal(row.body) for k, row in ours.outbox.items()} == {
        k: normal(row.body) for k, row in theirs.outbox.items()
    }


def normal(body: bytes) -> object:
    """A message without the order in which a database happens to return rows."""
    return read(body)


@pytest.mark.postgres
async def test_a_full_memory_of_licences_is_emptied_without_missing_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_SNAPSHOTS_MAX", 0)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        await Scenario(PostgresStore(pool)).issue(licence("A", "1"), licence("B", "2"))
        store = PostgresStore(pool)
        for wanted in ({A}, {A, "BE/B"}):
            async with store.transaction() as unit:
                states = await unit.lock_licences(wanted)
            assert all(state.licence is not None for state in states.values())


# -- what is remembered of licence events


def refused_event(event_id: str, version: int, act: str, licence_id: str = A) -> RefusedLicenceEvent:
    told = ("REVOKED", "by decision", True, f"sha-{event_id}", "[]", "2026-03-01T10:00:00Z")
    return RefusedLicenceEvent(event_id, licence_id, "revoked", version, "KEPT", act, *told)


async def test_kept_acts_come_back_in_order_and_others_do_not(store: Store) -> None:
    rows = [
        refused_event("e2", 3, "KEPT"),
        refused_event("e1", 3, "KEPT"),
        refused_event("e3", 2, "KEPT"),
        refused_event("e4", 1, "TAKEN"),
        refused_event("e5", 1, "KEPT", "BE/B"),
    ]
    await write(store, Changes(refused_licence_events=rows))
    async with store.transaction() as unit:
        kept = await unit.kept_acts({A, "BE/C"})
    assert {name: [act.event_id for act in acts] for name, acts in kept.items()} == {A: ["e3", "e1", "e2"]}
    act = kept[A][0]
    assert (act.status, act.version, act.sub_status, act.bare) == (AuthorityStatus.REVOKED, 2, "by decision", True)
    assert (act.payload_sha256, act.occurred_at) == ("sha-e3", datetime(2026, 3, 1, 10, tzinfo=UTC))
    with pytest.raises(Refused):
        await write(store, Changes(refused_licence_events=[refused_event("e1", 9, "KEPT")]))


async def test_versions_are_noted_and_lines_remembered_as_they_last_were(store: Store) -> None:
    contents = (
        licence("A", "1 NAR", "2 NAR", "3 NAR"),
        licence("A", "1 NAR", "5 NAR", version=2),
        licence("A", "1 NAR", version=3),
    )
    sources = (ContentSource.OWN, ContentSource.BEFORE, ContentSource.NOT_TAKEN)
    versions = [
        LicenceVersionRow(A, one.version, f"e{one.version}", AT, "Valid", one, b"x", None, f"sha{one.version}", source)
        for one, source in zip(contents, sources, strict=True)
    ]
    async with store.transaction() as unit:
        state = (await unit.lock_licences({A}))[A]
        state.version, state.licence = 3, contents[-1]
        await unit.write(Changes(licences={A: state}, versions=versions))
    async with store.transaction() as unit:
        notes = await unit.version_notes({A, "BE/B"})
        lines = await unit.last_lines({(A, 2), (A, 3), (A, 4), ("BE/B", 1)})
    expected = {
        one.version: VersionNote(f"sha{one.version}", source) for one, source in zip(contents, sources, strict=True)
    }
    assert notes == {A: expected}
    assert lines == {(A, 2): contents[1].lines[1], (A, 3): contents[0].lines[2]}


async def test_who_was_refused_since_a_moment_is_found_once(store: Store) -> None:
    """Those that a wake of that moment or an earlier one waits for are left to it."""
    moments = [datetime.fromisoformat(AT) + timedelta(minutes=minute) for minute in range(4)]
    names = [mrn_of(f"M{number}") for number in range(1, 5)]
    claims = {
        key: Claim(key, state, outcome=state.value, refused_at=at)
        for key, state, at in (
            (ClaimKey(names[0], 1, 1, A, 1), ClaimState.REFUSED, moments[1]),
            (ClaimKey(names[0], 2, 1, A, 1), ClaimState.REFUSED, moments[2]),
            (ClaimKey(names[1], 1, 1, A, 1), ClaimState.UNCOVERED, moments[2]),
            (ClaimKey(names[2], 1, 1, A, 1), ClaimState.RESERVED, None),
            (ClaimKey(names[3], 1, 1, "BE/B", 1), ClaimState.REFUSED, moments[2]),
        )
    }
    async with store.transaction() as unit:
        await unit.lock_declarations(names, ())
        await unit.lock_licences({A, "BE/B"})
        await unit.write(Changes(claims=dict(claims)))
    async with store.transaction() as unit:
        assert (await unit.lock_declarations(names, ()))[names[0]].claims == {
            key: claim for key, claim in claims.items() if key.decl_id == names[0]
        }
        assert list(await unit.refused_since({A: moments[0]})) == [(A, names[0]), (A, names[1])]
        assert list(await unit.refused_since({A: moments[2], "BE/B": moments[2]})) == [
            (A, names[0]),
            (A, names[1]),
            ("BE/B", names[3]),
        ]
        assert list(await unit.refused_since({A: moments[3]})) == []
        await unit.write(Changes(wakes=[(names[0], "e1", moments[1].isoformat(), "")]))
        assert list(await unit.refused_since({A: moments[0]})) == [(A, names[0]), (A, names[1])]
        assert list(await unit.refused_since({A: moments[1]})) == [(A, names[1])]


@pytest.mark.row("E131")
async def test_who_holds_a_value_is_found_and_what_an_account_was_kept_in_stays(store: Store) -> None:
    claims = {
        key: Claim(key, state, requested=Figures(Decimal(quantity), Decimal(value)))
        for key, state, quantity, value in (
            (ClaimKey(M1, 1, 1, A, 1), ClaimState.REFUSED, "4", "0"),
            (ClaimKey(mrn_of("M2"), 1, 1, A, 1), ClaimState.REFUSED, "0", "12.50"),
        )
    }
    state = LicenceState(A)
    state.accounts[1, Dim.VAL] = account = Account(1, Dim.VAL, "BGN", Decimal(0))
    entry = Entry(state, "e1", AT)
    entry.set_cap(account, Decimal("100.00"))
    entry.restate(account, "EUR", Decimal("51.13"), (), "BGN/EUR 1.95583")
    await write(store, Changes(claims=dict(claims), licences={A: state}, movements=entry.rows))
    async with store.transaction() as unit:
        assert set(await unit.value_holders([A])) == {mrn_of("M2")}
        assert set(await unit.value_holders(["BE/B"])) == set()
        kept = (await unit.lock_licences({A}))[A].accounts[1, Dim.VAL]
    assert (kept.unit, kept.replaced, kept.cap) == ("EUR", "BGN", Decimal("51.13"))
