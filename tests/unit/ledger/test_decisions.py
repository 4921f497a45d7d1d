"""Corners of the pure decisions that no everyday story visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.days import reference_day
from certex_bridge.ledger.domain.facts import Captured, EventKind, Facts, ItemRelease
from certex_bridge.ledger.domain.journal import Entry, entry_text
from certex_bridge.ledger.domain.model import (
    Account,
    Claim,
    ClaimKey,
    ClaimState,
    DeclarationState,
    Dim,
    Figures,
    Kind,
    LicenceState,
    Status,
)
from certex_bridge.ledger.domain.phases import Phase, attempt_of, phase_of
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import SENTENCES, Reason
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.domain.steps import Step, steps_between
from certex_bridge.ledger.domain.versions import Verdict, judge
from certex_bridge.ledger.domain.window import too_late
from tests.support.by_hand import write_off
from tests.support.ledger_words import Authority, Customs, cite, item, licence
from tests.support.scenario import Scenario

STAMP = Stamp(datetime(2026, 3, 1, tzinfo=UTC), "e")
NOTHING = Figures()


async def ready(policy: Policy | None = None) -> Scenario:
    """Licences A (100 NAR) and B (50 KGM) in memory."""
    s = Scenario(InMemoryStore(), policy)
    await s.issue(licence("A", "100 NAR"), licence("B", "50 KGM"))
    return s


# -- licences


def test_an_unseen_licence_has_no_status_yet() -> None:
    assert LicenceState("BE/X").derived_status() is Status.UNKNOWN


async def test_a_cap_over_all_lines_fully_used_exhausts_the_licence() -> None:
    s = await ready()
    await s.issue(licence("W", "10 NAR", "10 NAR", cap="8 NAR"))
    await s.accepted("M1", W=8)
    await s.released("M1")
    assert await s.status("W") == "Exhausted"
    await s.finish()


async def test_an_unlimited_line_keeps_a_licence_from_exhaustion() -> None:
    s = await ready()
    await s.issue(licence("W", "10 NAR", ""))
    await s.accepted("M1", W=10)
    await s.released("M1")
    assert await s.status("W") == "Valid"
    await s.finish()


async def test_a_licence_without_lines_is_checked_as_a_whole() -> None:
    s = await ready()
    await s.issue(licence("W", cap="10 NAR"))
    await s.accepted("M1", cite("W", 4, line=None))
    assert await s.balance("W", 0) == "4/0/6"
    await s.finish()


def test_an_error_refuses_a_licence_event_and_a_warning_does_not() -> None:
    snapshot = licence("A", "1 NAR")
    warned = Authority().event(snapshot, findings=(Finding("X", "f", "v", "m", Severity.WARNING),))
    refused = Authority().event(snapshot, findings=(Finding("X", "f", "v", "m"),))
    assert judge(LicenceState("BE/A"), warned, snapshot).verdict is Verdict.ACCEPTED
    assert judge(LicenceState("BE/A"), refused, snapshot).verdict is Verdict.REFUSED


async def test_two_lines_below_their_use_are_one_incident() -> None:
    s = await ready()
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.accepted("M1", item(cite("W", 8, line=1)), item(cite("W", 8, line=2)))
    answer = await s.modify("W", "5 NAR", "5 NAR")
    assert await s.acknowledged(answer) == ["CAP_BELOW_USE", "CAP_BELOW_USE"]
    assert await s.notifications("W") == ["INCIDENT CAP_BELOW_USE"]
    await s.finish()


# -- releases


async def test_a_release_that_lists_a_document_without_figures_means_as_declared() -> None:
    s = await ready()
    await s.accepted("M1", A=40)
    await s.released("M1", A="")
    assert await s.balance("A") == "0/40/60"
    await s.finish()


async def test_a_release_that_leaves_a_document_out_released_nothing_of_it() -> None:
    s = await ready()
    await s.accepted("M1", cite("A", 40), cite("B", "10 KGM"))
    await s.released("M1", item(cite("A", 40, seq=1)))
    assert (await s.balance("A"), await s.balance("B")) == ("0/40/60", "0/0/50")
    await s.finish()


async def test_a_second_release_without_a_document_takes_it_back() -> None:
    s = await ready()
    await s.accepted("M1", cite("A", 40), cite("B", "10 KGM"))
    await s.released("M1")
    await s.released("M1", item(cite("A", 40, seq=1)))
    assert await s.verdict("M1") == "OK_CONSUMED, OK_ADJUSTED"
    assert await s.balance("B") == "0/0/50"
    await s.finish()


async def test_released_under_a_refused_unit_consumes_what_is_held() -> None:
    s = await ready()
    await s.accepted("M1", A=40)
    await s.amended("M1", A="40 KGM")  # refused, the reservation stays
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"
    await s.finish()


async def test_an_uncovered_release_stays_uncovered_on_the_same_facts() -> None:
    s = await ready()
    await s.accepted("M2", A=70)
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.invalidated("M2")
    await s.exited("M1")
    assert await s.verdict("M1") == "UNCOVERED UNCOVERED QUANTITY_EXCEEDED"
    assert await s.balance("A") == "0/0/100"
    await s.finish()


# -- days and windows


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_reference_day_without_acceptance(number: int) -> None:
    later = Stamp(datetime(2026, 4, 1, tzinfo=UTC), "f")
    facts = Facts(lodged=STAMP, releases=((number, ItemRelease(later, released=True)),))
    assert str(reference_day(facts, 1)) == ("2026-03-01" if number == 2 else "2026-04-01")


@pytest.mark.parametrize(("office", "exporter", "day"), [
    ("PT000123", "FI1", "2026-12-31"), ("", "FI1", "2027-01-01"), ("", "", "2027-01-01"),
])  # fmt: skip
def test_before_there_is_an_mrn_office_and_exporter_say_where_it_was_lodged(
    office: str, exporter: str, day: str
) -> None:
    content = Payload("EX", "A", exporter, "", "", "", office, ())
    lodged = Stamp(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "e")
    assert str(reference_day(Facts(payload=content, lodged=lodged), 1)) == day


def test_the_reference_day_of_content_alone_and_of_nothing() -> None:
    assert str(reference_day(Facts(payload_rank=PayloadRank(0, 1, STAMP)), 1)) == "2026-03-01"
    with pytest.raises(ValueError, match="no reference day"):
        reference_day(Facts(), 1)


@pytest.mark.row("UCC 173(3)")
@pytest.mark.parametrize(("day", "late"), [("2027-03-01T11:00Z", True), ("2027-02-28T22:00Z", False)])
def test_three_years_after_the_29th_of_february(day: str, late: bool) -> None:
    customs = Customs()
    accepted = customs.accepted("M1", A=1, at="2024-02-29T10:00Z")
    assert too_late(accepted.facts, customs.amended("M1", A=2, at=day), Policy()) is late
    assert not too_late(accepted.facts, customs.released("M1", at=day), Policy())
    assert not too_late(Facts(), customs.amended("M1", A=2, at=day), Policy())


# -- groups


def test_nothing_is_settled_without_content() -> None:
    assert Settling(DeclarationState("M1"), {}, Policy()).run().results == []


async def test_a_declaration_group_with_nothing_in_it() -> None:
    s = await ready(Policy(settle_group=SettleGroup.DECLARATION))
    await s.accepted("M1", about={"items": ()})
    assert await s.dv("M1") == 0
    await s.finish()


async def test_a_refused_claim_without_limit_refuses_a_declaration_group() -> None:
    s = await ready(Policy(settle_group=SettleGroup.DECLARATION))
    await s.issue(licence("N", ""))
    await s.suspend("N")
    await s.accepted("M1", item(N="1 NAR"), item(A=40))
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED, REFUSED GROUP_REFUSED"
    assert await s.balance("A") == "0/0/100"
    await s.finish()


async def test_an_amendment_to_an_unknown_licence_keeps_what_is_held() -> None:
    s = await ready()
    await s.accepted("M1", A=40)
    await s.amended("M1", cite("X", 5))
    assert await s.balance("A") == "40/0/60"
    await s.amended("M1", A=40, X=5)
    assert await s.balance("A") == "40/0/60"
    await s.issue(licence("X", "10 NAR"))
    await s.wake()
    assert (await s.balance("A"), await s.balance("X")) == ("40/0/60", "5/0/5")
    await s.finish()


async def test_content_that_drops_a_waiting_or_refused_claim_closes_it() -> None:
    s = await ready()
    await s.accepted("M1", item(X=5), item(A=101))
    await s.amended("M1", item(B="1 KGM"))
    states = {claim.key.licence_id: claim.state.value for claim in await s.claims("M1")}
    assert states == {"BE/X": "CLOSED", "BE/A": "CLOSED", "BE/B": "RESERVED"}
    assert (await s.sound()).parked == set()
    await s.finish()


async def test_shipment_level_citations_of_a_declaration_without_items() -> None:
    s = await ready()
    told = s.customs.accepted("M1", item(A=1))
    content = told.facts.payload
    assert content is not None
    bare = replace(content, items=(), header_claims=content.items[0].claims)
    await s.tell(replace(told, facts=replace(told.facts, payload=bare)))
    assert await s.verdict("M1") == "OK_NOT_APPLICABLE"
    await s.finish()


async def test_a_change_of_procedure_gives_back() -> None:
    s = await ready()
    await s.accepted("M1", item(A=40))
    await s.amended("M1", item(A=40, about={"procedure": "4000"}))
    assert await s.balance("A") == "0/0/100"
    await s.finish()


# -- standing, phases, verbs


async def test_rejected_before_acceptance() -> None:
    s = await ready()
    await s.lodged("M1", A=40)
    stamp = s.customs.stamp()
    await s.tell(s.customs.event("M1", EventKind.REJECTED, Facts(rejected=stamp), stamp, lrn="L1", mrn=""))
    assert await s.draft_verdict("M1") == "CLOSED REJECTED"
    await s.finish()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), "LODGED"),
        (Facts(not_presented=STAMP), "NOT_PRESENTED"),
        (Facts(accepted=STAMP, not_presented=STAMP), "ACCEPTED"),
        (Facts(accepted=STAMP, releases=((0, ItemRelease(STAMP, released=True)),)), "RELEASED"),
        (Facts(accepted=STAMP, releases=((1, ItemRelease(STAMP, released=False)),)), "NOT_RELEASED"),
        (Facts(rejected=STAMP), "REJECTED"),
        (Facts(rejected=STAMP, invalidated=STAMP), "INVALIDATED"),
        (Facts(captured=(Captured(STAMP, write_off("A", {1: "5 NAR"})),)), "CAPTURED"),
    ],
)
def test_where_a_declaration_stands(facts: Facts, expected: str) -> None:
    assert declaration_state(facts) == expected


def test_phases_of_one_item() -> None:
    released = ItemRelease(STAMP, released=True)
    facts = Facts(accepted=STAMP, releases=((1, released), (2, replace(released, released=False))), mrn="M")
    assert [phase_of(facts, number, None) for number in (1, 2, 3)] == [Phase.RECORD, Phase.ENDED, Phase.RESERVE]
    assert phase_of(Facts(), 1, None) is Phase.CHECK
    assert phase_of(Facts(not_presented=STAMP), 1, None) is Phase.ENDED
    assert attempt_of(facts, 1) != attempt_of(facts, 3) != attempt_of(replace(facts, recheck=STAMP), 3)


ONE, TWO = Figures(Decimal(1), Decimal(1)), Figures(Decimal(2), Decimal(5))


@pytest.mark.parametrize(
    ("before", "after", "phase", "verbs"),
    [
        ((NOTHING, NOTHING), (NOTHING, NOTHING), Phase.RESERVE, []),
        ((NOTHING, NOTHING), (ONE, NOTHING), Phase.RESERVE, ["RESERVE"]),
        ((ONE, NOTHING), (TWO, NOTHING), Phase.RESERVE, ["ADJUST"]),
        ((TWO, NOTHING), (NOTHING, ONE), Phase.RECORD, ["CONSUME", "UNRESERVE"]),
        ((ONE, NOTHING), (NOTHING, TWO), Phase.RECORD, ["CONSUME"]),
        ((NOTHING, ONE), (NOTHING, TWO), Phase.ADJUST, ["ADJUST"]),
        ((ONE, TWO), (NOTHING, NOTHING), Phase.ENDED, ["UNRESERVE", "WITHDRAW"]),
    ],
)
def test_which_verbs_lead_where(
    before: tuple[Figures, Figures], after: tuple[Figures, Figures], phase: Phase, verbs: list[str]
) -> None:
    steps = steps_between(*before, *after, phase)
    assert [step.kind.value for step in steps] == verbs
    assert sum((s.d_reserved.quantity for s in steps), Decimal(0)) == after[0].quantity - before[0].quantity
    assert sum((s.d_consumed.value for s in steps), Decimal(0)) == after[1].value - before[1].value


# -- the journal and the words


def test_a_booking_that_would_overdraw_is_a_defect() -> None:
    state = LicenceState("BE/A", accounts={(1, Dim.QTY): Account(1, Dim.QTY, "NAR", Decimal(1))})
    claim = Claim(ClaimKey("M", 1, 1, "BE/A", 1), ClaimState.RESERVED)
    with pytest.raises(AssertionError, match="overdraft"):
        Entry(state, "e", "t").book([(claim, (Step(Kind.RESERVE, Figures(Decimal(2)), NOTHING),))])
    with pytest.raises(AssertionError, match="negative"):
        Entry(state, "e", "t").book([(claim, (Step(Kind.UNRESERVE, Figures(Decimal(-9)), NOTHING),))])


def test_the_text_of_a_journal_row_is_canonical() -> None:
    deltas = (Decimal("0.000000"), Decimal("-40.500000"), Decimal(7), Decimal(0))
    text = entry_text("BE/A", 2, 1, 1, "QTY", "ADJUST", "e|1", "c", deltas, "t", "dé")
    assert text == "4:BE/A|2|1|1|3:QTY|6:ADJUST|3:e|1|1:c|0|-40.5|7|0|1:t|2:dé".encode()
    assert chain(GENESIS, text).hex() == "b84afc81790e56f797fe04e85d5516ce4bbd92f6aac78339e320cf0cd27bd2a3"


def test_no_two_journal_rows_have_one_text() -> None:
    def text(licence_id: str, event_id: str, claim: str, at: str, detail: str) -> bytes:
        return entry_text(licence_id, 1, 1, 1, "QTY", "CAP", event_id, claim, (Decimal(0),) * 4, at, detail)

    rows = [
        ("BE/A", "e", "c", "t", "d"), ("BE/B", "e", "c", "t", "d"),
        ("BE/A", "e|c", "", "t", "d"), ("BE/A", "e", "c", "t|d", ""), ("BE/A", "e|1:c", "", "t", "d"),
        ("BE/A", "", "e|c", "t", "d"), ("BE/A", "e", "c", "", "t|d"), ("BE/A|1", "e", "c", "t", "d"),
    ]  # fmt: skip
    assert len({text(*row) for row in rows}) == len(rows)


def test_every_reason_has_a_sentence() -> None:
    assert Reason("NOT_FOUND").sentence == SENTENCES["NOT_FOUND"]
    assert Reason("SOMETHING_ELSE").sentence
