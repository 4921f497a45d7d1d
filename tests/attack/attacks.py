"""What an attack is: an input that somebody hostile sends, and the answers that are right.

An answer is one line: of HTTP `status code reason`, where code and reason are those of the error document; of a record
the code it is refused with, or TAKEN; of a token or an address its code. What is right is written beside each family of
inputs, so that a change of an answer is seen and decided on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SECONDS_MAX = 1.0
"""Most work for an answer, in seconds of the processor; judged by `make attack` only, never by a test."""
GROWTH_BYTES_MAX = 64 << 20
"""Most memory that one input may cost."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request with a body."""

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes on a connection of their own."""

    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RecordIn:
    """A Kafka record."""

    topic: str
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    key: bytes | None = b"k"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, by the name of what makes it."""

    recipe: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a push is to go."""

    url: str


What = Request | Wire | RecordIn | Token | Address


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile input."""

    kind: str
    """Row of the report."""
    name: str
    right: str
    """Regular expression of the answers that are right."""
    what: What = field(repr=False)

    def is_right(self, answer: str) -> bool:
        """Whether this answer is one of them."""
        return re.fullmatch(self.right, answer) is not None
