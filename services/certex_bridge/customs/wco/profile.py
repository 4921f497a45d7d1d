"""Raw WCO messages (topic customs.messages.v1, profile `wco`) to commands.

Messages come bare, in a MetaData wrapper, or in a national request around it; they are found by local name, whatever
prefix or namespace, at any depth. One record may hold several.

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
from certex_bridge.platform.envelope import Envelope, read_headers
from certex_bridge.platform.poison import UNFORESEEN, Poison
from certex_bridge.platform.xmlgate import local_name, parse_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certex_bridge.ledger.domain.facts import DeclarationCommand

PROFILE = "wco"
MESSAGES_PER_RECORD = 100

_MESSAGES = ("Declaration", "Response")


def decode_wco(envelope: Envelope, options: DecodeOptions = DEFAULT_OPTIONS) -> list[DeclarationCommand]:
    """Read one record with WCO messages, in document order.

    Raises:
        Poison: the envelope's and XML gate's codes; WCO_MESSAGE (no Declaration or Response, or too many),
            WCO_FUNCTION, WCO_STRUCTURE, IDENTITY_MISSING, MRN_INVALID, LRN_INVALID, EORI_INVALID, ITEM_DUPLICATE,
            DATE_INVALID or DATE_RANGE for an acceptance. Nothing else is raised.
    """
    try:
        headers = read_headers(envelope)
        root = parse_xml(envelope.value or b"")
        elements = outermost(root, _MESSAGES)
        if not 0 < len(elements) <= MESSAGES_PER_RECORD:
            message = f"1 to {MESSAGES_PER_RECORD} Declaration or Response elements are expected"
            raise Poison("WCO_MESSAGE", message, local_name(root), len(elements))
        hashes = [canonical_sha256(element) for element in elements]
        ids = _event_ids(elements, hashes, headers)
        received, country = _wrapped(root, "receiptDate"), _wrapped(root, "ResponsibleCountryCode")[:2]
        messages = [
            Message(
                element=element,
                event_id=event_id,
                sha256=sha256,
                headers=headers,
                record=envelope,
                received=received,
                responsible_country=country,
                options=options,
            )
            for element, event_id, sha256 in zip(elements, ids, hashes, strict=True)
        ]
        return [_decode(message) for message in messages]
    except InputError as error:
        raise Poison.of(error) from error
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def _decode(message: Message) -> DeclarationCommand:
    is_declaration = local_name(message.element) == "Declaration"
    return decode_declaration(message) if is_declaration else decode_notification(message)


def _wrapped(root: Element, name: str) -> str:
    """The text of the first element of this name in the wrappers."""
    found = outermost(root, (*_MESSAGES, name))
    return next((text(element) for element in found if local_name(element) == name), "")


def _event_ids(elements: list[Element], hashes: list[str], headers: Mapping[str, str]) -> list[str]:
    given = headers.get("ce_id", "")
    if not given:
        return [_content_id(element, sha256) for element, sha256 in zip(elements, hashes, strict=True)]
    for finding in check_event_id(given, "ce_id"):
        raise Poison("LIMIT", finding.message, finding.field, finding.value)
    if len(elements) == 1:
        return [given]
    return [content_id(PROFILE, given, str(position)) for position in range(len(elements))]


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
