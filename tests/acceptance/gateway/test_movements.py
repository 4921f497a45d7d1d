"""Rows E174 to E177 and E181, the numbers of a line limited twice, and scenarios in which a caller waits."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from tests.acceptance.ledger.test_lodgings import OTHER, accepted, lodged, play
from tests.support.clearance import JSON, XML, Desk, caller, goods
from tests.support.ledger_words import licence, mrn_of
from tests.support.scenario import Scenario


@pytest.mark.row("CR 8(4)", "CR 10(1)(b)", "IR 13(3)")
@pytest.mark.row("IR 6(1)(a)", "IR 6(2)", "IR 6(3)", "IR 7")
async def test_the_life_of_a_declaration(s: Scenario, desk: Desk) -> None:
    reserved = await desk.move("RESERVE", "M1", A="40")
    (claim,) = reserved.told["ClaimResult"]
    assert (claim["outcome"], claim["quantityReserved"], claim["quantityAvailable"]) == ("OK_RESERVED", "40", "60")
    assert claim["LicenceContent"]["referenceNumber"] == "A"
    assert (await desk.move("CONSUME", "M1", A="30")).outcomes == ["OK_CONSUMED"]
    assert await s.balance("A") == "0/30/70"
    assert (await desk.move("ADJUST", "M1", A="20")).outcomes == ["OK_ADJUSTED"]
    assert (await desk.move("WITHDRAW", "M1")).outcomes == ["OK_WITHDRAWN"]
    assert await s.balance("A") == "0/0/100"


@pytest.mark.row("UCC-DA 249")
@pytest.mark.parametrize("form", [JSON, XML])
async def test_a_retrospective_declaration_is_reserved_and_consumed_as_of_its_exit(
    s: Scenario, desk: Desk, form: str
) -> None:
    await s.issue(licence("W", "100", valid_to=date(2026, 2, 10)))
    reserve = desk.message("RESERVE", "M1", W="40")
    named = {"additionalDeclarationType": "R", "declarationAcceptanceDate": "2026-03-01", "dayOfExit": "2026-02-10"}
    reserve["DeclarationReference"] |= named
    body = json.dumps(reserve).encode()
    answer = await desk.post(body if form is JSON else write_message(read_json_message(body, QuantityMovement)), form)
    assert answer.status == 200
    assert await s.balance("W") == "40/0/60"
    assert (await desk.move("CONSUME", "M1")).outcomes == ["OK_CONSUMED"]
    assert await s.balance("W") == "0/40/60"


async def test_a_day_of_exit_that_was_forgotten_is_told_with_the_next_attempt(s: Scenario, desk: Desk) -> None:
    await s.issue(licence("W", "100", valid_to=date(2026, 2, 10)))
    reserve = desk.message("RESERVE", "M1", W="40")
    reserve["DeclarationReference"] |= {"additionalDeclarationType": "R", "declarationAcceptanceDate": "2026-03-01"}
    refused = await desk.send(reserve)
    assert refused.outcomes == ["REFUSED EXPIRED_AT_ACCEPTANCE"]
    assert refused.findings == ["WARNING DAY_OF_EXIT_MISSING dayOfExit"]
    again = desk.message("RESERVE", "M1", W="40")
    again["DeclarationReference"] |= reserve["DeclarationReference"] | {"dayOfExit": "2026-02-10"}
    assert (await desk.send(again)).outcomes == ["OK_RESERVED"]
    assert (await desk.move("CONSUME", "M1")).findings == []
    assert await s.balance("W") == "0/40/60"


async def test_a_procedure_that_the_licence_does_not_name_is_told_with_the_reservation(s: Scenario, desk: Desk) -> None:
    await s.issue(licence("P", "10", procedures=("23",)))
    told = (await desk.move("RESERVE", "M1", P="4")).told
    (claim,) = told["ClaimResult"]
    (verdict,) = claim["Verdict"]
    assert (claim["outcome"], verdict["severity"], verdict["code"]) == ("OK_RESERVED", "WARNING", "PROCEDURE_MISMATCH")
    assert claim["LicenceContent"]["procedures"] == ["23"]


@pytest.mark.row("E174")
async def test_a_hundred_equal_calls_have_one_effect_and_one_answer(pg: Scenario) -> None:
    desk = Desk(pg.store, gather_seconds=0.002)
    body = json.dumps(desk.message("RESERVE", "M1", A="40", call_id="one")).encode()
    answers = await asyncio.gather(*(desk.post(body) for _ in range(100)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert await pg.balance("A") == "40/0/60"
    again = await desk.post(body)
    assert (again.body, again.headers["certex-repeated"]) == (answers[0].body, "1")


@pytest.mark.row("E174")
async def test_the_two_forms_of_one_message_are_one_call(s: Scenario, desk: Desk) -> None:
    body = json.dumps(desk.message("RESERVE", "M1", A="40", call_id="one")).encode()
    in_json = await desk.post(body)
    in_xml = await desk.post(write_message(read_json_message(body, QuantityMovement)), XML)
    assert in_xml.headers["certex-repeated"] == "1"
    assert read_message(in_xml.body, QuantityMovementResponse) == read_json_message(
        in_json.body, QuantityMovementResponse
    )
    assert await s.balance("A") == "40/0/60"


@pytest.mark.row("E175")
@pytest.mark.parametrize(
    "change", [{"movementType": "WITHDRAW"}, {"preparationDateAndTime": "2026-03-01T11:00:00"}, {}]
)
async def test_another_message_of_the_same_identification_is_refused(
    s: Scenario, desk: Desk, change: dict[str, Any]
) -> None:
    await desk.move("RESERVE", "M1", A="40", call_id="one")
    other = desk.message("RESERVE", "M1", A="50", call_id="one")
    if "movementType" in change:
        other = desk.message("WITHDRAW", "M1", call_id="one")
    reply = await desk.send(other | change)
    assert reply.status == 409
    (error,) = reply.answer.problem["errors"]
    assert (reply.answer.problem["code"], error["errorCode"]) == ("DUPLICATE_ID", "26")
    assert await s.balance("A") == "40/0/60"
    assert await s.quarantined() == []


async def test_two_contents_of_one_identification_at_once_have_one_effect(s: Scenario) -> None:
    desk = Desk(s.store, gather_seconds=0.002)
    both = [desk.message("RESERVE", "M1", A=figure, call_id="one") for figure in ("40", "50")]
    replies = await asyncio.gather(*(desk.send(message) for message in both))
    assert [reply.status for reply in replies] == [200, 409]
    assert await s.balance("A") == "40/0/60"


@pytest.mark.row("E176", "E177")
async def test_a_call_asked_again_gets_the_first_answer_and_a_new_one_no_second_reservation(
    s: Scenario, desk: Desk
) -> None:
    message = desk.message("RESERVE", "M1", A="40")
    first = await desk.send(message)
    await desk.move("RESERVE", "M2", A="60")
    await desk.move("CONSUME", "M1")
    assert (await desk.send(message)).answer.body == first.answer.body
    anew = await desk.send(desk.message("RESERVE", "M1", A="40"))
    assert anew.outcomes == ["OK_CONSUMED"]
    assert anew.findings == ["INFO ALREADY_DONE"]
    assert await s.balance("A") == "60/40/0"


@pytest.mark.row("E181")
async def test_what_was_reserved_is_there_to_be_read(pg: Scenario) -> None:
    reply = await Desk(pg.store).move("RESERVE", "M1", A="40")
    (claim,) = reply.told["ClaimResult"]
    assert claim["journalVersion"] == (await pg.state("A")).lv
    assert await pg.balance("A") == "40/0/60"


@pytest.mark.row("IR 6(1)(b)", "IR 6(4)", "IR 6(5)", "IR 7", "IR 6(3)")
async def test_the_numbers_of_a_line_limited_in_quantity_and_value(s: Scenario, desk: Desk) -> None:
    await s.issue(licence("N", "100 NAR + 50000.00 EUR"))
    steps = [
        (("RESERVE", "M1", "40 NAR + 20000.00 EUR"), ["OK_RESERVED"], "40/0/60", "20000/0/30000"),
        (("RESERVE", "M2", "60 NAR + 30000.01 EUR"), ["REFUSED VALUE_EXCEEDED"], "40/0/60", "20000/0/30000"),
        (("RESERVE", "M3", "60 NAR + 30000.00 EUR"), ["OK_RESERVED"], "100/0/0", "50000/0/0"),
        (("CONSUME", "M1", "40 NAR + 20000.00 EUR"), ["OK_CONSUMED"], "60/40/0", "30000/20000/0"),
        (("UNRESERVE", "M3", ""), ["OK_UNRESERVED"], "0/40/60", "0/20000/30000"),
        (("RESERVE", "M4", "60 NAR + 1000.00 EUR"), ["OK_RESERVED"], "60/40/0", "1000/20000/29000"),
        (("CONSUME", "M4", ""), ["OK_CONSUMED"], "0/100/0", "0/21000/29000"),
        (("ADJUST", "M1", "30 NAR + 15000.00 EUR"), ["OK_ADJUSTED"], "0/90/10", "0/16000/34000"),
        (("WITHDRAW", "M4", ""), ["OK_WITHDRAWN"], "0/30/70", "0/15000/35000"),
    ]
    for (movement, name, figure), outcomes, quantity, value in steps:
        reply = await desk.move(movement, name, **({"N": figure} if figure else {}))
        assert (reply.outcomes, await s.balance("N"), await s.values("N")) == (outcomes, quantity, value), movement
    message = desk.message("ADJUST", "M1", N="101 NAR + 15000.00 EUR")
    message["DeclarationReference"]["declarationVersion"] = 3
    assert (await desk.send(message)).outcomes == ["REFUSED QUANTITY_EXCEEDED ADJUST_REFUSED"]
    assert (await s.balance("N"), await s.values("N")) == ("0/30/70", "0/15000/35000")
    assert await s.status("N") == "Valid"


@pytest.mark.row("IR 6(1)(b)", "IR 6(5)")
async def test_exactly_the_rest_fits_and_the_smallest_step_more_does_not(s: Scenario, desk: Desk) -> None:
    assert (await desk.move("RESERVE", "M1", A="100.000001")).outcomes == ["REFUSED QUANTITY_EXCEEDED"]
    assert (await desk.move("RESERVE", "M2", A="100")).outcomes == ["OK_RESERVED"]
    assert await s.status("A") == "Valid"


@pytest.mark.row("IR 6(1)(b)", "IR 6(5)")
async def test_two_items_over_the_limit_together(s: Scenario, desk: Desk) -> None:
    reply = await desk.move("RESERVE", "M1", goods(1, A="60"), goods(2, A="60"))
    assert reply.outcomes == ["OK_RESERVED", "REFUSED QUANTITY_EXCEEDED"]
    whole = Desk(s.store, policy=Policy(settle_group=SettleGroup.DECLARATION), caller=caller("NSW.2"))
    reply = await whole.move("RESERVE", "M2", goods(1, A="30"), goods(2, A="30"))
    assert [outcome.split()[0] for outcome in reply.outcomes] == ["REFUSED", "REFUSED"]
    assert await s.balance("A") == "60/0/40"


@pytest.mark.row("IR 6(1)(b)")
async def test_two_callers_take_the_last_unit_at_the_same_instant(pg: Scenario) -> None:
    desks = [Desk(pg.store, caller=caller(f"NSW.{number}")) for number in (1, 2)]
    replies = await asyncio.gather(
        *(desk.move("RESERVE", f"M{number}", A="100") for number, desk in enumerate(desks, start=1))
    )
    assert sorted(reply.outcomes for reply in replies) == [["OK_RESERVED"], ["REFUSED QUANTITY_EXCEEDED"]]
    assert await pg.balance("A") == "100/0/0"


@pytest.mark.row("IR 6(1)(a)")
async def test_a_licence_nobody_knows_is_told_and_decided_when_it_comes(s: Scenario, desk: Desk) -> None:
    reply = await desk.move("RESERVE", "M1", X="40")
    assert [outcome.split()[0] for outcome in reply.outcomes] == ["WAITING"]
    assert reply.answer.headers["certex-blocking"] == "1"
    assert (await desk.move("CONSUME", "M1")).findings == ["ERROR CLAIM_STATE items[1].documents[1] WAITING"]
    await s.issue(licence("X", "100 NAR"))
    await s.wake()
    assert (await desk.move("CONSUME", "M1")).outcomes == ["OK_CONSUMED"]
    assert await s.balance("X") == "0/40/60"


async def test_a_declaration_without_licences_has_an_answer(desk: Desk) -> None:
    reply = await desk.move("RESERVE", "M1", goods(1))
    assert (reply.outcomes, reply.findings) == ([], ["INFO NO_CLAIMS"])
    assert (await desk.move("CONSUME", "M1")).findings == ["INFO NO_CLAIMS"]


async def test_a_reservation_without_content_waits_for_it(s: Scenario, desk: Desk) -> None:
    assert (await desk.move("RESERVE", "M1")).findings == ["INFO NO_CONTENT_YET"]
    await s.lodged("M2", A=40)
    reply = await desk.move("RESERVE", "M2", about={"DeclarationReference": {
        "MRN": mrn_of("M2"), "LRN": "L2", "Exporter": {"identificationNumber": "BE0123456789"},
    }})  # fmt: skip
    assert reply.outcomes == ["OK_RESERVED"]
    assert await s.balance("A") == "40/0/60"


async def test_other_content_under_a_known_version_is_a_conflict_and_changes_nothing(s: Scenario, desk: Desk) -> None:
    await desk.move("RESERVE", "M1", A="40")
    message = desk.message("RESERVE", "M1", A="50")
    reply = await desk.send(message)
    assert (reply.outcomes, reply.findings) == (["REFUSED CLAIM_CONFLICT"], ["ERROR CLAIM_CONFLICT version 1"])
    again = await desk.send(message)
    assert (again.answer.body, again.answer.headers["certex-repeated"]) == (reply.answer.body, "1")
    assert await s.quarantined() == []
    assert await s.balance("A") == "40/0/60"


async def test_a_licence_cited_for_the_shipment_cannot_be_written_off_of_several_items(desk: Desk) -> None:
    cited = [{"sequenceNumber": 1, "type": "X060", "referenceNumber": "A"}]
    message = desk.message("RESERVE", "M1", goods(1), goods(2)) | {"SupportingDocument": cited}
    assert (await desk.send(message)).outcomes == ["REFUSED LEVEL_NOT_SUPPORTED"]
    message = desk.message("RESERVE", "M2", goods(1)) | {"SupportingDocument": cited}
    assert (await desk.send(message)).outcomes == ["REFUSED QUANTITY_MISSING"]


async def test_a_line_that_is_not_declared_must_be_the_only_one(s: Scenario, desk: Desk) -> None:
    await s.issue(licence("L", "10 NAR", "10 NAR"))
    message = desk.message("RESERVE", "M1", L="1")
    del message["GoodsItem"][0]["SupportingDocument"][0]["documentLineItemNumber"]
    assert (await desk.send(message)).outcomes == ["REFUSED LINE_AMBIGUOUS"]


async def test_a_check_digit_that_is_wrong_is_told(desk: Desk) -> None:
    wrong = mrn_of("M1")[:-1] + str((int(mrn_of("M1")[-1]) + 1) % 10)
    message = desk.message("RESERVE", "M1", A="1")
    message["DeclarationReference"]["MRN"] = wrong
    reply = await desk.send(message)
    assert reply.outcomes == ["OK_RESERVED"]
    assert [finding.split()[1] for finding in reply.findings] == ["MRN_CHECK_DIGIT"]


async def test_a_withdrawal_of_what_could_be_one_of_two_lodgings_is_recorded_and_says_so(
    s: Scenario, desk: Desk
) -> None:
    await play(s, [lodged(s, 10), lodged(s, 30, OTHER), accepted(s, "M1")])
    message = desk.message("WITHDRAW", "M1")
    message["DeclarationReference"].pop("LRN")
    told = await desk.send(message)
    assert (told.status, told.findings) == (200, ["INFO UNDECIDED"])
    await s.wake()
    assert await s.balance("A") == "0/0/100"
