"""F7 and corrections: a decision by hand becomes the canonical event that says the same, and nothing else.

The ledger decodes that event as it decodes those of the topics, so there is one meaning and one set of rules. What is
checked here is whose decision it may be: an officer of customs decides on declarations of the own member state (IR
2024/2145 Art. 8), a licensing officer on licences of the own authority.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.dates import parse_date
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.answers import DUPLICATE_ID
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.ledger.gathering import Unavailable
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.functions.ledger_calls import event_of, source_of
from certex_bridge.singlewindow.functions.movements import ask
from certex_bridge.singlewindow.messages.manual import (
    CorrectionFinding,
    ManualQuantityManagementRequest,
    QuantityCorrectionRequest,
    QuantityCorrectionResponse,
)
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.operation import Operation, Reply
from certex_bridge.singlewindow.refusals import FieldError, Refusal
from certex_bridge.singlewindow.rights import require_own_declaration, require_own_licence

if TYPE_CHECKING:
    from certex_bridge.licensing.domain.commands import LicenceCommand
    from certex_bridge.singlewindow.functions.ledger_calls import Ledger, Submitting
    from certex_bridge.singlewindow.messages.manual import DecidedItem, Evidence, Figures
    from certex_bridge.singlewindow.operation import Call

_IDENTIFICATION = 35

CAPTURED = "licensing.write-off.captured.v1"


def override_event(call: Call, request: ManualQuantityManagementRequest) -> Envelope:
    """The canonical event of an officer's decision.

    Raises:
        Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE, SCHEMA_INVALID (a date that is none).
    """
    call.caller.require(CallerRole.CUSTOMS_OFFICER)
    require_own_declaration(call.caller, request.mrn, "MRN")
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
    return event_of(call, request, EventKind.OVERRIDDEN, data)


def correction_event(call: Call, request: QuantityCorrectionRequest) -> Envelope:
    """The canonical event of a captured write-off.

    Raises:
        Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE (the licence is another state's), SCHEMA_INVALID (a date that is
            none).
    """
    issuer = request.licence.issuing_country
    require_own_licence(call.caller, issuer, "Licence.issuingCountry")
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
    return _captured(call, request, licence_key(issuer, request.licence.reference_number), data)


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


def _captured(call: Call, request: QuantityCorrectionRequest, key: str, data: dict[str, Any]) -> Envelope:
    """The event as a record of its topic, by a sender that waits for the answer.

    An extension carries the message's own hash, so that two messages are the same event only if they are the same
    message; the data have no place for it.
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": call.call_id(request),
        "ce_type": CAPTURED,
        "ce_source": source_of(call.caller),
        "ce_time": request.prepared_at.isoformat(),
        "ce_answer": "always",
        "ce_messagesha256": request.content_sha256,
        "content-type": "application/json",
    }
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = int(call.received_at.timestamp() * 1000)
    pairs = tuple((name, text.encode()) for name, text in headers.items())
    return Envelope("licensing.licences.v1", -1, -1, key.encode(), value, pairs, stamp)


class Captures:
    """The ledger behind corrections: the event's stored answer is the call's, for ever."""

    def __init__(self, gathering: Submitting, decoder: Callable[[Envelope], LicenceCommand], seconds: float) -> None:
        """`seconds` is the longest that a call may wait for its transaction."""
        self._gathering = gathering
        self._decoder = decoder
        self._seconds = seconds

    async def submit(self, envelope: Envelope) -> tuple[str, bool]:
        """Apply the event; its stored answer, and whether it was given before.

        Raises:
            Refusal: DUPLICATE_ID, SCHEMA_INVALID, NOT_AVAILABLE.
        """
        try:
            command = self._decoder(envelope)
            given = await self._gathering.submit(Delivery(INTERNAL, command, trace=current_trace()), self._seconds)
        except Poison as poison:
            mistake = FieldError(poison.field, "14", poison.code, poison.value, poison.message)
            raise Refusal("SCHEMA_INVALID", poison.message, errors=[mistake]) from poison
        except Unavailable as error:
            raise Refusal("NOT_AVAILABLE", f"nothing is written off: {error.message}") from error
        if given.answer.result == DUPLICATE_ID:
            message = "the message identification was used for another message; nothing is changed"
            raise Refusal("DUPLICATE_ID", message, field="messageIdentification")
        return given.answer.body, given.answer.repeated


def operations(ledger: Ledger, captures: Captures, sender: str) -> Sequence[Operation]:
    """F7 and corrections as operations; `sender` is what the bridge's own messages name as messageSender."""

    async def override(call: Call, request: ManualQuantityManagementRequest) -> Reply:
        return await ask(ledger, override_event(call, request), call, request, sender)

    async def correct(call: Call, request: QuantityCorrectionRequest) -> Reply:
        answer, repeated = await captures.submit(correction_event(call, request))
        return Reply(correction_reply(request, answer, sender), repeated=repeated)

    return (
        Operation(
            name="overrideQuantity",
            function="F7",
            law="8(1), 8(2)",
            path="/v1/overrides",
            request=ManualQuantityManagementRequest,
            response=QuantityMovementResponse,
            roles=frozenset({CallerRole.CUSTOMS_OFFICER}),
            handler=override,
            summary="Accept, amend or refuse quantities by hand, under the officer's full responsibility.",
            statuses=(409, 503),
        ),
        Operation(
            name="correctQuantity",
            function="F7",
            law="11(2)",
            path="/v1/corrections",
            request=QuantityCorrectionRequest,
            response=QuantityCorrectionResponse,
            roles=frozenset({CallerRole.LICENSING_OFFICER}),
            handler=correct,
            summary="Capture or correct a write-off made outside the bridge, proved by a document.",
            statuses=(409, 503),
        ),
    )
