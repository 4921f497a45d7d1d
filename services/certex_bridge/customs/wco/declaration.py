"""Declarations of traders (WCO Declaration): originals, amendments and cancellation requests.

Function 9 is an original: LODGED, whatever its type (EXD, EXE and EXF are pre-lodged; acceptance is told by response
01 in every case). Function 13 (in Denmark 1 for a cancellation) adds to an earlier declaration:

* `INV` asks for invalidation. A request decides nothing: NOTED; the decision is response 10.
* `COR` amends, and carries the changed branch only. Replacing the known content by a branch would drop what the
  branch leaves out, so it is applied (AMENDED) only if nothing can be missing: version, exporter, as many items
  as GoodsItemQuantity says, procedure, commodity and measures for each. Otherwise it is NOTED with the finding
  AMENDMENT_PARTIAL, and the full content must come on the canonical topic. An applied one carries the warning
  AMENDMENT_REQUESTED, since the responses to it do not repeat the content. Its type code being `COR`, the type of
  the declaration is not known from it and stays empty.

A supplementary declaration (additional type X, Y, Z) is LODGED on its own and told apart by its additional type. It is
linked to its simplified declaration (SUPPLEMENTARY, identity of the simplified one) only if the header names that
one as previous document `Y`/`SDE` with an MRN whose check digit verifies; item-level previous documents are not
enough, since each item may name another declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.payload import PayloadReader
from certex_bridge.customs.wco.goods import documents, goods_item, references
from certex_bridge.customs.wco.message import Message, party
from certex_bridge.customs.wco.tree import Element, child, children, text
from certex_bridge.kernel.identifiers import check_eori, check_mrn
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Payload, PayloadRank, Stamp
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINAL, CANCELLATION, ADDITIONAL = "9", "1", "13"
AMENDMENT_TYPE, INVALIDATION_TYPE = "COR", "INV"
SUPPLEMENTARY_TYPES = ("X", "Y", "Z")
FIRST_AMENDED_VERSION = 2


def decode_declaration(message: Message) -> DeclarationCommand:
    """The command of one Declaration element.

    Raises:
        Poison: WCO_FUNCTION, WCO_STRUCTURE, IDENTITY_MISSING, MRN_INVALID, LRN_INVALID, EORI_INVALID, ITEM_DUPLICATE.
    """
    element = message.element
    message.identify(element, party(element, "Exporter", "Declarant"), _office(element))
    if not message.mrn and not (message.lrn and message.exporter):
        raise Poison("IDENTITY_MISSING", "neither MRN nor functional reference and exporter name the declaration", "ID")
    _check_exporter(message)
    function, kind = text(element, "FunctionCode").lstrip("0"), text(element, "TypeCode")
    message.extensions["wcofunction"] = f"{function} {kind}"[:40]
    if function != ORIGINAL and message.mrn:
        # The reference of a request is the request's own, not the declaration's LRN.
        message.extensions["wcoreference"], message.lrn = message.lrn, ""
    stamp = Stamp(message.time(), message.event_id)
    if function == ORIGINAL:
        return _lodged(message, stamp)
    if function == ADDITIONAL and kind == AMENDMENT_TYPE:
        return _amended(message, stamp)
    if function in (CANCELLATION, ADDITIONAL) and kind == INVALIDATION_TYPE:
        return message.command(EventKind.NOTED, stamp, message.facts())
    raise Poison("WCO_FUNCTION", "neither an original, an amendment nor a cancellation", "FunctionCode", function)


def _check_exporter(message: Message) -> None:
    for finding in check_eori(message.exporter, "exporter") if message.exporter else ():
        if not message.mrn:
            raise Poison(finding.code, finding.message, finding.field, finding.value)
        message.warn(finding.code, finding.field, finding.value, finding.message)


def _lodged(message: Message, stamp: Stamp) -> DeclarationCommand:
    payload = _payload(message)
    simplified = _simplified_mrn(message.element) if payload.additional_type in SUPPLEMENTARY_TYPES else ""
    if not simplified:
        rank = PayloadRank(0, 1, stamp)
        return message.command(EventKind.LODGED, stamp, message.facts(payload=payload, payload_rank=rank, lodged=stamp))
    message.extensions["supplementarylrn"] = message.lrn
    message.mrn, message.lrn = simplified, ""
    facts = message.facts(payload=payload, payload_rank=PayloadRank(1, 1, stamp))
    return message.command(EventKind.SUPPLEMENTARY, stamp, facts)


def _amended(message: Message, stamp: Stamp) -> DeclarationCommand:
    version = text(message.element, "VersionID")
    if not (message.exporter and _is_whole(message.element) and _at_least(version, FIRST_AMENDED_VERSION)):
        explanation = "the amendment carries a part of the declaration only; nothing is derived from it"
        message.warn("AMENDMENT_PARTIAL", "Declaration", version, explanation)
        return message.command(EventKind.NOTED, stamp, message.facts())
    explanation = "applied as requested by the trader; customs' decision does not repeat the content"
    message.warn("AMENDMENT_REQUESTED", "Declaration", version, explanation)
    rank = PayloadRank(0, int(version), stamp)
    return message.command(EventKind.AMENDED, stamp, message.facts(payload=_payload(message), payload_rank=rank))


def _at_least(number: str, least: int) -> bool:
    return number.isascii() and number.isdigit() and len(number) < 10 and int(number) >= least


def _is_whole(element: Element) -> bool:
    """Whether the branch holds every item with all that makes an item."""
    items = list(_items(element))
    return (
        bool(items)
        and text(element, "GoodsItemQuantity") == str(len(items))
        and all(
            text(item, "SequenceNumeric")
            and text(item, "GovernmentProcedure", "CurrentCode")
            and text(item, "Commodity", "Classification", "ID")
            and child(child(item, "Commodity"), "GoodsMeasure") is not None
            for item in items
        )
    )


def _items(element: Element) -> Iterator[Element]:
    return children(child(element, "GoodsShipment"), "GovernmentAgencyGoodsItem")


def _payload(message: Message) -> Payload:
    try:
        declaration = msgspec.convert(_canonical(message.element), wire.Declaration)
    except msgspec.ValidationError as error:
        explanation, _, path = str(error).partition(" - at `$")
        raise Poison("WCO_STRUCTURE", explanation, path.strip("`."), "") from error
    suffixed = message.country in message.options.line_suffix_countries
    reader = PayloadReader(message.country, message.options, message.findings, line_suffixed=suffixed)
    return reader.read(declaration, message.exporter, _office(message.element))


def _canonical(element: Element) -> dict[str, Any]:
    """The declaration in the words of the canonical event."""
    shipment = child(element, "GoodsShipment")
    kind = text(element, "TypeCode")
    if kind == AMENDMENT_TYPE:
        kind = ""
    consignee = child(shipment, "Consignee")
    items = [goods_item(item) for item in _items(element)]
    destinations = {item["destination"] for item in items}
    common = destinations.pop() if len(destinations) == 1 else None
    return {
        "type": kind[:2],
        "additionalType": kind[2:],
        "exporter": party(element, "Exporter", "Declarant"),
        "consignee": {"name": text(consignee, "Name"), "identification": text(consignee, "ID")},
        "destination": text(shipment, "Destination", "CountryCode") or common,
        "documents": [
            {key: value for key, value in document.items() if key not in ("quantity", "value")}
            for document in documents(element, shipment)
        ],
        "references": references(element, shipment),
        "items": items,
    }


def _office(element: Element) -> str:
    """The office of export: the supervising one, or where the goods are presented; never the office of exit."""
    return text(element, "SupervisingOffice", "ID") or text(element, "PresentationOffice", "ID")


def _simplified_mrn(element: Element) -> str:
    """The simplified declaration that the header names without doubt."""
    for level in (element, child(element, "GoodsShipment")):
        for previous in children(level, "PreviousDocument"):
            number = text(previous, "ID")
            is_simplified = (text(previous, "CategoryCode"), text(previous, "TypeCode")) == ("Y", "SDE")
            if is_simplified and not check_mrn(number):
                return number
    return ""
