"""Amendments in WCO shape (function 13, `COR`): a body, and pointers to what it changes.

A pointer names classes by their WCO ids with their positions: declaration 42A, goods shipment 67A, goods item 68A,
document 02A, write-off 22C. Senders write two kinds of body:

* The changed branches only. A document of a branch belongs to the place that a pointer names. A pointer that ends at a
  document or item which the branches do not hold takes it out. Nothing else removes a claim: what an amendment does not
  mention stays. A document that no pointer names changes nothing, and where pointers and documents do not fit together
  nothing is guessed: the ledger names it in a finding.
* The whole declaration (`is_whole`), as exporters' software sends it. Then the body is the new content, and the
  pointers only say which differences are meant.

Which of a whole body's differences no pointer names can be seen only beside the content in force, so the request keeps
both readings (`ledger/domain/replacing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.figures import at, read_item_amount, read_measure
from certex_bridge.customs.limits import ITEMS
from certex_bridge.customs.wco.goods import Problems, at_most, documents, goods_item, item_number
from certex_bridge.customs.wco.message import Message, party
from certex_bridge.customs.wco.tree import Element, child, children, text
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.requests import Changes, DocumentChange, ItemChange
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Iterable

    from certex_bridge.customs.payload import PayloadReader

DECLARATION, SHIPMENT, ITEM, DOCUMENT = "42A", "67A", "68A", "02A"


@dataclass(slots=True)
class Pointed:
    """What the pointers name, by goods item (0: none) and position of the document."""

    entered: dict[int, set[int]] = field(default_factory=dict)
    """Documents that a pointer goes into, to change them."""
    whole: dict[int, set[int]] = field(default_factory=dict)
    """Documents at which a pointer ends: changed, added or taken out."""
    items: set[int] = field(default_factory=set)
    """Items at which a pointer ends."""
    entered_items: set[int] = field(default_factory=set)
    """Items that a pointer goes into."""
    lists: set[int] = field(default_factory=set)
    """Items whose documents are named without a position."""
    everything: bool = True
    """Whether there is no pointer, or one that ends above the items."""

    def places(self, item: int) -> list[int]:
        """The documents of the item that pointers name, in order."""
        return sorted(self.entered.get(item, set()) | self.whole.get(item, set()))

    def numbers(self) -> set[int]:
        """The items whose documents pointers name."""
        return {*self.entered, *self.whole}


def _items(shipment: Element | None) -> list[Element]:
    return at_most(ITEMS, children(shipment, "GovernmentAgencyGoodsItem"), "items")


def is_whole(element: Element) -> bool:
    """Whether the body is a declaration by itself: nothing that one needs is missing, and no pointer goes elsewhere."""
    shipment = child(element, "GoodsShipment")
    items = [goods_item(item, {}) for item in _items(shipment)]
    stated = text(element, "GoodsItemQuantity").lstrip("0")
    if not items or stated not in ("", str(len(items))) or not party(element, "Exporter", "Declarant"):
        return False
    common = text(child(shipment, "Destination"), "CountryCode")
    if not all(item["commodity"] and item["procedure"] and (common or item["destination"]) for item in items):
        return False
    pointed = _pointed(element)
    documents_of = {item["item"]: len(item["documents"]) for item in items}
    return pointed.entered_items <= documents_of.keys() and all(
        max(places) <= documents_of[number] for number, places in pointed.entered.items() if number
    )


def read_changes(message: Message, reader: PayloadReader) -> Changes:
    """What branches and pointers change.

    Raises:
        Poison: WCO_STRUCTURE, ITEM_DUPLICATE.
    """
    element = message.element
    shipment = child(element, "GoodsShipment")
    pointed = _pointed(element)
    problems: Problems = {}
    items = [_item(item, pointed, problems, reader) for item in _items(shipment)]
    numbers = [item.number for item in items]
    if len(set(numbers)) != len(numbers):
        raise Poison("ITEM_DUPLICATE", "a number that must be unique occurs twice", "items")
    gone = pointed.items.difference(numbers)
    untouched = pointed.numbers() - gone - {0, *numbers}
    items += [ItemChange(number, deleted=True) for number in sorted(gone)]
    items += [
        ItemChange(number, documents=_taken_out(pointed.whole.get(number, ())), places=tuple(pointed.places(number)))
        for number in sorted(untouched)
    ]
    consignee = child(shipment, "Consignee")
    reader.remark()
    return Changes(
        exporter=party(element, "Exporter"),
        destination=text(child(shipment, "Destination"), "CountryCode"),
        consignee_id=text(consignee, "ID"),
        consignee_name=text(consignee, "Name"),
        items=tuple(items),
        findings=tuple(_unread(element, shipment, pointed, untouched, reader)),
        everything=pointed.everything,
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
    narrowed = False
    for amendment in children(element, "Amendment"):
        path = [
            (text(pointer, "DocumentSectionCode"), _position(pointer), text(pointer, "TagID"))
            for pointer in children(amendment, "Pointer")
        ]
        if path and _above_the_items(path):
            return Pointed()
        narrowed = narrowed or bool(path)
        _point(path, found)
    found.everything = not narrowed
    return found


Path = list[tuple[str, int, str]]
"""A pointer from the declaration downwards: class, position (0: none), data element."""


def _above_the_items(path: Path) -> bool:
    """Whether the pointer ends at the declaration, the shipment or the list of its items."""
    section, position, tag = path[-1]
    return not tag and (section in (DECLARATION, SHIPMENT) or (section == ITEM and not position))


def _point(path: Path, found: Pointed) -> None:
    sections = [section for section, _, _ in path]
    places = {section: position for section, position, _ in path}
    item, document = places.get(ITEM, 0), places.get(DOCUMENT, 0)
    ends_at = sections[-1] if path and not path[-1][2] else ""
    if ITEM in sections and ends_at == ITEM:
        found.items.add(item)
    elif item and not (ends_at == DOCUMENT and DOCUMENT in sections):
        found.entered_items.add(item)
    if DOCUMENT not in sections:
        return
    if not document:
        found.lists.add(item)
    elif ends_at == DOCUMENT:
        found.whole.setdefault(item, set()).add(document)
    else:
        found.entered.setdefault(item, set()).add(document)


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
        named=item.item in pointed.items or item.item in pointed.lists,
        places=tuple(pointed.places(item.item)),
    )
    reader.findings += at(f"items[{item.item}]", remarks)
    return change


def _documents(
    item: wire.GoodsItem, pointed: Pointed, problems: Problems, reader: PayloadReader
) -> tuple[DocumentChange, ...]:
    number, told = item.item, item.documents
    places, entered, whole = (
        pointed.places(number),
        pointed.entered.get(number, set()),
        pointed.whole.get(number, set()),
    )
    gone: list[DocumentChange] = []
    named, added = True, True
    if not places:
        targets = [0] * len(told)
        named = pointed.everything or number in pointed.items or number in pointed.lists
        added = named and not (pointed.everything and number not in pointed.items)
    elif len(told) == len(places):
        targets = places
    elif len(told) == len(places) - len(whole - entered):
        targets = sorted(entered)
        gone = [DocumentChange(seq, None) for seq in sorted(whole - entered)]
    else:
        # Which document stands for which place cannot be told: nothing of it is carried out.
        targets, named, added = [0] * len(told), False, False
        gone = [DocumentChange(seq, None, named=False) for seq in places]
    changes = []
    for document, seq in zip(told, targets, strict=True):
        change = reader.change(number, document, seq, named=named, added=added)
        if seq or reader.cites_licence(document):
            changes.append(_marked_change(change, problems.get((number, document.seq), ())))
    return (*gone, *changes)


def _marked_change(change: DocumentChange, found: Iterable[Finding]) -> DocumentChange:
    told = change.told
    return change if told is None else replace(change, told=replace(told, findings=(*told.findings, *found)))


def _taken_out(places: Iterable[int]) -> tuple[DocumentChange, ...]:
    return tuple([DocumentChange(seq, None) for seq in sorted(places)])


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
        for seq in sorted(pointed.entered.get(number, ())):
            place = f"items[{number}].documents[{seq}]"
            found.append(_unmerged(place, "", "a pointer names the document and the branch does not hold it"))
    held = {item_number(item) for item in children(shipment, "GovernmentAgencyGoodsItem") if documents({}, 1, item)}
    for number in sorted(pointed.lists - held):
        place = f"items[{number}].documents" if number else "documents"
        found.append(_unmerged(place, "", "a pointer names the documents and the branch holds none"))
    return found


def _unmerged(place: str, value: str, message: str) -> Finding:
    return Finding("AMENDMENT_UNMERGED", place, value, message, Severity.WARNING)
