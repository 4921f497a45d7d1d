"""Records as the laboratory sends them: CloudEvents in binary mode, compact JSON, ids made from content."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from certex_bridge.kernel.canonical import content_id

LICENCES = "licensing.licences.v1"
DECLARATIONS = "customs.declarations.v1"

LICENSING_SOURCE = "/laboratory/licensing"
CUSTOMS_SOURCE = "/laboratory/customs"

Wire = dict[str, Any]
"""A wire document or a part of one."""


class Fate(StrEnum):
    """What must become of a record, whatever its content says."""

    ANSWERED = "ANSWERED"
    """Its id enters the inbox and gets an answer."""
    REPEATED = "REPEATED"
    """Its id was sent before with the same content: the first answer counts."""
    QUARANTINED = "QUARANTINED"
    """It cannot be read, or its id was sent before with other content."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    label: str
    """What the laboratory calls it, for the closing table."""
    fate: Fate = Fate.ANSWERED

    @property
    def event_id(self) -> str:
        """The CloudEvents id, empty when the record has none."""
        return next((value.decode() for name, value in self.headers if name == "ce_id"), "")


def instant(moment: datetime) -> str:
    """An instant in UTC, as event times are written."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def compact(document: Wire) -> bytes:
    """JSON without blanks, as producers write it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def cloudevent(ce_type: str, data: Wire, moment: datetime, label: str, *, again: int = 0) -> Message:
    """A record of a licence or declaration event.

    Args:
        ce_type: CloudEvents type; its first word tells the topic and the source.
        data: the wire document.
        moment: when it happened at the sender.
        label: what to call it in the closing table.
        again: above 0 for a new id on the same content (a sender that forgot what it sent).
    """
    customs = ce_type.startswith("customs.")
    source = CUSTOMS_SOURCE if customs else LICENSING_SOURCE
    value = compact(data)
    time = instant(moment)
    event_id = content_id(ce_type, source, time, value.decode(), *([str(again)] if again else []))
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", ce_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    )
    key = declaration_key(data) if customs else licence_key(data)
    return Message(DECLARATIONS if customs else LICENCES, key.encode(), value, headers, label)


def declaration_key(data: Wire) -> str:
    """Record key of a declaration event: the MRN (for a supplementary one the first simplified's), or exporter/LRN."""
    named = data.get("simplifiedDeclarations") or [{}]
    return str(
        data.get("simplifiedMrn")
        or named[0].get("mrn")
        or data.get("mrn")
        or f"{data.get('exporter', '')}/{data.get('lrn', '')}"
    )


def licence_key(data: Wire) -> str:
    """Record key of a licence event: issuer/number, or issuer and exporter for a bar."""
    return f"{data.get('issuer', '')}/{data.get('number') or 'bar:' + str(data.get('eori', ''))}"


def repeated(message: Message, label: str) -> Message:
    """The same record once more."""
    return replace(message, label=label, fate=Fate.REPEATED)


def without_header(message: Message, name: str) -> Message:
    """The record without one of its headers."""
    return replace(message, headers=tuple(pair for pair in message.headers if pair[0] != name))
