"""Which lodging an MRN was, on the rows of one anchor that are locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from certex_bridge.ledger.domain.facts import DeclarationCommand, Facts
from certex_bridge.ledger.domain.lodgings import (
    Anchor,
    DraftEvent,
    Lodging,
    LodgingKey,
    LodgingMark,
    MrnMark,
    ended,
    split_lodgings,
)
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.superseded import contradicts
from certex_bridge.ledger.put_aside import LODGINGS_MAX, TooManyLodgings
from certex_bridge.ledger.work import Work

LODGINGS_KEPT = 20
"""Lodgings under one exporter and LRN that are matched anew with every event; older ones that became an MRN stay so."""


def is_settled(declaration: DeclarationState, anchor: Anchor) -> bool:
    """Whether its lodging is so old that it is not matched anew (`without_settled`)."""
    return declaration.lodging is not None and declaration.decl_id not in anchor.mrns


def mrn_mark(anchor: Anchor, command: DeclarationCommand, own: Facts) -> MrnMark:
    """The MRN's mark with what the event says."""
    exporter = own.exporter or command.exporter
    known = anchor.mrns.get(command.mrn)
    if known is None:
        return MrnMark(command.stamp, exporter, command.chosen_lodging)
    first = min(known.first, command.stamp)
    return replace(
        known, first=first, exporter=known.exporter or exporter, chosen=command.chosen_lodging or known.chosen
    )


def marks_of(exporter: str, lodgings: Iterable[Lodging]) -> list[LodgingMark]:
    """What matching needs to know of an exporter's lodgings."""
    return [LodgingMark(exporter, one.stamp, ended(one.facts)) for one in lodgings if one.stamp is not None]


def split_anew(work: Work, anchor: Anchor) -> Anchor:
    """The anchor with the lodgings as its MRNs part them: the same content told again after one is another lodging.

    An MRN may be heard of after both, so the lodgings of every draft that is locked are looked at again.
    """
    kept = anchor.lodgings
    for exporter in anchor.exporters:
        draft = work.declarations.get(draft_id(exporter, anchor.lrn))
        if draft is None or not draft.events:
            continue
        marks = marks_of(exporter, split_lodgings(draft.events, first_named(anchor, exporter)))
        if marks != [mark for mark in kept if mark.exporter == exporter]:
            kept = (*[mark for mark in kept if mark.exporter != exporter], *marks)
    return anchor if kept is anchor.lodgings else replace(anchor, lodgings=kept)


def compositions(work: Work, anchor: Anchor, more_than: int) -> dict[LodgingKey, frozenset[str]]:
    """The events of each lodging of the drafts that are locked and have more than so many events."""
    found = {}
    for exporter in anchor.exporters:
        draft = work.declarations.get(draft_id(exporter, anchor.lrn))
        if draft is not None and len(draft.events) > more_than:
            for one in split_lodgings(draft.events, first_named(anchor, exporter)):
                if (key := lodging_key(exporter, one)) is not None:
                    found[key] = one.events
    return found


def match_lodging(work: Work, anchor: Anchor, mrn: str, own: Facts) -> tuple[Anchor, Lodging | None]:
    """The lodging of the MRN; what has another content under a version that both tell is another declaration."""
    anchor = compare_contents(work, anchor, {mrn: own})
    key = anchor.placements()[mrn].lodging
    return anchor, _lodging(work, anchor, key) if key is not None else None


def compare_contents(work: Work, anchor: Anchor, own: Mapping[str, Facts] | None = None) -> Anchor:
    """The anchor with the lodgings that each MRN cannot have been, since customs state another content under it.

    Of every MRN that is locked: which lodging one takes decides which is left for the others. `own` is what is known of
    some of the MRNs with the event that is being decided.
    """
    stated = {mrn: found.own or found.facts for mrn in anchor.mrns if (found := work.declarations.get(mrn))}
    stated.update(own or {})
    placements, marks = anchor.placements(), dict(anchor.mrns)
    for mrn, facts in stated.items():
        before = marks[mrn]
        keys = [key for key in placements[mrn].possible if _is_other(work, anchor, key, facts, before)]
        excluded = tuple([key.event_id for key in keys])
        if excluded != before.excluded:
            marks[mrn] = replace(before, excluded=excluded)
    return anchor if marks == anchor.mrns else replace(anchor, mrns=marks)


