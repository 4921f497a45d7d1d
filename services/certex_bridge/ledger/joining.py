"""Where an event belongs: the local reference numbers of drafts, and the MRNs they become.

Before acceptance a declaration is known by exporter and LRN (the draft), afterwards by its MRN. Which lodging an MRN
was is derived from everything told under the LRN (`domain/lodgings.py`); an MRN that could be several lodgings has the
facts of none, and says so. `find` looks and changes nothing, so that an event can still be refused; `adopt` does what
was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.facts import DeclarationCommand, Facts
from certex_bridge.ledger.domain.lodgings import (
    Anchor,
    DraftEvent,
    Lodging,
    LodgingKey,
    Placement,
    split_lodgings,
)
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import ClaimState, DeclarationState
from certex_bridge.ledger.domain.reasons import SENTENCES
from certex_bridge.ledger.matching import (
    LODGINGS_KEPT,
    by_stamp,
    compare_contents,
    compositions,
    draft_id,
    first_named,
    is_settled,
    lodging_key,
    marks_of,
    match_lodging,
    mrn_mark,
    split_anew,
    without_settled,
)
from certex_bridge.ledger.parking import park
from certex_bridge.ledger.put_aside import DraftAmbiguous
from certex_bridge.ledger.work import Cause, Work


def main_id(command: DeclarationCommand) -> str:
    """The declaration an event is about: by MRN, or by (exporter, LRN) before one exists."""
    return command.mrn or draft_id(command.exporter, command.lrn)


@dataclass(slots=True)
class Meeting:
    """Where an event belongs, and what is known there."""

    declaration: DeclarationState
    facts: Facts
    """Known before the event: of a draft, about the lodging it belongs to; of an MRN, with those of its lodging."""
    told: Facts
    """The event's own facts."""
    anchor: Anchor | None = None
    """The LRN's anchor as it is with the event; None: it changes nothing there."""
    lodging: Lodging | None = None
    """The lodging that the event belongs to, or that the MRN was."""
    events: tuple[DraftEvent, ...] = ()
    """Of a draft: everything told of it, the event included."""

    @property
    def merged(self) -> Facts:
        """What is known with the event."""
        return merge(self.facts, self.told)


def find(work: Work, command: DeclarationCommand) -> Meeting:
    """Where the event belongs; nothing is changed yet.

    Raises:
        DraftAmbiguous: it names an LRN that several exporters used, and nothing else.
        TooManyLodgings: it is one lodging too many under its exporter and LRN.
    """
    declaration = work.declarations[main_id(command)]
    anchor = work.anchors.get(command.lrn or declaration.facts.lrn)
    if anchor is None:
        return Meeting(declaration, declaration.facts, command.facts)
    if command.mrn:
        return _find_declaration(work, command, declaration, anchor)
    exporter = command.exporter or _only_exporter(anchor, command)
    declaration = work.declarations.get(draft_id(exporter, anchor.lrn), declaration)
    return _find_lodging(command, declaration, exporter, anchor)


def _only_exporter(anchor: Anchor, command: DeclarationCommand) -> str:
    """Whose lodging an event is about that names the LRN alone; empty while nobody lodged.

    Raises:
        DraftAmbiguous: it may be about several exporters' lodgings.
    """
    before = {mark.exporter for mark in anchor.lodgings if mark.stamp.precedes(command.stamp)}
    exporters = sorted(before or anchor.exporters)
    if len(exporters) > 1:
        sentence = f"{len(exporters)} exporters used this LRN and the event names neither MRN nor exporter."
        raise DraftAmbiguous("lrn", anchor.lrn, sentence)
    return exporters[0] if exporters else ""


def _find_declaration(
    work: Work, command: DeclarationCommand, declaration: DeclarationState, anchor: Anchor
) -> Meeting:
    if is_settled(declaration, anchor):
        return Meeting(declaration, declaration.facts, command.facts)
    own = declaration.own or declaration.facts
    with_event = replace(anchor, mrns={**anchor.mrns, command.mrn: mrn_mark(anchor, command, own)})
    if with_event.mrns != anchor.mrns:
        with_event = split_anew(work, with_event)
    seen, lodging = match_lodging(work, with_event, command.mrn, merge(own, command.facts))
    known = merge(own, lodging.facts) if lodging else own
    return Meeting(declaration, known, command.facts, seen, lodging)


