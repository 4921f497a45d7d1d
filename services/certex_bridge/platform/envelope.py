"""From a Kafka record to a CloudEvent: binary mode (ce_ headers) and structured mode (one JSON document).

CloudEvents 1.0 with its Kafka protocol binding. The record key, partition and offset are never trusted as identity:
the event id is, and without one the record goes to quarantine. Header names are compared without case and may occur
once, so that no two readers can choose different ones.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from certex_bridge.kernel.dates import has_zone, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import EVENT_ID_LENGTH
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import UNFORESEEN, Poison
from certex_bridge.platform.positions import Reached

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CloudEvent", "Envelope", "EnvelopeLimits", "Poison", "read_cloudevent", "read_headers"]

STRUCTURED_MODE = "application/cloudevents+json"
_ATTRIBUTES = frozenset({"specversion", "id", "type", "source", "time", "datacontenttype", "dataschema", "subject"})
_STRUCTURED_OWN = _ATTRIBUTES | {"data", "data_base64"}


@dataclass(frozen=True, slots=True)
class EnvelopeLimits:
    """Sizes beyond which a record is not looked at."""

    value_bytes: int = 1 << 20
    header_bytes: int = 16 << 10
    """Names and values of all headers together."""
    headers: int = 100
    attribute_characters: int = 512
    """Longest type, source or extension."""


DEFAULT_LIMITS = EnvelopeLimits()


@dataclass(frozen=True, slots=True)
class Envelope:
    """One Kafka record as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    """Kafka allows a header without value (None)."""
    timestamp_ms: int = -1
    """Record timestamp; -1 when the broker gave none."""
    reached: Reached | None = None
    """How far the database must be when it is taken in, None: nobody says."""

    @property
    def received_at(self) -> datetime | None:
        """The record timestamp as an instant, None when there is none that a calendar holds."""
        if self.timestamp_ms < 0:
            return None
        try:
            return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """A CloudEvent whose attributes are checked and whose data are still bytes."""

    id: str
    type: str
    source: str
    time: datetime
    """When it happened at the sender, in UTC."""
    data: bytes
    content_type: str = "application/json"
    extensions: dict[str, str] = field(default_factory=dict)
    """Extension attributes and `subject`, by name without the ce_ prefix."""


def read_headers(envelope: Envelope, limits: EnvelopeLimits = DEFAULT_LIMITS) -> dict[str, str]:
    """The record's headers by lower-case name.

    Raises:
        Poison: NULL_VALUE (tombstone or empty value), LIMIT, HEADER_DUPLICATE or HEADER_ENCODING (not UTF-8).
    """
    if not envelope.value:
        raise Poison("NULL_VALUE", "the record has no value; a tombstone deletes nothing here", "value")
    if len(envelope.value) > limits.value_bytes:
        raise Poison("LIMIT", f"the value exceeds {limits.value_bytes} bytes", "value", len(envelope.value))
    if len(envelope.headers) > limits.headers:
        raise Poison("LIMIT", f"more than {limits.headers} headers", "headers", len(envelope.headers))
    headers: dict[str, str] = {}
    size = 0
    try:
        for name, value in envelope.headers:
            if value is None:
                raise Poison("HEADER_ENCODING", "a header has no value", "headers", name)
            size += len(name) + len(value)
            if size > limits.header_bytes:
                raise Poison("LIMIT", f"the headers exceed {limits.header_bytes} bytes", "headers")
            headers[name.lower()] = value.decode()
    except (UnicodeDecodeError, AttributeError, TypeError) as error:
        raise Poison("HEADER_ENCODING", "a header is not text in UTF-8", "headers") from error
    if len(headers) != len(envelope.headers):
        raise Poison("HEADER_DUPLICATE", "a header occurs more than once", "headers", sorted(headers))
    return headers


