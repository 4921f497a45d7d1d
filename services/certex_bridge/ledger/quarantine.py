"""Records put aside: why, from where, and in a form that every store and every letter can hold.

What a sender wrote may hold anything (NUL, lone surrogates, headers without value, keys of any length), and a record
that cannot even be put aside would stop its partition for good. So texts are made storable here, once, and `bare` is
what is left of a record when nothing else of it can be kept.
"""

from __future__ import annotations

from typing import Any

from certex_bridge.kernel.canonical import content_id, sha256_hex
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.platform.envelope import Envelope, Poison

_LENGTHS = {"code": 64, "field": 256, "value": 512, "message": 1000, "event_id": 128}
"""Characters of each text that are kept; the raw bytes are kept whole."""

HEADER_NAME_LENGTH = 256
KEY_LENGTH = 256
"""Characters of a key as text."""


def storable(row: QuarantineRow) -> QuarantineRow:
    """The same row with texts that UTF-8 and PostgreSQL can hold, none longer than needed to understand it."""
    texts: dict[str, Any] = {name: plain(getattr(row, name), length) for name, length in _LENGTHS.items()}
    headers = tuple((plain(name, HEADER_NAME_LENGTH), value) for name, value in row.headers)
    return row._replace(headers=headers, **texts)


def plain(text: str, length: int) -> str:
    """Text without NUL and lone surrogates, which are written as escapes, cut to `length` characters."""
    text = text[:length].replace("\x00", "\\0")
    return text.encode("utf-8", "backslashreplace").decode()[:length]


def key_text(key: bytes | None) -> str:
    """A record key as text, for what is published about it."""
    return plain((key or b"")[: 4 * KEY_LENGTH].decode("utf-8", "replace"), KEY_LENGTH)


def refused_row(envelope: Envelope, origin: Origin, poison: Poison, position: int = 0) -> QuarantineRow:
    """A refused record, or its message at this position, named by place and content: reading it again adds nothing."""
    raw = envelope.value
    place = (*map(str, origin), *([str(position)] if position else []))
    return QuarantineRow(
        content_id("refused", *place, sha256_hex(raw or b"")),
        origin,
        poison.code,
        poison.field,
        poison.value,
        poison.message,
        _event_id(envelope),
        envelope.key,
        raw,
        envelope.headers,
    )


def undecoded_row(envelope: Envelope, origin: Origin, error: Exception) -> QuarantineRow:
    """A record whose decoder broke: a defect of ours, kept like any other."""
    poison = Poison("INTERNAL", f"Decoding the record failed with {type(error).__name__}.", value=str(error))
    return refused_row(envelope, origin, poison)


def internal_row(delivery: Delivery, what: str, message: str) -> QuarantineRow:
    """A decoded record whose transaction failed for a reason that cannot pass; `what` names the error's class."""
    event_id = delivery.command.event_id if delivery.command is not None else ""
    return QuarantineRow(
        content_id("internal", *map(str, delivery.origin), event_id),
        delivery.origin,
        "INTERNAL",
        "",
        what,
        f"Applying the event failed: {message}",
        event_id,
        delivery.key,
        delivery.raw,
        delivery.headers,
    )


def conflict_row(delivery: Delivery, code: str, field: str, value: str, sentence: str) -> QuarantineRow:
    """A decoded event that still must be seen by an operator."""
    command = delivery.command
    assert command is not None
    event_id, origin = command.event_id, delivery.origin
    quarantine_id = content_id(code, event_id, command.payload_sha256, *map(str, origin))
    return QuarantineRow(
        quarantine_id, origin, code, field, value, sentence, event_id, delivery.key, delivery.raw, delivery.headers
    )


def reused_row(delivery: Delivery, before: str) -> QuarantineRow:
    """An event id that came again with other content; `before` is the hash of what it was."""
    command = delivery.command
    assert command is not None
    event_id, now = command.event_id, command.payload_sha256
    sentence = f"The id {event_id} was used before for other content: the hash was {before[:16]}, is now {now[:16]}."
    return conflict_row(delivery, "CONFLICTING_DUPLICATE", "ce_id", event_id, sentence)


def bare(row: QuarantineRow) -> QuarantineRow:
    """Place, code and hash: what can be kept of a record whose content breaks even the quarantine."""
    raw = row.raw or b""
    told = f"Only the record's place is kept: its {len(raw)} bytes have sha256 {sha256_hex(raw)}."
    return row._replace(field="", value="", message=told, event_id="", key=None, raw=None, headers=())


def _event_id(envelope: Envelope) -> str:
    for name, value in envelope.headers:
        if name.lower() == "ce_id":
            return value.decode("utf-8", "replace") if value else ""
    return ""
