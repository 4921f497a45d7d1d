"""Where a declaration stands, in one word."""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import Facts, Stamp


def declaration_state(facts: Facts) -> str:
    """One word for where a declaration stands."""
    if facts.invalidated is not None:
        return "INVALIDATED"
    if facts.releases:
        return "RELEASED" if any(release.released for _, release in facts.releases) else "NOT_RELEASED"
    if facts.accepted is not None:
        return "ACCEPTED"
    if rejection(facts) is not None:
        return "REJECTED"
    if facts.captured:
        return "CAPTURED"
    return "NOT_PRESENTED" if facts.not_presented is not None else "LODGED"


def rejection(facts: Facts) -> Stamp | None:
    """When customs rejected the declaration itself.

    A rejection can end a declaration only before acceptance (UCC Art. 172); told of an accepted or released one, or
    under the reference of a request, it turns down that request and nothing else.
    """
    if facts.accepted is not None or facts.releases:
        return None
    if not facts.requests:
        return facts.rejected
    told = [request.rejected for request in facts.requests if request.rejected and request.asked is None]
    return min([*told, *([facts.rejected] if facts.rejected else [])], default=None)
