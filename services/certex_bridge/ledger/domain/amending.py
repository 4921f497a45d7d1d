"""The content of a declaration with the amendments that customs granted.

The content as told stays what it is; what counts is derived from it and from the granted requests in the order of
their decisions, so request, decision and content may arrive in any order. A change never removes a claim unless it
says so. What touches items or documents and cannot be merged is a finding, and what it is about stays as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.facts import (
    ClaimSpec,
    DocumentChange,
    Facts,
    Item,
    ItemChange,
    Payload,
    PayloadRank,
    Request,
    Stamp,
)

ADDED_SEQ = 300_000
"""Sequence of the first document that an amendment adds without saying where."""

_AS_LODGED = 1
"""Version of the content before any amendment."""


class Amended(NamedTuple):
    """What counts of a declaration's content, and what could not be merged or is not decided yet."""

    facts: Facts
    findings: tuple[Finding, ...] = ()


def amended(facts: Facts) -> Amended:
    """The facts with their content as amended; the same object when no amendment was ever asked for."""
    asked = [request for request in facts.requests if request.asked is not None and request.amends]
    payload, rank = facts.payload, facts.payload_rank
    if not asked or payload is None or rank is None:
        return Amended(facts)
    findings = [_pending(request) for request in asked if not (request.granted or request.refused or request.rejected)]
    for decision, request in _granted(asked, rank):
        payload = _applied(payload, request, findings)
        rank = PayloadRank(rank.supplementary, rank.version + 1, decision)
    told = facts if rank is facts.payload_rank else replace(facts, payload=payload, payload_rank=rank)
    return Amended(told, tuple(findings))


def _granted(asked: list[Request], rank: PayloadRank) -> list[tuple[Stamp, Request]]:
    """The granted ones in the order of decision; a later full content told by customs includes what came before."""
    included = rank.stamp if rank.version > _AS_LODGED else None
    granted = [(request.granted, request) for request in asked if request.granted]
    return sorted(
        [(decision, request) for decision, request in granted if included is None or decision > included],
        key=lambda pair: pair[0],
    )


def _pending(request: Request) -> Finding:
    message = "an amendment is asked for and not decided; the figures are those before it"
    return Finding("AMENDMENT_PENDING", "Amendment", request.reference, message, Severity.WARNING)


def _applied(payload: Payload, request: Request, findings: list[Finding]) -> Payload:
    if request.content is not None:
        return request.content
    changes = request.changes
    assert changes is not None
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
    known = items.get(change.number)
    if change.deleted:
        items.pop(change.number, None)
        return
    if known is None:
        if not (change.procedure and change.commodity):
            findings.append(_unmerged(f"items[{change.number}]", "", "the declaration has no such item"))
            return
        known = Item(change.number, "", "", "", "", None, None, None, (), ())
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
        claims=_claims(known, change.documents, findings),
    )


def _claims(item: Item, documents: tuple[DocumentChange, ...], findings: list[Finding]) -> tuple[ClaimSpec, ...]:
    claims = {claim.doc_seq: claim for claim in item.claims}
    for document in documents:
        told = document.told
        if told is None:
            claims.pop(document.seq, None)
            continue
        seq = document.seq if document.seq in claims else _place(claims, document.seq, told)
        known = claims.get(seq)
        place = f"items[{item.number}].documents[{seq}]"
        if known is not None and document.ours:
            claims[seq] = _changed(known, told)
        elif known is not None:
            reason = "the place of a licence is to hold another document; taking a licence out must be said"
            findings.append(_unmerged(place, told.document_code, reason))
        elif document.ours and told.document_code:
            claims[seq] = replace(told, item=item.number, doc_seq=seq)
        elif document.ours and (told.quantity or told.value):
            findings.append(_unmerged(place, str(told.quantity or told.value), "no licence is known at this place"))
    return tuple([claims[seq] for seq in sorted(claims)])


def _place(claims: dict[int, ClaimSpec], seq: int, told: ClaimSpec) -> int:
    """Where the document with this code and reference stands; else where it is said to stand, or the next place."""
    found = [
        seq
        for seq, claim in claims.items()
        if (claim.document_code, claim.reference) == (told.document_code, told.reference)
    ]
    return found[0] if len(found) == 1 else seq or max([ADDED_SEQ, *claims]) + 1


def _changed(known: ClaimSpec, told: ClaimSpec) -> ClaimSpec:
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
        quantity=told.quantity or known.quantity,
        value=told.value or known.value,
        status_code=told.status_code or known.status_code,
        findings=(*kept, *told.findings),
    )


def _unmerged(place: str, value: str, message: str) -> Finding:
    return Finding("AMENDMENT_UNMERGED", place, value, message, Severity.WARNING)
