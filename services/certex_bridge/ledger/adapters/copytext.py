"""Rows as the text of COPY: joined in one go, escaped only where something needs it."""

from __future__ import annotations

from collections.abc import Sequence

DELIMITER = "\x1f"
"""A character that no identifier may hold; a field that does is escaped like any other."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", DELIMITER: "\\" + DELIMITER})


def encode(lines: Sequence[Sequence[str]]) -> bytes:
    """The payload of COPY ... FROM STDIN in text form, with our delimiter."""
    text = "\n".join([DELIMITER.join(line) for line in lines])
    plain = "\\" not in text and "\r" not in text
    if plain and text.count("\n") == len(lines) - 1 and text.count(DELIMITER) == len(lines) * (len(lines[0]) - 1):
        return text.encode() + b"\n"
    escaped = [DELIMITER.join([field.translate(_ESCAPES) for field in line]) for line in lines]
    return "\n".join(escaped).encode() + b"\n"
