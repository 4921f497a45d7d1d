"""Where an event belongs: the meeting of a local reference number and the MRN it becomes.

Before acceptance a declaration is known by exporter and LRN (the draft), afterwards by its MRN. An answer of customs
may name the LRN alone; it belongs to the only draft of that LRN, and waits in a record without name until there is
one. `find` looks and changes nothing, so that an event can still be refused; `adopt` does what was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts, Request, Stamp
from certex_bridge.ledger.domain.issuers import as_declared, cited
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import Anchor, ClaimState, DeclarationState
from certex_bridge.ledger.domain.standing import rejection
from certex_bridge.ledger.domain.window import in_generation
from certex_bridge.ledger.work import Cause, Work


class PutAside(Exception):
    """The event cannot be applied; it goes to quarantine with its bytes."""

    code = ""
    sentence = ""


class Conflict(PutAside):
    """The same version, or the same request, with other content."""

    code = "CONFLICTING_DUPLICATE"
    sentence = "The same declaration version or request arrived before with other content."


class DraftAmbiguous(PutAside):
    """An answer that names an LRN alone, which several exporters used."""

    code = "DRAFT_AMBIGUOUS"
    sentence = "Several exporters used this LRN and the event names neither MRN nor exporter."


def draft_id(exporter: str, lrn: str) -> str:
    """Identity of a declaration before it has an MRN: two exporters may use the same LRN."""
    return f"{exporter}/{lrn}"


def main_id(command: DeclarationCommand) -> str:
    """The declaration an event is about: by MRN, or by (exporter, LRN) before one exists."""
    return command.mrn or draft_id(command.exporter, command.lrn)


def conflicts(held: Facts, told: Facts) -> bool:
    """Whether one version gets another content, or one reference another request."""
    if told.requests and held.requests:
        known = {request.reference: request for request in held.requests}
        for request in told.requests:
            other = known.get(request.reference)
            if other is not None and other.asked and request.asked and _asks(other) != _asks(request):
                return True
    if told.generation != held.generation or told.payload is None or held.payload is None:
        return False
    if told.payload_rank is None or held.payload_rank is None or told.payload_rank.order != held.payload_rank.order:
        return False
    return told.payload != held.payload and as_declared(told.payload) != as_declared(held.payload)


def _asks(request: Request) -> tuple[object, ...]:
    return request.changes, request.content


@dataclass(slots=True)
class Meeting:
    """Where an event belongs, and what is known there."""

    declaration: DeclarationState
    facts: Facts
    """Known before the event, the draft's included."""
    told: Facts
    """The event's own facts, in the generation they belong to."""
    draft: DeclarationState | None = None
    """The draft that this MRN takes over."""


def find(work: Work, command: DeclarationCommand) -> Meeting:
    """Where the event belongs; nothing is changed yet.

    Raises:
        DraftAmbiguous: it names an LRN that several exporters used, and nothing else.
    """
    declaration = work.declarations[main_id(command)]
    facts = declaration.facts
    anchor = work.anchors.get(command.lrn or facts.lrn)
    if anchor is None:
        return Meeting(declaration, facts, command.facts)
    if command.mrn:
        draft = draft_of(work, anchor, facts, command.exporter or facts.exporter)
        known = merge(facts, replace(draft.facts, generation=None)) if draft is not None else facts
        return Meeting(declaration, known, command.facts, draft)
    if not command.exporter:
        if len(anchor.exporters) > 1:
            raise DraftAmbiguous
        declaration = _only_draft(work, anchor) or declaration
    return Meeting(declaration, declaration.facts, in_generation(declaration.facts, command))


def draft_of(work: Work, anchor: Anchor, facts: Facts, exporter: str) -> DeclarationState | None:
    """The draft that becomes this declaration, if it is certain which exporter's it is."""
    if rejection(facts) is not None:
        return None  # the LRN is free for another declaration
    if not exporter:
        return _only_draft(work, anchor)
    return work.declarations.get(draft_id(exporter, anchor.lrn))


def _only_draft(work: Work, anchor: Anchor) -> DeclarationState | None:
    return work.declarations.get(draft_id(anchor.exporters[0], anchor.lrn)) if len(anchor.exporters) == 1 else None


def adopt(work: Work, command: DeclarationCommand, meeting: Meeting) -> None:
    """Remember the meeting, and let the MRN take the draft over."""
    declaration, draft = meeting.declaration, meeting.draft
    anchor = work.anchors.get(command.lrn or declaration.facts.lrn)
    if meeting.told.generation is not None and meeting.told.generation == meeting.told.lodged:
        declaration.joined = False
        if anchor is not None and anchor.mrns:
            anchor.mrns = ()
            work.changes.anchors[anchor.lrn] = anchor
    if anchor is not None:
        _note(work, command, declaration, anchor)
    if draft is None:
        return
    take_over(work, draft)
    if command.kind is EventKind.REJECTED:
        # Lodged again under the same LRN, the next draft must not inherit what was rejected under this MRN.
        told = Facts(rejected=Stamp(command.occurred_at, command.event_id), generation=draft.facts.generation)
        draft.facts = merge(draft.facts, told)


