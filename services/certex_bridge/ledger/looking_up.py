"""Which licences the open citations of a batch may mean, found so that none that is issued meanwhile is missed.

A licence is applied for the first time under the lock of its number. Who finds no licence of the declaring state locks
the numbers it may mean, looks again, and parks under that lock: the licence is there by then, or its event finds the
parked declaration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from certex_bridge.kernel.identifiers import licence_number
from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.citations import Sought, sought_by
from certex_bridge.ledger.domain.facts import DeclarationCommand, Facts
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.ports import Unit
from certex_bridge.licensing.domain.commands import LicenceCommand


def sought(commands: Iterable[Command], declarations: Iterable[DeclarationState]) -> list[Sought]:
    """What settling may look up; a draft that becomes a declaration is looked up for each of its MRNs."""
    declared = [command for command in commands if isinstance(command, DeclarationCommand)]
    told: list[Facts] = [one.facts for one in declared]
    for declaration in declarations:
        told += declaration.tellings
    mrns: dict[str, set[str]] = {}
    for lrn, mrn in [*[(one.lrn, one.mrn) for one in declared], *[(one.lrn, one.mrn) for one in told]]:
        if lrn and mrn:
            mrns.setdefault(lrn, set()).add(mrn)
    return [one for facts in told for one in sought_by(facts, () if facts.mrn else mrns.get(facts.lrn, ()))]


def issued_by(commands: Iterable[Command]) -> set[str]:
    """Licences that get a version in this batch, unless it is refused."""
    told = [command for command in commands if isinstance(command, LicenceCommand) and command.licence is not None]
    return {command.licence_id for command in told} | {part.licence_id for one in told for part in one.parts}


async def look_up(unit: Unit, wanted: Sequence[Sought], issued: Collection[str]) -> set[str]:
    """Known licences that these citations may mean, to be locked; locks the numbers where one may come."""
    ids = {licence_id for one in wanted if one.settled for licence_id in one.assumed}
    sure = set(unit.surely_known(ids | {*issued}))
    left = [one for one in wanted if not (one.settled and one.assumed <= sure)]
    cited = {number for one in left for number in one.numbers}
    fresh = [licence_id for licence_id in issued if licence_id not in sure]
    numbers = cited | {licence_number(licence_id) for licence_id in fresh}
    if not numbers:
        return set()
    known = set(await unit.known_under(numbers))
    coming = {number for one in left if one.waits and not one.assumed <= known for number in one.numbers}
    coming |= {licence_number(licence_id) for licence_id in fresh if licence_id not in known}
    if coming:
        await unit.lock_numbers(coming)
        known = set(await unit.known_under(numbers))
    return {licence_id for licence_id in known if licence_number(licence_id) in cited}
