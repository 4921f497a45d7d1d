"""Raw WCO messages (topic customs.messages.v1, profile `wco`) to commands.

A message comes bare or inside the elements of `ENVELOPES`: the WCO's MetaData, a national request around it, SOAP, or
a list of several. All are known by local name, whatever prefix or namespace. One record may hold several messages;
each becomes a command or a refusal of its own. A Declaration or Response under any other root is none of ours: answers
to queries repeat declarations that were sent long ago, and nobody lodges by them.

Event ids. The header `ce_id` wins. Otherwise the id is made from content: a declaration's from the hash of its
Declaration element (`tree.canonical_sha256`), a response's from the declaration it speaks about, its own functional
reference and its function code. `payload_sha256` is the hash of the Declaration or Response element, not of the
record: the same message in another wrapper is the same event and no conflict, another content under the same
response reference is a conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.customs.options import DEFAULT_OPTIONS, DecodeOptions
from certex_bridge.customs.wco.declaration import decode_declaration
from certex_bridge.customs.wco.message import Message
from certex_bridge.customs.wco.notification import decode_notification, response_identity
from certex_bridge.customs.wco.tree import Element, canonical_sha256, outermost, text
from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import check_event_id
from certex_bridge.platform.envelope import Envelope, EnvelopeLimits, read_headers
from certex_bridge.platform.poison import UNFORESEEN, Poison
from certex_bridge.platform.xmlgate import XmlLimits, local_name, parse_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certex_bridge.ledger.domain.facts import DeclarationCommand

PROFILE = "wco"
MESSAGES_PER_RECORD = 100

_MESSAGES = ("Declaration", "Response")

ENVELOPES = frozenset(
    {
        "MetaData",
        "submitDeclarationRequest",
        "requestDetail",
        "Envelope",
        "Body",
        "batch",
    }
)
"""What may lie around a message: the WCO's wrapper, the United Kingdom's request with its part, SOAP, a list."""

MAX_BYTES = 4 << 20
"""A declaration of 999 items with their documents takes a little over 2 MiB."""


def decode_wco(
    envelope: Envelope, options: DecodeOptions = DEFAULT_OPTIONS, max_bytes: int = MAX_BYTES
) -> list[DeclarationCommand | Poison]:
    """Read one record with WCO messages, in document order.

    A message that can never work is in the list as `Poison`: WCO_FUNCTION, WCO_STRUCTURE, IDENTITY_MISSING,
    MRN_INVALID, LRN_INVALID, EORI_INVALID, ITEM_DUPLICATE, UNDECODABLE.

    Raises:
        Poison: the envelope's and XML gate's codes, or WCO_MESSAGE (no Declaration or Response, or too many): nothing
            of the record can be read. Nothing else is raised.
    """
    try:
        headers = read_headers(envelope, EnvelopeLimits(value_bytes=max_bytes))
        root = parse_xml(envelope.value or b"", XmlLimits(size_bytes=max_bytes))
        elements = outermost(root, _MESSAGES, ENVELOPES)
        if not 0 < len(elements) <= MESSAGES_PER_RECORD:
            message = (
                f"1 to {MESSAGES_PER_RECORD} Declaration or Response elements are expected, alone or inside "
                + ", ".join(sorted(ENVELOPES))
            )
            raise Poison("WCO_MESSAGE", message, local_name(root), len(elements))
        ids = _given_ids(headers, len(elements))
        return [
            _decode(element, event_id, headers, envelope, options)
            for element, event_id in zip(elements, ids, strict=True)
        ]
    except InputError as error:
        raise Poison.of(error) from error
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def _decode(
    element: Element, event_id: str, headers: Mapping[str, str], envelope: Envelope, options: DecodeOptions
) -> DeclarationCommand | Poison:
    try:
        sha256 = canonical_sha256(element)
        message = Message(element, event_id or _content_id(element, sha256), sha256, headers, envelope, options)
        is_declaration = local_name(element) == "Declaration"
        return decode_declaration(message) if is_declaration else decode_notification(message)
    except Poison as poison:
        return poison
    except InputError as error:
        return Poison.of(error)
    except UNFORESEEN as error:
        return Poison.unforeseen(error)


def _given_ids(headers: Mapping[str, str], messages: int) -> list[str]:
    """The ids that the record's own id gives its messages; empty where it has none."""
    given = headers.get("ce_id", "")
    for finding in check_event_id(given, "ce_id") if given else ():
        raise Poison("LIMIT", finding.message, finding.field, finding.value)
    if not given or messages == 1:
        return [given] * messages
    return [content_id(PROFILE, given, str(position)) for position in range(messages)]


def _content_id(element: Element, sha256: str) -> str:
    if local_name(element) == "Declaration":
        return content_id(PROFILE, "declaration", sha256)
    reference = text(element, "FunctionalReferenceID")
    if not reference:
        return content_id(PROFILE, "response", sha256)
    declaration = response_identity(element)
    # References are unique per sender at best; the declaration's own names keep two senders' responses apart.
    names = (text(declaration, "ID"), text(declaration, "FunctionalReferenceID"))
    return content_id(PROFILE, "response", *names, reference, text(element, "FunctionCode"))
