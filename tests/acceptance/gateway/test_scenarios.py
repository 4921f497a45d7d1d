"""The acceptance scenarios of the domain over HTTP: those that no other test tells, and who tells each of the others."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from certex_bridge.laboratory.customs_channel import Form, encoded
from certex_bridge.laboratory.customs_requests import Function, cited, goods
from certex_bridge.laboratory.push_receiver import PushReceiver
from tests.support.gateway_world import GatewayWorld, content, gateway_world
from tests.support.ledger_words import mrn_of
from tests.support.wire_feed import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.laboratory.customs_client import CustomsClient

TESTS = Path(__file__).resolve().parents[2]
HERE = "acceptance/gateway/test_scenarios.py"
MOVES = "acceptance/gateway/test_movements.py"
STATES = "acceptance/gateway/test_order_of_states.py"
CHECKS = "unit/singlewindow/functions/test_availability.py"
LEDGER = "acceptance/ledger"

COVERED: dict[int, tuple[str, str]] = {
    1: (CHECKS, "test_an_unknown_number_is_an_answer_and_leaves_no_trace"),
    2: (HERE, "test_suspended_and_resumed"),
    3: (CHECKS, "test_the_requested_procedure_decides"),
    4: (CHECKS, "test_the_requested_procedure_decides"),
    5: (CHECKS, "test_an_export_licence_does_not_open_transit"),
    6: (CHECKS, "test_the_document_code_must_be_that_of_the_licence"),
    7: (MOVES, "test_exactly_the_rest_fits_and_the_smallest_step_more_does_not"),
    8: ("acceptance/gateway/test_worked_table.py", "test_every_row_of_the_worked_table"),
    9: (HERE, "test_a_limit_on_one_side_ignores_the_other"),
    10: (HERE, "test_a_limit_on_one_side_ignores_the_other"),
    11: (f"{LEDGER}/test_quantities.py", "test_units_are_never_guessed"),
    12: (HERE, "test_another_currency_is_not_converted"),
    13: (MOVES, "test_two_items_over_the_limit_together"),
    14: (MOVES, "test_a_hundred_equal_calls_have_one_effect_and_one_answer"),
    15: (MOVES, "test_other_content_under_a_known_version_is_a_conflict_and_changes_nothing"),
    16: (MOVES, "test_two_callers_take_the_last_unit_at_the_same_instant"),
    17: (MOVES, "test_the_life_of_a_declaration"),
    18: (STATES, "test_consuming_more_than_is_reserved"),
    19: ("acceptance/gateway/test_worked_table.py", "test_every_row_of_the_worked_table"),
    20: (HERE, "test_the_last_unit_exhausts_and_a_withdrawal_opens_again"),
    21: (HERE, "test_the_last_unit_exhausts_and_a_withdrawal_opens_again"),
    22: (HERE, "test_expired_between_acceptance_and_release"),
    23: (HERE, "test_revoked_with_an_open_reservation"),
    24: (f"{LEDGER}/test_amendments.py", "test_amended_after_release"),
    25: (f"{LEDGER}/test_order.py", "test_amendments_are_possible_for_three_years"),
    26: (MOVES, "test_the_life_of_a_declaration"),
    27: (STATES, "test_a_declaration_nobody_told_of"),
    28: (f"{LEDGER}/test_joining.py", "test_simplified_and_supplementary_are_consumed_once_in_every_order"),
    29: (CHECKS, "test_a_retrospective_declaration_is_judged_on_its_day"),
    30: (f"{LEDGER}/test_plain_life.py", "test_exit_moves_nothing"),
    31: (f"{LEDGER}/test_general.py", "test_serbia_under_either_code"),
    32: (f"{LEDGER}/test_general.py", "test_nothing_is_written_off"),
    33: (f"{LEDGER}/test_general.py", "test_the_initial_licence_must_be_effective"),
    34: (HERE, "test_an_officer_books_beyond_the_limit"),
    35: (HERE, "test_a_write_off_under_contingency_is_captured_late"),
    36: (MOVES, "test_a_licence_cited_for_the_shipment_cannot_be_written_off_of_several_items"),
    37: (CHECKS, "test_a_reference_in_12_04_is_found"),
    38: (MOVES, "test_a_line_that_is_not_declared_must_be_the_only_one"),
    39: (HERE, "test_six_digits_are_the_beginning_of_eight"),
    40: (HERE, "test_tenths_are_exact"),
    41: (f"{LEDGER}/test_identity.py", "test_a_full_replay_changes_nothing"),
    42: ("integration/bridge/test_database_faults.py", "test_a_commit_in_doubt_has_one_effect"),
    43: (f"{LEDGER}/test_licence_changes.py", "test_versions_in_between_never_came"),
    44: (HERE, "test_no_answer_tells_how_to_reach_a_person"),
    45: (HERE, "test_a_document_type_is_refused_before_it_is_read"),
    46: (HERE, "test_a_third_decimal_of_an_amount_is_refused"),
    47: (HERE, "test_goods_for_a_special_fiscal_territory_need_no_licence"),
    48: (HERE, "test_the_last_day_ends_at_midnight_where_the_declaration_was_accepted"),
}
"""The test that tells each scenario, over HTTP where customs can."""


def test_each_of_the_forty_eight_scenarios_has_its_test() -> None:
    assert list(COVERED) == list(range(1, 49))
    for number, (file, name) in COVERED.items():
        tree = ast.parse((TESTS / file).read_text("utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in defined, number


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[GatewayWorld]:
    """A gateway with licence L (100 pieces); checked when the test has ended."""
    async with gateway_world(database_url, roles=("worker",)) as made:
        await made.issue("L", quantity="100")
        yield made
        await made.sound()


@pytest.fixture
def customs(world: GatewayWorld) -> CustomsClient:
    return world.customs()


@pytest.fixture
async def pushes(world: GatewayWorld, customs: CustomsClient) -> AsyncIterator[PushReceiver]:
    """What a subscriber hears, from after the issue of the licence."""

    async def told() -> bool:
        return not await world.rows("SELECT FROM status_unsent")

    await until(told, 15, what="the issue told to nobody")
    async with PushReceiver() as receiver:
        answer = await customs.subscribe(receiver.address("NSW.BE"))
        receiver.trust("NSW.BE", answer.secret or "")
        yield receiver


def one(quantity: str = "", number: str = "L", **more: Any) -> dict[str, Any]:
    return goods(1, [cited(1, number, quantity=quantity, **more)])


def codes(answer: Any) -> list[str]:
    """Codes that refuse."""
    return [one.code for claim in answer.claim_results for one in claim.verdicts if one.severity == "ERROR"]


def statuses(pushes: PushReceiver) -> list[str]:
    """Changes of status that were pushed, in order."""
    return [json.loads(body)["NewVerdict"]["status"] for _, _, body in pushes.taken]


async def heard(pushes: PushReceiver, *wanted: str) -> None:
    async def all_of_them() -> bool:
        return statuses(pushes) == list(wanted)

    await until(all_of_them, 15, what=f"pushes {wanted}")
    assert not pushes.refused


@pytest.mark.row("B2", "IR 5(2)")
async def test_suspended_and_resumed(world: GatewayWorld, customs: CustomsClient, pushes: PushReceiver) -> None:
    await customs.reserve(content("M1", one("40")))
    await world.change("L", "suspended", "SUSPENDED", 2, quantity="100")
    await heard(pushes, "Suspended")
    del world.expectation.lines["BE/L", 1]  # what the status decides is not in the book
    (result,) = (await customs.check(content("M2", one("1")))).check_result
    assert (result.outcome, [verdict.code for verdict in result.verdict][:1]) == ("REFUSED", ["STATUS_SUSPENDED"])
    await world.change("L", "resumed", "VALID", 3, quantity="100")
    await heard(pushes, "Suspended", "Valid")
    (result,) = (await customs.check(content("M2", one("1")))).check_result
    assert result.outcome == "OK_AVAILABLE"


@pytest.mark.row("B9", "B10")
async def test_a_limit_on_one_side_ignores_the_other(world: GatewayWorld, customs: CustomsClient) -> None:
    await world.issue("V", value="500.00")
    assert codes(await customs.reserve(content("M1", one("1", value="999999.00")))) == []
    assert codes(await customs.reserve(content("M2", one("", "V", value="500.00")))) == []
    assert codes(await customs.reserve(content("M3", one("", "V", value="0.01")))) == ["VALUE_EXCEEDED"]


@pytest.mark.row("B12", "IR 6(5)")
async def test_another_currency_is_not_converted(world: GatewayWorld, customs: CustomsClient) -> None:
    await world.issue("V", value="500.00")
    del world.expectation.lines["BE/V", 1]
    assert codes(await customs.reserve(content("M1", one("", "V", value="1.00", currency="USD")))) == [
        "CURRENCY_MISMATCH"
    ]


@pytest.mark.row("B20", "B21", "IR 5(2)")
async def test_the_last_unit_exhausts_and_a_withdrawal_opens_again(
    customs: CustomsClient, pushes: PushReceiver
) -> None:
    await customs.reserve(content("M1", one("100")))
    await customs.reserve(content("M2", one("1")))  # refused, and waits to hear
    assert (await customs.look_at_licence("BE/L"))["status"] == "Valid"
    await customs.consume(mrn_of("M1"))
    assert (await customs.look_at_licence("BE/L"))["status"] == "Exhausted"
    await customs.withdraw(mrn_of("M1"))
    assert (await customs.look_at_licence("BE/L"))["status"] == "Valid"
    await heard(pushes, "Exhausted", "Valid")


@pytest.mark.row("B22")
async def test_expired_between_acceptance_and_release(world: GatewayWorld, customs: CustomsClient) -> None:
    await world.issue("E", quantity="5", validTo="2026-03-10")
    told = content("M1", one("5", "E"))
    told["DeclarationReference"]["declarationAcceptanceDate"] = "2026-03-10"
    assert codes(await customs.reserve(told)) == []

    async def expired() -> bool:
        return bool((await customs.look_at_licence("BE/E"))["status"] == "Expired")

    await until(expired, 15, what="the legal timer")
    answer = await customs.consume(mrn_of("M1"))
    assert [one.outcome for one in answer.claim_results] == ["OK_CONSUMED"]


@pytest.mark.row("B23", "IR 5(2)")
async def test_revoked_with_an_open_reservation(
    world: GatewayWorld, customs: CustomsClient, pushes: PushReceiver
) -> None:
    await customs.reserve(content("M1", one("40")))
    await world.change("L", "revoked", "REVOKED", 2, quantity="100")
    await heard(pushes, "Revoked")
    (declared,) = json.loads(pushes.taken[0][2])["Declaration"]
    assert (declared["MRN"], declared["claimState"], declared["atRisk"]) == (mrn_of("M1"), "RESERVED", True)
    (claim,) = (await customs.consume(mrn_of("M1"))).claim_results
    assert (claim.outcome, claim.incidents) == ("OK_CONSUMED", ("RELEASED_ON_BLOCKED",))


@pytest.mark.row("B34", "IR 8(1)", "IR 8(2)")
async def test_an_officer_books_beyond_the_limit(world: GatewayWorld, customs: CustomsClient) -> None:
    assert codes(await customs.reserve(content("M1", one("150")))) == ["QUANTITY_EXCEEDED"]
    await customs.decide(mrn_of("M1"), "ACCEPT", officer="OFFICER-7", reason="second licence on paper")
    (balance,) = (await customs.look_at_licence("BE/L"))["balances"]
    assert (balance["reserved"], balance["available"], balance["over"]) == ("150", "0", "50")
    (incident,) = await world.rows("SELECT convert_from(body, 'UTF8') FROM outbox WHERE agg_type = 'incident'")
    assert "OFFICER-7" in incident[0]
    await customs.unreserve(mrn_of("M1"))


@pytest.mark.row("B35", "IR 11(2)")
async def test_a_write_off_under_contingency_is_captured_late(world: GatewayWorld) -> None:
    authority = world.customs("LICENSING.BE")
    evidence = {"type": "MRN", "referenceNumber": mrn_of("M9"), "issuingDate": "2026-02-20", "memberState": "BE"}
    line = {"documentLineItemNumber": 1, "quantity": "7", "measurementUnitAndQualifier": "NAR"}
    told = {"officer": "OFFICER-9", "reason": "systems were down", "source": "contingency"}
    assert (await authority.correct("BE/L", [line], evidence, **told)).verdict == "ACCEPTED"
    (row,) = await world.rows("SELECT detail FROM movement WHERE licence_id = 'BE/L' AND detail LIKE '%contingency%'")
    assert mrn_of("M9") in row[0]


@pytest.mark.row("B39")
async def test_six_digits_are_the_beginning_of_eight(customs: CustomsClient) -> None:
    item = goods(1, [cited(1, "L", quantity="1")], commodity="845710")
    del item["SupportingDocument"][0]["documentLineItemNumber"]
    assert codes(await customs.reserve(content("M1", item))) == []


@pytest.mark.row("B40")
async def test_tenths_are_exact(world: GatewayWorld, customs: CustomsClient) -> None:
    await world.issue("T", quantity="0.3", unit="KGM")
    assert codes(await customs.reserve(content("M1", one("0.1", "T", unit="KGM")))) == []
    assert codes(await customs.reserve(content("M2", one("0.2", "T", unit="KGM")))) == []
    assert codes(await customs.reserve(content("M3", one("0.000001", "T", unit="KGM")))) == ["QUANTITY_EXCEEDED"]


@pytest.mark.row("B44")
async def test_no_answer_tells_how_to_reach_a_person(world: GatewayWorld, customs: CustomsClient) -> None:
    await customs.check(content("M1", one("1")), form=Form.XML)
    await customs.reserve(content("M1", one("1")), form=Form.XML)
    documents = [made.answer.body for made in customs.made]
    documents += [
        row[0] for row in await world.rows("SELECT body FROM outbox WHERE agg_type IN ('certificate', 'outcome')")
    ]
    names = {element.tag for body in documents for element in etree.fromstring(body).iter()}
    assert len(documents) >= 4
    assert not [name for name in names if any(word in str(name).lower() for word in ("phone", "mail", "fax"))]


@pytest.mark.row("B45")
@pytest.mark.parametrize("form", [form for form in Form if form is not Form.JSON])
async def test_a_document_type_is_refused_before_it_is_read(customs: CustomsClient, form: Form) -> None:
    body = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
    answered = await customs.channel.send_bytes(customs.account, Function.MOVE.path, body, Function.MOVE.response, form)
    assert (answered.code, [one.reason for one in answered.mistakes]) == ("SCHEMA_INVALID", ["XML_DOCTYPE"])
    assert b"root:" not in answered.body


@pytest.mark.row("B46")
@pytest.mark.parametrize("form", list(Form))
async def test_a_third_decimal_of_an_amount_is_refused(customs: CustomsClient, form: Form) -> None:
    told = {"movementType": "RESERVE", **content("M1", one("1", value="10.00"))}
    body = encoded(customs.message(Function.MOVE, told), form).replace(b"10.00", b"10.005")
    answered = await customs.channel.send_bytes(customs.account, Function.MOVE.path, body, Function.MOVE.response, form)
    (mistake,) = answered.mistakes
    assert (answered.code, mistake.value) == ("SCHEMA_INVALID", "10.005")
    assert mistake.pointer.endswith("amount")


@pytest.mark.row("B47")
async def test_goods_for_a_special_fiscal_territory_need_no_licence(customs: CustomsClient) -> None:
    item = one("1")
    item["Procedure"]["additionalProcedure"] = ["F75"]
    told = content("M1", item)
    told["DeclarationReference"]["declarationType"] = "CO"
    customs.expectation.lines.clear()
    (claim,) = (await customs.reserve(told)).claim_results
    assert claim.outcome == "OK_NOT_APPLICABLE"


@pytest.mark.row("B48")
@pytest.mark.parametrize(("instant", "reasons"), [("22:59:00", []), ("23:01:00", ["EXPIRED_AT_ACCEPTANCE"])])
async def test_the_last_day_ends_at_midnight_where_the_declaration_was_accepted(
    world: GatewayWorld, customs: CustomsClient, instant: str, reasons: list[str]
) -> None:
    await world.issue("E", quantity="5", validTo="2026-03-10")
    told = content("M1", one("5", "E"))
    told["DeclarationReference"]["declarationAcceptanceDateAndTime"] = f"2026-03-10T{instant}Z"
    world.expectation.lines.clear()
    assert codes(await customs.reserve(told)) == reasons
