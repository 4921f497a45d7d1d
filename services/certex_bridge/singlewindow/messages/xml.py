"""Messages in XML, read and written by their models.

Any prefix will do, every name has to be right. The published schema decides whether a document is valid; the walk along
the model says where and why it is not, in the same words as for JSON, and finds all mistakes at once,
in a large document as far as `model_of` does.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import msgspec
from lxml import etree
from pydantic import ValidationError

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import XmlLimits, local_name, parse_xml
from certex_bridge.singlewindow.messages import mistakes
from certex_bridge.singlewindow.messages.base import Message, Part
from certex_bridge.singlewindow.messages.reading import model_of
from certex_bridge.singlewindow.messages.schemas import schema_of
from certex_bridge.singlewindow.messages.shape import Shape, by_alias, shapes_of
from certex_bridge.singlewindow.refusals import FieldError

M = TypeVar("M", bound=Message)

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = frozenset({f"{_INSTANCE}schemaLocation", f"{_INSTANCE}noNamespaceSchemaLocation"})
"""Attributes that every schema allows; they are never followed."""
_FLAGS = {"0": False, "1": True}
_NUMBER = re.compile("0|[1-9][0-9]{0,18}").fullmatch
"""One spelling of a number, as in JSON."""
_LIMITS = XmlLimits(nodes=50_000)
_ESCAPES = {"\r": "&#13;"}


def parse_document(raw: bytes) -> etree._Element:
    """The root element of bytes that passed the gate.

    Raises:
        Refusal: SCHEMA_INVALID; the bytes are no document.
    """
    try:
        return parse_xml(raw, _LIMITS)
    except Poison as poison:
        raise mistakes.refused([mistakes.of_gate(poison)]) from poison


def tag_of(model: type[Message]) -> str:
    """The root element's name with its namespace, `{namespace}root`."""
    return f"{{{model.namespace()}}}{model.root}"


def read_message(document: etree._Element | bytes, model: type[M]) -> M:
    """The message in a document, or in an element that passed the gate inside another document.

    Raises:
        Refusal: SCHEMA_INVALID with all mistakes; pointers are XPath without prefixes.
    """
    root = parse_document(document) if isinstance(document, bytes) else document
    if root.tag != tag_of(model):
        found = FieldError(f"/{local_name(root)}", "15", "NOT_ALLOWED", str(root.tag), f"{tag_of(model)} is expected")
        raise mistakes.refused([found])
    walk = _Walk(f"/{model.root}")
    content = walk.group(root, model, ())
    message, errors = _message(content, model, walk)
    if errors:
        raise mistakes.refused(errors, len(errors) + walk.untold)
    schema = schema_of(model)
    if not schema.validate(root):
        raise mistakes.refused([FieldError(f"/{model.root}", "18", "SCHEMA", "", _first_error(schema))])
    assert message is not None
    return message


def _message(content: dict[str, Any], model: type[M], walk: _Walk) -> tuple[M | None, list[FieldError]]:
    try:
        return model_of(msgspec.json.encode(content), model), walk.errors
    except ValidationError as error:
        known = {one.pointer for one in walk.errors}
        found = mistakes.of_model(error, walk.pointer)
        return None, walk.errors + [one for one in found if one.pointer not in known]
    except BridgeError as error:
        return None, [*walk.errors, mistakes.of_rule(error)]


def json_of_document(document: bytes, model: type[Message]) -> bytes:
    """A document of ours as JSON: the very bytes that the message read from it would become.

    Nothing is asked of it again: a document is made to its schema, and proved against it, before it is stored.
    """
    root = etree.fromstring(document)
    return msgspec.json.encode(_content(root, model, len(model.namespace()) + 2))


def _content(element: etree._Element, model: type[Part], prefix: int) -> dict[str, Any]:
    """What an element of a valid document holds; names begin after `prefix` characters of a tag."""
    shapes = by_alias(model)
    content: dict[str, Any] = {}
    for child in element:
        shape = shapes[str(child.tag)[prefix:]]
        if shape.part is not None:
            value: Any = _content(child, shape.part, prefix)
        elif shape.listed:
            value = tuple([_typed(one, shape) for one in (child.text or "").split()])
        else:
            value = _typed(child.text or "", shape)
        if shape.many and not shape.listed:
            content.setdefault(shape.alias, []).append(value)
        elif shape.required or value != shape.default:
            content[shape.alias] = value
    return content


