"""Declarations of traders (WCO Declaration): originals, presentations, amendments and cancellation requests.

Function 9 is an original: LODGED, whatever its type (EXD, EXE and EXF are pre-lodged; acceptance is told by response
01 in every case). Function 13 adds to an earlier declaration (Denmark: 1 cancels, 4 amends):

* `GPR` presents the goods: PRESENTED.
* `INV` and `COR` ask for invalidation or amendment. A request decides nothing: REQUESTED, known by its kind, content
  and time, since declarants repeat the LRN as reference; the decision is response 11, the end response 10. A COR of
  function 13 carries changed branches or the whole declaration with pointers (`amendment.py`), one of function 4 the
  whole new content.
* Anything else is NOTED with a warning.

A supplementary declaration (additional type U, V, X, Y, Z) is SUPPLEMENTARY where its header or its items name the
simplified ones as previous documents (see `goods.simplified_declarations`); without any it is LODGED like another and
books nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.identity import read_simplified
from certex_bridge.customs.limits import ITEMS
from certex_bridge.customs.payload import PayloadReader
from certex_bridge.customs.wco.amendment import is_whole, read_changes, with_problems
from certex_bridge.customs.wco.goods import (
    Problems,
    at_most,
    documents,
    goods_item,
    references,
    simplified_declarations,
)
from certex_bridge.customs.wco.message import Message, party
from certex_bridge.customs.wco.place import office_of
from certex_bridge.customs.wco.tree import Element, child, children, text
from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.identifiers import check_eori, mrn_member_state
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.requests import Request, RequestKind
from certex_bridge.ledger.domain.simplified import SUPPLEMENTARY_TYPES, SimplifiedReference
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.domain.supplementing import names_of
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.kernel.errors import Finding

ORIGINAL, CANCELLATION, REPLACEMENT, ADDITIONAL = "9", "1", "4", "13"
AMENDMENT_TYPE, INVALIDATION_TYPE, PRESENTATION_TYPE = "COR", "INV", "GPR"

_ACCEPTED = "accepted are function 9, 13 (COR, INV, GPR), 4 (COR) and 1 (INV)"
_REQUESTS = {
    (ADDITIONAL, AMENDMENT_TYPE): AMENDMENT_TYPE,
    (REPLACEMENT, AMENDMENT_TYPE): REPLACEMENT,
    (ADDITIONAL, INVALIDATION_TYPE): INVALIDATION_TYPE,
    (CANCELLATION, INVALIDATION_TYPE): INVALIDATION_TYPE,
    (ADDITIONAL, PRESENTATION_TYPE): PRESENTATION_TYPE,
}
"""What a function and a type ask for."""

_KINDS = {
    AMENDMENT_TYPE: RequestKind.AMENDMENT,
    REPLACEMENT: RequestKind.AMENDMENT,
    INVALIDATION_TYPE: RequestKind.INVALIDATION,
    PRESENTATION_TYPE: RequestKind.PRESENTATION,
}


def decode_declaration(message: Message) -> DeclarationCommand:
    """The command of one Declaration element.

    Raises:
        Poison: WCO_FUNCTION, WCO_STRUCTURE, IDENTITY_MISSING, MRN_INVALID, LRN_INVALID, EORI_INVALID, ITEM_DUPLICATE.
    """
    element = message.element
    message.identify(element, party(element, "Exporter", "Declarant"))
    if not message.mrn and not (message.lrn and message.exporter):
        raise Poison("IDENTITY_MISSING", "neither MRN nor functional reference and exporter name the declaration", "ID")
    _check_exporter(message)
    function, kind = text(element, "FunctionCode").lstrip("0"), text(element, "TypeCode")
    message.extensions["wcofunction"] = f"{function} {kind}"[:40]
    if function == ORIGINAL:
        return _lodged(message, message.stamp())
    if not (function == ADDITIONAL or (function, kind) in _REQUESTS):
        raise Poison(
            "WCO_FUNCTION",
            f"{_ACCEPTED}, not {function[:10] or 'none'} with {kind[:10] or 'none'}",
            "FunctionCode",
            function,
        )
    # Without reference it can be answered by nobody, but it is one request all the same.
    message.reference = message.lrn or message.event_id
    if message.mrn:
        # The reference of a request is the request's own, not the declaration's LRN.
        message.extensions["wcoreference"], message.lrn = message.lrn, ""
    return _requested(message, _REQUESTS.get((function, kind), ""), message.stamp())


def _requested(message: Message, what: str, stamp: Stamp) -> DeclarationCommand:
    kind = _KINDS.get(what, RequestKind.OTHER)
    asked = Request(message.reference, asked=stamp, kind=kind, sha256=message.sha256)
    if what == PRESENTATION_TYPE:
        return message.command(EventKind.PRESENTED, stamp, message.facts(presented=stamp, requests=(asked,)))
    if what == AMENDMENT_TYPE:
        content = _payload(message) if is_whole(message.element) else None
        # Both readings would remark the same things; those of the whole count.
        findings = message.findings if content is None else []
        asked = replace(asked, changes=read_changes(message, _reader(message, findings)), content=content)
    elif what == REPLACEMENT:
        asked = replace(asked, content=_payload(message))
    elif what != INVALIDATION_TYPE:
        function = message.extensions["wcofunction"]
        message.warn("WCO_FUNCTION", "FunctionCode", function, "an unknown request moves nothing")
        return message.command(EventKind.NOTED, stamp, message.facts(requests=(asked,)))
    return message.command(EventKind.REQUESTED, stamp, message.facts(requests=(asked,)))


def _check_exporter(message: Message) -> None:
    for finding in check_eori(message.exporter, "exporter") if message.exporter else ():
        if not message.mrn:
            raise Poison(finding.code, finding.message, finding.field, finding.value)
        message.warn(finding.code, finding.field, finding.value, finding.message)


def _lodged(message: Message, stamp: Stamp) -> DeclarationCommand:
    payload = _payload(message)
    facts = message.facts(
        payload=payload,
        payload_rank=PayloadRank(0, 1, stamp),
        lodged=stamp,
        simplified=_simplified(message) if payload.additional_type in SUPPLEMENTARY_TYPES else (),
        **message.exit_facts(message.element, stamp),
    )
    return message.command(EventKind.SUPPLEMENTARY if names_of(facts) else EventKind.LODGED, stamp, facts)


def _simplified(message: Message) -> tuple[SimplifiedReference, ...]:
    """The simplified declarations that the header names."""
    levels = (message.element, child(message.element, "GoodsShipment"))
    named = msgspec.convert(simplified_declarations(*levels), list[wire.SimplifiedDeclaration])
    return read_simplified(named, "PreviousDocument", message.findings)


def _items(element: Element) -> Iterator[Element]:
    return children(child(element, "GoodsShipment"), "GovernmentAgencyGoodsItem")


def _payload(message: Message) -> Payload:
    problems: Problems = {}
    canonical = _canonical(message.element, problems)
    try:
        declaration = msgspec.convert(canonical, wire.Declaration)
    except msgspec.ValidationError as error:
        explanation, _, path = str(error).partition(" - at `$")
        raise Poison("WCO_STRUCTURE", explanation, path.strip("`."), "") from error
    stated = text(message.element, "GoodsItemQuantity")
    if stated and stated.lstrip("0") != str(len(declaration.items)):
        message.warn("ITEM_COUNT", "GoodsItemQuantity", stated, f"the declaration has {len(declaration.items)} items")
    # The declarant may name the declaration in the exporter's stead; the holder of a licence is the exporter only.
    exporter = party(message.element, "Exporter")
    payload = _reader(message, message.findings).read(declaration, exporter, office_of(message.element))
    return with_problems(payload, problems) if problems else payload


def _reader(message: Message, findings: list[Finding]) -> PayloadReader:
    suffixed = message.country in message.options.line_suffix_countries
    return PayloadReader(
        message.country,
        message.options,
        findings,
        line_suffixed=suffixed,
        issuer_from=message.country_from,
        declared_in=_declared_in(message),
    )


def _declared_in(message: Message) -> str:
    """The country as declared: Northern Ireland, where the MRN or the office says so."""
    if message.mrn:
        return mrn_member_state(message.mrn)
    office = office_of(message.element)[:2].upper()
    return office if issuing_state(office) == message.country else message.country


def _canonical(element: Element, problems: Problems) -> dict[str, Any]:
    """The declaration in the words of the canonical event."""
    shipment = child(element, "GoodsShipment")
    kind = text(element, "TypeCode")
    if kind == AMENDMENT_TYPE:
        kind = ""
    consignee = child(shipment, "Consignee")
    items = [goods_item(item, problems) for item in at_most(ITEMS, _items(element), "items")]
    if kind[2:] not in SUPPLEMENTARY_TYPES:
        for item in items:
            del item["simplifiedDeclarations"]  # previous documents of another kind of declaration
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
            for document in documents(problems, 0, element, shipment)
        ],
        "references": references(element, shipment),
        "items": items,
    }
