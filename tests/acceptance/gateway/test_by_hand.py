"""Decisions by hand through the gateway: an officer of customs, and the licensing side that captures what was on paper."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certex_bridge.singlewindow.callers import Caller, CallerRole
from tests.support.clearance import SENDER, Desk, Replied
from tests.support.ledger_words import mrn_of
from tests.support.scenario import Scenario

NOTE = {"type": "FORM26", "referenceNumber": "2026/17", "issuingDate": "2026-03-01", "memberState": "BE"}


def of(role: CallerRole, state: str = "BE") -> Caller:
    return Caller(name="DESK.BE", member_state=state, roles=frozenset({role}))


async def ask(desk: Desk, path: str, caller: Caller, told: dict[str, Any], call_id: str) -> Replied:
    header = {
        "messageSender": caller.name, "messageRecipient": SENDER, "preparationDateAndTime": "2026-03-01T12:00:00",
        "messageIdentification": call_id,
    }  # fmt: skip
    return Replied(await desk.post(json.dumps(header | told).encode(), as_caller=caller, path=path))


async def override(
    desk: Desk, decision: str, caller: Caller | None = None, call_id: str = "o1", **told: Any
) -> Replied:
    said = {"messageType": "CBMQRQ", "MRN": mrn_of("M1"), "officerIdentification": "BE-17", "reason": "known goods"}
    caller = caller or of(CallerRole.CUSTOMS_OFFICER)
    return await ask(desk, "/v1/overrides", caller, said | {"decision": decision} | told, call_id)


async def correct(desk: Desk, quantity: str, caller: Caller | None = None, call_id: str = "c1", **told: Any) -> Replied:
    line = {"documentLineItemNumber": 1, "quantity": quantity, "measurementUnitAndQualifier": "NAR"}
    said = {
        "messageType": "CBQCRQ", "Licence": {"issuingCountry": "BE", "referenceNumber": "A"}, "source": "paper",
        "officerIdentification": "LIC-2", "reason": "the form came back", "Evidence": NOTE, "Line": [line],
    }  # fmt: skip
    return await ask(desk, "/v1/corrections", caller or of(CallerRole.LICENSING_OFFICER), said | told, call_id)


@pytest.mark.row("E182", "B18", "B34", "IR 8(1)")
async def test_an_officer_books_more_than_is_left_and_everybody_hears_of_it(s: Scenario, desk: Desk) -> None:
    refused = await desk.move("RESERVE", "M1", A="150")
    assert refused.outcomes == ["REFUSED QUANTITY_EXCEEDED"]
    assert (await override(desk, "ACCEPT")).outcomes == ["OK_OVERRIDDEN"]
    assert await s.balance("A") == "150/0/0"
    assert (await desk.move("CONSUME", "M1", A="150")).outcomes == ["OK_CONSUMED"]
    assert await s.balance("A") == "0/150/0"


@pytest.mark.row("E183")
@pytest.mark.parametrize(
    ("caller", "told", "status", "code"),
    [
        (of(CallerRole.CLEARANCE), {}, 403, "ROLE_MISSING"),
        (of(CallerRole.CUSTOMS_OFFICER, "FR"), {}, 403, "FOREIGN_MEMBER_STATE"),
        (None, {"officerIdentification": ""}, 400, "SCHEMA_INVALID"),
        (None, {"reason": " "}, 400, "SCHEMA_INVALID"),
    ],
)
async def test_without_right_officer_or_reason_nothing_is_decided(
    s: Scenario, desk: Desk, caller: Caller | None, told: dict[str, Any], status: int, code: str
) -> None:
    await desk.move("RESERVE", "M1", A="150")
    reply = await override(desk, "ACCEPT", caller, **told)
    assert (reply.status, reply.told["code"]) == (status, code)
    assert await s.balance("A") == "0/0/100"


async def test_a_decision_on_an_unknown_declaration_is_refused(s: Scenario, desk: Desk) -> None:
    assert (await override(desk, "ACCEPT")).findings[0].startswith("ERROR CLAIM_UNKNOWN")
    assert await s.balance("A") == "0/0/100"


@pytest.mark.row("E184", "B35", "IR 11(2)")
async def test_a_paper_write_off_is_captured_corrected_and_answered_once(s: Scenario, desk: Desk) -> None:
    first = await correct(desk, "20")
    assert (first.status, first.told["verdict"]) == (200, "ACCEPTED")
    assert await s.balance("A") == "0/20/80"
    again = await correct(desk, "20")
    assert (again.answer.body, again.answer.headers["certex-repeated"]) == (first.answer.body, "1")
    other = await correct(desk, "30")
    assert (other.status, other.told["code"]) == (409, "DUPLICATE_ID")
    later = {"preparationDateAndTime": "2026-03-02T12:00:00"}
    assert (await correct(desk, "15", call_id="c2", **later)).told["verdict"] == "ACCEPTED"
    assert await s.balance("A") == "0/15/85"
    assert await s.quarantined() == []


async def test_a_licence_of_another_state_is_not_corrected(s: Scenario, desk: Desk) -> None:
    reply = await correct(desk, "20", of(CallerRole.LICENSING_OFFICER, "FR"))
    assert (reply.status, reply.told["code"]) == (403, "FOREIGN_MEMBER_STATE")
    assert await s.balance("A") == "0/0/100"
