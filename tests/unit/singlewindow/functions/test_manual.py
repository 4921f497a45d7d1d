"""Decisions by hand through the gateway: messages, whose decision it may be, and the event that says the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.ledger.domain.facts import Decision, EventKind
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.writeoff import WriteOffSource
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.manual import correction_event, correction_reply, override_event
from certex_bridge.singlewindow.messages.manual import ManualQuantityManagementRequest, QuantityCorrectionRequest
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal

MRN = "26BEE0000B7Q2K5XA9"
HEADER = {
    "messageSender": "BE-PLDA",
    "messageRecipient": "CERTEX-BRIDGE",
    "preparationDateAndTime": "2026-03-02T14:40:00",
    "messageIdentification": "D-17",
}
NOTE = {"type": "NOTE", "referenceNumber": "2026/0302-17", "issuingDate": "2026-03-02", "memberState": "BE"}


def call(*roles: CallerRole, state: str = "BE") -> Call:
    caller = Caller(name="BE-PLDA", member_state=state, roles=frozenset(roles), oauth_clients=("plda",))
    return Call(caller, datetime(2026, 3, 2, 14, 41, tzinfo=UTC))


def document(seq: int, **figures: str) -> dict[str, Any]:
    return {"sequenceNumber": seq, **figures}


def decision(name: str, *documents: dict[str, Any], **changes: Any) -> dict[str, Any]:
    items = [{"declarationGoodsItemNumber": 1, "SupportingDocument": list(documents)}] if documents else []
    told = {**HEADER, "messageType": "CBMQRQ", "MRN": MRN, "officerIdentification": "BE-AN-0417", "reason": "Known"}
    return {**told, "decision": name, "GoodsItem": items, **changes}


def request(told: dict[str, Any]) -> ManualQuantityManagementRequest:
    return ManualQuantityManagementRequest.model_validate_json(json.dumps(told))


def correction(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    told = {**HEADER, "messageType": "CBQCRQ", "Licence": {"issuingCountry": "BE", "referenceNumber": "BE-2026-1"}}
    told |= {"source": "paper", "officerIdentification": "BE-LIC-2", "reason": "The form came back", "Evidence": NOTE}
    return {**told, "Line": list(lines), **changes}


def correct(told: dict[str, Any]) -> QuantityCorrectionRequest:
    return QuantityCorrectionRequest.model_validate_json(json.dumps(told))


OFFICER = call(CallerRole.CUSTOMS_OFFICER)
LICENSING = call(CallerRole.LICENSING_OFFICER)
FIGURES = {"quantity": "3", "measurementUnitAndQualifier": "NAR", "amount": "10.50", "currency": "EUR"}


@pytest.mark.row("E183")
def test_a_decision_becomes_the_event_that_says_the_same() -> None:
    told = request(decision("AMEND", document(1, **FIGURES), document(2, quantity="5", measurementUnitAndQualifier="KGM"),
                            Evidence=NOTE))  # fmt: skip
    command = decode_declaration_event(override_event(OFFICER, told))
    assert (command.kind, command.mrn, command.waits) == (EventKind.OVERRIDDEN, MRN, True)
    assert command.event_id == OFFICER.call_id(told)
    assert command.source == "urn:certex-bridge:caller:BE-PLDA"
    assert command.occurred_at == datetime(2026, 3, 2, 14, 40, tzinfo=UTC)
    one, two = command.facts.overrides
    assert (one.place, one.decision, one.officer, one.reason) == ((1, 1), Decision.AMEND, "BE-AN-0417", "Known")
    assert (one.quantity, one.value) == (Quantity(Decimal(3), "NAR"), Money(Decimal("10.50"), "EUR"))
    assert (two.place, two.quantity, two.value) == ((1, 2), Quantity(Decimal(5), "KGM"), None)
    assert one.evidence is not None
    assert one.evidence.document() == {
        "type": "NOTE",
        "number": "2026/0302-17",
        "date": "2026-03-02",
        "memberState": "BE",
    }


@pytest.mark.parametrize("name", ["ACCEPT", "REFUSE"])
def test_a_decision_can_be_on_documents_items_or_all(name: str) -> None:
    whole = decode_declaration_event(override_event(OFFICER, request(decision(name))))
    assert [one.place for one in whole.facts.overrides] == [(0, 0)]
    items = [{"declarationGoodsItemNumber": 2}, {"declarationGoodsItemNumber": 1, "SupportingDocument": [document(3)]}]
    parts = decode_declaration_event(override_event(OFFICER, request(decision(name, GoodsItem=items))))
    assert [one.place for one in parts.facts.overrides] == [(1, 3), (2, 0)]


@pytest.mark.row("E183")
@pytest.mark.parametrize(
    ("told", "code"),
    [
        (decision("ACCEPT", officerIdentification=None), "string_type"),
        (decision("ACCEPT", reason=""), "string_too_short"),
        (decision("ACCEPT", reason=" "), "string_pattern_mismatch"),
        (decision("AMEND"), "FIGURES_MISSING"),
        (decision("AMEND", document(1)), "FIGURES_MISSING"),
        (decision("AMEND", document(1, quantity="3")), "FIGURE_INCOMPLETE"),
        (decision("AMEND", document(1, currency="EUR")), "FIGURE_INCOMPLETE"),
        (decision("REFUSE", document(1, **FIGURES)), "FIGURES_UNEXPECTED"),
        (decision("PERHAPS"), "enum"),
    ],
)
def test_a_decision_without_officer_reason_or_figures_is_no_message(told: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        request(told)
    assert code in {error["type"] for error in refused.value.errors()}


@pytest.mark.row("E183")
@pytest.mark.parametrize(
    ("who", "code"),
    [
        (call(CallerRole.CLEARANCE, CallerRole.LICENSING_OFFICER), "ROLE_MISSING"),
        (call(CallerRole.CUSTOMS_OFFICER, state="DE"), "FOREIGN_MEMBER_STATE"),
    ],
)
def test_whose_decision_it_may_be(who: Call, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        override_event(who, request(decision("ACCEPT")))
    assert refused.value.code == code


def test_an_evidence_of_no_day_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        override_event(OFFICER, request(decision("ACCEPT", Evidence={**NOTE, "issuingDate": "2026-02-30"})))
    assert (refused.value.code, refused.value.field) == ("SCHEMA_INVALID", "Evidence.issuingDate")


def test_a_correction_becomes_the_event_of_a_captured_write_off() -> None:
    told = correct(correction({**FIGURES, "documentLineItemNumber": 1}))
    command = decode_licence_event(correction_event(LICENSING, told))
    assert (command.kind, command.licence_id, command.findings) == (
        LicenceEventKind.WRITE_OFF_CAPTURED,
        "BE/BE-2026-1",
        (),
    )
    write_off = command.write_off
    assert write_off is not None
    assert (write_off.source, write_off.officer, write_off.reason) == (
        WriteOffSource.PAPER,
        "BE-LIC-2",
        "The form came back",
    )
    (line,) = write_off.lines
    assert (line.line_no, line.quantity, line.value) == (
        1,
        Quantity(Decimal(3), "NAR"),
        Money(Decimal("10.50"), "EUR"),
    )


def test_a_correction_to_nothing_of_the_only_line() -> None:
    told = correct(correction({"quantity": "0", "measurementUnitAndQualifier": "NAR"}, source="correction"))
    command = decode_licence_event(correction_event(LICENSING, told))
    assert command.write_off is not None
    assert [(one.line_no, one.quantity) for one in command.write_off.lines] == [(None, Quantity(Decimal(0), "NAR"))]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (call(CallerRole.CUSTOMS_OFFICER), "ROLE_MISSING"),
        (call(CallerRole.LICENSING_OFFICER, state="DE"), "FOREIGN_MEMBER_STATE"),
    ],
)
def test_whose_correction_it_may_be(who: Call, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        correction_event(who, correct(correction(document_line())))
    assert refused.value.code == code


def document_line() -> dict[str, Any]:
    return {"documentLineItemNumber": 1, "quantity": "3", "measurementUnitAndQualifier": "NAR"}


def test_the_response_is_made_of_the_stored_answer() -> None:
    told = correct(correction(document_line()))
    answer = {
        "result": "ACCEPTED",
        "licence": "BE/BE-2026-1",
        "findings": [{"code": "UNCOVERED", "field": "lines[1]", "severity": "WARNING"}],
    }
    reply = correction_reply(told, json.dumps(answer), "CERTEX-BRIDGE")
    assert (reply.verdict, reply.correlation_identifier, reply.message_recipient) == ("ACCEPTED", "D-17", "BE-PLDA")
    assert [(one.severity, one.code, one.error_pointer) for one in reply.finding] == [
        ("WARNING", "UNCOVERED", "lines[1]")
    ]
    assert reply == correction_reply(told, json.dumps(answer), "CERTEX-BRIDGE")
