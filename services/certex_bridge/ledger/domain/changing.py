"""Amendments that carry the changed branches only: each change is carried out where a pointer names its place.

A change never removes a claim unless it says so. What touches items or documents and cannot be merged without doubt is
a finding that names it, and what it is about stays as it was: a document that no pointer names, a place that the
declaration does not have, a licence that would stand twice on an item.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.requests import Changes, DocumentChange, ItemChange

DERIVED_SEQ = 100_000
"""From here on a sequence is no position in the declaration: the entry was derived, or added without a place."""

ADDED_SEQ = 300_000
"""Sequence of the first document that an amendment adds without saying where."""


def changed(payload: Payload, changes: Changes, findings: list[Finding]) -> Payload:
    """The content with these changes; what is not carried out is added to the findings."""
    findings += changes.findings
    items = {item.number: item for item in payload.items}
    for change in changes.items:
        _change_item(items, change, findings)
    return replace(
        payload,
        exporter=changes.exporter or payload.exporter,
        destination=changes.destination or payload.destination,
        consignee_id=changes.consignee_id or payload.consignee_id,
        consignee_name=changes.consignee_name or payload.consignee_name,
        items=tuple([items[number] for number in sorted(items)]),
    )


def _change_item(items: dict[int, Item], change: ItemChange, findings: list[Finding]) -> None:
    known, documents = items.get(change.number), change.documents
    if change.deleted and known is not None:
        items.pop(change.number)
        return
    if known is None:
        if change.deleted or not (change.procedure and change.commodity):
            findings.append(unmerged(f"items[{change.number}]", "", "the declaration has no such item"))
            return
        known = Item(change.number, "", "", "", "", None, None, None, (), ())
        documents = tuple([replace(document, added=True) for document in documents])
    items[change.number] = replace(
        known,
        procedure=change.procedure or known.procedure,
        commodity=change.commodity or known.commodity,
        destination=change.destination or known.destination,
        origin=change.origin or known.origin,
        net_mass=known.net_mass if change.net_mass is None else change.net_mass,
        supplementary_units=(
            known.supplementary_units if change.supplementary_units is None else change.supplementary_units
        ),
        amount=change.amount or known.amount,
        additional_procedures=change.additional_procedures or known.additional_procedures,
        claims=changed_claims(known, documents, findings),
    )


def changed_claims(item: Item, documents: tuple[DocumentChange, ...], findings: list[Finding]) -> tuple[ClaimSpec, ...]:
    """The item's claims with these changes of documents."""
    known = {claim.doc_seq: claim for claim in item.claims}
    claims = dict(known)
    for document in documents:
        if document.told is None:
            _take_out(item.number, claims, document, findings)
        else:
            _change(item.number, claims, document, document.told, findings)
    _undo_doubles(item.number, known, claims, findings)
    return tuple([claims[seq] for seq in sorted(claims)])


def _take_out(number: int, claims: dict[int, ClaimSpec], document: DocumentChange, findings: list[Finding]) -> None:
    if document.named:
        claims.pop(document.seq, None)
    elif document.seq in claims:
        reason = "pointers and documents of the amendment do not fit together; this document stays as it was"
        findings.append(unmerged(_place(number, document.seq), claims[document.seq].reference, reason))


def _change(
    number: int, claims: dict[int, ClaimSpec], document: DocumentChange, told: ClaimSpec, findings: list[Finding]
) -> None:
    seq = document.seq if document.seq in claims else _standing(claims, told)
    known = claims.get(seq)
    place = _place(number, document.seq or seq or told.doc_seq)
    if known is None:
        if document.ours:
            _add(number, claims, document, told, findings)
    elif not document.ours:
        reason = "the place of a licence is to hold another document; taking a licence out must be said"
        findings.append(unmerged(place, told.document_code, reason))
    elif not document.named:
        if _states_another(known, told):
            findings.append(unmerged(place, told.reference, "no pointer names this document, so it stays as it was"))
    elif document.seq not in (0, seq) and seq < DERIVED_SEQ:
        reason = f"a pointer names this place, and the licence stands on document {seq} of the item"
        findings.append(unmerged(place, told.reference, reason))
    else:
        claims[seq] = _with_stated(known, told)


