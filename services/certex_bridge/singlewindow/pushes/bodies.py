"""A message as the body of a push, in the form its subscription asks for."""

from __future__ import annotations

from typing import Any

from lxml import etree

from certex_bridge.singlewindow.messages.base import Message, Part
from certex_bridge.singlewindow.pushes.model import Form

CONTENT_TYPES = {Form.JSON: "application/json", Form.XML: "application/xml"}


def body_of(message: Message, form: Form) -> bytes:
    """The bytes that are signed and sent; equal messages have equal bytes."""
    if form is Form.JSON:
        return message.model_dump_json(by_alias=True, exclude_none=True).encode()
    namespace = message.namespace()
    prefixes: Any = {None: namespace}
    root = etree.Element(f"{{{namespace}}}{message.root}", nsmap=prefixes)
    _fill(root, message, namespace)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def _fill(element: Any, part: Part, namespace: str) -> None:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        for one in value if isinstance(value, tuple) else (value,):
            if one is None:
                continue
            child = etree.SubElement(element, f"{{{namespace}}}{field.alias}")
            if isinstance(one, Part):
                _fill(child, one, namespace)
            else:
                child.text = str(int(one)) if isinstance(one, bool) else str(one)
