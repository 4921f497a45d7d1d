"""Who issued a licence that is cited without its issuer.

D.E. 12 03 has no field for the issuing state, and a licence may be used in any member state. Not stated, the
declaring state is taken, as well as it is known: the MRN says it for certain, and comes after lodging.
"""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.identifiers import issuer_of, licence_key, licence_number, mrn_member_state
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.requests import Request

MRN = "MRN"
"""`ClaimSpec.issuer_from` of an issuer that needs no second look."""

UNKNOWN = "ISSUER_UNKNOWN"


def cited_number(spec: ClaimSpec) -> str:
    """The licence number as written, without the line that the reference seems to end in."""
    if not spec.reference:
        return licence_number(spec.licence_id)
    return spec.reference.strip().rpartition("-")[0] if spec.suffix else spec.reference


def resolved(facts: Facts, mrn: str = "") -> Facts:
    """The facts with every assumed issuer as the MRN says it; the same object when nothing changes."""
    payload, number = facts.payload, mrn or facts.mrn
    if payload is None or not number:
        return facts
    issuer = issuing_state(mrn_member_state(number))
    if not any(_differs(spec, issuer) for spec in claims_of(payload)):
        return facts
    items = tuple([replace(item, claims=_resolve(item.claims, issuer)) for item in payload.items])
    return replace(facts, payload=replace(payload, items=items, header_claims=_resolve(payload.header_claims, issuer)))


def cited(facts: Facts, mrn: str = "") -> set[str]:
    """Every licence that settling these facts may touch, those of undecided amendments included."""
    if facts.captured:
        return {one.write_off.licence_id for one in facts.captured}
    specs = specs_of(facts)
    number = mrn or facts.mrn
    issuer = issuing_state(mrn_member_state(number)) if number else ""
    if not issuer:
        return {spec.licence_id for spec in specs}
    return {_with_issuer(spec, issuer).licence_id if _differs(spec, issuer) else spec.licence_id for spec in specs}


def specs_of(facts: Facts) -> list[ClaimSpec]:
    """All claims of a declaration, those of undecided amendments included."""
    payloads = [facts.payload, *[request.content for request in facts.requests]] if facts.requests else [facts.payload]
    specs = [spec for payload in payloads if payload is not None for spec in claims_of(payload)]
    specs += [spec for request in facts.requests for spec in _changed(request)]
    return specs


def _changed(request: Request) -> list[ClaimSpec]:
    items = request.changes.items if request.changes else ()
    told = [document.told for item in items for document in item.documents]
    return [spec for spec in told if spec is not None and spec.licence_id]


def claims_of(payload: Payload) -> list[ClaimSpec]:
    """All claims of a declaration, those of the shipment last."""
    return [*[spec for item in payload.items for spec in item.claims], *payload.header_claims]


def as_declared(payload: Payload) -> Payload:
    """The content without what the bridge or the envelope adds: office, exporter, assumed issuers."""
    items = tuple([replace(item, claims=_bare(item.claims)) for item in payload.items])
    attributed, header = _bare(payload.attributed), _bare(payload.header_claims)
    return replace(payload, office="", exporter="", items=items, header_claims=header, attributed=attributed)


def _bare(claims: tuple[ClaimSpec, ...]) -> tuple[ClaimSpec, ...]:
    return tuple([_with_issuer(spec, "") if spec.issuer_from else spec for spec in claims])


def _differs(spec: ClaimSpec, issuer: str) -> bool:
    return spec.issuer_from not in ("", MRN) and issuer_of(spec.licence_id) != issuer


def _resolve(claims: tuple[ClaimSpec, ...], issuer: str) -> tuple[ClaimSpec, ...]:
    return tuple([_with_issuer(spec, issuer) if _differs(spec, issuer) else spec for spec in claims])


def _with_issuer(spec: ClaimSpec, issuer: str) -> ClaimSpec:
    findings = tuple([finding for finding in spec.findings if finding.code != UNKNOWN])
    return replace(spec, licence_id=licence_key(issuer, cited_number(spec)), findings=findings, issuer_from=MRN)