def _add(
    number: int, claims: dict[int, ClaimSpec], document: DocumentChange, told: ClaimSpec, findings: list[Finding]
) -> None:
    place = _place(number, document.seq or told.doc_seq)
    if told.document_code and document.named and document.added:
        seq = document.seq or max([ADDED_SEQ, *claims]) + 1
        claims[seq] = replace(told, item=number, doc_seq=seq)
    elif told.document_code:
        findings.append(unmerged(place, told.reference, "no pointer says where this licence is to be added"))
    elif told.quantity or told.value:
        findings.append(unmerged(place, str(told.quantity or told.value), "no licence is known at this place"))


def _standing(claims: dict[int, ClaimSpec], told: ClaimSpec) -> int:
    """Where the document with this code and reference stands; 0 when nowhere, or at several places."""
    found = [
        seq
        for seq, claim in claims.items()
        if (claim.document_code, claim.reference) == (told.document_code, told.reference)
    ]
    return found[0] if len(found) == 1 else 0


def _undo_doubles(
    number: int, known: dict[int, ClaimSpec], claims: dict[int, ClaimSpec], findings: list[Finding]
) -> None:
    """A branch that repeats a licence of another place may mean that the list moved up: nobody can tell."""
    before = Counter(licence_line(claim) for claim in known.values())
    while True:
        now = Counter(licence_line(claim) for claim in claims.values())
        doubled = [
            seq
            for seq, claim in claims.items()
            if now[licence_line(claim)] > max(1, before[licence_line(claim)])
            and (seq not in known or licence_line(known[seq]) != licence_line(claim))
        ]
        if not doubled:
            return
        for seq in doubled:
            reason = "the licence stands on another document of the item; it would be written off twice"
            findings.append(unmerged(_place(number, seq), claims[seq].reference, reason))
            if seq in known:
                claims[seq] = known[seq]
            else:
                del claims[seq]


def licence_line(claim: ClaimSpec) -> tuple[str, str, int | None]:
    """What the claim cites: document code, licence number (its issuer may be assumed), line."""
    return claim.document_code, claim.licence_id.partition("/")[2], claim.line_no


def _states_another(known: ClaimSpec, told: ClaimSpec) -> bool:
    return (told.quantity or known.quantity, told.value or known.value) != (known.quantity, known.value)


def _with_stated(known: ClaimSpec, told: ClaimSpec) -> ClaimSpec:
    """The claim with what is stated; findings on what was replaced go with it."""
    stated = {
        "reference": bool(told.reference),
        "line": bool(told.reference) or told.line_no is not None,
        "quantity": told.quantity is not None,
        "value": told.value is not None,
    }
    kept = tuple([finding for finding in known.findings if not stated.get(finding.field.rpartition(".")[2], False)])
    cited = told if told.reference else known
    return replace(
        known,
        document_code=told.document_code or known.document_code,
        licence_id=cited.licence_id,
        reference=cited.reference,
        line_no=told.line_no if stated["line"] else known.line_no,
        issuer_from=cited.issuer_from,
        authority=cited.authority,
        suffix=cited.suffix,
        quantity=told.quantity or known.quantity,
        value=told.value or known.value,
        status_code=told.status_code or known.status_code,
        findings=(*kept, *told.findings),
    )


def _place(number: int, seq: int) -> str:
    return f"items[{number}].documents[{seq}]"


def unmerged(place: str, value: str, message: str) -> Finding:
    """What an amendment says and is not carried out."""
    return Finding("AMENDMENT_UNMERGED", place, value, message, Severity.WARNING)
