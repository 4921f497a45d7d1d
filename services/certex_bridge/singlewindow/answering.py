"""Headers of the messages made here, and refusals of messages that fit their schema and cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal

IDENTIFICATION_LENGTH = 35
"""messageIdentification is an..35."""


def reply_header(sender: str, call: Call, request: Message, response: type[Message], at: datetime) -> dict[str, Any]:
    """The header of the response to a request; its identification is made from the call."""
    return {
        **header(sender, call.caller.name, response, at, call.call_id(request)),
        "correlationIdentifier": request.message_identification,
    }


def header(sender: str, recipient: str, message: type[Message], at: datetime, identity: str) -> dict[str, Any]:
    """The header of a message made here; `identity` is content that no other message of the kind has."""
    return {
        "messageSender": sender,
        "messageRecipient": recipient,
        "preparationDateAndTime": instant_text(at),
        "messageIdentification": content_id(message.root, identity)[:IDENTIFICATION_LENGTH],
        "messageType": message.message_type,
    }


def instant_text(at: datetime) -> str:
    """An instant as the messages write it: UTC with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def not_as_agreed(error: InputError, field: str) -> Refusal:
    """The refusal of a value that has the right form and cannot be."""
    return Refusal("SCHEMA_INVALID", error.message, field=field, value=error.value)


def missing(field: str, sentence: str) -> Refusal:
    """The refusal of a message that lacks an item."""
    return Refusal("SCHEMA_INVALID", sentence, field=field, error_code="13")


def not_here(field: str, value: object, sentence: str) -> Refusal:
    """The refusal of an item that has no place here."""
    return Refusal("SCHEMA_INVALID", sentence, field=field, value=value, error_code="15")
