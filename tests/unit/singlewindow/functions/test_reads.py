"""Reads of licences and declarations: what is shown, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.reading import LedgerAway, ReadTooSlow
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.reads import Reads, reads
from certex_bridge.singlewindow.messages.views import DeclarationView, LicenceView
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.checks import OFFICER, caller
from tests.support.ledger_words import HOLDER, cite, licence, mrn_of
from tests.support.scenario import Scenario

CLEARANCE = caller()
GERMAN = caller(state="DE")
GERMAN_OFFICER = caller(CallerRole.LICENSING_OFFICER, state="DE")


class Counter:
    """A ledger with its reads."""

    def __init__(self, *, figures_shown: bool = True) -> None:
        store = InMemoryStore()
        self.story = Scenario(store)
        self.reader = InMemoryReader(store)
        self._reads = Reads(self.reader, Policy(), figures_shown=figures_shown)

    async def licence(self, number: str, by: Caller = CLEARANCE, issuer: str = "BE", **query: str) -> LicenceView:
        return await self._reads.licence(_call(by), {"issuer": issuer, "number": number, **query})

    async def declaration(self, decl_id: str, by: Caller = CLEARANCE) -> DeclarationView:
        return await self._reads.declaration(_call(by), {"id": decl_id})


def _call(by: Caller) -> Call:
    return Call(by, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
async def counter() -> Counter:
    """40 of 100 pieces reserved, 30 of them released."""
    made = Counter()
    await made.story.issue(licence("A", "100"), licence("DE/D", "5"))
    await made.story.accepted("M1", cite("A", 40), cite("DE/D", 2))
    return made


async def code_of(read: Any) -> str:
    with pytest.raises(Refusal) as refused:
        await read
    return refused.value.code


async def test_a_licence_now(counter: Counter) -> None:
    told = await counter.licence("a", issuer="be")
    assert (told.licence_identification, told.status, told.version, told.journal_version) == ("BE/A", "Valid", 1, 2)
    assert told.balances is not None
    assert told.balances[0].model_dump() == {
        "line": 1, "dimension": "QTY", "unit": "NAR", "authorised": "100", "reserved": "40", "consumed": "0",
        "available": "60", "over": "0",
    }  # fmt: skip
    assert [(one.state, one.number) for one in told.open_claims] == [("RESERVED", 1)]
    assert told.content is not None
    assert (told.content.reference_number, told.at, told.frozen) == ("A", None, None)


async def test_balances_are_shown_to_who_may_see_them() -> None:
    hidden = Counter(figures_shown=False)
    await hidden.story.issue(licence("A", "100"))
    assert (await hidden.licence("A")).balances is None
    assert (await hidden.licence("A", by=OFFICER)).balances is not None
    shown = Counter()
    await shown.story.issue(licence("A", "100"))
    assert (await shown.licence("A", by=caller(figures_shown=False))).balances is None
    assert (await shown.licence("A", by=GERMAN)).balances is not None
    assert await code_of(shown.licence("A", by=GERMAN_OFFICER)) == "FOREIGN_MEMBER_STATE"


async def test_a_licence_at_moments_of_the_past(counter: Counter) -> None:
    await counter.story.released("M1")
    await counter.story.suspend("A")
    first = await counter.licence("A", journalVersion="1")
    assert (first.journal_version, first.at, first.content) == (1, "journal version 1", None)
    assert first.balances is not None
    assert (first.balances[0].reserved, first.balances[0].available) == ("0", "100")
    before = await counter.licence("A", at="2026-01-01T09:01:30Z")
    assert (before.status, before.at) == ("Valid", "2026-01-01T09:01:30+00:00")
    day = await counter.licence("A", at="2026-03-01", by=OFFICER)
    assert day.balances is not None
    assert (day.status, day.balances[0].consumed) == ("Suspended", "40")
    assert (await counter.licence("A", at="2026-03-01", by=caller(figures_shown=False))).balances is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"at": "2026-13-01"}, "SCHEMA_INVALID"),
        ({"at": "yesterday"}, "SCHEMA_INVALID"),
        ({"journalVersion": "-1"}, "SCHEMA_INVALID"),
        ({"journalVersion": "99999999999"}, "SCHEMA_INVALID"),
        ({"at": "2020-01-01"}, "NOT_FOUND"),
    ],
)
async def test_moments_that_there_are_not(counter: Counter, query: dict[str, str], code: str) -> None:
    assert await code_of(counter.licence("A", **query)) == code


async def test_what_nobody_knows_is_not_found(counter: Counter) -> None:
    assert await code_of(counter.licence("X")) == "NOT_FOUND"
    assert await code_of(counter.declaration(mrn_of("M9"))) == "NOT_FOUND"
    await counter.story.accepted("M2", X=1)
    cited = await counter.licence("X")
    assert (cited.status, cited.version, cited.open_claims[0].state) == ("Unknown", 0, "WAITING")


async def test_a_declaration_with_what_it_moved(counter: Counter) -> None:
    await counter.story.released("M1", A=30)
    told = await counter.declaration(mrn_of("M1"))
    assert (told.state, told.mrn, told.lrn, told.exporter) == ("RELEASED", mrn_of("M1"), "L1", HOLDER)
    assert [one.fact for one in told.said] == ["accepted", "released, item 1"]
    assert told.said[0].at == "2026-03-01T10:01:00Z"
    first, second = told.claims
    assert (first.licence_identification, first.unit, first.currency) == ("BE/A", "NAR", None)
    assert (first.state, first.quantity_requested, first.quantity_consumed) == ("CONSUMED", "40", "30")
    assert second.licence_identification == "DE/D"
    assert told.movements is not None
    moved = [(one.licence_identification, one.kind, one.reserved, one.consumed) for one in told.movements]
    assert moved[:3] == [
        ("BE/A", "RESERVE", "40", "0"), ("BE/A", "CONSUME", "-30", "30"), ("BE/A", "UNRESERVE", "-10", "0"),
    ]  # fmt: skip


async def test_reasons_have_their_sentence(counter: Counter) -> None:
    await counter.story.accepted("M2", A=61)
    (claim,) = (await counter.declaration(mrn_of("M2"))).claims
    assert [(one.code, one.text[:21]) for one in claim.reasons] == [("QUANTITY_EXCEEDED", "The declared quantity")]


async def test_declarations_are_read_by_their_own_customs_and_by_the_licensing_sides(counter: Counter) -> None:
    mrn = mrn_of("M1")
    assert await code_of(counter.declaration(mrn, by=GERMAN)) == "FOREIGN_MEMBER_STATE"
    mine = await counter.declaration(mrn, by=GERMAN_OFFICER)
    assert [one.licence_identification for one in mine.claims] == ["DE/D"]
    assert mine.movements is not None
    assert {one.licence_identification for one in mine.movements} == {"DE/D"}
    french = caller(CallerRole.AUDITOR, state="FR")
    assert await code_of(counter.declaration(mrn, by=french)) == "NOT_FOUND"
    await counter.story.lodged("M5", A=1)
    draft = await counter.declaration(f"{HOLDER}/L5")
    assert (draft.state, draft.mrn, draft.lrn) == ("LODGED", None, "L5")


async def test_a_journal_that_takes_too_long_is_left_out(counter: Counter) -> None:
    calls = iter([lambda: None, _slow])

    def second_read_fails() -> None:
        next(calls)()

    counter.reader.failing = second_read_fails
    assert (await counter.declaration(mrn_of("M1"))).movements is None


async def test_a_ledger_that_is_away_is_said(counter: Counter) -> None:
    counter.reader.failing = _away
    assert await code_of(counter.licence("A")) == "NOT_AVAILABLE"
    assert await code_of(counter.declaration(mrn_of("M1"))) == "NOT_AVAILABLE"


def test_the_reads_are_told_with_path_and_roles(counter: Counter) -> None:
    told = reads(counter.reader, Policy())
    assert [one.path for one in told] == ["/v1/licences/{issuer}/{number}", "/v1/declarations/{id}"]
    assert all(len(one.roles) == 4 for one in told)


def _slow() -> None:
    raise ReadTooSlow("too slow")


def _away() -> None:
    raise LedgerAway("away")
