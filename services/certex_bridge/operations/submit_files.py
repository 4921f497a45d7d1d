"""From files to records: structured CloudEvents, bare data with a type, foreign messages with a profile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.errors import InputError
from certex_bridge.laboratory.messages import Message, cloudevent, declaration_key, licence_key
from certex_bridge.platform.envelope import STRUCTURED_MODE

LICENCES = "licensing.licences.v1"
DECLARATIONS = "customs.declarations.v1"
FOREIGN = "customs.messages.v1"

SOURCE = "urn:certex-bridge:submit"


@dataclass(frozen=True, slots=True)
class Submission:
    """A file and the record made of it."""

    file: Path
    message: Message


def read_file(file: Path, profile: str, ce_type: str) -> Submission:
    """The record of one file.

    Raises:
        OSError: the file cannot be read.
        InputError: it is no event and no type is given (the bridge itself judges everything else).
    """
    raw = file.read_bytes()
    if profile:
        return Submission(file, _foreign(file, raw, profile))
    document = _document(file, raw)
    if "specversion" in document:
        return Submission(file, _structured(file, raw, document))
    if not ce_type:
        sentence = f"{file} is no CloudEvent: say what it is with --type, or --profile for a foreign message"
        raise InputError(sentence, field=str(file), code="TYPE_MISSING")
    _topic_of(ce_type, file)
    message = cloudevent(ce_type, document, datetime.now(UTC), file.name)
    # The id without the time: the same file sent twice is the same event.
    own = {"ce_id": content_id(ce_type, SOURCE, raw.decode("utf-8", "replace")).encode(), "ce_source": SOURCE.encode()}
    headers = tuple((name, own.get(name, value)) for name, value in message.headers)
    return Submission(file, Message(message.topic, message.key, raw, headers, file.name))


def _document(file: Path, raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise InputError(f"{file} is not JSON: {error}", field=str(file), code="JSON_SYNTAX") from None
    if not isinstance(document, dict):
        raise InputError(f"{file} is not a JSON object", field=str(file), code="JSON_SYNTAX")
    return document


def _structured(file: Path, raw: bytes, document: dict[str, Any]) -> Message:
    ce_type = str(document.get("type", ""))
    topic = _topic_of(ce_type, file)
    data = document.get("data")
    parts = data if isinstance(data, dict) else {}
    key = licence_key(parts) if topic == LICENCES else declaration_key(parts)
    headers = (("content-type", STRUCTURED_MODE.encode()),)
    return Message(topic, key.encode(), raw, headers, file.name)


def _topic_of(ce_type: str, file: Path) -> str:
    for start, topic in (("licensing.", LICENCES), ("customs.", DECLARATIONS)):
        if ce_type.startswith(start):
            return topic
    message = f"{file}: {ce_type or 'no type'} is no event that the bridge reads (licensing.… or customs.…)"
    raise InputError(message, field="type", value=ce_type, code="TYPE_UNKNOWN")


def _foreign(file: Path, raw: bytes, profile: str) -> Message:
    headers = (("profile", profile.encode()), ("content-type", b"application/xml"))
    return Message(FOREIGN, file.stem.encode(), raw, headers, file.name)
