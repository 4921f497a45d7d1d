"""Pieces of outgoing documents: safe text, canonical figures, identifiers of limited length.

A document must come out valid whatever customs or an authority wrote, so text is made representable here:
markup is escaped, a carriage return becomes a character reference (a parser would read it as a line feed), what XML
cannot hold becomes U+FFFD, and an echo longer than its format is cut.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import content_id

if TYPE_CHECKING:
    from decimal import Decimal

IDENTIFIER_LENGTH = 35
"""messageIdentification and correlationIdentifier are an..35."""
_UUID_LENGTH = 36

# Everything XML 1.0 cannot hold, as a character class: controls, lone surrogates and the two noncharacters.
_IMPOSSIBLE = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_needs_work = re.compile(f"[&<>\r{_IMPOSSIBLE}]").search
_impossible = re.compile(f"[{_IMPOSSIBLE}]").sub
_plain_identifier = re.compile(r"[!#-%'-;=?-~]{1,35}", re.ASCII).fullmatch
_uuid = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII).fullmatch


def text(value: str, limit: int) -> str:
    """Element content of at most `limit` characters, ready to be put between two tags."""
    if len(value) > limit:
        value = value[:limit]
    if _needs_work(value) is None:
        return value
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return _impossible("\ufffd", value)


def optional(tag: str, value: str, limit: int) -> str:
    """An element of text, or nothing when there is no text."""
    return f"<{tag}>{text(value, limit)}</{tag}>" if value else ""


def identifier(value: str) -> str:
    """An identifier that an..35 can hold: as it is, a UUID without its hyphens, else 35 digits of its content hash.

    140 bits of SHA-256 stay: two different identifiers never meet in practice, and equal ones always do.
    """
    if _plain_identifier(value):
        return value
    if len(value) == _UUID_LENGTH and _uuid(value):
        return value.replace("-", "")
    return content_id(value)[:IDENTIFIER_LENGTH]


def figure(amount: Decimal) -> str:
    """`format_decimal`, with a short way for whole numbers: nearly all figures are."""
    digits = str(amount)
    return digits if digits.isdigit() else format_decimal(amount)


def utc_seconds(instant: datetime) -> str:
    """An instant as an19: UTC without a zone, whole seconds (a naive one is taken as UTC)."""
    if instant.tzinfo is not UTC and instant.tzinfo is not None:
        instant = instant.astimezone(UTC)
    return instant.isoformat()[:19]
