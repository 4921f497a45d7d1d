"""Calls in the order in which they are decided, whatever the clocks of their senders say.

A sender that waits for each answer speaks in order: what it tells after an answer comes after all that the answer stood
on. Its stamps may say otherwise (seconds tie, clocks differ, a message is prepared before another and sent after it);
decided by them, an amendment told after the release could be taken for one before it, and dropped. So the facts of such
a call are dated after everything known, by the smallest step, before they are merged. From then on they are facts like
all others: merging them is commutative, associative and idempotent (invariant I7).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from certex_bridge.ledger.domain.correlation import last_told
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.stamps import Stamp

_STEP = timedelta(microseconds=1)


def after(stamp: Stamp, known: Stamp | None) -> Stamp:
    """The stamp, moved behind the known one where it is not later by its own time."""
    if known is None or known.occurred_at < stamp.occurred_at:
        return stamp
    try:
        return Stamp(known.occurred_at + _STEP, stamp.event_id, stamp.logged)
    except OverflowError:  # the last instant of the year 9999 has no later one
        return Stamp(known.occurred_at, stamp.event_id)


def arriving(told: Facts, known: Facts, stamp: Stamp) -> Facts:
    """The facts of a call as they count: none of them before anything known when it is decided.

    Args:
        told: the facts of the call alone.
        known: what is known of the declaration, its draft included.
        stamp: of the call.
    """
    moved = after(stamp, last_told(known))
    if moved is stamp:
        return told

    def dated(one: Stamp | None) -> Stamp | None:
        return moved if one == stamp else one

    rank = told.payload_rank
    return replace(
        told,
        payload_rank=replace(rank, stamp=moved) if rank is not None and rank.stamp == stamp else rank,
        lodged=dated(told.lodged),
        presented=dated(told.presented),
        accepted=dated(told.accepted),
        releases=tuple([(item, replace(release, stamp=moved)) for item, release in told.releases]),
        invalidated=dated(told.invalidated),
        rejected=dated(told.rejected),
        exited=dated(told.exited),
        recheck=dated(told.recheck),
        exit_told=dated(told.exit_told),
        overrides=tuple([replace(override, stamp=moved) for override in told.overrides]),
    )
