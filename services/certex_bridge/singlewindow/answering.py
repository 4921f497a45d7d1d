"""Answers of functions that keep tables of their own: the same call gets the same answer, for ever.

The answer is stored in the transaction of the effect, so there is never one without the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.operation import Call, Reply
from certex_bridge.singlewindow.refusals import Refusal

Response = TypeVar("Response", bound=Message)

IDENTIFICATION_LENGTH = 35
"""messageIdentification is an..35."""


class StoredAnswer(NamedTuple):
    """What was answered to a call."""

    sha256: str
    """Hash of the request's content."""
    body: bytes
    """The response as JSON."""


class Answers(Protocol):
    """The answers of one open transaction."""

    async def answered(self, call_id: str) -> StoredAnswer | None:
        """What was answered before; until the transaction ends nobody else answers this call."""

    async def keep_answer(self, call_id: str, answer: StoredAnswer, at: datetime) -> None:
        """Store the answer."""


async def answer_once(
    answers: Answers, call: Call, request: Message, response: type[Response], work: Callable[[], Awaitable[Response]]
) -> Reply:
    """Do the work and store its answer, or give the answer that is stored.

    Raises:
        Refusal: DUPLICATE_ID for another message under the same identification; what the work raises, then nothing is
            stored.
    """
    call_id = call.call_id(request)
    stored = await answers.answered(call_id)
    if stored is None:
        message = await work()
        body = message.model_dump_json(by_alias=True, exclude_none=True).encode()
        await answers.keep_answer(call_id, StoredAnswer(request.content_sha256, body), call.received_at)
        return Reply(message)
    if stored.sha256 != request.content_sha256:
        raise Refusal(
            "DUPLICATE_ID",
            "this identification was used before for another message",
            field="messageIdentification",
            value=request.message_identification,
        )
    return Reply(response.model_validate_json(stored.body), repeated=True)


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