def _is_other(work: Work, anchor: Anchor, key: LodgingKey, own: Facts, before: MrnMark) -> bool:
    lodging = _lodging(work, anchor, key)
    if lodging is None:  # of a draft that is not locked: nothing is new about it
        return key.event_id in before.excluded
    return contradicts(own, lodging.facts)


def _lodging(work: Work, anchor: Anchor, key: LodgingKey) -> Lodging | None:
    draft = work.declarations.get(draft_id(key.exporter, anchor.lrn))
    if draft is None:
        return None
    lodgings = split_lodgings(draft.events, first_named(anchor, key.exporter))
    return next((one for one in lodgings if one.stamp is not None and one.stamp.event_id == key.event_id), None)


def first_named(anchor: Anchor, exporter: str) -> list[Stamp]:
    """When each MRN that may be one of the exporter's lodgings was first named."""
    return [mark.first for mark in anchor.mrns.values() if mark.exporter in ("", exporter)]


def by_stamp(event: DraftEvent) -> Stamp:
    """Order of what was told."""
    return event.stamp


def without_settled(
    anchor: Anchor, exporter: str, lodgings: list[Lodging], events: tuple[DraftEvent, ...]
) -> tuple[Anchor, tuple[DraftEvent, ...]]:
    """The anchor without the oldest lodgings of the exporter that became an MRN, and what was told of the others.

    Raises:
        TooManyLodgings: most became none.
    """
    placed = {p.lodging: mrn for mrn, p in anchor.placements().items() if p.lodging is not None}
    mine = [mark.key for mark in anchor.lodgings if mark.exporter == exporter]
    if len(mine) - len(placed.keys() & set(mine)) > LODGINGS_MAX:
        sentence = f"More than {LODGINGS_MAX} lodgings under this exporter and LRN became no declaration."
        raise TooManyLodgings("lrn", anchor.lrn, sentence)
    settled = {key for key in mine[:-LODGINGS_KEPT] if key in placed}
    left = {event_id for one in lodgings if lodging_key(exporter, one) in settled for event_id in one.events}
    gone = {placed[key] for key in settled}
    kept = replace(
        anchor,
        lodgings=tuple([mark for mark in anchor.lodgings if mark.key not in settled]),
        mrns={mrn: mark for mrn, mark in anchor.mrns.items() if mrn not in gone},
    )
    return kept, tuple([event for event in events if event.stamp.event_id not in left])


def lodging_key(exporter: str, lodging: Lodging) -> LodgingKey | None:
    """What identifies it under its LRN; None: the event that lodged it is not known."""
    return LodgingKey(exporter, lodging.stamp.event_id) if lodging.stamp is not None else None


def drafts_of(
    declared: Iterable[DeclarationCommand],
    references: Mapping[str, tuple[str, str]],
    anchors: Mapping[str, Anchor],
) -> tuple[set[str], set[str]]:
    """Drafts that these events and woken declarations (by id: LRN and exporter) may belong to; and the MRNs beside.

    An MRN beside may have been one of the same lodgings: what it takes, or by its content cannot have been, decides
    what is left. Read under the locks of the anchors, so a draft that came while we waited for them is among them.
    """
    declared = list(declared)
    found: set[str] = set()
    beside: set[str] = set()
    for lrn, anchor in anchors.items():
        mine = [command for command in declared if command.lrn == lrn]
        mrns = {command.mrn for command in mine if command.mrn}
        mrns |= {decl_id for decl_id, (of_lrn, _) in references.items() if of_lrn == lrn}
        with_events = replace(anchor, mrns=dict(anchor.mrns))
        for command in mine:
            if command.mrn:
                marks = {**with_events.mrns, command.mrn: mrn_mark(with_events, command, Facts())}
                with_events = replace(with_events, mrns=marks)
        exporters = {command.exporter for command in mine} | {
            exporter for of_lrn, exporter in references.values() if of_lrn == lrn
        }
        for placements in (anchor.placements(), with_events.placements()):
            for placement in [placements[mrn] for mrn in mrns if mrn in placements]:
                exporters |= {key.exporter for key in placement.possible}
        if any(not command.exporter for command in mine) or anchor.unnamed:  # it may be anybody's, or part anybody's
            exporters |= set(anchor.exporters)
        found |= {draft_id(exporter, lrn) for exporter in exporters if exporter}
        beside |= {mrn for mrn, mark in anchor.mrns.items() if mark.exporter in {"", *exporters}}
    return found, beside


def draft_id(exporter: str, lrn: str) -> str:
    """Identity of a declaration before it has an MRN: two exporters may use the same LRN."""
    return f"{exporter}/{lrn}"