class _Walk:
    """One reading of a document along its model: its content as for JSON, and what stands where it must not."""

    def __init__(self, root: str) -> None:
        self.errors: list[FieldError] = []
        self.untold = 0
        """Mistakes beyond those that an answer has room for."""
        self._root = root

    def pointer(self, location: mistakes.Location) -> str:
        """`/Root/GoodsItem[2]/type` for ("GoodsItem", 1, "type")."""
        steps = (f"[{step + 1}]" if isinstance(step, int) else f"/{step}" for step in location)
        return (self._root + "".join(steps))[: mistakes.VALUE_LENGTH]

    def group(self, element: etree._Element, model: type[Part], at: mistakes.Location) -> dict[str, Any]:
        """The content of an element that has parts."""
        self._attributes(element, at)
        if any(text and not text.isspace() for text in (element.text, *(child.tail for child in element))):
            stray = "".join(text or "" for text in (element.text, *(child.tail for child in element)))
            self._refuse(at, "15", "NOT_ALLOWED", " ".join(stray.split()), "text stands between elements")
        shapes = by_alias(model)
        content: dict[str, Any] = {}
        tag = str(element.tag)
        namespace = tag[: tag.rindex("}") + 1]
        last: Shape | None = None
        for child in element:
            space, brace, name = str(child.tag).rpartition("}")
            shape = shapes.get(name)
            if shape is None or space + brace != namespace:
                self._refuse((*at, name), "15", "NOT_ALLOWED", (child.text or "").strip(), "there is no such element")
                continue
            if last is not None and shape.position < last.position:
                self._refuse((*at, name), "15", "ORDER", (child.text or "").strip(), f"stands after {last.alias}")
            else:
                last = shape
            self._field(child, shape, content, at)
        return content

    def _field(self, element: etree._Element, shape: Shape, content: dict[str, Any], at: mistakes.Location) -> None:
        name = shape.alias
        if shape.many and not shape.listed:
            values = content.setdefault(name, [])
            values.append(self._value(element, shape, (*at, name, len(values))))
        elif name in content:
            self._refuse((*at, name), "35", "TOO_MANY", (element.text or "").strip(), "stands here once")
        else:
            content[name] = self._value(element, shape, (*at, name))

    def _value(self, element: etree._Element, shape: Shape, at: mistakes.Location) -> Any:
        if shape.part is not None:
            return self.group(element, shape.part, at)
        self._attributes(element, at)
        if len(element):
            self._refuse(at, "15", "NOT_ALLOWED", local_name(element[0]), "a value has no elements")
        text = element.text or ""
        if shape.listed:
            return [_typed(one, shape) for one in text.split()]
        return _typed(text, shape)

    def _attributes(self, element: etree._Element, at: mistakes.Location) -> None:
        for name, value in element.attrib.items():
            if name not in _HINTS:
                self._refuse(
                    (*at, f"@{etree.QName(name).localname}"), "15", "NOT_ALLOWED", str(value), "no attributes here"
                )

    def _refuse(self, at: mistakes.Location, code: str, reason: str, value: str, message: str) -> None:
        if len(self.errors) == mistakes.MOST_TOLD:
            self.untold += 1
            return
        self.errors.append(FieldError(self.pointer(at), code, reason, mistakes.shown(value), message))


def _first_error(schema: etree.XMLSchema) -> str:
    log: Any = schema.error_log  # the stubs know no content
    return str(log.last_error.message) if len(log) else ""


def _typed(text: str, shape: Shape) -> Any:
    """The value as JSON has it; what is none stays as it is, and the model refuses it."""
    kind = shape.simple.kind if shape.simple else "text"
    if kind == "number":
        digits = text.strip(" \t\r\n")
        return int(digits) if _NUMBER(digits) else text
    return _FLAGS.get(text, text) if kind == "flag" else text


def write_message(message: Message) -> bytes:
    """The message as a document of its family, valid against the schema.

    What equals its default is left out, as in JSON.

    Raises:
        ValueError: a text has a character that XML does not know.
    """
    parts = [f'<{message.root} xmlns="{message.namespace()}">']
    _write_group(message, parts)
    parts.append(f"</{message.root}>")
    body = "".join(parts).encode()
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{message.root} is no XML: {error}") from error
    schema = schema_of(type(message))
    if not schema.validate(root):
        raise ValueError(f"{message.root} does not fit its schema: {_first_error(schema)}")
    return DECLARATION + body


def _write_group(part: Part, out: list[str]) -> None:
    for shape in shapes_of(type(part)):
        value = getattr(part, shape.name)
        if value is None or (not shape.required and value == shape.default):
            continue
        if shape.listed:
            out.append(f"<{shape.alias}>{' '.join(_text(one) for one in value)}</{shape.alias}>")
            continue
        for one in value if shape.many else (value,):
            out.append(f"<{shape.alias}>")
            if isinstance(one, Part):
                _write_group(one, out)
            else:
                out.append(_text(one))
            out.append(f"</{shape.alias}>")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return escape(str(value), _ESCAPES)
