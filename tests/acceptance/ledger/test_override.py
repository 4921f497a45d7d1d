"""Chapter 6.12 of the catalogue: an officer of customs decides by hand (IR 2024/2145 Art. 8)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from certex_bridge.ledger.domain.model import ClaimState
from tests.support.by_hand import OFFICER, REASON, Places, overridden
from tests.support.ledger_words import cite, item, licence, licence_id, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from certex_bridge.ledger.answers import Answer


async def override(s: Scenario, name: str, decision: str = "ACCEPT", places: Places | None = None) -> Answer:
    return (await s.tell(overridden(s.customs, name, decision, places)))[0]


async def last_movement(s: Scenario, name: str) -> tuple[str, dict[str, object]]:
    """Its verb, and who answers for it."""
    movement = [m for m in (await s.sound()).movements if m.licence_id == licence_id(name)][-1]
    return movement.kind.value, json.loads(movement.detail) if movement.detail else {}


@pytest.mark.row("E182", "IR 8(1)")
async def test_more_than_is_left_is_booked_as_told(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    await override(s, "M1")
    assert await s.balance("A") == "150/0/0"
    assert await s.cap("A") == "100 over 50"
    assert (await s.verdict("M1")).startswith("OK_OVERRIDDEN")
    assert await s.movements("A") == ["OVERRIDE +150/0"]
    verb, told = await last_movement(s, "A")
    assert (verb, told["officer"], told["reason"], told["decision"]) == ("OVERRIDE", OFFICER, REASON, "ACCEPT")
    assert told["evidence"] == {"type": "C651", "number": "LIC-FORM-17", "date": "2026-02-20", "memberState": "BE"}


@pytest.mark.row("E182", "IR 8(2)")
async def test_the_licensing_side_hears_who_decided_and_why(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    await override(s, "M1")
    (incident,) = await s.messages("incident", licence_id("A"))
    assert incident["text"] == "INCIDENT OVERRIDDEN"
    assert incident["by"] == [OFFICER, REASON]
    assert incident["declaration"] == mrn_of("M1")


async def test_release_consumes_what_an_officer_accepted(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    await override(s, "M1")
    await s.released("M1")
    assert await s.balance("A") == "0/150/0"
    assert await s.movements("A") == ["OVERRIDE +150/0", "CONSUME -150/+150"]
    assert (await s.verdict("M1")).startswith("OK_CONSUMED")


async def test_a_smaller_release_frees_the_rest_and_a_greater_one_is_uncovered(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    await override(s, "M1")
    await s.released("M1", A=120)
    assert await s.balance("A") == "0/120/0"
    assert await s.cap("A") == "100 over 20"
    await s.released("M1", A=150)
    assert (await s.balance("A"), await s.movements("A")) == (
        "0/150/0",
        ["OVERRIDE +150/0", "CONSUME -120/+120", "UNRESERVE -30/0", "OVERRIDE 0/+30"],
    )
    await s.released("M1", A=160)
    assert await s.balance("A") == "0/150/0"
    assert await s.verdict("M1") == "UNCOVERED UNCOVERED QUANTITY_EXCEEDED"
    await s.released("M1", A=150)
    assert await s.verdict("M1") == "OK_CONSUMED"


@pytest.mark.parametrize("decision_first", [True, False])
async def test_a_late_decision_counts_as_if_it_had_come_in_time(s: Scenario, decision_first: bool) -> None:
    await s.accepted("M1", A=150)
    told = [overridden(s.customs, "M1"), s.customs.released("M1")]
    for command in told if decision_first else reversed(told):
        await s.tell(command)
    assert await s.balance("A") == "0/150/0"
    assert [claim.state for claim in await s.claims("M1")] == [ClaimState.CONSUMED]


async def test_a_decision_after_release_covers_what_had_left_without_cover(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    await s.released("M1")
    assert await s.balance("A") == "0/0/100"
    await override(s, "M1", "AMEND", {(1, 1): "120 NAR"})
    assert await s.balance("A") == "0/120/0"
    assert await s.movements("A") == ["OVERRIDE 0/+120"]
    assert [claim.source for claim in await s.claims("M1")] == ["OVERRIDE"]


@pytest.mark.row("IR 8(1)")
async def test_an_officer_amends_a_reservation_down_and_up(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await override(s, "M1", "AMEND", {(1, 1): "30 NAR"})
    assert await s.balance("A") == "30/0/70"
    await override(s, "M1", "AMEND", {(1, 1): "130 NAR"})
    assert (await s.balance("A"), await s.cap("A")) == ("130/0/0", "100 over 30")
    assert await s.movements("A") == ["RESERVE +40/0", "OVERRIDE -10/0", "OVERRIDE +100/0"]


@pytest.mark.row("IR 8(1)")
@pytest.mark.parametrize("released", [False, True])
async def test_an_officer_refuses_what_was_granted(s: Scenario, released: bool) -> None:
    await s.accepted("M1", A=40)
    if released:
        await s.released("M1")
    await override(s, "M1", "REFUSE", {(1, 0): ""})
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M1") == "REFUSED OVERRIDE_REFUSED"
    assert (await last_movement(s, "A"))[0] == "OVERRIDE"
    await s.recheck("M1")
    assert await s.verdict("M1") == "REFUSED OVERRIDE_REFUSED"


async def test_status_and_validity_do_not_stand_against_it(s: Scenario) -> None:
    await s.suspend("A")
    await s.accepted("M1", A=40, on="2027-03-01")
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED EXPIRED_AT_ACCEPTANCE"
    await override(s, "M1")
    assert await s.balance("A") == "40/0/60"


async def test_customs_change_the_content_and_the_decision_is_history(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    await override(s, "M1")
    await s.amended("M1", A=160)
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    assert await s.balance("A") == "150/0/0"
    await s.amended("M1", A=90)
    assert (await s.balance("A"), await s.cap("A")) == ("90/0/10", "100 over 0")


@pytest.mark.parametrize("released", [False, True])
async def test_invalidation_gives_everything_back(s: Scenario, released: bool) -> None:
    await s.accepted("M1", A=150)
    await override(s, "M1")
    if released:
        await s.released("M1")
    await s.invalidated("M1")
    assert (await s.balance("A"), await s.cap("A")) == ("0/0/100", "100 over 0")


async def test_one_document_is_decided_by_hand_and_the_others_by_the_rules(s: Scenario) -> None:
    await s.accepted("M1", item(A=150), item(cite("A", 60), number=2))
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED, OK_RESERVED"
    await override(s, "M1", "ACCEPT", {(1, 1): ""})
    assert (await s.balance("A"), await s.cap("A")) == ("210/0/0", "100 over 110")
    assert (await s.verdict("M1")).endswith(", OK_RESERVED")


async def test_a_document_that_was_replaced_gives_back_once_the_new_one_is_accepted(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", B="60 KGM")
    assert (await s.balance("A"), await s.balance("B")) == ("40/0/60", "0/0/50")
    await override(s, "M1", "REFUSE")
    assert (await s.balance("A"), await s.balance("B")) == ("40/0/60", "0/0/50")
    await override(s, "M1")
    assert (await s.balance("A"), await s.balance("B")) == ("0/0/100", "60/0/0")


async def test_what_is_given_back_and_what_is_taken_meet_on_one_account(s: Scenario) -> None:
    await s.accepted("M1", item(A=40), item(cite("A", 60), number=2))
    await s.amended("M1", item(cite("A", 150, seq=7)), item(cite("A", 60), number=2))
    await override(s, "M1", "ACCEPT", {(1, 7): ""})
    assert (await s.balance("A"), await s.cap("A")) == ("210/0/0", "100 over 110")


async def test_a_licence_without_limits_is_let_through(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.suspend("N")
    await s.accepted("M1", N="")
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await override(s, "M1")
    assert (await s.verdict("M1")).startswith("OK_OVERRIDDEN")
    await s.released("M1")
    assert [claim.state for claim in await s.claims("M1")] == [ClaimState.CONSUMED]


async def test_figures_in_another_unit_are_never_guessed(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    answer = await override(s, "M1", "AMEND", {(1, 1): "30 KGM"})
    assert (answer.result, json.loads(answer.body)["reason"]) == ("REFUSED", "UNIT_MISMATCH")
    assert await s.balance("A") == "40/0/60"
    await s.accepted("M2", V="1 NAR + 10.00 EUR")
    assert (await override(s, "M2", "AMEND", {(1, 1): "5.00 USD"})).result == "REFUSED"
    await s.accepted("M3", A="40 KGM")
    await override(s, "M3")
    assert await s.verdict("M3") == "REFUSED UNIT_MISMATCH"


async def test_a_licence_that_is_not_known_is_waited_for(s: Scenario) -> None:
    await s.accepted("M1", X=150)
    await override(s, "M1")
    assert await s.verdict("M1") == "WAITING NOT_FOUND"
    await s.issue(licence("X", "100 NAR"))
    await s.wake()
    assert (await s.balance("X"), await s.cap("X")) == ("150/0/0", "100 over 50")
    assert await s.movements("X") == ["OVERRIDE +150/0"]
    assert "INCIDENT OVERRIDDEN" in await s.notifications("X")


async def test_a_decision_in_another_unit_meets_its_licence_late(s: Scenario) -> None:
    await s.accepted("M1", X=40)
    await override(s, "M1", "AMEND", {(1, 1): "30 KGM"})
    await s.issue(licence("X", "100 NAR"))
    await s.wake()
    assert await s.verdict("M1") == "REFUSED UNIT_MISMATCH"
    assert await s.balance("X") == "0/0/100"


async def test_a_decision_on_a_declaration_not_known_yet(s: Scenario) -> None:
    (waiting,) = await s.tell(overridden(s.customs, "M1", waits=True))
    assert json.loads(waiting.body)["reason"] == "CLAIM_UNKNOWN"
    (said,) = await s.messages("outcome", mrn_of("M1"))
    assert [finding["code"] for finding in said["findings"]] == ["CLAIM_UNKNOWN"]
    assert json.loads((await override(s, "M2")).body)["state"] == "NO_CONTENT_YET"
    await s.accepted("M2", A=150)
    assert await s.balance("A") == "150/0/0"


async def test_a_decision_on_a_document_that_is_not_there(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    (waiting,) = await s.tell(overridden(s.customs, "M1", "REFUSE", {(1, 9): ""}, waits=True))
    assert json.loads(waiting.body)["reason"] == "CLAIM_UNKNOWN"
    await override(s, "M1", "REFUSE", {(1, 9): ""})
    said = (await s.messages("outcome", mrn_of("M1")))[-1]
    assert [(one["code"], one["value"]) for one in said["findings"]] == [("CLAIM_UNKNOWN", "1.9")]
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_the_last_word_counts_and_an_older_one_is_superseded(s: Scenario) -> None:
    await s.accepted("M1", A=150)
    first = overridden(s.customs, "M1", officer="FIRST")
    await override(s, "M1", "AMEND", {(0, 0): "110 NAR"})
    assert (await s.tell(first))[0].result == "SUPERSEDED"
    assert await s.balance("A") == "110/0/0"


@pytest.mark.row("E186")
async def test_a_decision_and_the_automatic_answer_at_the_same_moment(pg: Scenario) -> None:
    for number in range(20):
        name, decl = f"O{number}", f"M{number}"
        await pg.issue(licence(name, "100 NAR"))
        told = [pg.customs.accepted(decl, cite(name, 150)), overridden(pg.customs, decl)]
        await asyncio.gather(*(pg.executor.apply([one]) for one in map(pg.delivery, told)))
        assert (await pg.balance(name), await pg.cap(name)) == ("150/0/0", "100 over 50")
        (claim,) = await pg.claims(decl)
        assert (claim.state, claim.outcome) == (ClaimState.RESERVED, "OK_OVERRIDDEN")


async def test_nothing_is_booked_by_hand_on_a_line_that_was_taken_out_unused(s: Scenario) -> None:
    """It would be missing from the line's account when the line comes back."""
    await s.issue(licence("C", "10", "10"))
    await s.modify("C", "10")
    await s.accepted("M1", cite("C", 6, line=2))
    await override(s, "M1")
    assert await s.verdict("M1") == "REFUSED LINE_NOT_FOUND"
    await s.modify("C", "10", "10")
    await s.accepted("M2", cite("C", 10, line=2))
    assert await s.balance("C", 2) == "10/0/0"
