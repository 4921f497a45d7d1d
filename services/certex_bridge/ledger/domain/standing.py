"""Where a declaration stands, in one word."""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import Facts


def declaration_state(facts: Facts) -> str:
    """One word for where a declaration stands."""
    if facts.invalidated is not None:
        return "INVALIDATED"
    if facts.rejected is not None:
        return "REJECTED"
    if facts.releases:
        return "RELEASED" if any(release.released for _, release in facts.releases) else "NOT_RELEASED"
    if facts.accepted is not None:
        return "ACCEPTED"
    return "NOT_PRESENTED" if facts.not_presented is not None else "LODGED"
