"""Positions of partitions beside the ledger: set anew only by whoever saw what stands there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.platform.positions import HISTORIC, Cause, Gap, LogId, Place, Position
from certex_bridge.platform.postgres import load_queries


class GapRow(NamedTuple):
    """A gap as the database keeps it, with who accepted it; empty and None: nobody yet."""

    topic: str
    partition: int
    epoch: int
    from_record: int
    to_record: int
    is_open: bool
    """Reading stands still before it."""
    found_at: Any
    accepted_by: str | None
    reason: str | None
    accepted_at: Any


class PostgresPositions:
    """Positions in PostgreSQL."""

    def __init__(self, database: Any) -> None:
        """`database` is a pool, or one connection."""
        self._database = database
        self._queries = load_queries("certex_bridge.ledger.adapters.sql", "positions.sql")

    async def known(self, places: Collection[Place]) -> Mapping[Place, Position]:
        """What is known of these partitions."""
        rows = await self._database.fetch(self._queries["positions"], *_columns(places))
        return {(row[0], row[1]): Position(row[2], LogId(row[3], row[4]), row[5]) for row in rows}

    async def move(self, place: Place, before: Position | None, to: Position, cause: Cause) -> bool:
        """Set anew what is still `before`; one statement, so that history and position are written together."""
        if before is None:
            made = await self._database.fetch(self._queries["begin_position"], *place, to.next_record, *to.log)
            return bool(made)
        told = (before.next_record, before.epoch, to.next_record, *to.log, to.epoch, cause.value, cause in HISTORIC)
        return bool(await self._database.fetch(self._queries["move_position"], *place, *told))

    async def gap(self, gap: Gap, log: LogId) -> int | None:
        """Remember it, and how far it is accepted."""
        await self._database.execute(self._queries["write_gap"], *gap, *log)
        accepted: int | None = await self._database.fetchval(self._queries["accepted_to"], *gap[:4])
        return accepted

    async def gaps(self) -> list[GapRow]:
        """Every gap there ever was, oldest first."""
        return [GapRow(*row) for row in await self._database.fetch(self._queries["gaps"])]

    async def accept(self, gap: Gap, by: str, reason: str) -> None:
        """Let reading go on behind a gap that was found.

        Raises:
            asyncpg.UniqueViolationError: it was accepted before.
        """
        await self._database.execute(self._queries["accept_gap"], *gap, by, reason)


class InMemoryPositions:
    """Positions in the store in memory."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    async def known(self, places: Collection[Place]) -> Mapping[Place, Position]:
        """What is known of these partitions."""
        held = self._store.contents.positions
        return {place: held[place] for place in places if place in held}

    async def move(self, place: Place, before: Position | None, to: Position, cause: Cause) -> bool:
        """Set anew what is still `before`."""
        held = self._store.contents
        if held.positions.get(place) != before:
            return False
        held.positions[place] = to
        if before is not None and cause in HISTORIC:
            held.position_history.append((place, before, cause, to.next_record))
        return True

    async def gap(self, gap: Gap, log: LogId) -> int | None:
        """Remember it, and how far it is accepted."""
        held = self._store.contents
        held.gaps.setdefault(gap, log)
        return max((one.to_record for one in held.gaps_accepted if one[:4] == gap[:4]), default=None)


def _columns(places: Collection[Place]) -> tuple[list[str], list[int]]:
    return [place[0] for place in places], [place[1] for place in places]
