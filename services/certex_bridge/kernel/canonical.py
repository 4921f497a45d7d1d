"""Canonical form and hashes: equal content has equal bytes, ids come from content, journal rows form a chain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from certex_bridge.kernel.amounts import format_decimal

GENESIS = bytes(32)
"""What the first entry of a hash chain follows."""

_LENGTH_BYTES = 8


def canonical_json(obj: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no blanks; decimals as canonical text, dates and instants in ISO form.

    Instants are written in UTC, so the same instant in two zones gives the same bytes. Dataclasses become objects,
    sets become sorted arrays.

    Raises:
        TypeError: a value has no canonical form (a naive datetime among them).
        ValueError: a binary float is not a number.
    """
    text = json.dumps(
        obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_canonical
    )
    return text.encode()


def _canonical(value: Any) -> Any:
    match value:
        case Decimal():
            return format_decimal(value)
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() if not isinstance(value, datetime):
            return value.isoformat()
        case set() | frozenset():
            return sorted(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in fields(value)}
        case _:
            raise TypeError(f"no canonical form for {type(value).__name__}")


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def content_id(*parts: str) -> str:
    """An id made from content: SHA-256 over the parts, each preceded by its length.

    The lengths keep ("ab", "c") and ("a", "bc") apart. Any Python text is accepted.
    """
    digest = hashlib.sha256()
    for part in parts:
        # Text from a foreign system may hold a lone surrogate; an id must exist even for what will be refused.
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    return digest.hexdigest()


def chain(previous: bytes, entry: bytes) -> bytes:
    """The next link of a hash chain: SHA-256 of the previous link (32 bytes, first `GENESIS`) followed by the entry.

    Raises:
        ValueError: `previous` is not 32 bytes long (a variable length would allow two readings of one link).
    """
    if len(previous) != len(GENESIS):
        raise ValueError(f"a link of the chain has {len(GENESIS)} bytes, not {len(previous)}")
    return hashlib.sha256(previous + entry).digest()
