"""F3 to F6: reserve, consume, undo, adjust, withdraw (Implementing Regulation (EU) 2024/2145 Art. 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.singlewindow.callers import CallerRole, Mode
from certex_bridge.singlewindow.functions.ledger_calls import Ledger, event_of
from certex_bridge.singlewindow.functions.movement_event import (
    JsonObject,
    acceptance_of,
    content_of,
    figures_of,
    identity_of,
    simplified_of,
    stated,
)
from certex_bridge.singlewindow.messages.movement import MovementType, QuantityMovement
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.outcome_answer import answer_to, is_negative, kept_answer
from certex_bridge.singlewindow.rights import require_own_declaration

if TYPE_CHECKING:
    from certex_bridge.platform.envelope import Envelope
    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.messages.goods import GoodsItem

KINDS: dict[MovementType, EventKind] = {
    "RESERVE": EventKind.ACCEPTED,
    "CONSUME": EventKind.RELEASED,
    "UNRESERVE": EventKind.NOT_RELEASED,
    "ADJUST": EventKind.AMENDED,
    "WITHDRAW": EventKind.INVALIDATED,
}
"""What customs tell the ledger by each movement."""

MRN_FIELD = "DeclarationReference/MRN"


def operations(ledger: Ledger, sender: str) -> Sequence[Operation]:
    """The operation; `sender` is what the bridge's own messages name as messageSender."""

    async def move(call: Call, request: QuantityMovement) -> Reply:
        call.caller.require(CallerRole.CLEARANCE)
        require_own_declaration(call.caller, request.declaration_reference.mrn, MRN_FIELD)
        kind, data = KINDS[request.movement_type], data_of(request)
        return await ask(ledger, event_of(call, request, kind, data), call, request, sender)

    return (
        Operation(
            name="moveQuantity",
            function="F3-F6",
            law="6(1)-(5), 7",
            path="/v1/movements",
            request=QuantityMovement,
            response=QuantityMovementResponse,
            roles=frozenset({CallerRole.CLEARANCE}),
            handler=move,
            summary="Reserve, consume, give back, adjust or withdraw the quantities of one declaration.",
            statuses=(202, 409, 503),
        ),
    )


async def ask(ledger: Ledger, event: Envelope, call: Call, request: Message, sender: str) -> Reply:
    """Submit the event of a call and answer with the outcome document.

    Raises:
        Refusal: see `Ledger.submit`.
    """
    caller, identification = call.caller, request.message_identification
    answered = await ledger.submit(event, caller)
    if not answered.document:
        kind = dict(event.headers)["ce_type"] or b""
        document = kept_answer(
            sender=sender,
            caller=caller,
            identification=identification,
            mrn=(event.key or b"").decode(),
            kind=kind.decode().split(".")[2],
            at=request.prepared_at,
        )
        return Reply(document, kept=True, blocking=False)
    blocking = caller.policies.mode is Mode.BLOCK and is_negative(answered.document)
    document = answer_to(answered.document, caller, identification)
    return Reply(document, repeated=answered.repeated, blocking=blocking)


def data_of(request: QuantityMovement) -> JsonObject:
    """The canonical event's data."""
    reference = request.declaration_reference
    told = identity_of(reference) | stated(reason=request.reason)
    if request.has_content:
        content = content_of(request, reference) if request.goods_item else None
        accepted = acceptance_of(reference) if request.movement_type == "RESERVE" else None
        simplified = simplified_of(reference.simplified_declaration)
        return told | stated(acceptedAt=accepted, declaration=content, simplifiedDeclarations=simplified)
    items = [_released(item) for item in request.goods_item]
    return told | stated(items=items or None)


def _released(item: GoodsItem) -> dict[str, Any]:
    """An item that was released, with the figures of its documents, or that was not."""
    documents = [{"seq": one.sequence_number, **figures_of(one)} for one in item.supporting_document]
    return stated(item=item.declaration_goods_item_number, documents=documents or None)
