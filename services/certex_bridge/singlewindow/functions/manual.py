"""F7 and corrections: a decision by hand becomes the canonical event that says the same, and nothing else.

The ledger decodes that event as it decodes those of the topics, so there is one meaning and one set of rules. What is
checked here is whose decision it may be: an officer of customs decides on declarations of the own member state (IR
2024/2145 Art. 8), a licensing officer on licences of the own authority.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.events import event_type
from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.dates import parse_date
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.platform.envelope import Envelope
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.messages.manual import (
    CorrectionFinding,
    QuantityCorrectionResponse,
)
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.messages.manual import (
        DecidedItem,
        Evidence,
        Figures,
        ManualQuantityManagementRequest,
        QuantityCorrectionRequest,
    )
    from certex_bridge.singlewindow.operation import Call

OVERRIDDEN = event_type(EventKind.OVERRIDDEN)
_IDENTIFICATION = 35

CAPTURED = "licensing.write-off.captured.v1"


def override_event(call: Call, request: ManualQuantityManagementRequest) -> Envelope:
    """The canonical event of an officer's decision.

    Raises:
        Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE, SCHEMA_INVALID (a date that is none).
    """
    call.caller.require(CallerRole.CUSTOMS_OFFICER)
    call.caller.require_own_state(request.mrn, "MRN")
    data: dict[str, Any] = {
        "mrn": request.mrn,
        "officer": request.officer_identification,
        "reason": request.reason,
        "decision": request.decision.value,
    }
    if request.evidence is not None:
        data["evidence"] = _evidence(request.evidence)
    if request.goods_item:
        data["items"] = [_item(item) for item in request.goods_item]
    return _event(call, request, "customs.declarations.v1", OVERRIDDEN, request.mrn, data)


def correction_event(call: Call, request: QuantityCorrectionRequest) -> Envelope:
    """The canonical event of a captured write-off.

    Raises:
        Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE (the licence is another state's), SCHEMA_INVALID (a date that is
            none).
    """
    call.caller.require(CallerRole.LICENSING_OFFICER)
    issuer = request.licence.issuing_country
    if issuer != call.caller.member_state:
        message = f"{call.caller.name} answers for licences of {call.caller.member_state} only"
        raise Refusal("FOREIGN_MEMBER_STATE", message, field="Licence.issuingCountry", value=issuer)
    data = {
        "issuer": issuer,
        "number": request.licence.reference_number,
        "source": request.source.value,
        "officer": request.officer_identification,
        "reason": request.reason,
        "evidence": _evidence(request.evidence),
        "lines": [
            ({"line": line.document_line_item_number} if line.document_line_item_number else {}) | _figures(line)
            for line in request.line
        ],
    }
    key = licence_key(issuer, request.licence.reference_number)
    return _event(call, request, "licensing.licences.v1", CAPTURED, key, data)


def correction_reply(request: QuantityCorrectionRequest, answer: str, sender: str) -> QuantityCorrectionResponse:
    """The response from the ledger's stored answer, which is the same for ever."""
    told = json.loads(answer)
    findings = tuple(
        CorrectionFinding(severity=one["severity"], code=one["code"], error_pointer=one["field"][:512])
        for one in told["findings"]
    )
    return QuantityCorrectionResponse(
        message_sender=sender,
        message_recipient=request.message_sender,
        preparation_date_and_time=request.preparation_date_and_time,
        message_identification=content_id("answer", sender, request.message_identification)[:_IDENTIFICATION],
        type_of_message=QuantityCorrectionResponse.message_type,
        correlation_identifier=request.message_identification,
        licence=request.licence,
        verdict=told["result"],
        finding=findings,
    )


def _item(item: DecidedItem) -> dict[str, Any]:
    told: dict[str, Any] = {"item": item.declaration_goods_item_number}
    if item.supporting_document:
        told["documents"] = [{"seq": one.sequence_number} | _figures(one) for one in item.supporting_document]
    return told


def _figures(told: Figures) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if told.quantity is not None:
        figures["quantity"] = {"amount": told.quantity, "unit": told.measurement_unit_and_qualifier}
    if told.amount is not None:
        figures["value"] = {"amount": told.amount, "currency": told.currency}
    return figures


def _evidence(told: Evidence) -> dict[str, str]:
    try:
        parse_date(told.issuing_date, "Evidence.issuingDate")
    except InputError as error:
        raise Refusal("SCHEMA_INVALID", error.message, field=error.field, value=told.issuing_date) from None
    evidence = {"type": told.type, "number": told.reference_number, "date": told.issuing_date}
    return evidence | ({"memberState": told.member_state} if told.member_state else {})


def _event(call: Call, request: Message, topic: str, ce_type: str, key: str, data: dict[str, Any]) -> Envelope:
    """The event as a record of its topic, by a sender that waits for the answer."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": call.call_id(request),
        "ce_type": ce_type,
        "ce_source": f"urn:certex-bridge:caller:{call.caller.name}",
        "ce_time": request.prepared_at.isoformat(),
        "ce_answer": "always",
        "content-type": "application/json",
    }
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(call.received_at.timestamp() * 1000)
    pairs = tuple((name, text.encode()) for name, text in headers.items())
    return Envelope(topic, 0, -1, key.encode(), value, pairs, stamp)