def _find_lodging(command: DeclarationCommand, declaration: DeclarationState, exporter: str, anchor: Anchor) -> Meeting:
    events = tuple(sorted({*declaration.events, DraftEvent(command.stamp, command.facts)}, key=by_stamp))
    lodgings = split_lodgings(events, first_named(anchor, exporter))
    lodging = next(one for one in lodgings if command.event_id in one.events)
    before = [event.facts for event in events if event.stamp.event_id in lodging.events - {command.event_id}]
    known = reduce(merge, before, Facts())
    marks = marks_of(exporter, lodgings)
    others = [mark for mark in anchor.lodgings if mark.exporter != exporter]
    seen = replace(
        anchor,
        lodgings=(*others, *marks),
        exporters=tuple(sorted({*anchor.exporters, *([exporter] if exporter else [])})),
        unnamed=anchor.unnamed or not exporter,
    )
    if len(marks) > LODGINGS_KEPT:
        seen, events = without_settled(seen, exporter, lodgings, events)
    return Meeting(declaration, known, command.facts, seen, lodging, events)


def adopt(work: Work, command: DeclarationCommand, meeting: Meeting, cause: Cause) -> None:
    """Remember the event where it belongs, and let each MRN take over its lodging."""
    declaration, seen = meeting.declaration, meeting.anchor
    if seen is None:
        if declaration.own is not None:
            declaration.own = merge(declaration.own, meeting.told)
        declaration.facts = merge(declaration.facts, meeting.told)
        return
    anchor = work.anchors[seen.lrn]
    # What is told of an MRN may part the lodgings of a draft, where it has two events at least.
    least = 1 if command.mrn else 0
    before, composed = anchor.placements(), compositions(work, anchor, least)
    if command.mrn:
        for exporter in sorted({mark.exporter for mark in {*anchor.lodgings} ^ {*seen.lodgings}}):
            work.wake(draft_id(exporter, anchor.lrn), cause)  # its newest lodging may be another one now
    if (anchor.lodgings, anchor.mrns, anchor.exporters, anchor.unnamed) != (
        seen.lodgings,
        seen.mrns,
        seen.exporters,
        seen.unnamed,
    ):
        anchor.lodgings, anchor.mrns = seen.lodgings, seen.mrns
        anchor.exporters, anchor.unnamed = seen.exporters, seen.unnamed
        work.changes.anchors[anchor.lrn] = anchor
    if command.mrn:
        own = merge(declaration.own or declaration.facts, meeting.told)
        if not _take(declaration, anchor, own, meeting.lodging):
            declaration.facts = merge(declaration.facts, meeting.told)
            work.wake(declaration.decl_id, cause)
    else:
        declaration.events = meeting.events
        anchor.mrns = compare_contents(work, anchor).mrns
        newest = split_lodgings(meeting.events, first_named(anchor, command.exporter))[-1]
        declaration.facts = newest.facts
        work.changes.declarations[declaration.decl_id] = declaration
    touched = {key for key, _ in composed.items() ^ compositions(work, anchor, least).items()}
    _tell_others(work, anchor, before, touched, declaration, cause)


def _take(declaration: DeclarationState, anchor: Anchor, own: Facts, lodging: Lodging | None) -> bool:
    """Give the MRN the facts of its lodging, or of none, with the doubts that are left.

    False when the lodging's draft is not locked here: the facts stay as they were, and it must be looked at again.
    """
    mrn = declaration.decl_id
    placement = anchor.placements()[mrn]
    if placement.lodging is not None and lodging is None:
        declaration.own = own if declaration.own is not None else None
        return False
    declaration.own = own if lodging is not None else None
    declaration.facts = merge(own, lodging.facts) if lodging is not None else own
    declaration.moved = declaration.moved or declaration.lodging not in (None, placement.lodging)
    declaration.lodging = placement.lodging
    declaration.doubts = _doubts(anchor, placement, own)
    return True


def _doubts(anchor: Anchor, placement: Placement, own: Facts) -> tuple[Finding, ...]:
    found = []
    if placement.candidates and own.payload is None:
        told = {one.key: one.stamp.occurred_at for one in anchor.lodgings}
        named = [f"{key.exporter}/{anchor.lrn} of {told[key].isoformat()}" for key in placement.candidates]
        text = SENTENCES["DRAFT_AMBIGUOUS"]
        found.append(Finding("DRAFT_AMBIGUOUS", "lrn", "; ".join(named)[:_NAMED], text, Severity.WARNING))
    if placement.contradicted and own.payload is not None:
        version = str(own.payload_rank.version) if own.payload_rank else ""
        sentence = "Another content was lodged under the same version; the accepted one counts."
        found.append(Finding("CLAIM_CONFLICT", "version", version, sentence, Severity.WARNING))
    return tuple(found)


_NAMED = 512
"""Characters in which candidates are named."""


