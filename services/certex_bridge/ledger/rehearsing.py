"""What acceptance, or this very event, would be answered: the decision that a check tells as advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.arrival import arriving
from certex_bridge.ledger.domain.citations import identified
from certex_bridge.ledger.domain.differences import conflicting
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.issuers import as_declared, resolved
from certex_bridge.ledger.domain.members import ClaimResult, Settlement
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import (
    Claim,
    ClaimKey,
    DeclarationState,
)
from certex_bridge.ledger.domain.order import Known, contradiction
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.settle import Settling
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.domain.superseded import conflicts
from certex_bridge.ledger.domain.window import too_late
from certex_bridge.ledger.outcomes import conflict_reasons, too_late_reasons
from certex_bridge.ledger.reading import Picture

_NO_MRN = "-"
"""Stands for the number that acceptance would give."""


def own_claims(facts: Facts, picture: Picture) -> dict[ClaimKey, Claim]:
    """What the declaration holds on the items asked about; the others keep what they have."""
    payload, declaration = facts.payload, picture.declaration
    if payload is None or declaration is None:
        return {}
    items = {item.number for item in payload.items}
    return {key: claim for key, claim in declaration.claims.items() if key.item in items}


def settled_for(
    facts: Facts, claims: Mapping[ClaimKey, Claim], picture: Picture, policy: Policy, decl_id: str = ""
) -> list[ClaimResult]:
    """What these facts would decide for a declaration holding these claims, were they its last; nothing is kept."""
    known = picture.declaration
    decided = known.claims if known else claims
    facts = identified(facts, decided, picture.licences, policy.types)
    declaration = DeclarationState(decl_id or (known.decl_id if known else facts.mrn), facts=facts, claims=dict(claims))
    return Settling(declaration, picture.licences, policy, picture.barred).run().results


def accepted_as(facts: Facts, picture: Picture, policy: Policy, *, ordered: bool) -> list[ClaimResult]:
    """What acceptance of this content would decide; of other content than is known, what an amendment to it would."""
    known = picture.declaration
    facts = replace(facts, accepted=facts.accepted or facts.lodged, mrn=facts.mrn or _NO_MRN)
    if known is None or facts.payload is None or facts.payload_rank is None:
        return settled_for(facts, {}, picture, policy)
    before = resolved(amended(known.facts).facts)
    told = arriving(facts, before, facts.payload_rank.stamp)
    kind = EventKind.ACCEPTED
    if before.payload is not None and before.payload_rank is not None:
        version, rank = facts.payload_rank.version, before.payload_rank
        if as_declared(before.payload) == as_declared(facts.payload):
            told = replace(told, payload=before.payload, payload_rank=rank)
        else:
            kind, version = EventKind.AMENDED, max(version, rank.version + 1)
            accepted = None if before.accepted or before.releases else told.accepted
            rank = PayloadRank(rank.supplementary, version, _asked_at(told))
            told = replace(told, payload_rank=rank, accepted=accepted, lodged=None)
    counted = merge(replace(before, requests=()), told)
    claims = own_claims(facts, picture)
    results = settled_for(counted, claims, picture, policy)
    reasons = _against(
        _command(kind, told), Known(known.facts, claims, lambda: Settlement(results)), policy, ordered=ordered
    )
    return _refused(results, reasons) if reasons else results


def rehearsed(facts: Facts, picture: Picture, policy: Policy, *, ordered: bool) -> list[ClaimResult]:
    """As `declarations.DeclarationHandling` answers an event of this content: order of states, conflicts and all."""
    known = picture.declaration
    before, claims = (known.facts, known.claims) if known else (Facts(), {})
    kind = EventKind.ACCEPTED if facts.accepted is not None else EventKind.AMENDED
    told = arriving(facts, before, _asked_at(facts))
    counted = resolved(amended(merge(before, told)).facts)
    results = settled_for(replace(counted, mrn=counted.mrn or _NO_MRN), claims, picture, policy)
    reasons = _against(
        _command(kind, told), Known(before, claims, lambda: Settlement(results)), policy, ordered=ordered
    )
    if not reasons:
        return results
    return _refused(settled_for(replace(told, mrn=told.mrn or _NO_MRN), claims, picture, policy), reasons)


def _against(command: DeclarationCommand, known: Known, policy: Policy, *, ordered: bool) -> tuple[Reason, ...]:
    """Why the event as a whole would be refused."""
    if conflicts(known.facts, command.facts):
        return conflict_reasons(conflicting(known.facts, command.facts))
    if too_late(known.facts, command, policy):
        return too_late_reasons(known.facts)
    reason = contradiction(command, known) if ordered else None
    return (reason,) if reason else ()


def _asked_at(facts: Facts) -> Stamp:
    assert facts.payload_rank is not None, "a question has content"
    return facts.payload_rank.stamp


def _command(kind: EventKind, told: Facts) -> DeclarationCommand:
    at = _asked_at(told)
    return DeclarationCommand(at.event_id, at.occurred_at, kind, "", told, mrn=told.mrn)


def _refused(results: list[ClaimResult], reasons: tuple[Reason, ...]) -> list[ClaimResult]:
    """The event is refused as a whole: no document is granted, and what is held stays."""
    codes = tuple(reason.code for reason in reasons)
    return [
        ClaimResult(replace(one.claim, outcome=Outcome.REFUSED, reasons=codes), one.evaluation, reasons)
        for one in results
    ]
