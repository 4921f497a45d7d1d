"""Answers in the form that was asked for: messages, and refusals as problem, ErrorNotification or SOAP fault."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certex_bridge.kernel.canonical import content_id
from certex_bridge.singlewindow.http.forms import JSON, SOAP_PATH, XML, likely_form, soap_version
from certex_bridge.singlewindow.http.identity import CALLER
from certex_bridge.singlewindow.http.problems import problem_document
from certex_bridge.singlewindow.http.soap import EnvelopeRefused, Soap, fault, in_envelope
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.errors import ErrorNotification, FunctionalError
from certex_bridge.singlewindow.messages.xml import json_of_document, write_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from certex_bridge.platform.health import Scope
    from certex_bridge.singlewindow.operation import Reply
    from certex_bridge.singlewindow.refusals import FieldError, Refusal

XML_TYPE = f"{XML}; charset=utf-8"
UNKNOWN = "UNKNOWN"
"""messageRecipient of an answer to somebody we do not know."""
CORRELATION = "message_identification"
"""Where `scope["state"]` holds the request's messageIdentification once it is read."""
_UNSPEAKABLE = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
"""What XML cannot carry; an answer that repeats what it was told shows the sign for it instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before it becomes HTTP."""

    status: int
    body: bytes
    content_type: str


def now() -> datetime:
    """The clock of the answers."""
    return datetime.now(UTC)


class Answers:
    """Writes answers in the name of the bridge."""

    def __init__(self, sender: str, clock: Callable[[], datetime] = now) -> None:
        self._sender = sender
        self._clock = clock

    def message(self, reply: Reply, model: type[Message], form: str | Soap) -> Answer:
        """What a function answered.

        Raises:
            ValueError: the answer does not fit its schema.
        """
        status = 202 if reply.kept else 200
        if form == JSON:
            told = reply.message
            return Answer(status, json_of(told) if isinstance(told, Message) else json_of_document(told, model), JSON)
        document = write_message(reply.message) if isinstance(reply.message, Message) else reply.message
        if isinstance(form, Soap):
            return Answer(status, in_envelope(form, document), form.content_type)
        return Answer(status, document, XML_TYPE)

    def plain(self, found: BaseModel) -> Answer:
        """What a read found."""
        return Answer(200, found.model_dump_json(by_alias=True, exclude_none=True).encode(), JSON)

    def refusal(self, scope: Scope, refusal: Refusal, form: str | Soap) -> Answer:
        """Why a call was not taken."""
        status = refusal.kind.status
        if form == JSON:
            body, content_type = problem_document(scope, refusal)
            return Answer(status, body, content_type)
        document = write_message(self.notification(scope, refusal))
        if not isinstance(form, Soap):
            return Answer(status, document, XML_TYPE)
        body = fault(form, "Sender" if status < 500 else "Receiver", speakable(refusal.message), document)
        # The binding of SOAP 1.1 knows one status for faults, and its clients read them under no other.
        return Answer(status if form is Soap.V12 else 500, body, form.content_type)

    def envelope_refused(self, refused: EnvelopeRefused) -> Answer:
        """Why an envelope was not opened."""
        body = fault(refused.version, refused.code, speakable(refused.reason), foreign=refused.not_understood)
        return Answer(refused.status, body, refused.version.content_type)

    def render(self, scope: Scope, refusal: Refusal) -> tuple[bytes, str]:
        """The renderer for refusals that came before the gateway: identity and limits."""
        answer = self.refusal(scope, refusal, soap_version(scope) if _is_soap(scope) else likely_form(scope))
        return answer.body, answer.content_type

    def notification(self, scope: Scope, refusal: Refusal) -> ErrorNotification:
        """A refusal as a message; its identification comes from what it says and when."""
        state = scope.get("state", {})
        recipient = state[CALLER].name if CALLER in state else UNKNOWN
        correlation = state.get(CORRELATION)
        at = self._clock().astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
        errors = tuple(_functional(one) for one in refusal.errors)
        said = repr(errors)
        return ErrorNotification(
            message_sender=self._sender,
            message_recipient=recipient,
            preparation_date_and_time=at,
            message_identification=content_id("error", recipient, correlation or "", refusal.code, said, at)[:35],
            type_of_message=ErrorNotification.message_type,
            correlation_identifier=correlation,
            code=refusal.code,
            functional_errors=errors,
        )


def json_of(message: Message) -> bytes:
    """The message as JSON, with the same content as in XML: what equals its default is left out."""
    return message.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True).encode()


def speakable(text: str) -> str:
    """The text without what XML cannot carry, at most 512 characters."""
    return _UNSPEAKABLE.sub("\ufffd", text)[:512]


def _functional(error: FieldError) -> FunctionalError:
    return FunctionalError(
        error_pointer=speakable(error.pointer) or "/",
        error_code=error.error_code,
        error_reason=error.reason[:70],
        original_attribute_value=speakable(error.value) or None,
        text=speakable(error.message) or None,
    )


def _is_soap(scope: Scope) -> bool:
    return bool(scope.get("path") == SOAP_PATH)
