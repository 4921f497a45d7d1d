"""Calls that move quantities: each becomes one canonical event, is applied by the ledger's executor, and is answered.

The event is the same that a record of topic customs.declarations.v1 would be, read by the same decoder; its id is the
call's, so the same call has one effect on whatever way it comes, and how often. While the database is away, what
customs tell about goods (consume, undo, adjust, withdraw) is kept: published as that very event, and applied later.
A reservation is not: nobody may be told RESERVED, or be left without an answer, on something that is not decided.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import msgspec

from certex_bridge.customs.events import event_type
from certex_bridge.ledger.answers import DUPLICATE_ID
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.gathering import Unavailable
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.callers import Mode
from certex_bridge.singlewindow.refusals import FieldError, Refusal

if TYPE_CHECKING:
    from certex_bridge.ledger.answers import Given
    from certex_bridge.singlewindow.callers import Caller
    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.operation import Call

LOG = get_logger("certex_bridge.gateway")

TOPIC = "customs.declarations.v1"
KEPT_KINDS = frozenset({EventKind.RELEASED, EventKind.NOT_RELEASED, EventKind.AMENDED, EventKind.INVALIDATED})
"""What is kept while the database is away (Implementing Regulation (EU) 2024/2145 Art. 6(3), 6(4), 7)."""

Decoder = Callable[[Envelope], DeclarationCommand]
Keep = Callable[[Envelope], Awaitable[None]]
"""Publishes the event on its topic, confirmed by the broker; raises when that is not to be had."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call came to."""

    result: str
    """APPLIED, REFUSED, CONFLICT, ALREADY_DONE, SUPERSEDED, RECORDED, or KEPT."""
    document: bytes = b""
    """The outcome document as published; empty: kept, nothing is decided yet."""
    repeated: bool = False


class Ledger(Protocol):
    """Who takes canonical events of calls to the ledger."""

    async def submit(self, envelope: Envelope, caller: Caller) -> Answered:
        """Apply the event, or keep it while the database is away.

        Raises:
            Refusal: DUPLICATE_ID, SCHEMA_INVALID, MRN_INVALID, NOT_AVAILABLE.
        """


class Submitting(Protocol):
    """The group commit: see `Gathering`."""

    async def submit(self, delivery: Delivery, seconds: float) -> Given:
        """Apply one event; see there."""


class LedgerCalls:
    """The ledger behind the gateway."""

    def __init__(self, gathering: Submitting, decoder: Decoder, keep: Keep, seconds: float) -> None:
        """`seconds` is the longest that a call may wait for its transaction."""
        self._gathering = gathering
        self._decoder = decoder
        self._keep = keep
        self._seconds = seconds

    async def submit(self, envelope: Envelope, caller: Caller) -> Answered:
        """Apply the event, or keep it while the database is away."""
        command = self._decode(envelope)
        try:
            given = await self._gathering.submit(Delivery(INTERNAL, command, trace=current_trace()), self._seconds)
        except Unavailable as error:
            if command.kind not in KEPT_KINDS:
                raise Refusal("NOT_AVAILABLE", f"nothing is reserved: {error.message}") from error
            return await self._kept(envelope, caller, error)
        if given.answer.result == DUPLICATE_ID:
            message = "the message identification was used for another message; nothing is changed"
            raise Refusal("DUPLICATE_ID", message, field="messageIdentification")
        document = given.document
        if document is None:  # the outbox keeps every outcome: without one the database is not the one it was
            raise Refusal("NOT_AVAILABLE", "the outcome of this call cannot be found now")
        return Answered(given.answer.result, document.body, given.answer.repeated)

    def _decode(self, envelope: Envelope) -> DeclarationCommand:
        try:
            return self._decoder(envelope)
        except Poison as poison:
            if poison.code == "MRN_INVALID":
                raise Refusal("MRN_INVALID", poison.message, field=poison.field, value=poison.value) from poison
            mistake = FieldError(poison.field, "14", poison.code, poison.value, poison.message)
            raise Refusal("SCHEMA_INVALID", poison.message, errors=[mistake]) from poison

    async def _kept(self, envelope: Envelope, caller: Caller, why: Unavailable) -> Answered:
        try:
            await self._keep(envelope)
        except Exception as error:
            LOG.warning("gateway.not_kept", caller=caller.name, error=type(error).__name__)
            message = "neither the ledger nor the broker can be reached; nothing is kept, send it again"
            raise Refusal("NOT_AVAILABLE", message) from error
        LOG.info("gateway.kept", caller=caller.name, why=why.message)
        return Answered("KEPT")


def event_of(call: Call, request: Message, kind: EventKind, data: Mapping[str, Any]) -> Envelope:
    """The canonical event of a call.

    The data carry the message's own hash, so that two messages are the same event only if they are the same message.

    Raises:
        Refusal: SCHEMA_INVALID, preparationDateAndTime is no instant.
    """
    caller = call.caller
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": call.call_id(request),
        "ce_type": event_type(kind),
        "ce_source": source_of(caller),
        "ce_time": request.prepared_at.isoformat(),
        "ce_answer": "always",
        "content-type": "application/json",
    }
    if caller.policies.mode is not Mode.BLOCK:
        # Its goods go on whatever the answer is: what happens must become a fact.
        attributes["ce_order"] = "recorded"
    value = msgspec.json.encode({**data, "messageSha256": request.content_sha256})
    headers = tuple((name, text.encode()) for name, text in attributes.items())
    received = int(call.received_at.timestamp() * 1000)
    return Envelope(TOPIC, -1, -1, str(data.get("mrn", "")).encode() or None, value, headers, received)


def source_of(caller: Caller) -> str:
    """CloudEvents source of a caller's events: a URI, whatever its name is."""
    return "urn:certex-bridge:caller:" + quote(caller.name, safe="")
