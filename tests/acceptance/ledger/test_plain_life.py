"""Chapter 6.1 of the catalogue: one declaration from acceptance to its end."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.mismatches import InMemoryMismatches, PostgresMismatches
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.ledger.mismatches import Asked
from certex_bridge.ledger.worker import release_overdue
from tests.support.ledger_words import item, licence, licence_id, mrn_of
from tests.support.scenario import Scenario


@pytest.mark.row("UCC 172(1)")
@pytest.mark.row("E001", "IR 6(2)")
async def test_an_accepted_declaration_reserves(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    assert await s.balance("A") == "40/0/60"
    assert await s.movements("A") == ["RESERVE +40/0"]
    assert len(await s.messages("balance", licence_id("A"))) == 2  # issue, and this
    (said,) = await s.messages("outcome", mrn_of("M1"))
    (claim,) = said["claims"]
    assert claim["outcome"] == "OK_RESERVED"
    assert claim["licence"]["number"] == "A"


@pytest.mark.row("E002", "IR 6(3)")
async def test_release_consumes(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    assert await s.verdict("M1") == "OK_CONSUMED"
    assert await s.balance("A") == "0/40/60"
    assert await s.movements("A") == ["RESERVE +40/0", "CONSUME -40/+40"]


@pytest.mark.row("E003", "IR 6(4)")
async def test_what_is_not_released_returns(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.not_released("M1")
    assert await s.balance("A") == "0/0/100"
    assert [claim.state for claim in await s.claims("M1")] == ["UNRESERVED"]
    assert await s.verdict("M1") == "OK_UNRESERVED NOT_RELEASED"


@pytest.mark.row("IR 6(4)")
@pytest.mark.parametrize("later", [False, True], ids=["in order", "refusal first"])
async def test_what_is_not_released_is_the_rest_and_nothing_that_was(s: Scenario, later: bool) -> None:
    """A refusal that names no item is about the unreleased quantity, whenever it arrives."""
    await s.accepted("M1", item(A=10), item(A=20))
    steps = [s.customs.released("M1", item(A=10, number=1)), s.customs.not_released("M1")]
    for command in reversed(steps) if later else steps:
        await s.tell(command)
    assert await s.balance("A") == "0/10/90"
    await s.tell(s.customs.exited("M1"))
    assert await s.balance("A") == "0/10/90"


async def test_a_refusal_that_names_a_released_item_takes_it_back(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.released("M1")
    await s.not_released("M1", 1)
    assert await s.balance("A") == "0/0/100"


async def test_a_refusal_after_everything_was_released_moves_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.released("M1")
    await s.not_released("M1")
    assert await s.balance("A") == "0/10/90"


@pytest.mark.row("UCC 174(1)")
@pytest.mark.row("E004")
async def test_invalidation_before_release_returns_the_reservation(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.invalidated("M1")
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M1") == "OK_UNRESERVED INVALIDATED"


@pytest.mark.row("UCC 174(2)", "UCC-DA 148(5)(e)")
@pytest.mark.row("E005", "IR 7")
async def test_invalidation_after_release_gives_back_and_tells_customs(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.invalidated("M1")
    assert await s.balance("A") == "0/0/100"
    assert (await s.movements("A"))[-1] == "WITHDRAW 0/-40"
    assert await s.verdict("M1") == "OK_WITHDRAWN INVALIDATED"
    assert await s.dv("M1") == 3


@pytest.mark.row("E006")
async def test_a_partial_release_frees_the_rest_in_the_same_step(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    before = (await s.state("A")).lv
    await s.released("M1", A=30)
    assert await s.balance("A") == "0/30/70"
    assert (await s.movements("A"))[1:] == ["CONSUME -30/+30", "UNRESERVE -10/0"]
    assert (await s.state("A")).lv == before + 1


@pytest.mark.row("E007")
async def test_more_released_than_reserved_is_consumed_when_it_fits(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1", A=45)
    assert await s.balance("A") == "0/45/55"
    assert await s.notifications("A") == ["INCIDENT RELEASED_MORE"]


@pytest.mark.row("E008")
async def test_more_released_than_there_is_is_uncovered_not_overdrawn(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.accepted("M2", A=60)
    await s.released("M1", A=45)
    assert await s.balance("A") == "60/40/0"
    (claim,) = await s.claims("M1")
    assert (claim.state.value, str(claim.uncovered.quantity)) == ("UNCOVERED", "5")
    assert await s.notifications("A") == ["INCIDENT UNCOVERED"]


@pytest.mark.row("E009")
async def test_lodging_only_asks(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    assert await s.draft_verdict("M1") == "OK_AVAILABLE"
    assert await s.balance("A") == "0/0/100"
    assert await s.movements("A") == []


@pytest.mark.row("E010")
async def test_a_declaration_never_presented_is_closed(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    stamp = s.customs.stamp(event_id="timer:NOT_PRESENTED:M1")
    timer = s.customs.bare("M1", EventKind.NOT_PRESENTED, event_id=stamp.event_id, not_presented=True)
    await s.tell(s.customs.event("M1", EventKind.NOT_PRESENTED, timer.facts, stamp, lrn="L1", mrn=""))
    assert await s.draft_verdict("M1") == "CLOSED NOT_PRESENTED"
    assert await s.movements("A") == []


@pytest.mark.row("E011")
async def test_exit_moves_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    before = len(await s.messages("balance", licence_id("A")))
    answer = await s.exited("M1")
    assert answer.result == "APPLIED"
    assert await s.balance("A") == "0/40/60"
    assert len(await s.messages("balance", licence_id("A"))) == before


@pytest.mark.row("E012")
async def test_exit_before_release_is_kept_as_a_fact(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.exited("M1")
    assert await s.balance("A") == "40/0/60"
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"


@pytest.mark.row("E013")
async def test_exactly_what_is_available_passes(s: Scenario) -> None:
    await s.accepted("M1", A=100)
    assert await s.balance("A") == "100/0/0"
    assert await s.status("A") == "Valid"


@pytest.mark.row("E014")
async def test_the_smallest_step_too_much_is_refused(s: Scenario) -> None:
    await s.accepted("M1", A="100.000001")
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    assert await s.balance("A") == "0/0/100"


@pytest.mark.row("E015")
@pytest.mark.parametrize("figure", ["0", "-1"])
async def test_nothing_or_less_cannot_be_written_off(s: Scenario, figure: str) -> None:
    await s.accepted("M1", A=figure)
    assert await s.verdict("M1") == "REFUSED INVALID_QUANTITY"
    assert await s.movements("A") == []
    assert await s.quarantined() == []


@pytest.mark.row("E016", "E017")
async def test_the_last_unit_exhausts_and_a_withdrawal_opens_again(s: Scenario) -> None:
    await s.accepted("M1", A=90)
    await s.released("M1")
    await s.accepted("M2", A=10)
    assert await s.status("A") == "Valid"
    await s.accepted("M3", A=1)  # refused, so customs still have an interest
    await s.released("M2")
    assert await s.status("A") == "Exhausted"
    assert await s.notifications("A") == ["STATUS Valid->Exhausted LIMIT_REACHED"]
    await s.invalidated("M2")
    assert await s.balance("A") == "0/90/10"
    assert await s.status("A") == "Valid"
    assert (await s.notifications("A"))[1:] == ["STATUS Exhausted->Valid LIMIT_RESTORED"]


@pytest.mark.row("E018")
async def test_a_licence_without_limit_is_only_checked(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.accepted("M1", N="40 NAR")
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    await s.released("M1")
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    assert await s.movements("N") == []


@pytest.mark.row("E019")
async def test_another_procedure_is_not_applicable(s: Scenario) -> None:
    await s.accepted("M1", item(A=40, about={"procedure": "4000"}))
    assert await s.verdict("M1") == "OK_NOT_APPLICABLE"
    assert await s.movements("A") == []


@pytest.mark.row("E020")
async def test_a_thousand_items_in_one_declaration(pg: Scenario) -> None:
    await pg.accepted("M1", *(item(A="0.1") for _ in range(1000)))
    assert await pg.balance("A") == "100/0/0"
    assert (await pg.state("A")).lv == 2
    assert len(await pg.movements("A")) == 1000
    assert await pg.verdict("M1") == ", ".join(["OK_RESERVED"] * 1000)


# -- what does not fit together


async def test_a_release_and_an_exit_after_invalidation_are_told(stored: Scenario) -> None:
    s = stored
    await s.accepted("M1", A=10)
    await s.invalidated("M1")
    await s.released("M1")
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M1") == "OK_UNRESERVED RELEASED_AFTER_INVALIDATION INVALIDATED"
    assert await s.notifications("A") == ["INCIDENT RELEASED_AFTER_INVALIDATION"]
    await s.tell(s.customs.exited("M1"))
    assert (await s.notifications("A"))[1:] == ["INCIDENT RELEASED_AFTER_INVALIDATION EXIT_WITHOUT_RELEASE"]
    memory = isinstance(s.store, InMemoryStore)
    report = await (InMemoryMismatches(s.store) if memory else PostgresMismatches(s.store._pool)).report(Asked())
    assert [(one.verdict, one.recorded) for one in report.listed] == [("INVALIDATED", True)]


@pytest.mark.row("E012")
async def test_goods_that_left_wait_a_day_for_their_release(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.tell(s.customs.exited("M1"))
    assert await s.notifications("A") == []
    overdue = release_overdue(mrn_of("M1"), s.customs.stamp("2026-03-03T10:00Z").occurred_at)
    await s.tell(overdue)
    assert await s.balance("A") == "10/0/90"
    assert await s.notifications("A") == ["INCIDENT EXIT_WITHOUT_RELEASE"]
    await s.released("M1")
    assert (await s.balance("A"), await s.verdict("M1")) == ("0/10/90", "OK_CONSUMED")


async def test_a_release_told_meanwhile_ends_the_waiting(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.tell(s.customs.exited("M1"))
    await s.released("M1")
    (answer,) = await s.tell(release_overdue(mrn_of("M1"), s.customs.stamp("2026-03-03T10:00Z").occurred_at))
    assert (answer.result, await s.notifications("A")) == ("SUPERSEDED", [])


async def test_goods_that_left_although_their_release_was_refused(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.not_released("M1")
    await s.tell(s.customs.exited("M1"))
    assert await s.notifications("A") == ["INCIDENT EXIT_WITHOUT_RELEASE"]


async def test_goods_invalidated_after_they_left_on_a_release_fit_together(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.released("M1")
    await s.tell(s.customs.exited("M1"))
    await s.invalidated("M1")
    assert await s.verdict("M1") == "OK_WITHDRAWN INVALIDATED"
