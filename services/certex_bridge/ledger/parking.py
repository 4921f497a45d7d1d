"""Which licences a declaration waits for, and which settling may touch."""

from __future__ import annotations

from collections.abc import Iterable

from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.issuers import cited
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.supplementing import names_of
from certex_bridge.ledger.work import Work


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
        told += declaration.tellings
    for facts in told:
        found |= cited(facts)
        for state in {name[:4]: name for name in names_of(facts)}.values():
            found |= cited(facts, state)
        if facts.mrn and facts.lrn:
            numbers.setdefault(facts.lrn, set()).add(facts.mrn)
    if numbers:
        for facts in told:
            for mrn in () if facts.mrn else numbers.get(facts.lrn, ()):
                found |= cited(facts, mrn)
    return found