def _note(work: Work, command: DeclarationCommand, declaration: DeclarationState, anchor: Anchor) -> None:
    if command.mrn or declaration.decl_id == draft_id("", anchor.lrn):
        if declaration.decl_id not in anchor.mrns:
            anchor.mrns = tuple(sorted({*anchor.mrns, declaration.decl_id}))
            work.changes.anchors[anchor.lrn] = anchor
    elif command.exporter and command.exporter not in anchor.exporters:
        anchor.exporters = tuple(sorted({*anchor.exporters, command.exporter}))
        work.changes.anchors[anchor.lrn] = anchor


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


def tell_joined(work: Work, command: DeclarationCommand, declaration: DeclarationState, cause: Cause) -> None:
    """A draft that changes wakes the declarations it became, and the answers that waited for it."""
    if command.mrn or command.lrn not in work.anchors:
        return
    for decl_id in work.anchors[command.lrn].mrns:
        if decl_id != declaration.decl_id:
            work.wake(decl_id, cause)


def wake_target(work: Work, declaration: DeclarationState, cause: Cause) -> DeclarationState:
    """The declaration that a woken one stands for, with the facts of its draft.

    What was told of an LRN alone goes to the only draft that has come since.
    """
    facts = declaration.facts
    anchor = work.anchors.get(facts.lrn)
    if anchor is None:
        return declaration
    if declaration.decl_id == draft_id("", anchor.lrn):
        draft = None if declaration.joined else _only_draft(work, anchor)
        if draft is None:
            return declaration
        draft.facts = merge(draft.facts, replace(facts, generation=draft.facts.generation))
        take_over(work, declaration)
        work.changes.declarations[draft.decl_id] = draft
        for decl_id in anchor.mrns if draft.joined else ():
            if decl_id != declaration.decl_id:
                work.wake(decl_id, cause)
        return draft
    found = draft_of(work, anchor, facts, facts.exporter) if facts.mrn else None
    if found is not None:
        told = replace(found.facts, generation=None)
        if conflicts(facts, told):
            # The draft came late and says something else: what was accepted stands, and customs hear of the other.
            told = replace(told, payload=None, payload_rank=None)
            sentence = "Another content was lodged under the same version; the accepted one counts."
            version = str(facts.payload_rank.version) if facts.payload_rank else ""
            work.remarks[declaration.decl_id] = (
                Finding("CLAIM_CONFLICT", "version", version, sentence, Severity.WARNING),
            )
        declaration.facts = merge(facts, told)
        work.changes.declarations[declaration.decl_id] = declaration
        take_over(work, found)
    return declaration


def park(work: Work, declaration: DeclarationState, waiting_for: Iterable[str]) -> None:
    """Remember the unknown licences that the declaration waits for."""
    now = set(waiting_for)
    before = set(declaration.waiting_for)
    for licence_id in now - before:
        work.changes.unparked.discard((licence_id, declaration.decl_id))
        work.changes.parked.add((licence_id, declaration.decl_id))
    for licence_id in before - now:
        work.changes.parked.discard((licence_id, declaration.decl_id))
        work.changes.unparked.add((licence_id, declaration.decl_id))
    declaration.waiting_for = tuple(sorted(now))


def drafts_of(
    declared: Iterable[DeclarationCommand], references: dict[str, tuple[str, str]]
) -> Iterable[tuple[str, str]]:
    """(LRN, exporter) of the drafts that these events and woken declarations may meet; exporter empty: whoever's."""
    for command in declared:
        if command.lrn and (command.mrn or not command.exporter):
            yield command.lrn, command.exporter
    for lrn, exporter in references.values():
        if lrn:
            yield lrn, exporter


def licences_in_play(commands: Iterable[Command], declarations: Iterable[DeclarationState]) -> set[str]:
    """Every licence that settling may touch; an assumed issuer may change when a draft meets its MRN."""
    declared = [command for command in commands if isinstance(command, DeclarationCommand)]
    told = [command.facts for command in declared]
    numbers: dict[str, set[str]] = {}
    for command in declared:
        if command.mrn and command.lrn:
            numbers.setdefault(command.lrn, set()).add(command.mrn)
    found: set[str] = set()
    for declaration in declarations:
        found.update([key.licence_id for key in declaration.claims])
        told.append(declaration.facts)
    for facts in told:
        found |= cited(facts)
        if facts.simplified:
            found |= cited(facts, facts.simplified)
        if facts.mrn and facts.lrn:
            numbers.setdefault(facts.lrn, set()).add(facts.mrn)
    if numbers:
        for facts in told:
            for mrn in () if facts.mrn else numbers.get(facts.lrn, ()):
                found |= cited(facts, mrn)
    return found
