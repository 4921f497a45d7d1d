"""Declaration events and WCO messages for the tests: the golden examples, changed at one place."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DEFAULT_OPTIONS, DecodeOptions
from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.resources import contract_path

DECLARATIONS = contract_path("examples", "declarations")
WCO = contract_path("examples", "wco")
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
NOON_MS = 1_772_539_200_000
"""3 March 2026, 12:00 UTC: record timestamp of the examples."""


def event(name: str) -> dict[str, Any]:
    """A golden event as a document."""
    document: dict[str, Any] = json.loads((DECLARATIONS / f"{name}.json").read_bytes())
    return document


def data(name: str = "accepted") -> dict[str, Any]:
    """The data of a golden event."""
    found: dict[str, Any] = event(name)["data"]
    return found


def envelope(document: dict[str, Any], timestamp_ms: int = -1) -> Envelope:
    value = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Envelope("customs.declarations.v1", 0, 0, None, value, STRUCTURED, timestamp_ms)


def decode(document: dict[str, Any], options: DecodeOptions = DEFAULT_OPTIONS) -> DeclarationCommand:
    return decode_declaration_event(envelope(document), options)


def golden(name: str) -> DeclarationCommand:
    return decode(event(name))


def accepted(change: dict[str, Any], options: DecodeOptions = DEFAULT_OPTIONS) -> DeclarationCommand:
    """The golden acceptance with other data."""
    document = event("accepted")
    document["data"] |= change
    return decode(document, options)


def with_item(
    change: dict[str, Any], options: DecodeOptions = DEFAULT_OPTIONS, **declaration: Any
) -> DeclarationCommand:
    """The golden acceptance with only its first item, changed."""
    content = copy.deepcopy(data()["declaration"])
    content["items"] = [content["items"][0] | change]
    return accepted({"declaration": content | declaration}, options)


def with_document(change: dict[str, Any], options: DecodeOptions = DEFAULT_OPTIONS) -> DeclarationCommand:
    """The golden acceptance with one item and one document, changed."""
    document = data()["declaration"]["items"][0]["documents"][0]
    return with_item({"documents": [document | change]}, options)


def payload(command: DeclarationCommand) -> Payload:
    assert command.facts.payload is not None
    return command.facts.payload


def only_item(command: DeclarationCommand) -> Item:
    (item,) = payload(command).items
    return item


def only_claim(command: DeclarationCommand) -> ClaimSpec:
    (claim,) = only_item(command).claims
    return claim


def codes(command: DeclarationCommand) -> list[str]:
    return [finding.code for finding in command.findings]


def poison(document: dict[str, Any]) -> tuple[str, str]:
    """Code and field of the refusal."""
    with pytest.raises(Poison) as caught:
        decode(document)
    return caught.value.code, caught.value.field


def wco_bytes(name: str) -> bytes:
    return (WCO / f"{name}.xml").read_bytes()


def wco_envelope(raw: bytes, headers: dict[str, str] | None = None, timestamp_ms: int = NOON_MS) -> Envelope:
    pairs = tuple((name, text.encode()) for name, text in {"profile": "wco", **(headers or {})}.items())
    return Envelope("customs.messages.v1", 0, 0, None, raw, pairs, timestamp_ms)


def wco(raw: bytes | str, headers: dict[str, str] | None = None) -> DeclarationCommand:
    """The only command of a WCO record; a text is the name of a golden message."""
    (command,) = commands(wco_bytes(raw) if isinstance(raw, str) else raw, headers)
    return command


def commands(
    raw: bytes, headers: dict[str, str] | None = None, options: DecodeOptions = DEFAULT_OPTIONS
) -> list[DeclarationCommand]:
    """The commands of a WCO record, none of whose messages is refused."""
    found = decode_wco(wco_envelope(raw, headers), options)
    assert not [one for one in found if isinstance(one, Poison)]
    return [one for one in found if not isinstance(one, Poison)]


def wco_poison(raw: bytes, headers: dict[str, str] | None = None) -> str:
    """Code of the refusal of a record, or of its only message."""
    try:
        (found,) = decode_wco(wco_envelope(raw, headers))
    except Poison as poison:
        return poison.code
    assert isinstance(found, Poison)
    return found.code


def swapped(name: str, old: str, new: str) -> bytes:
    """A golden message with one text in another's place."""
    raw = wco_bytes(name)
    assert old.encode() in raw
    return raw.replace(old.encode(), new.encode())


KINDS = {kind.value: kind for kind in EventKind}
