"""Which lodging became which declaration.

Before acceptance a declaration is known by exporter and LRN, afterwards by its MRN. An LRN may be used again after
clearance, invalidation or rejection, and by several exporters at once, so neither names a declaration for ever. What
was sent under an LRN is split into lodgings by time; each MRN takes at most one lodging, each lodging becomes at most
one MRN, and only where no other reading is possible. All of it is derived anew from what was sent: events may arrive
in any order, and a message that decides the question settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce
from typing import NamedTuple

from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import as_declared
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.standing import rejection

CLOCK_SKEW = timedelta(minutes=5)
"""How far the declarant's clock may be ahead of customs' when several lodgings are compared."""
LONE_PAIR_SKEW = timedelta(hours=24)
"""The same where one lodging and one MRN are all that is known under the LRN."""


class DraftEvent(NamedTuple):
    """One event told of exporter and LRN."""

    stamp: Stamp
    facts: Facts


class Lodging(NamedTuple):
    """One lodging and everything told of it."""

    stamp: Stamp | None
    """Of the event that lodged it; None: only something else was told yet."""
    facts: Facts
    events: frozenset[str] = frozenset()
    """Ids of the events that belong to it."""


@dataclass(frozen=True, slots=True)
class LodgingMark:
    """What matching needs to know of a lodging."""

    exporter: str
    stamp: Stamp
    ended: Stamp | None = None
    """When it was rejected or invalidated under exporter and LRN."""

    @property
    def key(self) -> LodgingKey:
        """What identifies it under its LRN."""
        return LodgingKey(self.exporter, self.stamp.event_id)


class LodgingKey(NamedTuple):
    """A lodging under its LRN: exporter, and the event that lodged it."""

    exporter: str
    event_id: str


@dataclass(frozen=True, slots=True)
class MrnMark:
    """What matching needs to know of a declaration with MRN that names the LRN."""

    first: Stamp
    """The earliest event that names MRN and LRN."""
    exporter: str = ""
    """As customs name it; empty: they do not."""
    chosen: str = ""
    """What an officer named: the event that lodged it, or the exporter of its only lodging."""
    excluded: tuple[str, ...] = ()
    """Lodgings whose content is another one than customs state under the MRN."""


class Placement(NamedTuple):
    """The lodging of an MRN, or the lodgings that it could be."""

    lodging: LodgingKey | None = None
    candidates: tuple[LodgingKey, ...] = ()
    contradicted: tuple[LodgingKey, ...] = ()
    """Without a lodging or candidates: those that became no other MRN and have another content than its own."""
    possible: tuple[LodgingKey, ...] = ()
    """By exporter and time alone, whatever they contain and became: their contents decide."""


def split_lodgings(events: Iterable[DraftEvent], mrns: Iterable[Stamp] = ()) -> list[Lodging]:
    """What was told of one exporter and LRN, split into lodgings, the oldest first; never empty.

    Args:
        events: everything told of exporter and LRN without an MRN.
        mrns: when MRNs were first named that may be the exporter's: a lodging told after one of them, or after a
            rejection or invalidation, is another one even with the same content.
    """
    ordered = sorted(events, key=lambda event: event.stamp)
    breaks = [*mrns, *[stamp for event in ordered if (stamp := ended(event.facts)) is not None]]
    begun: list[list[DraftEvent]] = []
    for event in ordered:
        if event.facts.lodged is not None and not (begun and _continues(begun[-1], event, breaks)):
            begun.append([event])
        elif event.facts.lodged is not None:
            begun[-1].append(event)
    if not begun:
        return [_lodging(None, ordered)]
    for event in ordered:
        if event.facts.lodged is None:
            _of_its_time(begun, event).append(event)
    return [_lodging(group[0].stamp, group) for group in begun]


def _lodging(stamp: Stamp | None, events: Sequence[DraftEvent]) -> Lodging:
    facts = reduce(merge, [event.facts for event in sorted(events, key=lambda event: event.stamp)], Facts())
    return Lodging(stamp, facts, frozenset(event.stamp.event_id for event in events))


def _continues(group: Sequence[DraftEvent], event: DraftEvent, breaks: Sequence[Stamp]) -> bool:
    """Whether a further lodging event repeats the lodging, or is its next version."""
    payload, rank = event.facts.payload, event.facts.payload_rank
    contents = {one.facts.payload_rank.order: one.facts.payload for one in group if one.facts.payload_rank}
    if payload is None or rank is None or not contents:
        return True
    if rank.order > max(contents):
        return True
    held = contents.get(rank.order)
    if held is None or as_declared(held) != as_declared(payload):
        return False
    return not any(group[-1].stamp.precedes(moment) and moment.precedes(event.stamp) for moment in breaks)


def _of_its_time(begun: Sequence[list[DraftEvent]], event: DraftEvent) -> list[DraftEvent]:
    """The newest lodging told before the event; of none, the first one."""
    before = [group for group in begun if group[0].stamp.precedes(event.stamp)]
    return before[-1] if before else begun[0]


def ended(facts: Facts) -> Stamp | None:
    """When a lodging was rejected or invalidated under exporter and LRN."""
    stamps = [stamp for stamp in (rejection(facts), facts.invalidated) if stamp is not None]
    return min(stamps, default=None)


def place(lodgings: Iterable[LodgingMark], mrns: Mapping[str, MrnMark]) -> dict[str, Placement]:
    """The lodging of each MRN, where it is certain.

    A lodging is certain when it is the only one that the MRN can be: the exporter agrees, it was told before customs
    first named the MRN, it had not ended by then, and it became no other MRN. Of two MRNs with the same only
    lodging, the one that customs named first is it.
    """
    marks = list(lodgings)
    order = sorted(mrns, key=lambda mrn: (mrns[mrn].first, mrn))
    found: dict[str, LodgingKey] = {}
    for mrn in order:
        named = mrns[mrn].chosen
        left = [mark.key for mark in marks if mark.key.event_id not in mrns[mrn].excluded]
        chosen = [key for key in left if named and named in key and key not in found.values()]
        if len(chosen) == 1:
            found[mrn] = chosen[0]
    skew = LONE_PAIR_SKEW if len(marks) == 1 == len(mrns) else CLOCK_SKEW
    while _place_certain(marks, mrns, order, found, timedelta()) or _place_certain(marks, mrns, order, found, skew):
        pass
    return {mrn: _placement(marks, mrns[mrn], found.get(mrn), found, skew) for mrn in order}


def _place_certain(
    marks: Sequence[LodgingMark],
    mrns: Mapping[str, MrnMark],
    order: Sequence[str],
    found: dict[str, LodgingKey],
    skew: timedelta,
) -> bool:
    """Place one MRN that can be one lodging only; whether there was any."""
    for mrn in order:
        if mrn in found:
            continue
        possible = _possible(marks, mrns[mrn], found, skew)
        if len(possible) == 1 and _agrees(mrns[mrn], possible[0]):
            found[mrn] = possible[0].key
            return True
    return False


def _agrees(mrn: MrnMark, mark: LodgingMark) -> bool:
    return not mrn.exporter or mrn.exporter == mark.exporter


def _possible(
    marks: Sequence[LodgingMark], mrn: MrnMark, found: Mapping[str, LodgingKey], skew: timedelta
) -> list[LodgingMark]:
    """Lodgings that the MRN can be; only where the exporter's own are none, those of others."""
    taken = set(found.values())
    open_ones = [
        mark
        for mark in marks
        if mark.key not in taken
        and mark.key.event_id not in mrn.excluded
        and _told_before(mark.stamp, mrn.first, skew)
        and not (mark.ended is not None and mark.ended.precedes(mrn.first))
    ]
    return [mark for mark in open_ones if _agrees(mrn, mark)] or open_ones


