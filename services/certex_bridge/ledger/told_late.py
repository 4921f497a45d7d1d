"""Refusals that rest on less than is known by now: who was refused is woken when something was told late (ADR 0016)."""

from __future__ import annotations

from certex_bridge.ledger.ports import Changes, Unit
from certex_bridge.ledger.work import Freed, Work


async def wake_refused(unit: Unit, work: Work) -> None:
    """Wake those refused on a licence at the moment at which room was made there, or later.

    In the order of time there is nobody: what is refused stays refused until customs ask again. Only what was told
    late, of a moment that others were judged on already, finds any.
    """
    first: dict[str, Freed] = {}
    makers: dict[str, set[str]] = {}
    for freed in work.freed:
        known = first.setdefault(freed.licence_id, freed)
        if freed.cause.occurred_at < known.cause.occurred_at:
            first[freed.licence_id] = freed
        makers.setdefault(freed.licence_id, set()).add(freed.decl_id)
    if not first:
        return
    moments = {licence_id: freed.cause.occurred_at for licence_id, freed in first.items()}
    changes = Changes()
    for licence_id, decl_id in await unit.refused_since(moments):
        freed = first[licence_id]
        if makers[licence_id] != {decl_id}:  # it was settled with what it gave back
            changes.wakes.append((decl_id, freed.cause.event_id, freed.cause.at, freed.trace))
    if changes.wakes:
        await unit.write(changes)
