"""A rule across several fields names the element it is about, and echoes no part of the message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree

from certex_bridge.singlewindow.messages import xml
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.manual import ManualQuantityManagementRequest, QuantityCorrectionRequest
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from certex_bridge.singlewindow.refusals import FieldError, Refusal

MRN = "26BE00000000000A19"
HEAD = {
    "messageSender": "NSW", "messageRecipient": "B", "preparationDateAndTime": "2026-03-01T10:00:00",
    "messageIdentification": "1",
}  # fmt: skip
SECRET = "Jane Doe"


def movement(kind: str, **content: Any) -> dict[str, Any]:
    reference = content.pop("reference", {"MRN": MRN})
    return HEAD | {"messageType": "CBQMRQ", "movementType": kind, "DeclarationReference": reference} | content


def mistakes(message: dict[str, Any], model: Any = QuantityMovement) -> list[FieldError]:
    with pytest.raises(Refusal) as caught:
        read_json_message(json.dumps(message).encode(), model)
    return list(caught.value.errors)


DOCUMENT = {"sequenceNumber": 1, "type": "X060", "referenceNumber": "A", "quantity": "4"}
ITEM = {"declarationGoodsItemNumber": 1, "SupportingDocument": [DOCUMENT]}


@pytest.mark.parametrize(
    ("message", "pointer", "reason"),
    [
        (movement("UNRESERVE", GoodsItem=[ITEM | {"SupportingDocument": [{**DOCUMENT, "measurementUnitAndQualifier": "NAR"}]}]),
         "/GoodsItem/SupportingDocument", "NOT_ALLOWED"),
        (movement("WITHDRAW", Consignee={"name": SECRET}), "/Consignee", "NOT_ALLOWED"),
        (movement("ADJUST"), "/DeclarationReference/declarationVersion", "MISSING"),
        (movement("WITHDRAW", reference={"LRN": "L"}), "/DeclarationReference/MRN", "IDENTITY_MISSING"),
        (movement("RESERVE", GoodsItem=[ITEM]), "/GoodsItem/0/SupportingDocument/0/measurementUnitAndQualifier",
         "FIGURE_INCOMPLETE"),
    ],
)  # fmt: skip
def test_the_pointer_leads_to_the_element(message: dict[str, Any], pointer: str, reason: str) -> None:
    (mistake,) = mistakes(message)
    assert (mistake.pointer, mistake.reason) == (pointer, reason)
    assert SECRET not in mistake.value
    assert "{" not in mistake.value


def test_a_decision_by_hand_points_to_the_items() -> None:
    told = HEAD | {
        "messageType": "CBMQRQ", "decision": "AMEND", "officerIdentification": "O", "reason": "R",
        "MRN": MRN,
    }  # fmt: skip
    assert ("/GoodsItem", "FIGURES_MISSING", "object") in [
        (one.pointer, one.reason, one.value) for one in mistakes(told, ManualQuantityManagementRequest)
    ]


def test_a_value_of_the_wrong_kind_is_named_by_its_kind() -> None:
    (mistake,) = mistakes(movement("WITHDRAW") | {"messageSender": {"name": SECRET}})
    assert (mistake.pointer, mistake.value) == ("/messageSender", "object")
    (mistake,) = mistakes(movement("WITHDRAW") | {"movementType": ["x"]})
    assert mistake.value == "array"


def test_the_xml_form_points_the_same_way() -> None:
    head = "".join(f"<{name}>{value}</{name}>" for name, value in HEAD.items())
    document = (
        f'<QuantityMovement xmlns="urn:certex-bridge:quantity-movement-request:1">{head}<messageType>CBQMRQ</messageType>'
        f"<movementType>ADJUST</movementType><DeclarationReference><MRN>{MRN}</MRN></DeclarationReference>"
        "</QuantityMovement>"
    )
    with pytest.raises(Refusal) as caught:
        read_message(document.encode(), QuantityMovement)
    (mistake,) = caught.value.errors
    assert mistake.pointer == "/QuantityMovement/DeclarationReference/declarationVersion"
    assert (mistake.reason, mistake.value) == ("MISSING", "object")


CHECK = HEAD | {"messageType": "CBACRQ"}
DECIDED = HEAD | {
    "messageType": "CBMQRQ",
    "MRN": MRN,
    "officerIdentification": "O",
    "reason": "R",
    "decision": "REFUSE",
}
CORRECTED = HEAD | {
    "messageType": "CBQCRQ", "Licence": {"issuingCountry": "BE", "referenceNumber": "A"}, "source": "paper",
    "officerIdentification": "O", "reason": "R", "Line": [],
    "Evidence": {"type": "NOTE", "referenceNumber": "1", "issuingDate": "2026-03-01", "memberState": "BE"},
}  # fmt: skip
ALONE = {"type": "X060", "referenceNumber": "A", "issuingCountry": "BE"}
CITED = {
    "declarationGoodsItemNumber": 1,
    "SupportingDocument": [{"sequenceNumber": 1, "type": "X060", "referenceNumber": "A"}],
}
WITH_FIGURES = {
    "declarationGoodsItemNumber": 1,
    "SupportingDocument": [{"sequenceNumber": 1, "quantity": "3", "measurementUnitAndQualifier": "NAR"}],
}


@pytest.mark.parametrize(
    ("message", "model", "pointer", "reason"),
    [
        (CHECK, AvailabilityCheck, "/GoodsItem", "QUESTION_MISSING"),
        (CHECK | {"CertificateReference": [ALONE], "dryRun": "RESERVE"}, AvailabilityCheck, "/CertificateReference",
         "QUESTION_MIXED"),
        (CHECK | {"GoodsItem": [CITED], "dryRun": "RESERVE"}, AvailabilityCheck, "/DeclarationReference",
         "DECLARATION_MISSING"),
        (DECIDED | {"GoodsItem": [WITH_FIGURES]}, ManualQuantityManagementRequest, "/GoodsItem", "FIGURES_UNEXPECTED"),
        (CORRECTED, QuantityCorrectionRequest, "/Line", "TOO_FEW"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_named(message: dict[str, Any], model: Any, pointer: str, reason: str) -> None:
    assert (pointer, reason) in [(one.pointer, one.reason) for one in mistakes(message, model)]


def test_a_document_that_only_its_schema_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model and schema agree on everything that is known; should they ever not, nothing is taken."""
    message = read_json_message(json.dumps(movement("WITHDRAW")).encode(), QuantityMovement)
    document = write_message(message)
    assert read_message(document, QuantityMovement) == message
    nothing = etree.XMLSchema(etree.XML('<schema xmlns="http://www.w3.org/2001/XMLSchema"/>'))
    monkeypatch.setattr(xml, "schema_of", lambda _model: nothing)
    with pytest.raises(Refusal) as refused:
        read_message(document, QuantityMovement)
    assert [(one.pointer, one.error_code, one.reason) for one in refused.value.errors] == [
        ("/QuantityMovement", "18", "SCHEMA")
    ]
