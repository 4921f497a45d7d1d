"""Licences that a document calls written off already: what that means where the earlier declaration is known."""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.issuers import claims_of


def said_by_supplement(payload: Payload) -> Payload | None:
    """What a supplementary declaration says of the licences of its simplified one; None: what that one said stays.

    Of the two together its documents are claims like any others, so that none of them looks taken out.
    """
    if not payload.attributed:
        return payload
    if not claims_of(payload):
        return None
    items = [
        replace(item, claims=(*item.claims, *[one for one in payload.attributed if one.item == item.number]))
        for item in payload.items
    ]
    return replace(payload, items=tuple(items), attributed=())


def attribution_remarks(payload: Payload) -> tuple[Finding, ...]:
    """What customs hear about them whenever the declaration is answered: they are no claims, so nothing else would."""
    if not payload.attributed:
        return ()
    return tuple([f for one in payload.attributed for f in one.findings if f.severity is Severity.WARNING])
