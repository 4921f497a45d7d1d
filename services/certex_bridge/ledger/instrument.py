"""A simplified declaration and its supplementary one: one instrument (UCC Art. 167(4)), consumed once.

The supplementary declaration keeps an identity of its own and names the simplified one. If that one is known with
claims, its claims are the instrument's: the supplementary content adjusts them and the supplementary declaration holds
nothing. If it was never seen, or cites no licence (a record in the declarant's books, a simplified declaration without
write-off), the supplementary one books by its own life. Both are settled by the worker, where both are locked; whoever
comes first, no quantity is ever held twice.
"""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.facts import Facts, PayloadRank
from certex_bridge.ledger.domain.issuers import claims_of, resolved
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.standing import rejection
from certex_bridge.ledger.work import Cause, Work


def is_linked(facts: Facts) -> bool:
    """Whether the declaration is one of two that are one instrument."""
    return bool(facts.simplified or facts.supplements)


def defer(work: Work, declaration: DeclarationState, cause: Cause) -> None:
    """Let the worker settle it, together with the other half."""
    work.changes.declarations[declaration.decl_id] = declaration
    work.wake(declaration.decl_id, cause)


def members(work: Work, woken: DeclarationState) -> list[DeclarationState] | None:
    """The simplified declaration and those that supplement it, or None when one of them is not locked."""
    main = work.declarations.get(woken.facts.simplified) if woken.facts.simplified else woken
    if main is None:
        return None
    supplements = [woken.decl_id] if main is not woken else list(woken.facts.supplements)
    found = [work.declarations.get(decl_id) for decl_id in supplements]
    return None if None in found else [main, *[one for one in found if one is not None]]


def share(main: DeclarationState, supplements: list[DeclarationState]) -> bool:
    """Whether the simplified declaration's claims are those of the instrument; then it has their content."""
    facts = merge(main.facts, Facts(supplements=tuple(sorted(one.decl_id for one in supplements if not one.joined))))
    main.facts = facts
    if facts.payload is None or not claims_of(facts.payload) or rejection(facts) is not None:
        return False
    for one in supplements:
        seen = resolved(amended(one.facts).facts)
        if seen.payload is None or seen.payload_rank is None or seen.invalidated or rejection(seen) or one.joined:
            continue
        rank = PayloadRank(1, seen.payload_rank.version, seen.payload_rank.stamp)
        main.facts = merge(main.facts, Facts(payload=seen.payload, payload_rank=rank))
    return True


def emptied(facts: Facts) -> Facts:
    """The facts of a declaration whose claims are held by the other half."""
    payload = facts.payload
    return facts if payload is None else replace(facts, payload=replace(payload, items=(), header_claims=()))
