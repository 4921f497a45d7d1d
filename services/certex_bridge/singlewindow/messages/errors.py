"""ErrorNotification: why a message was not taken, as the customs systems tell it (CC906C, CC917C)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from certex_bridge.singlewindow.messages.base import Message, Part

ErrorCode = Annotated[str, Field(pattern=r"^[0-9]{2}$")]
"""n2, code list CL180, and for mistakes against the schema that of CC917C."""
Code = Annotated[str, Field(min_length=1, max_length=70, pattern=r"^[A-Z][A-Z0-9_]*$")]
"""an..70: a code that never changes."""
Told = Annotated[str, Field(min_length=1, max_length=512)]
"""an..512: repeats what was received, so it has a length and no pattern."""


class FunctionalError(Part):
    """One mistake."""

    error_pointer: Told
    """Where: XPath without prefixes for XML, a JSON pointer for JSON, or the header of the call."""
    error_code: ErrorCode
    """CL180: 12 code list, 13 missing, 14 rule, 15 not allowed, 26 duplicate, 90 unknown MRN, 92 order, 93 no MRN."""
    error_reason: Code
    """Stable code of the rule."""
    original_attribute_value: Told | None = None
    """What was seen there."""
    text: Told | None = None
    """Sentence for people."""


class ErrorNotification(Message):
    """A message was not taken; nothing has changed. Business negatives are no errors, they are in the response."""

    family: ClassVar[str] = "error"
    root: ClassVar[str] = "ErrorNotification"
    message_type: ClassVar[str] = "CBERRN"

    code: Code
    """Stable code of the refusal as a whole."""
    functional_errors: Annotated[tuple[FunctionalError, ...], Field(alias="FunctionalError", min_length=1)]
    """What is wrong."""
