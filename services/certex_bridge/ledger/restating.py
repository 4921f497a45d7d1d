"""Locks for a licence that is restated in euro: the declarations whose claims have a value on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.redenomination import in_replaced, restates
from certex_bridge.ledger.ports import Unit
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.platform.database_errors import Overtaken


async def to_restate(unit: Unit, commands: Iterable[Command]) -> list[str]:
    """Licences that a version may restate; looked at without a lock."""
    told = [command.licence for command in commands if isinstance(command, LicenceCommand)]
    candidates = {licence.licence_id for licence in told if licence is not None and restates(licence)}
    if not candidates:
        return []
    known = await unit.peek_licences(candidates)
    return sorted(licence_id for licence_id, state in known.items() if state.licence and in_replaced(state.licence))


async def holders(unit: Unit, licence_ids: Collection[str]) -> set[str]:
    """Declarations to be locked with them."""
    return set(await unit.value_holders(licence_ids)) if licence_ids else set()


async def confirm(unit: Unit, licence_ids: Collection[str], locked: Collection[str]) -> None:
    """Under the licences' locks: nobody else has a value on them.

    Raises:
        Overtaken: another claim came between the look and the lock.
    """
    if not set(locked) >= await holders(unit, licence_ids):
        raise Overtaken("a licence to be restated in euro got another claim meanwhile")
