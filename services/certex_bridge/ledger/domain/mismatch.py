"""Goods that customs release against the verdict: what the ledger refused, or could not decide, left all the same."""

from __future__ import annotations

from collections.abc import Mapping

from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.model import Claim, ClaimKey, ClaimState
from certex_bridge.ledger.domain.reasons import Outcome

_DECIDED_OTHERWISE = frozenset(
    {ClaimState.CONSUMED, ClaimState.UNCOVERED, ClaimState.UNRESERVED, ClaimState.WITHDRAWN, ClaimState.CLOSED}
)
"""Released before (and told then), or ended."""
_LET_GO = (EventKind.RELEASED, EventKind.EXIT_CONFIRMED)
_NEGATIVE = (Outcome.REFUSED, Outcome.WAITING)


def member_state(decl_id: str, office: str) -> str:
    """Where a declaration was made: an MRN says it, of a draft the customs office, else its exporter's number."""
    if "/" not in decl_id:
        return decl_id[2:4]
    return office[:2] or decl_id.partition("/")[0][:2]


def against_verdict(
    command: DeclarationCommand, claims: Mapping[ClaimKey, Claim], known: Facts
) -> list[tuple[Claim, str]]:
    """The claims, as they stood before, whose goods this release lets go although they were not granted.

    With the verdict that was not followed; INVALIDATED for goods released, or gone, after the declaration's end.
    """
    ended = known.invalidated
    if ended is not None and command.kind in _LET_GO and command.occurred_at > ended.occurred_at:
        items = {item for item, release in command.facts.releases if release.released} or {ALL_ITEMS}
        return [(claim, "INVALIDATED") for key, claim in sorted(claims.items()) if items & {ALL_ITEMS, key.item}]
    if command.kind is not EventKind.RELEASED:
        return []
    items = {item for item, release in command.facts.releases if release.released}
    return [
        (claim, Outcome(claim.outcome).value)
        for key, claim in sorted(claims.items())
        if claim.outcome in _NEGATIVE and claim.state not in _DECIDED_OTHERWISE and items & {ALL_ITEMS, key.item}
    ]
