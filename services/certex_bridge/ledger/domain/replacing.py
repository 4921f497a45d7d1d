"""Amendments that carry the whole declaration: the difference of the two contents is what changes.

A sender of whole contents points at each change as well. Pointers decide nothing here, with one exception: where they
name something of the declaration, and an item or a licence is missing from the new content that no pointer names, the
sender may have left out what did not change. Nobody can tell, so it stays as it was, and a finding names it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from certex_bridge.ledger.domain.changing import DERIVED_SEQ, changed_claims, licence_line, unmerged
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.requests import Changes, ItemChange

if TYPE_CHECKING:
    from certex_bridge.kernel.errors import Finding

_UNNAMED = ItemChange(0)


def replaced(payload: Payload, content: Payload, changes: Changes | None, findings: list[Finding]) -> Payload:
    """The new content, with what an amendment message never repeats: type of declaration, office, exporter."""
    told = replace(
        content,
        declaration_type=content.declaration_type or payload.declaration_type,
        additional_type=content.additional_type or payload.additional_type,
        exporter=content.exporter or payload.exporter,
        office=content.office or payload.office,
    )
    if changes is None or changes.everything:
        return told
    known, items = _by_number(payload), _by_number(told)
    named = {change.number for change in changes.items if change.deleted or change.named}
    nowhere = sorted(named - known.keys() - items.keys())
    findings += [unmerged(f"items[{number}]", "", "the declaration has no such item") for number in nowhere]
    missing = sorted(known.keys() - items.keys() - named)
    if missing and _numbered_anew(items, len(missing), len(named & known.keys() & items.keys())):
        return told
    for number in missing:
        items[number] = known[number]
        if known[number].claims:
            reason = "the item is missing from the amended declaration and no pointer names it; it stays as it was"
            findings.append(unmerged(f"items[{number}]", "", reason))
    pointed = {change.number: change for change in changes.items}
    for number in sorted(known.keys() & items.keys() - named):
        items[number] = _item(known[number], items[number], pointed.get(number, _UNNAMED), findings)
    return replace(told, items=tuple([items[number] for number in sorted(items)]))


def _by_number(payload: Payload) -> dict[int, Item]:
    return {item.number: item for item in payload.items}


def _numbered_anew(items: dict[int, Item], missing: int, taken_out: int) -> bool:
    """Whether the last numbers are missing because pointers take items out and what is left was numbered anew."""
    return sorted(items) == list(range(1, len(items) + 1)) and missing <= taken_out


def _item(known: Item, told: Item, pointed: ItemChange, findings: list[Finding]) -> Item:
    left = _unexplained(known, told, pointed.places)
    if not left:
        return told
    for claim in left:
        reason = "the licence is missing from the amended item and no pointer names its document; it stays as it was"
        findings.append(unmerged(f"items[{known.number}].documents[{claim.doc_seq}]", claim.reference, reason))
    return replace(told, claims=changed_claims(known, pointed.documents, findings))


def _unexplained(known: Item, told: Item, places: tuple[int, ...]) -> list[ClaimSpec]:
    """Claims that the new item has no more, at places that no pointer names."""
    if known.claims == told.claims:
        return []
    standing = Counter(licence_line(claim) for claim in told.claims)
    left = []
    # Of several citations of one licence line, those that no pointer names are the ones that stand on.
    for claim in sorted(known.claims, key=lambda claim: claim.doc_seq in places):
        cited = licence_line(claim)
        if standing[cited]:
            standing[cited] -= 1
        elif claim.doc_seq < DERIVED_SEQ and claim.doc_seq not in places:
            left.append(claim)
    return left