def read_cloudevent(envelope: Envelope, limits: EnvelopeLimits = DEFAULT_LIMITS) -> CloudEvent:
    """Read a record in binary or structured mode; the content type decides which.

    Raises:
        Poison: the codes of `read_headers`; NO_EVENT_ID; ENVELOPE (a required attribute is missing or impossible);
            JSON_* for a structured document that is not strict JSON.
    """
    try:
        headers = read_headers(envelope, limits)
        content_type = headers.get("content-type", "")
        value = envelope.value or b""
        if content_type.lower().startswith("application/cloudevents"):
            return _structured(value, content_type, limits)
        attributes = {name[3:]: text for name, text in headers.items() if name.startswith("ce_")}
        return _event(attributes, value, content_type or "application/json", limits)
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def _event(attributes: Mapping[str, str], data: bytes, content_type: str, limits: EnvelopeLimits) -> CloudEvent:
    """The event made of checked attributes."""
    event_id = attributes.get("id", "")
    if not event_id or event_id.isspace():
        raise Poison("NO_EVENT_ID", "the event has no id, and nothing else can stand in for it", "ce_id")
    if len(event_id) > EVENT_ID_LENGTH:
        raise Poison("LIMIT", f"an event id has at most {EVENT_ID_LENGTH} characters", "ce_id", event_id)
    if not event_id.isprintable():
        raise Poison("ENVELOPE", "an event id has printable characters only", "ce_id", event_id)
    if attributes.get("specversion") != "1.0":
        raise Poison("ENVELOPE", "only CloudEvents 1.0 is spoken", "ce_specversion", attributes.get("specversion", ""))
    for name, text in attributes.items():
        if len(text) > limits.attribute_characters:
            raise Poison("LIMIT", "the attribute is too long", f"ce_{name}", text)
        if not text.isprintable():
            raise Poison("ENVELOPE", "an attribute has printable characters only", f"ce_{name}", text)
    return CloudEvent(
        event_id,
        _required(attributes, "type"),
        _required(attributes, "source"),
        _time(_required(attributes, "time")),
        data,
        content_type,
        {name: text for name, text in attributes.items() if name not in _ATTRIBUTES or name == "subject"},
    )


def _required(attributes: Mapping[str, str], name: str) -> str:
    text = attributes.get(name, "")
    if not text:
        raise Poison("ENVELOPE", f"the attribute {name} is required", f"ce_{name}")
    return text


def _time(text: str) -> datetime:
    """An RFC 3339 instant in UTC; the offset is part of it, a local time would order events differently per reader."""
    if not has_zone(text):
        raise Poison("ENVELOPE", "the time of an event is an RFC 3339 instant with offset", "ce_time", text)
    try:
        return parse_instant(text).astimezone(UTC)
    except (InputError, OverflowError) as error:
        raise Poison("ENVELOPE", f"not a time that a calendar holds: {error}", "ce_time", text) from error


def _structured(raw: bytes, content_type: str, limits: EnvelopeLimits) -> CloudEvent:
    """The event of a structured-mode document; its data keep the bytes they were written with."""
    if content_type.partition(";")[0].strip().lower() != STRUCTURED_MODE:
        message = "of the structured modes only single JSON events are read"
        raise Poison("ENVELOPE", message, "content-type", content_type)
    document = parse_json(raw)
    if not isinstance(document, dict):
        raise Poison("ENVELOPE", "a structured event is a JSON object", "value")
    attributes: dict[str, str] = {}
    for name, value in document.items():
        if name in ("data", "data_base64"):
            continue
        if name.lower() in attributes:
            raise Poison("ENVELOPE", "an attribute occurs twice in different capitals", f"ce_{name.lower()}", value)
        if isinstance(value, str):
            attributes[name.lower()] = value
        elif name in _ATTRIBUTES and value is not None:
            raise Poison("ENVELOPE", "the attribute is not text", f"ce_{name}", value)
    if len(attributes) > limits.headers:
        raise Poison("LIMIT", f"more than {limits.headers} attributes", "value", len(attributes))
    return _event(attributes, _data(raw, document), attributes.get("datacontenttype", "application/json"), limits)


def _data(raw: bytes, document: Mapping[str, Any]) -> bytes:
    """The data of a structured event, as text in the document or in base 64."""
    if ("data" in document) == ("data_base64" in document):
        raise Poison("ENVELOPE", "a structured event has either data or data_base64", "data")
    if "data" in document:
        return bytes(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["data"])
    try:
        return base64.b64decode(document["data_base64"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Poison("ENVELOPE", "data_base64 is not base 64", "data_base64") from error
