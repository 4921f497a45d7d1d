"""What the authority issued: its bytes as they came, and the document it attached, checked before anybody gets it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.licensing.domain.originals import AttachedDocument
from certex_bridge.platform.envelope import Envelope
from tests.unit.licensing.samples import STRUCTURED, golden_event, structured

PDF = b"%PDF-1.7\nlicence\n%%EOF\n"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- signed --><Licence><number>BE-1</number></Licence>'
LIMIT = 1_000


def attached(media_type: str = "application/pdf", body: bytes = PDF, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "content": base64.b64encode(body).decode()} | more


def decode(document: Any, name: str = "individual", limit: int = LIMIT) -> LicenceCommand:
    event = golden_event(name)
    event["data"]["originalDocument"] = document
    return decode_licence_event(structured(event), LicensingOptions(document_bytes_max=limit))


def told(command: LicenceCommand) -> list[tuple[str, str, str]]:
    return [(one.code, one.field, one.value) for one in command.findings if one.field.startswith("originalDocument")]


# -- the authority's bytes


def test_the_bytes_are_those_that_came_in_either_mode_of_the_envelope() -> None:
    event = golden_event("individual")
    data = b'{ "version" : 1,' + json.dumps(event.pop("data")).encode().replace(b'"version": 1, ', b"")[1:]
    rest = json.dumps(event)[:-1].encode()
    whole = Envelope("licensing.licences.v1", 0, 0, None, rest + b', "data": ' + data + b"}", STRUCTURED)
    headers = [(f"ce_{name}", str(event[name]).encode()) for name in ("specversion", "id", "type", "source", "time")]
    bare = Envelope(
        "licensing.licences.v1", 0, 0, None, data, (*headers, ("content-type", b"application/json; charset=utf-8"))
    )
    for envelope, media_type in ((whole, "application/json"), (bare, "application/json; charset=utf-8")):
        command = decode_licence_event(envelope)
        assert not command.refused
        received = command.received["BE/BE-2026-000123"]
        assert (received.body, received.media_type, received.sha256) == (data, media_type, sha256_hex(data))


@pytest.mark.parametrize("stated", ["text/html\r\nx: y", "application/json; " + "x" * 500, "<script>", "json"])
def test_a_media_type_that_is_none_is_not_passed_on(stated: str) -> None:
    event = golden_event("individual")
    data = json.dumps(event["data"]).encode()
    headers = [(f"ce_{name}", str(event[name]).encode()) for name in ("specversion", "id", "type", "source", "time")]
    envelope = Envelope("licensing.licences.v1", 0, 0, None, data, (*headers, ("content-type", stated.encode())))
    assert [one.media_type for one in decode_licence_event(envelope).received.values()] == ["application/json"]


def test_a_part_of_a_split_has_its_own_piece_of_the_event() -> None:
    event = golden_event("split")
    event["data"]["parts"][1]["originalDocument"] = attached()
    command = decode_licence_event(structured(event))
    assert not command.refused
    one, two = command.parts
    assert json.loads(command.received[one.licence_id].body) == event["data"]["parts"][0]
    assert json.loads(command.received[two.licence_id].body) == event["data"]["parts"][1]
    assert command.licence is not None
    assert json.loads(command.received[command.licence.licence_id].body) == event["data"]
    assert (one.document, two.document) == (None, AttachedDocument("application/pdf", sha256_hex(PDF)))


def test_content_that_is_not_taken_is_no_original() -> None:
    command = decode({"mediaType": "application/pdf", "content": "%"})
    assert command.refused
    assert (command.received, command.documents) == ({}, {})


# -- the attached document


@pytest.mark.parametrize(
    ("media_type", "body"), [("application/pdf", PDF), ("application/xml", XML), ("application/pdf", b"%PDF-" * 200)]
)
def test_a_document_is_kept_under_its_hash(media_type: str, body: bytes) -> None:
    command = decode(attached(media_type, body, sha256=sha256_hex(body)))
    assert told(command) == []
    assert command.licence is not None
    assert command.licence.document == AttachedDocument(media_type, sha256_hex(body))
    assert command.documents == {sha256_hex(body): body}


def test_a_document_can_be_named_by_its_hash_alone() -> None:
    command = decode({"mediaType": "application/pdf", "sha256": sha256_hex(PDF)})
    assert told(command) == []
    assert command.licence is not None
    assert command.licence.document == AttachedDocument("application/pdf", sha256_hex(PDF))
    assert command.documents == {}


BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("document", "finding"),
    [
        (attached("text/html", b"<html/>"), ("DOCUMENT_MEDIA_TYPE", "mediaType", "text/html")),
        (attached("application/pdf", b"%PDF-" + b"x" * 996), ("DOCUMENT_SIZE", "content", "1001")),
        (attached("application/pdf", b"MZ executable"), ("DOCUMENT_CONTENT", "content", "")),
        (attached("application/pdf", XML), ("DOCUMENT_CONTENT", "content", "")),
        (attached("application/xml", PDF), ("DOCUMENT_CONTENT", "content", "")),
        (attached("application/xml", BOMB), ("DOCUMENT_CONTENT", "content", "")),
        (
            attached("application/xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
            ("DOCUMENT_CONTENT", "content", ""),
        ),
        (attached("application/xml", b"<a>" * 300), ("DOCUMENT_CONTENT", "content", "")),
        (attached(content="JVBERi0x\n"), ("DOCUMENT_CONTENT", "content", "")),
        (attached(content="JVBERi0x="), ("DOCUMENT_CONTENT", "content", "")),
        (attached(content="žluť"), ("DOCUMENT_CONTENT", "content", "")),
        (attached(content="===="), ("DOCUMENT_CONTENT", "content", "")),
        (attached(sha256="0" * 64), ("DOCUMENT_HASH", "sha256", "0" * 64)),
        ({"mediaType": "application/pdf", "sha256": "AB"}, ("DOCUMENT_HASH", "sha256", "AB")),
        ({"mediaType": "application/pdf"}, ("FIELD_MISSING", "content", "")),
        ({"content": "JVBERi0x"}, ("FIELD_MISSING", "mediaType", "")),
        ({"mediaType": 7, "content": "JVBERi0x"}, ("FIELD_TYPE", "mediaType", "7")),
        ({"mediaType": "application/pdf", "content": ["x"]}, ("FIELD_TYPE", "content", "array")),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_a_document_that_cannot_be_passed_on_is_refused(document: Any, finding: tuple[str, str, str]) -> None:
    command = decode(document)
    assert command.refused
    code, field, value = finding
    assert told(command) == [(code, f"originalDocument.{field}", value)]
    assert command.documents == {}


def test_findings_name_the_limit_and_never_hold_the_content() -> None:
    (size,) = [one for one in decode(attached(body=b"%PDF-" + b"secret" * 400)).findings if one.code == "DOCUMENT_SIZE"]
    assert "1000" in size.message
    for document in (attached(body=b"c2VjcmV0"), attached("application/xml", b"<secret>"), attached("a/b", b"secret")):
        for one in decode(document).findings:
            assert "c2Vj" not in one.value + one.message


def test_an_installation_may_take_no_documents_at_all() -> None:
    assert told(decode(attached(), limit=0)) == [("DOCUMENT_SIZE", "originalDocument.content", str(len(PDF)))]


def test_a_wrong_document_of_a_part_names_the_part() -> None:
    event = golden_event("split")
    event["data"]["parts"][1]["originalDocument"] = attached(body=b"no PDF")
    (finding,) = [one for one in decode_licence_event(structured(event)).findings if one.code == "DOCUMENT_CONTENT"]
    assert finding.field == "parts[1].originalDocument.content"
