"""Messages of the single window's functions: one model in four forms (JSON, XML, SOAP, and their published schemas).

The aliases are the names on the wire, in JSON and in XML alike: items begin with a small letter, groups with a capital,
as in the messages of the customs systems. A figure is text in the format of UCC-IA Annex B, never a number, so that no
reader turns it into a binary fraction. Both forms of one message have the same content hash.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from certex_bridge.kernel.canonical import canonical_json
from certex_bridge.kernel.dates import has_zone, parse_instant

NAMESPACE = "urn:certex-bridge"

_UNSAFE = r"\x00-\x1f\x7f\ufffe\uffff"
_TEXT = rf"^[^{_UNSAFE}\s]([^{_UNSAFE}]*[^{_UNSAFE}\s])?$"
"""No control character, nothing that XML cannot carry, no blank at either end."""

Text17 = Annotated[str, Field(min_length=1, max_length=17, pattern=_TEXT)]
Text22 = Annotated[str, Field(min_length=1, max_length=22, pattern=_TEXT)]
Text35 = Annotated[str, Field(min_length=1, max_length=35, pattern=_TEXT)]
Text70 = Annotated[str, Field(min_length=1, max_length=70, pattern=_TEXT)]
Text128 = Annotated[str, Field(min_length=1, max_length=128, pattern=_TEXT)]
Text512 = Annotated[str, Field(min_length=1, max_length=512, pattern=_TEXT)]
Identification = Annotated[str, Field(min_length=1, max_length=35, pattern=r"^[!-~]+$")]
"""messageIdentification and correlationIdentifier, an..35: printable, without blanks."""
Mrn = Annotated[str, Field(min_length=18, max_length=18, pattern=r"^[0-9]{2}[A-Z]{2}[A-Z0-9]{14}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""a2, GEONOM."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""12 03 012: ISO 4217."""
Unit = Annotated[str, Field(pattern=r"^[A-Z]{3,4}$")]
"""12 03 005: TARIC unit with optional qualifier."""
DocumentType = Annotated[str, Field(pattern=r"^([A-Z][0-9]{3}|[0-9][A-Z0-9]{3})$")]
"""12 03 002."""
Office = Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{6}$")]
"""17 02 001, an8."""
QuantityFigure = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?$", max_length=17)]
"""12 03 006: n..16,6."""
AmountFigure = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?$", max_length=17)]
"""12 03 014: n..16,2."""
Number5 = Annotated[int, Field(ge=1, le=99_999)]
"""n..5: item, sequence and line numbers."""
Version = Annotated[int, Field(ge=1, le=999)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""an10."""
Instant = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?$", max_length=27)
]
"""an19 in UTC, with a fraction of a second where order within one second matters; a Z may say what holds anyway."""


class Part(BaseModel):
    """A group of data items. Unknown items are refused: a misspelt one must not be taken for one left out."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )


class Message(Part):
    """What every message begins with: the six data items of the customs systems' message header."""

    family: ClassVar[str]
    """Schema family: `schemas/xsd/<family>/<version>/`, namespace `urn:certex-bridge:<family>:<version>`."""
    family_version: ClassVar[int] = 1
    root: ClassVar[str]
    """Name of the XML root element."""
    message_type: ClassVar[str]
    """an6."""
    schema_generated: ClassVar[bool] = True
    """Whether the schema is made from the model; False where it was there before."""

    message_sender: Text35
    """System that sends: the caller's own name."""
    message_recipient: Text35
    """System that the message is for."""
    preparation_date_and_time: Instant
    """When the message was made (UTC); what a call asks for counts from then."""
    message_identification: Identification
    """Identity of the message: repeated, it gets the answer given before."""
    type_of_message: Annotated[str, Field(alias="messageType", pattern=r"^[A-Z0-9]{6}$")]
    """Kind of message."""
    correlation_identifier: Identification | None = None
    """The request's messageIdentification."""

    @field_validator("type_of_message")
    @classmethod
    def _of_this_kind(cls, value: str) -> str:
        if value != getattr(cls, "message_type", value):
            raise PydanticCustomError("enum", "must be {expected}", {"expected": cls.message_type})
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema says what `messageType` is."""
        schema = handler(core)
        if hasattr(cls, "message_type"):
            handler.resolve_ref_schema(schema)["properties"]["messageType"] |= {"const": cls.message_type}
        return schema

    @classmethod
    def namespace(cls) -> str:
        """The XML namespace of the family."""
        return f"{NAMESPACE}:{cls.family}:{cls.family_version}"

    @property
    def prepared_at(self) -> datetime:
        """`preparation_date_and_time` as an instant.

        Raises:
            InputError: it is none, although it looks like one (the 30th of February).
        """
        text = self.preparation_date_and_time
        at = text if has_zone(text) else text + "Z"
        return parse_instant(at, UTC, "preparationDateAndTime")

    @cached_property
    def content_sha256(self) -> str:
        """Hash of what the message says, the same for its JSON and its XML form."""
        content = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True, mode="json")
        return hashlib.sha256(canonical_json([self.family, self.root, content])).hexdigest()
