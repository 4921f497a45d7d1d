"""Simplified declarations and their supplementary ones: one instrument (UCC Art. 167(4)), written off once.

A supplementary declaration keeps an identity of its own and names the simplified ones. An event about any of them is
recorded at once and settled by the worker, where all of them are locked; what counts of each is derived there from the
facts of all (`domain/supplementing.py`). Whoever comes first, no quantity is ever held twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.instrument import Counted
from certex_bridge.ledger.domain.issuers import resolved
from certex_bridge.ledger.domain.merge import merge
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.supplementing import names_of, supplemented
from certex_bridge.ledger.ports import Reference, Unit, Wake
from certex_bridge.ledger.work import Cause, Work

_LOCKED_MAX = 2_000
"""Declarations that the wakes of one transaction lock; an instrument of more is settled in one of its own."""


def is_linked(facts: Facts) -> bool:
    """Whether the declaration is one of several that are one instrument."""
    return bool(facts.supplements or names_of(facts))


def defer(work: Work, declaration: DeclarationState, cause: Cause) -> None:
    """Let the worker settle it, together with the others of its instrument."""
    work.changes.declarations[declaration.decl_id] = declaration
    work.wake(declaration.decl_id, replace(cause, event_id=cause.woken_by) if cause.woken_by else cause)


def members(work: Work, woken: DeclarationState) -> dict[str, DeclarationState] | None:
    """All declarations of the instrument, sorted; None when one of them is not locked."""
    found: dict[str, DeclarationState] = {}
    ahead = {woken.decl_id}
    while ahead:
        for decl_id in ahead:
            declaration = work.declarations.get(decl_id)
            if declaration is None:
                return None
            found[decl_id] = declaration
        ahead = {other for decl_id in ahead for other in Reference.of(found[decl_id].facts).instrument} - found.keys()
    return {decl_id: found[decl_id] for decl_id in sorted(found)}


def link(work: Work, group: Mapping[str, DeclarationState]) -> None:
    """Let every simplified declaration know who supplements it; once linked, it stays so."""
    for decl_id, declaration in group.items():
        for name in names_of(declaration.facts) if not declaration.joined else ():
            main = group[name]
            facts = merge(main.facts, Facts(supplements=(decl_id,)))
            if facts != main.facts:
                main.facts = facts
                if main.own is not None:
                    main.own = merge(main.own, Facts(supplements=(decl_id,)))
                work.changes.declarations[name] = main


def let_go(work: Work, before: Facts, now: Facts, cause: Cause) -> None:
    """Let the worker settle the simplified declarations that a supplementary one named and names no more.

    They know who supplemented them, but nothing leads to them from there any longer.
    """
    for name in sorted(names_of(before) - names_of(now)):
        work.wake(name, replace(cause, event_id=cause.woken_by) if cause.woken_by else cause)


def counted(group: Mapping[str, DeclarationState]) -> dict[str, Counted]:
    """What counts of each declaration of an instrument, and what customs must hear about it."""
    told, pending = {}, {}
    for decl_id, declaration in group.items():
        if not declaration.joined:
            facts, findings = amended(declaration.facts)
            told[decl_id], pending[decl_id] = resolved(facts), findings
    found = supplemented(told)
    return {decl_id: Counted(counts.facts, (*pending[decl_id], *counts.findings)) for decl_id, counts in found.items()}


# -- what the worker locks


async def read_references(unit: Unit, wakes: Sequence[Wake]) -> dict[str, Reference]:
    """What the woken declarations and all others of their instruments refer to, read without a lock."""
    found: dict[str, Reference] = {}
    ahead = {wake.decl_id for wake in wakes}
    while ahead:
        found |= dict.fromkeys(ahead, Reference("", ""))
        found |= await unit.peek_references(sorted(ahead))
        ahead = {other for decl_id in ahead for other in found[decl_id].instrument} - found.keys()
    return found


def within_bounds(wakes: Sequence[Wake], references: Mapping[str, Reference]) -> list[Wake]:
    """The wakes that one transaction settles: at least one, and no more instruments than it may lock."""
    taken: list[Wake] = []
    locked: set[str] = set()
    for wake in wakes:
        if wake.decl_id not in locked:
            locked |= instrument_of(wake.decl_id, references)
            if taken and len(locked) > _LOCKED_MAX:
                break
        taken.append(wake)
    return taken


def instrument_of(decl_id: str, references: Mapping[str, Reference]) -> set[str]:
    """All declarations that are one instrument with this one."""
    found: set[str] = set()
    ahead = {decl_id}
    while ahead:
        found |= ahead
        ahead = {other for one in ahead for other in references[one].instrument} - found
    return found


def to_lock(
    wakes: Sequence[Wake], told: Mapping[str, Reference]
) -> tuple[set[str], set[str], dict[str, tuple[str, str]]]:
    """Declarations of the instruments that were woken, those named in them, and the drafts of the woken ones."""
    existing: set[str] = set()
    for wake in wakes:
        if wake.decl_id not in existing:
            existing |= instrument_of(wake.decl_id, told)
    named = {name for decl_id in existing for name in told[decl_id].simplified}
    return existing, named, {wake.decl_id: (told[wake.decl_id].lrn, told[wake.decl_id].exporter) for wake in wakes}
