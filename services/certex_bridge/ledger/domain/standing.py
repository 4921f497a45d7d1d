"""Where a declaration stands, in one word."""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.requests import Verdict, considered
from certex_bridge.ledger.domain.stamps import Stamp


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
    after a request that is not decided yet, it turns down that request and nothing else.
    """
    if facts.accepted is not None or facts.releases:
        return None
    if not facts.decisions:
        return facts.rejected
    answers = [decision.stamp for decision in considered(facts).unasked if decision.verdict is Verdict.REJECTED]
    return min([*answers, *([facts.rejected] if facts.rejected else [])], default=None)