def _told_before(lodged: Stamp, first: Stamp, skew: timedelta) -> bool:
    return lodged.precedes(first) or (bool(skew) and lodged.occurred_at <= first.occurred_at + skew)


def _placement(
    marks: Sequence[LodgingMark],
    mrn: MrnMark,
    lodging: LodgingKey | None,
    found: Mapping[str, LodgingKey],
    skew: timedelta,
) -> Placement:
    anything = replace(mrn, excluded=())
    possible = _keys(_possible(marks, anything, {}, skew))
    if lodging is not None:
        return Placement(lodging, possible=possible)
    candidates = _keys(_possible(marks, mrn, found, CLOCK_SKEW))
    contradicted = () if candidates else _keys(_possible(marks, anything, found, skew))
    return Placement(None, candidates, contradicted, possible)


def _keys(marks: Iterable[LodgingMark]) -> tuple[LodgingKey, ...]:
    return tuple(sorted(mark.key for mark in marks))


@dataclass(slots=True)
class Anchor:
    """What was sent under one local reference number: who lodged, and which MRNs name it."""

    lrn: str
    exporters: tuple[str, ...] = ()
    """Whoever told anything under it without an MRN, sorted."""
    lodgings: tuple[LodgingMark, ...] = ()
    mrns: Mapping[str, MrnMark] = field(default_factory=dict)
    unnamed: bool = False
    """Whether events that name the LRN alone wait for the exporter to be known."""

    def placements(self) -> dict[str, Placement]:
        """The lodging of each MRN, or what it could be."""
        return place(self.lodgings, self.mrns)
