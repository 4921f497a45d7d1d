"""Which answer an event gets that is not settled with its own declaration here and now."""

from __future__ import annotations

from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.instrument import is_linked
from certex_bridge.ledger.joining import Meeting
from certex_bridge.ledger.work import Work


def overtaken_by(command: DeclarationCommand, known: Facts) -> str:
    """What came meanwhile, for a timer, which reads without a lock; empty: nothing."""
    if command.kind is EventKind.NOT_PRESENTED and _shown(known):
        return "PRESENTED"
    return "RELEASED" if command.kind is EventKind.RELEASE_OVERDUE and known.releases else ""


def answered_elsewhere(work: Work, command: DeclarationCommand, meeting: Meeting) -> str | None:
    """Why the event is not settled with its own declaration here and now; None: it is.

    RECORDED: under its MRN, or a lodging was told after it. UNDECIDED: the lodgings that it could be, and the licences
    that these cite, are not locked here. ONE_INSTRUMENT: with the other half.
    """
    declaration = meeting.declaration
    if declaration.joined or (not command.mrn and declaration.facts != meeting.merged):
        return "RECORDED"
    if declaration.undecided and declaration.doubts and declaration.facts.lrn not in work.anchors:
        return "UNDECIDED"
    return "ONE_INSTRUMENT" if is_linked(declaration.facts) else None


def _shown(facts: Facts) -> bool:
    """Whether the goods were presented, or customs went on as only after a presentation."""
    return facts.presented is not None or facts.accepted is not None or bool(facts.releases)


def no_effect(known: Facts, command: DeclarationCommand) -> str:
    """Why a command changes nothing: SUPERSEDED by what is known already, or ALREADY_DONE."""
    told, held = command.facts.payload_rank, known.payload_rank
    # Of each item, its latest release and its latest refusal are kept.
    words = {(item, word.released): word.figures for item, word in known.releases}
    if any(words.get((item, word.released), word) != word.figures for item, word in command.facts.releases):
        return "SUPERSEDED"
    if command.facts.overrides and not any(one in known.overrides for one in command.facts.overrides):
        return "SUPERSEDED"
    return "SUPERSEDED" if told and held and told.order < held.order else "ALREADY_DONE"
