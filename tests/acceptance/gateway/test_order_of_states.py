"""What a caller may ask for in which state: refused with a code, a field and a value, and without effect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clearance import Desk, Replied, caller, goods
from tests.support.ledger_words import licence, mrn_of
from tests.support.scenario import Scenario

PLACE = "items[1].documents[1]"


async def refused(s: Scenario, desk: Desk, finding: str, movement: str, name: str, *items: Any, **told: Any) -> Replied:
    """The movement is refused for this, with nothing moved and nothing put aside."""
    before = await s.snapshot()
    reply = await desk.move(movement, name, *items, **told)
    assert (reply.status, reply.findings[:1]) == (200, [f"ERROR {finding}"])
    assert {outcome.split()[0] for outcome in reply.outcomes} <= {"REFUSED"}
    assert reply.answer.headers["certex-blocking"] == "1"
    after = await s.snapshot()
    assert after.movements == before.movements
    assert after.claims == before.claims
    known = before.declarations.get(mrn_of(name))
    assert known is None or after.declarations[mrn_of(name)].facts == known.facts
    assert after.quarantine == {}
    return reply


@pytest.mark.parametrize("movement", ["CONSUME", "UNRESERVE", "WITHDRAW"])
async def test_a_declaration_nobody_told_of(s: Scenario, desk: Desk, movement: str) -> None:
    reply = await refused(s, desk, f"MRN_UNKNOWN mrn {mrn_of('M1')}", movement, "M1")
    assert reply.told["DeclarationReference"]["MRN"] == mrn_of("M1")
    assert "declarationState" not in reply.told


async def test_an_amendment_of_a_declaration_nobody_told_of(s: Scenario, desk: Desk) -> None:
    await refused(s, desk, f"MRN_UNKNOWN mrn {mrn_of('M1')}", "ADJUST", "M1", A="1")


async def test_consuming_without_a_reservation(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="101")
    await refused(s, desk, f"CLAIM_STATE {PLACE} REFUSED", "CONSUME", "M1")
    await s.lodged("M2", A=1)
    await refused(s, desk, "CLAIM_STATE items[1].documents[1]", "CONSUME", "M2")


async def test_consuming_before_the_content_is_known(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1")
    await refused(s, desk, "CLAIM_STATE declarationState ACCEPTED", "CONSUME", "M1")


@pytest.mark.row("IR 6(3)")
async def test_consuming_more_than_is_reserved(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", V="5 NAR + 30000.00 EUR")
    await refused(s, desk, f"MORE_THAN_RESERVED {PLACE}.quantity 5.000001", "CONSUME", "M1", V="5.000001 NAR")
    reply = await refused(s, desk, f"MORE_THAN_RESERVED {PLACE}.amount 30000.01", "CONSUME", "M1", V="30000.01 EUR")
    verdict = reply.told["ClaimResult"][0]["Verdict"][0]
    assert (verdict["code"], verdict["available"]) == ("MORE_THAN_RESERVED", "30000")


async def test_consuming_in_another_unit(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    await refused(s, desk, "UNIT_MISMATCH measurementUnitAndQualifier KGM", "CONSUME", "M1", A="4 KGM")


async def test_consuming_what_the_declaration_has_not(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    await refused(s, desk, "CLAIM_UNKNOWN items[2] 2", "CONSUME", "M1", goods(2, A="40"))
    other = goods(1, A="40")
    other["SupportingDocument"][0]["sequenceNumber"] = 7
    await refused(s, desk, "CLAIM_UNKNOWN items[1].documents[7] 7", "CONSUME", "M1", other)
    await refused(s, desk, "CLAIM_UNKNOWN items[2] 2", "UNRESERVE", "M1", goods(2))


async def test_other_documents_of_a_released_item_may_be_listed(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    item = goods(1, A="40")
    item["SupportingDocument"].append({"sequenceNumber": 2, "type": "N380", "referenceNumber": "INVOICE-7"})
    assert (await desk.move("CONSUME", "M1", item)).outcomes == ["OK_CONSUMED"]


async def test_consumed_is_not_consumed_otherwise_nor_undone(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    await desk.move("CONSUME", "M1", A="30")
    assert (await desk.move("CONSUME", "M1", A="30")).outcomes == ["OK_CONSUMED"]
    await refused(s, desk, f"CLAIM_STATE {PLACE} CONSUMED", "CONSUME", "M1", A="20")
    await refused(s, desk, f"CLAIM_STATE {PLACE} CONSUMED", "UNRESERVE", "M1")


@pytest.mark.row("IR 4")
async def test_only_what_is_named_is_looked_at(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", goods(1, A="40"), goods(2, A="61"))
    assert (await desk.move("CONSUME", "M1", goods(1))).outcomes[0] == "OK_CONSUMED"
    await refused(s, desk, "CLAIM_STATE items[2].documents[1] REFUSED", "CONSUME", "M1", goods(2))
    await refused(s, desk, "CLAIM_STATE items[2].documents[1] REFUSED", "UNRESERVE", "M1", goods(2))
    assert (await desk.move("WITHDRAW", "M1")).outcomes[0] == "OK_WITHDRAWN"


@pytest.mark.row("IR 6(4)")
async def test_giving_back_needs_something_held(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="101")
    await refused(s, desk, f"CLAIM_STATE {PLACE} REFUSED", "UNRESERVE", "M1")
    await refused(s, desk, f"CLAIM_STATE {PLACE} REFUSED", "WITHDRAW", "M1")
    await desk.move("RESERVE", "M2", X="1")
    assert [one.split()[0] for one in (await desk.move("WITHDRAW", "M2")).outcomes] == ["CLOSED"]
    await s.issue(licence("X", "1 NAR"))
    await s.wake()
    assert await s.balance("X") == "0/0/1"


async def test_what_was_not_released_may_be_told_again_and_withdrawn(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    for movement in ("UNRESERVE", "UNRESERVE", "WITHDRAW", "WITHDRAW"):
        assert (await desk.move(movement, "M1")).outcomes == ["OK_UNRESERVED"], movement
    await refused(s, desk, "CLAIM_STATE declarationState INVALIDATED", "CONSUME", "M1")


@pytest.mark.parametrize(("end", "state"), [("WITHDRAW", "INVALIDATED"), ("UNRESERVE", "NOT_RELEASED")])
async def test_what_has_ended_is_not_reserved_or_amended(s: Scenario, desk: Desk, end: str, state: str) -> None:
    await desk.move("RESERVE", "M1", A="40")
    await desk.move(end, "M1")
    await refused(s, desk, f"CLAIM_STATE declarationState {state}", "RESERVE", "M1", A="40")
    await refused(s, desk, f"CLAIM_STATE declarationState {state}", "ADJUST", "M1", A="40")


async def test_an_older_version_is_refused(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    later = desk.message("ADJUST", "M1", A="30")
    later["DeclarationReference"]["declarationVersion"] = 3
    await desk.send(later)
    await refused(s, desk, "VERSION_OLD declarationVersion 2", "ADJUST", "M1", A="35")
    await refused(s, desk, "VERSION_OLD declarationVersion 1", "RESERVE", "M1", A="40")
    assert await s.balance("A") == "30/0/70"


async def test_licences_without_limit_follow_the_same_life(s: Scenario, desk: Desk) -> None:
    await s.issue(licence("N", ""))
    for movement, told in (("RESERVE", {"N": "40"}), ("CONSUME", {}), ("CONSUME", {})):
        assert (await desk.move(movement, "M1", **told)).outcomes == ["OK_NOT_MANAGED"]


@pytest.mark.parametrize("mode", ["warn", "shadow"])
async def test_who_goes_on_whatever_the_answer_is_recorded_not_refused(s: Scenario, mode: str) -> None:
    desk = Desk(s.store, caller=caller(mode=mode))
    reply = await desk.move("RESERVE", "M1", A="101")
    told = mode == "warn"  # a caller in the shadow learns nothing of the verdict
    assert reply.outcomes == (["REFUSED QUANTITY_EXCEEDED"] if told else [])
    assert (reply.findings, reply.answer.headers["certex-blocking"]) == ([f"INFO CALLER_MODE  {mode}"], "0")
    assert await s.claims("M1")
    assert ("not disclosed" in reply.told["Finding"][0]["text"]) is not told
    reply = await desk.move("CONSUME", "M1")
    assert [one.split()[0] for one in reply.outcomes] == (["UNCOVERED"] if told else [])
    assert [claim.outcome for claim in await s.claims("M1")] == ["UNCOVERED"]
    assert await s.notifications("A") == ["INCIDENT UNCOVERED"]
    assert (await desk.move("CONSUME", "M2")).findings[-1] == "INFO NO_CONTENT_YET"


async def test_the_topic_still_tells_facts_in_any_order(s: Scenario) -> None:
    await s.accepted("M1", A=101)
    await s.released("M1")
    assert (await s.verdict("M1")).split()[0] == "UNCOVERED"
