"""Reading what the authority issued from a licence event: its bytes, and the attached document with its checks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.kernel.errors import Finding
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.originals import MEDIA_TYPES, PDF, AttachedDocument, Received
from certex_bridge.licensing.events import LicenceSplit, WireDocument, WireLicence
from certex_bridge.platform.envelope import CloudEvent
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import XmlLimits, parse_xml

FIELD = "originalDocument"
JSON = "application/json"

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}(?:; ?charset=[A-Za-z0-9-]{1,20})?")
_SHA256 = re.compile("[0-9a-f]{64}")
_PDF_BEGINS = b"%PDF-"


def received(event: CloudEvent, licence: Licence, parts: Sequence[Licence]) -> dict[str, Received]:
    """The authority's bytes by licence: the event's data, and of each part of a split its own piece of them.

    A part has another holder perhaps; who may see its licence may not see the other parts.
    """
    stated = event.content_type
    media_type = stated if _MEDIA_TYPE.fullmatch(stated) else JSON
    pieces: list[msgspec.Raw] = []
    if parts:
        whole = msgspec.json.decode(event.data, type=dict[str, msgspec.Raw])
        pieces = msgspec.json.decode(whole["parts"], type=list[msgspec.Raw])
    found = {part.licence_id: Received(bytes(piece), media_type) for part, piece in zip(parts, pieces, strict=False)}
    return {licence.licence_id: Received(event.data, media_type), **found}


def attach(
    licence: Licence, parts: Sequence[Licence], wire: WireLicence, broken: Iterable[Finding], size_max: int
) -> tuple[Licence, list[Licence], dict[str, bytes], list[Finding]]:
    """The licences with the names of their attached documents, the documents by hash, and what is wrong with them.

    `broken` are findings on what could not be read: a document with one of them is not looked at.
    """
    unreadable = [finding.field for finding in broken]
    contents: dict[str, bytes] = {}
    findings: list[Finding] = []

    def named(one: Licence, document: WireDocument | None, field: str) -> Licence:
        if document is None or any(path.startswith(field) for path in unreadable):
            return one
        found, told = _read(document, field, size_max, contents)
        findings.extend(told)
        return replace(one, document=found)

    licence = named(licence, wire.original_document, FIELD)
    told = wire.parts if isinstance(wire, LicenceSplit) else []
    pairs = enumerate(zip(parts, told, strict=False))
    inside = [named(part, one.original_document, f"parts[{index}].{FIELD}") for index, (part, one) in pairs]
    return licence, inside, contents, findings


def _read(
    document: WireDocument, field: str, size_max: int, contents: dict[str, bytes]
) -> tuple[AttachedDocument | None, list[Finding]]:
    """The document's name; its content, where the event has it, is added to `contents`. Values are never echoed."""
    findings = []
    if document.media_type not in MEDIA_TYPES:
        message = f"an attached document is one of {', '.join(MEDIA_TYPES)}"
        findings.append(Finding("DOCUMENT_MEDIA_TYPE", f"{field}.mediaType", document.media_type[:80], message))
    stated = document.sha256
    if stated and not _SHA256.fullmatch(stated):
        message = "a hash is written as 64 hexadecimal digits in small letters"
        findings.append(Finding("DOCUMENT_HASH", f"{field}.sha256", stated[:80], message))
    if not document.content:
        if not stated:
            message = "a document is attached by its content, or named by the hash of one that came before"
            findings.append(Finding("FIELD_MISSING", f"{field}.content", "", message))
        return (None if findings else AttachedDocument(document.media_type, stated)), findings
    # Told before anything is decoded: four characters carry three bytes.
    size = len(document.content) // 4 * 3 - document.content[-2:].count("=")
    if size > size_max:
        message = f"the document has {size} bytes, and this installation takes {size_max}"
        return None, [*findings, Finding("DOCUMENT_SIZE", f"{field}.content", str(size), message)]
    body = _decoded(document.content)
    if body is None:
        return None, [*findings, Finding("DOCUMENT_CONTENT", f"{field}.content", "", "the content is not base 64")]
    if problem := _content_problem(body, document.media_type, size_max):
        findings.append(Finding("DOCUMENT_CONTENT", f"{field}.content", "", problem))
    sha256 = sha256_hex(body)
    if stated not in ("", sha256):
        message = f"the content has the hash {sha256}"
        findings.append(Finding("DOCUMENT_HASH", f"{field}.sha256", stated[:80], message))
    if findings:
        return None, findings
    contents[sha256] = body
    return AttachedDocument(document.media_type, sha256), []


def _decoded(content: str) -> bytes | None:
    """The bytes, or None where the text is not exactly what an encoder would write for them."""
    try:
        body = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return body if base64.b64encode(body).decode() == content else None


def _content_problem(body: bytes, media_type: str, size_max: int) -> str:
    """Why the bytes are not what their media type says; empty when they are, or when the type is none of ours."""
    if media_type == PDF:
        return "" if body.startswith(_PDF_BEGINS) else f"a PDF file begins with {_PDF_BEGINS.decode()}"
    if media_type not in MEDIA_TYPES:
        return ""
    try:
        parse_xml(body, XmlLimits(size_bytes=size_max))
    except Poison as poison:
        # Comments are part of a document, and nobody here reads values out of it.
        if poison.code != "XML_SPLIT_VALUE":
            return f"{poison.code}: {poison.message}"
    return ""