def _tell_others(
    work: Work,
    anchor: Anchor,
    before: Mapping[str, Placement],
    touched: AbstractSet[LodgingKey],
    declaration: DeclarationState,
    cause: Cause,
) -> None:
    """Wake the MRNs that are or could be another lodging now, or one that was touched; bring drafts up to date."""
    for mrn, placement in sorted(anchor.placements().items()):
        changed = placement != before.get(mrn) or not touched.isdisjoint(placement.possible)
        if changed and mrn != declaration.decl_id:
            work.wake(mrn, cause)
    if anchor.unnamed and not declaration.facts.mrn and declaration.decl_id != draft_id("", anchor.lrn):
        work.wake(draft_id("", anchor.lrn), cause)
    freed = {p.lodging for p in before.values()} ^ {p.lodging for p in anchor.placements().values()}
    for exporter in sorted({key.exporter for key in freed if key is not None}):
        name = draft_id(exporter, anchor.lrn)
        draft = work.declarations.get(name)
        if draft is None or not _bring_up_to_date(work, draft, anchor):
            work.wake(name, cause)
    if not _bring_up_to_date(work, declaration, anchor):
        # The event may be about the lodging that became an MRN, and part it from one that stands again.
        work.wake(declaration.decl_id, cause)


def _bring_up_to_date(work: Work, draft: DeclarationState, anchor: Anchor) -> bool:
    """Close a draft whose newest lodging became an MRN; False: it stands again by itself and must be looked at."""
    if draft.facts.mrn or not draft.events:
        return True
    exporter = draft.decl_id.removesuffix(f"/{anchor.lrn}")
    newest = split_lodgings(draft.events, first_named(anchor, exporter))[-1]
    taken = {placement.lodging for placement in anchor.placements().values()}
    joined = newest.stamp is not None and lodging_key(exporter, newest) in taken
    if joined:
        take_over(work, draft)
        return True
    was_joined, draft.joined = draft.joined, False
    return not was_joined


def take_over(work: Work, draft: DeclarationState) -> None:
    """The draft is answered for elsewhere from now on: its claims are closed."""
    if draft.joined:
        return
    draft.joined = True
    work.changes.declarations[draft.decl_id] = draft
    for claim in draft.claims.values():
        claim.state = ClaimState.CLOSED
        work.changes.claims[claim.key] = claim
    park(work, draft, ())


def wake_target(work: Work, declaration: DeclarationState, cause: Cause) -> DeclarationState:
    """The declaration that a woken one stands for, with the facts of the lodging that it was.

    What was told of an LRN alone goes to the only exporter who lodged since.
    """
    anchor = work.anchors.get(declaration.facts.lrn)
    if anchor is None:
        return declaration
    work.changes.declarations[declaration.decl_id] = declaration
    if declaration.facts.mrn:
        if declaration.decl_id not in anchor.mrns or is_settled(declaration, anchor):
            return declaration
        before = anchor.placements()
        own = declaration.own or declaration.facts
        seen, lodging = match_lodging(work, anchor, declaration.decl_id, own)
        if seen.mrns != anchor.mrns:
            anchor.mrns = seen.mrns
            work.changes.anchors[anchor.lrn] = anchor
        if not _take(declaration, anchor, own, lodging):
            work.wake(declaration.decl_id, cause)
            return declaration
        _tell_others(work, anchor, before, set(), declaration, cause)
        return declaration
    if declaration.decl_id == draft_id("", anchor.lrn):
        return _hand_over(work, declaration, anchor, cause)
    exporter = declaration.decl_id.removesuffix(f"/{anchor.lrn}")
    declaration.facts = split_lodgings(declaration.events, first_named(anchor, exporter))[-1].facts
    _bring_up_to_date(work, declaration, anchor)
    return declaration


def _hand_over(work: Work, unnamed: DeclarationState, anchor: Anchor, cause: Cause) -> DeclarationState:
    """Give what was told of the LRN alone to the exporter's draft."""
    exporter = anchor.exporters[0] if len(anchor.exporters) == 1 else ""
    draft = work.declarations.get(draft_id(exporter, anchor.lrn)) if exporter else None
    if draft is None or unnamed.joined:
        return unnamed
    before = anchor.placements()
    draft.events = tuple(sorted({*draft.events, *unnamed.events}, key=by_stamp))
    lodgings = split_lodgings(draft.events, first_named(anchor, exporter))
    draft.facts = lodgings[-1].facts
    others = [mark for mark in anchor.lodgings if mark.exporter != exporter]
    anchor.lodgings = (*others, *marks_of(exporter, lodgings))
    anchor.mrns = compare_contents(work, anchor).mrns
    work.changes.anchors[anchor.lrn] = anchor
    work.changes.declarations[draft.decl_id] = draft
    take_over(work, unnamed)
    after = anchor.placements()
    for mrn in sorted(after):
        if after[mrn].possible or after[mrn] != before.get(mrn):
            work.wake(mrn, cause)
    _bring_up_to_date(work, draft, anchor)
    return draft
