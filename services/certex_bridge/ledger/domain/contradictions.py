"""What customs said of goods that does not fit together: they left, and no release of them counts.

An invalidated declaration stays invalidated (UCC Art. 174) and nothing is written off for it, so a release or an exit
after that must be told: goods may have left on a licence that still has the quantity.
"""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import ALL_ITEMS, Facts
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.reasons import Incident, Reason

INCIDENTS = {
    "RELEASED_AFTER_INVALIDATION": Incident.RELEASED_AFTER_INVALIDATION,
    "EXIT_WITHOUT_RELEASE": Incident.EXIT_WITHOUT_RELEASE,
}
"""Reason code to what the licensing side hears."""


def contradictions(facts: Facts, item: int) -> tuple[Reason, ...]:
    """What does not fit together about one goods item; empty when all does."""
    if not facts.releases and facts.exited is None:
        return ()
    found = []
    if released_after_invalidation(facts, item):
        found.append(Reason("RELEASED_AFTER_INVALIDATION", "invalidated"))
    if _left_without_release(facts, item):
        found.append(Reason("EXIT_WITHOUT_RELEASE", "exited"))
    return tuple(found)


def released_after_invalidation(facts: Facts, item: int) -> bool:
    """Whether customs released the item after its declaration was invalidated."""
    invalidated = facts.invalidated
    return invalidated is not None and any(
        release.released and number in (item, ALL_ITEMS) and release.stamp.occurred_at > invalidated.occurred_at
        for number, release in facts.releases
    )


def _left_without_release(facts: Facts, item: int) -> bool:
    if facts.exited is None:
        return False
    left = facts.exited.occurred_at
    if facts.invalidated is not None:
        return left > facts.invalidated.occurred_at
    word = last_word(facts, item)
    if word is None:
        return facts.release_overdue is not None
    return not word.released and left > word.stamp.occurred_at
