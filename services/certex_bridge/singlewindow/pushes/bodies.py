"""A message as the body of a push, in the form its subscription asks for."""

from __future__ import annotations

from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.xml import write_message
from certex_bridge.singlewindow.pushes.model import Form

CONTENT_TYPES = {Form.JSON: "application/json", Form.XML: "application/xml"}


def body_of(message: Message, form: Form) -> bytes:
    """The bytes that are signed and sent; equal messages have equal bytes."""
    if form is Form.XML:
        return write_message(message)
    return message.model_dump_json(by_alias=True, exclude_none=True).encode()
