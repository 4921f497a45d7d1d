"""Amendments in WCO shape (function 13, `COR`): the changed branch, and pointers to what it changes.

A pointer names classes by their WCO ids with their positions: declaration 42A, goods shipment 67A, goods item 68A,
document 02A, write-off 22C. A document of the branch belongs to the place that a pointer names; without a pointer it is
found by code and reference. A pointer that ends at a document or item which the branch does not hold takes it out.
Nothing else removes a claim: what an amendment does not mention stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.figures import at, read_item_amount, read_measure
from certex_bridge.customs.wco.goods import Problems, documents, goods_item
from certex_bridge.customs.wco.message import Message, party
from certex_bridge.customs.wco.tree import Element, child, children, text
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.facts import Changes, ClaimSpec, DocumentChange, ItemChange, Payload
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Iterable

    from certex_bridge.customs.payload import PayloadReader

ITEM, DOCUMENT = "68A", "02A"


@dataclass(slots=True)
class Pointed:
    """What the pointers name: per item its documents, in order; and where a pointer ends at the thing itself."""

    documents: dict[int, list[int]] = field(default_factory=dict)
    whole_documents: set[tuple[int, int]] = field(default_factory=set)
    whole_items: set[int] = field(default_factory=set)


def read_changes(message: Message, reader: PayloadReader) -> Changes:
    """What the branch changes.

    Raises:
        Poison: WCO_STRUCTURE, ITEM_DUPLICATE.
    """
    element = message.element
    shipment = child(element, "GoodsShipment")
    pointed = _pointed(element)
    problems: Problems = {}
    items = [_item(item, pointed, problems, reader) for item in children(shipment, "GovernmentAgencyGoodsItem")]
    numbers = [item.number for item in items]
    if len(set(numbers)) != len(numbers):
        raise Poison("ITEM_DUPLICATE", "a number that must be unique occurs twice", "items")
    gone = pointed.whole_items.difference(numbers)
    untouched = pointed.documents.keys() - gone - set(numbers)
    items += [ItemChange(number, deleted=True) for number in sorted(gone)]
    items += [ItemChange(number, documents=_without_body(number, pointed)) for number in sorted(untouched)]
    consignee = child(shipment, "Consignee")
    reader.remark()
    return Changes(
        exporter=party(element, "Exporter"),
        destination=text(child(shipment, "Destination"), "CountryCode"),
        consignee_id=text(consignee, "ID"),
        consignee_name=text(consignee, "Name"),
        items=tuple(items),
        findings=tuple(_unread(element, shipment, pointed, untouched, reader)),
    )


def with_problems(payload: Payload, problems: Problems) -> Payload:
    """The payload with the findings on documents that became claims."""
    items = tuple([replace(item, claims=_marked(item.claims, problems)) for item in payload.items])
    return replace(payload, items=items, header_claims=_marked(payload.header_claims, problems))


def _marked(claims: Iterable[ClaimSpec], problems: Problems) -> tuple[ClaimSpec, ...]:
    return tuple(
        [
            replace(claim, findings=(*claim.findings, *problems[claim.item, claim.doc_seq]))
            if (claim.item, claim.doc_seq) in problems
            else claim
            for claim in claims
        ]
    )


def _pointed(element: Element) -> Pointed:
    found = Pointed()
    for amendment in children(element, "Amendment"):
        path = [
            (text(pointer, "DocumentSectionCode"), _position(pointer), text(pointer, "TagID"))
            for pointer in children(amendment, "Pointer")
        ]
        places = {section: position for section, position, _ in path}
        item, document = places.get(ITEM, 0), places.get(DOCUMENT, 0)
        last, _, tag = path[-1] if path else ("", 0, "")
        if document:
            known = found.documents.setdefault(item, [])
            if document not in known:
                known.append(document)
            if last == DOCUMENT and not tag:
                found.whole_documents.add((item, document))
        elif item and last == ITEM and not tag:
            found.whole_items.add(item)
    return found


def _position(pointer: Element) -> int:
    written = text(pointer, "SequenceNumeric")
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 5 else 0


def _item(element: Element, pointed: Pointed, problems: Problems, reader: PayloadReader) -> ItemChange:
    try:
        item = msgspec.convert(goods_item(element, problems), wire.GoodsItem)
    except msgspec.ValidationError as error:
        explanation, _, path = str(error).partition(" - at `$")
        raise Poison("WCO_STRUCTURE", explanation, path.strip("`."), "") from error
    remarks: list[Finding] = []
    change = ItemChange(
        item.item,
        item.procedure or "",
        item.commodity or "",
        item.destination or "",
        item.origin or "",
        read_measure(item.net_mass, remarks, "netMass"),
        read_measure(item.supplementary_units, remarks, "supplementaryUnits"),
        read_item_amount(item.amount, remarks),
        tuple(item.additional_procedures),
        _documents(item, pointed, problems, reader),
    )
    reader.findings += at(f"items[{item.item}]", remarks)
    return change


def _documents(
    item: wire.GoodsItem, pointed: Pointed, problems: Problems, reader: PayloadReader
) -> tuple[DocumentChange, ...]:
    places = pointed.documents.get(item.item, [])
    gone = [seq for seq in places if (item.item, seq) in pointed.whole_documents]
    told = item.documents
    if len(told) == len(places):
        gone, targets = [], places
    elif len(told) == len(places) - len(gone):
        targets = [seq for seq in places if seq not in gone]
    else:
        gone, targets = [], [0] * len(told)
    changes = [
        _marked_change(reader.change(item.item, document, seq), problems.get((item.item, document.seq), ()))
        for document, seq in zip(told, targets, strict=True)
    ]
    return (*[DocumentChange(seq, None) for seq in gone], *[change for change in changes if change.seq or change.ours])


def _marked_change(change: DocumentChange, found: Iterable[Finding]) -> DocumentChange:
    told = change.told
    return change if told is None else replace(change, told=replace(told, findings=(*told.findings, *found)))


def _without_body(number: int, pointed: Pointed) -> tuple[DocumentChange, ...]:
    return tuple(
        [DocumentChange(seq, None) for seq in pointed.documents[number] if (number, seq) in pointed.whole_documents]
    )


def _unread(
    element: Element, shipment: Element | None, pointed: Pointed, untouched: set[int], reader: PayloadReader
) -> list[Finding]:
    """What touches documents or items and cannot be read as a change."""
    found = []
    header: Problems = {}
    for told in documents(header, 0, element, shipment):
        document = msgspec.convert({key: told[key] for key in ("seq", "type", "reference", "status")}, wire.Document)
        if reader.is_ours(document, 0):
            found.append(_unmerged(f"documents[{document.seq}]", document.reference, "a licence of the whole shipment"))
    for number in sorted(untouched):
        for seq in pointed.documents[number]:
            if (number, seq) not in pointed.whole_documents:
                place = f"items[{number}].documents[{seq}]"
                found.append(_unmerged(place, "", "a pointer names the document and the branch does not hold it"))
    return found


def _unmerged(place: str, value: str, message: str) -> Finding:
    return Finding("AMENDMENT_UNMERGED", place, value, message, Severity.WARNING)
