"""Changes of status on their way to subscribers, of the ledger in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, cast

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.stored import StatusRecord

_FINISHED = frozenset({"RELEASED", "NOT_RELEASED", "INVALIDATED", "REJECTED", "NOT_PRESENTED"})


class Undoing(Protocol):
    """A transaction in memory."""

    undo: list[Callable[[], None]]
    """What to do when it fails, newest last."""


class InMemoryStatusChanges:
    """The same promises as the adapter on PostgreSQL."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def waiting(self) -> bool:
        """Whether there are changes nobody was told of."""
        return bool(self._store.contents.status_unsent)

    async def take(self, transaction: object, limit: int) -> list[StatusRecord]:
        """The oldest changes nobody was told of, in order; put back when the transaction fails."""
        async with self._store.transaction() as unit:
            held = unit.contents
            taken, held.status_unsent = held.status_unsent[:limit], held.status_unsent[limit:]

        def put_back() -> None:
            self._store.contents.status_unsent[:0] = taken

        cast("Undoing", transaction).undo.append(put_back)
        return [held.status_records[key] for key in taken]

    async def open_claims(self, transaction: object, licence_ids: Collection[str]) -> list[OpenClaim]:  # noqa: ARG002  # the lock is all there is
        """Claims of these licences whose customs office still has an interest."""
        async with self._store.transaction() as unit:
            return await unit.open_claims(licence_ids)

    async def finished(self, transaction: object, declarations: Collection[str]) -> set[str]:  # noqa: ARG002  # as above
        """Those of the declarations that wait for no licence any more."""
        held = self._store.contents.declarations
        known = [held[name] for name in declarations if name in held]
        return {one.decl_id for one in known if one.joined or declaration_state(one.facts) in _FINISHED}
