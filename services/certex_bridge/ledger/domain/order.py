"""Order of states: what may follow on what, for senders that wait for the answer.

An event on the topic says what happened, in whatever order it arrives. A call asks for something, and may be refused:
then nothing becomes a fact. What a release would consume is taken from a settlement that is thrown away, so that both
ways compute with the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind, Facts, ItemRelease
from certex_bridge.ledger.domain.members import ClaimResult, Settlement
from certex_bridge.ledger.domain.model import Claim, ClaimKey, ClaimState
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.standing import declaration_state

_WITHOUT_LIMIT = frozenset({ClaimState.NOT_MANAGED, ClaimState.NOT_APPLICABLE})
_CONSUMABLE = frozenset({ClaimState.RESERVED, ClaimState.CONSUMED}) | _WITHOUT_LIMIT
_GONE = frozenset({ClaimState.CONSUMED, ClaimState.UNCOVERED, ClaimState.WITHDRAWN})
"""The goods of such a claim were released: it is not too late to withdraw it, but to leave it unreleased."""
_GIVES_BACK = frozenset({ClaimState.RESERVED, ClaimState.WAITING, ClaimState.UNRESERVED}) | _WITHOUT_LIMIT
_WITHDRAWABLE = _GONE | _GIVES_BACK
_ENDED = ("INVALIDATED", "NOT_RELEASED")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the declaration before the call."""

    facts: Facts
    claims: Mapping[ClaimKey, Claim]
    settled: Callable[[], Settlement]
    """What would become of its claims if the call became a fact."""


def contradiction(command: DeclarationCommand, known: Known) -> Reason | None:
    """Why the call does not follow on what is known; None when it does.

    MRN_UNKNOWN, VERSION_OLD, CLAIM_UNKNOWN (an item or document that the declaration has not), CLAIM_STATE,
    MORE_THAN_RESERVED, or why a released figure cannot be compared (UNIT_MISMATCH, say).
    """
    demand = _DEMANDS.get(command.kind)
    if demand is None:
        return None
    if command.kind is not EventKind.ACCEPTED and known.facts == Facts():
        return Reason("MRN_UNKNOWN", "mrn", command.mrn)
    return demand(command.facts, known)


def _content(told: Facts, known: Known) -> Reason | None:
    """RESERVE and ADJUST: not older than what is known, and not of a declaration that has ended."""
    standing = declaration_state(known.facts)
    if standing in _ENDED:
        return Reason("CLAIM_STATE", "declarationState", standing)
    new, old = told.payload_rank, known.facts.payload_rank
    if new is not None and old is not None and new.order < old.order:
        return Reason("VERSION_OLD", "declarationVersion", str(new.version), str(old.version))
    return None


def _consume(told: Facts, known: Known) -> Reason | None:
    """Every claim that is named holds what is to be consumed, or was consumed like this before."""
    if known.facts.payload is None or known.facts.invalidated is not None:
        return Reason("CLAIM_STATE", "declarationState", declaration_state(known.facts))
    unknown = _unknown(told, known)
    if unknown is not None:
        return unknown
    named = [result for result in known.settled().results if _is_named(told, result.claim.key)]
    for result in named:
        found = _consumable(result, known.claims.get(result.claim.key))
        if found is not None:
            return found
    return None


def _consumable(result: ClaimResult, before: Claim | None) -> Reason | None:
    claim = result.claim
    if before is None or before.state not in _CONSUMABLE or (before.state is ClaimState.CONSUMED and result.steps):
        return _state(claim.key, before)
    held = before.reserved.plus(before.consumed)
    after = claim.consumed.plus(claim.uncovered)
    for dimension, told, reserved in zip(("quantity", "amount"), after, held, strict=True):
        if told > reserved:
            place = f"{_place(claim.key)}.{dimension}"
            return Reason("MORE_THAN_RESERVED", place, format_decimal(told), format_decimal(reserved))
    if claim.outcome == Outcome.UNCOVERED:
        return result.reasons[-1]  # the figure cannot be compared: what comes before says that it is uncovered
    return None


def _unreserve(told: Facts, known: Known) -> Reason | None:
    """Nothing that is named was released, and something of it is held or waits."""
    unknown = _unknown(told, known)
    if unknown is not None:
        return unknown
    named = [claim for key, claim in sorted(known.claims.items()) if _is_named(told, key)]
    for claim in named:
        if claim.state in _GONE:
            return _state(claim.key, claim)
    return _some(named, _GIVES_BACK)


def _withdraw(_told: Facts, known: Known) -> Reason | None:
    """Something is or was held, or waits; a declaration that is invalidated stays so."""
    if known.facts.invalidated is not None:
        return None
    return _some([claim for _, claim in sorted(known.claims.items())], _WITHDRAWABLE)


def _some(claims: list[Claim], states: frozenset[ClaimState]) -> Reason | None:
    """One of the claims is in one of the states; a declaration without claims asks for nothing."""
    live = [claim for claim in claims if claim.state is not ClaimState.CLOSED]
    if not live or any(claim.state in states for claim in live):
        return None
    return _state(live[0].key, live[0])


def _is_named(told: Facts, key: ClaimKey) -> bool:
    return any(item in (ALL_ITEMS, key.item) for item, _ in told.releases)


def _unknown(told: Facts, known: Known) -> Reason | None:
    """An item that the declaration has not, or a figure for a document that is no claim of it."""
    items = {item.number for item in known.facts.payload.items} if known.facts.payload else set()
    documents = {key[1:3] for key in known.claims}
    for number, release in told.releases:
        if number == ALL_ITEMS:
            continue
        if number not in items:
            return Reason("CLAIM_UNKNOWN", f"items[{number}]", str(number))
        for seq in _with_figures(release):
            if (number, seq) not in documents:
                return Reason("CLAIM_UNKNOWN", f"items[{number}].documents[{seq}]", str(seq))
    return None


def _with_figures(release: ItemRelease) -> Iterable[int]:
    """Documents with a figure; one that is only listed may be any of the declaration's."""
    stated = release.figures or ()
    return [one.doc_seq for one in stated if one.quantity is not None or one.value is not None]


def _state(key: ClaimKey, claim: Claim | None) -> Reason:
    return Reason("CLAIM_STATE", _place(key), claim.state if claim else "")


def _place(key: ClaimKey) -> str:
    return f"items[{key.item}].documents[{key.doc_seq}]"


_DEMANDS: dict[EventKind, Callable[[Facts, Known], Reason | None]] = {
    EventKind.ACCEPTED: _content,
    EventKind.AMENDED: _content,
    EventKind.RELEASED: _consume,
    EventKind.NOT_RELEASED: _unreserve,
    EventKind.INVALIDATED: _withdraw,
}
