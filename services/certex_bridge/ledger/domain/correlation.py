"""Which of a declaration's events an answer belongs to when another event led to it."""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.stamps import Stamp


def last_told(facts: Facts) -> Stamp | None:
    """The last event in which customs told something of this declaration, by their own time.

    The bridge's own timer is no event of theirs: nobody could match an answer to it.
    """
    told = [
        facts.payload_rank.stamp if facts.payload_rank else None,
        facts.lodged,
        facts.presented,
        facts.accepted,
        facts.invalidated,
        facts.rejected,
        facts.exited,
        facts.exit_told,
        facts.recheck,
        *(release.stamp for _, release in facts.releases),
        *(override.stamp for override in facts.overrides),
    ]
    return max((stamp for stamp in told if stamp is not None), default=None)
