"""Goods that customs release against the verdict: what the ledger refused, or could not decide, left all the same."""

from __future__ import annotations

from collections.abc import Mapping

from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind
from certex_bridge.ledger.domain.model import Claim, ClaimKey, ClaimState
from certex_bridge.ledger.domain.reasons import Outcome

_DECIDED_OTHERWISE = frozenset(
    {ClaimState.CONSUMED, ClaimState.UNCOVERED, ClaimState.UNRESERVED, ClaimState.WITHDRAWN, ClaimState.CLOSED}
)
"""Released before (and told then), or ended."""
_NEGATIVE = (Outcome.REFUSED, Outcome.WAITING)


def against_verdict(command: DeclarationCommand, claims: Mapping[ClaimKey, Claim]) -> list[Claim]:
    """The claims, as they stood before, whose goods this release lets go although they were not granted."""
    if command.kind is not EventKind.RELEASED:
        return []
    items = {item for item, release in command.facts.releases if release.released}
    return [
        claim
        for key, claim in sorted(claims.items())
        if claim.outcome in _NEGATIVE and claim.state not in _DECIDED_OTHERWISE and items & {ALL_ITEMS, key.item}
    ]
