"""In which phase of its life a claim is, and what that asks of the ledger."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from certex_bridge.ledger.domain.days import exit_counting
from certex_bridge.ledger.domain.evaluation import Evaluation
from certex_bridge.ledger.domain.facts import DocumentFigures, Facts, ItemRelease
from certex_bridge.ledger.domain.figures import Declared, declared_figures
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimState, Dim, LicenceState
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.standing import rejection


class Phase(StrEnum):
    """What the facts ask for."""

    CHECK = "CHECK"
    """Lodged only: an advisory answer (IR 2024/2145 Art. 5(1))."""
    RESERVE = "RESERVE"
    """Accepted (Art. 6(1)): hold the declared figure, or refuse."""
    RECORD = "RECORD"
    """Released (Art. 6(3)): consume what was released."""
    ADJUST = "ADJUST"
    """Amended after release (Art. 7): set the consumed figure, or refuse an increase."""
    ENDED = "ENDED"
    """Invalidated, rejected, not released (Art. 6(4), 7): hold nothing."""
    DROPPED = "DROPPED"
    """No longer cited by the declaration: hold nothing."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """A procedure outside the dual-use tables."""

    @property
    def books(self) -> bool:
        """Whether the phase can ask for quantity."""
        return self in _BOOKING


_FIRST_CONTENT = (0, 1)
"""Order of the content before any amendment."""

_BOOKING = frozenset({Phase.RESERVE, Phase.RECORD, Phase.ADJUST})


def phase_of(facts: Facts, item: int, current: Claim | None, *, recorded: bool = False) -> Phase:
    """The phase of one item's claims. A payload newer than the release is an amendment after release.

    Args:
        facts: what customs said.
        item: goods item number.
        current: the claim as it stands.
        recorded: whether the item's release was booked before, on whatever content was known then.
    """
    if facts.invalidated is not None or rejection(facts) is not None:
        return Phase.ENDED
    if not facts.mrn:
        # A draft is an advance question. What it would hold, the declaration it becomes would hold a second time.
        return Phase.ENDED if facts.not_presented is not None else Phase.CHECK
    word = last_word(facts, item)
    if word is not None:
        if not word.released:
            return Phase.ENDED
        amends = recorded and amended_after(facts, word) and not _open_record(current)
        return Phase.ADJUST if amends else Phase.RECORD
    if facts.accepted is not None or facts.overrides:  # an officer decides on what was accepted, told yet or not
        return Phase.RESERVE
    return Phase.ENDED if facts.not_presented is not None else Phase.CHECK


def _open_record(current: Claim | None) -> bool:
    """What is still reserved, and goods that left without cover, are a matter of record: nothing is refused to them."""
    return current is not None and (current.state is ClaimState.UNCOVERED or current.reserved != NOTHING)


def amended_after(facts: Facts, word: ItemRelease) -> bool:
    """Whether customs changed the content after the release: its figures are then their last word."""
    return changed_after(facts, word.stamp)


def changed_after(facts: Facts, moment: Stamp) -> bool:
    """Whether customs changed the content after that moment; the first content, told late, is no change.

    Of content and moment in one instant, a later version counts as the later word: a message id says nothing of order.
    """
    rank = facts.payload_rank
    if rank is None or rank.stamp in (facts.accepted, facts.lodged):
        return False
    if rank.stamp.occurred_at == moment.occurred_at:
        return rank.order > _FIRST_CONTENT
    return rank.stamp.occurred_at > moment.occurred_at


def release_stands(told: Facts, known: Facts, counted: Facts) -> bool:
    """Whether a later version of the content changes nothing, because released figures are dated after it.

    Args:
        told: what an event adds.
        known: what was known before it.
        counted: both together.
    """
    new, old = told.payload_rank, known.payload_rank
    if new is None or old is None or new.order <= old.order or counted.payload_rank is None:
        return False
    return new.order == counted.payload_rank.order and any(
        word.released and word.figures is not None and not amended_after(counted, word) for _, word in known.releases
    )


def attempt_of(facts: Facts, item: int) -> str:
    """Fingerprint of what a decision rests on; a refusal stays until it changes."""
    rank = facts.payload_rank
    word = last_word(facts, item)
    parts = (
        f"{rank.supplementary}.{rank.version}" if rank else "",
        (facts.acceptance_day or ("accepted" if facts.accepted else "")) + _exit_of(facts),
        f"{word.stamp.occurred_at.isoformat()}/{word.stamp.event_id}" if word else "",
        facts.recheck.event_id if facts.recheck else "",
    )
    return "|".join((*parts, facts.instrument) if facts.instrument else parts)


def _exit_of(facts: Facts) -> str:
    day = exit_counting(facts) if facts.exit_day else None
    return f", left {day}" if day else ""


_AFTER_RELEASE = frozenset(
    {ClaimState.CONSUMED, ClaimState.UNCOVERED, ClaimState.REFUSED, ClaimState.NOT_MANAGED, ClaimState.NOT_APPLICABLE}
)


def decided_after_release(claim: Claim) -> bool:
    """Whether the claim stands as a release left it, or an amendment of what was released."""
    if claim.consumed != NOTHING:
        return True
    return claim.state in _AFTER_RELEASE and claim.attempt.split("|")[2:3] not in ([], [""])


def released_figures(
    seen: Evaluation, figures: tuple[DocumentFigures, ...], state: LicenceState, policy: Policy
) -> Declared:
    """The figures really released for this document; a document that is not listed released nothing.

    A dimension that the release does not state keeps its declared figure.
    """
    stated = next((entry for entry in figures if entry.doc_seq == seen.spec.doc_seq), None)
    if stated is None:
        return Declared()
    if stated.quantity is None and stated.value is None:
        return seen.declared
    spec = replace(seen.spec, quantity=stated.quantity or seen.spec.quantity, value=stated.value or seen.spec.value)
    limits = [
        (dim, account)
        for line_no in ((0, seen.line_no) if seen.line_no else (0,))
        for dim in (Dim.QTY, Dim.VAL)
        if (account := state.limit(line_no, dim)) is not None
    ]
    return declared_figures(spec, seen.item, limits, policy, seen.day)
