"""Whether the seals are a chain, are what was published of them, and whether what they tell of is still as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.operations.seals import Rows, Seal, is_signed, read_body, read_line
from certex_bridge.operations.verify_finding import UNREADABLE, Finding
from certex_bridge.operations.verify_heads import EVER, of_written
from certex_bridge.platform.migrations import load_queries

PAGE_SEALS = 500
PAGE_ROWS = 200_000
"""Rows compared in one statement, unless a single seal covers more."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Witness:
    """What is known of the seals outside of the database."""

    seals: Mapping[int, Seal] = field(default_factory=dict)
    """Published seals that were kept, by number."""
    keys: Sequence[Ed25519PublicKey] = ()
    """Keys that may have signed; with any, every seal must be signed by one."""


@dataclass(frozen=True, slots=True)
class _Window:
    number: int
    since: datetime
    as_of: datetime
    rows: tuple[Rows, ...]


class SealsCheck:
    """Reads the seals in pages, each in a snapshot of its own, and compares what was written with them."""

    def __init__(self, connection: Any, witness: Witness, told: Told, after: Seal | None = None) -> None:
        """`after` is a seal that is known to be right: only later ones are looked at."""
        self._connection = connection
        self._witness = witness
        self._told = told
        self._queries = load_queries("certex_bridge.operations", "seals.sql")
        self._chained = Finding("chain of seals")
        self._rows = Finding("rows as sealed")
        self._kept = Finding("seals kept outside")
        self._after = after
        self._last = after.number if after else 0
        self._chain, self._as_of = (after.chain, after.as_of) if after else (GENESIS.hex(), EVER)

    async def findings(self) -> list[Finding]:
        """The checks; the third only with a witness."""
        total = await self._connection.fetchval("SELECT count(*) FROM seal WHERE seal_no > $1", self._last)
        await self._begin()
        while rows := await self._connection.fetch(self._queries["page"], self._last, PAGE_SEALS):
            windows = [window for row in rows if (window := self._one(row))]
            await self._compare(windows)
            self._last = rows[-1]["seal_no"]
            self._told(self._rows.name, self._chained.examined, total)
        self._missing()
        witness = self._witness
        outside = witness.seals or witness.keys or self._after
        return [self._chained, self._rows] + ([self._kept] if outside else [])

    async def _begin(self) -> None:
        """The seal to go on from must still be the one that was kept."""
        if self._after is not None:
            self._kept.examined += 1
            found = await self._connection.fetch(self._queries["page"], self._last - 1, 1)
            if [(row["seal_no"], row["chain"]) for row in found] != [(self._last, self._chain)]:
                self._kept.blame(f"seal {self._last} is another than the one kept")

    def _one(self, row: Mapping[str, Any]) -> _Window | None:
        self._chained.examined += 1
        name = f"seal {row['seal_no']}"
        try:
            number, since, as_of, rows = read_line(row["line"])
            value = chain(bytes.fromhex(self._chain), row["line"].encode()).hex()
            published = read_body(json.loads(row["body"]))
        except UNREADABLE as error:
            self._chained.blame(f"{name} or its message cannot be read: {error}")
            return None
        if number != row["seal_no"] or as_of != row["as_of"] or since != self._as_of or value != row["chain"]:
            self._chained.blame(f"{name} does not follow from the one before")
        if published.chain != row["chain"] or (published.key_id, published.signature) != (
            row["key_id"],
            row["signature"],
        ):
            self._chained.blame(f"{name} is not what was published")
        self._outside(name, row)
        self._chain, self._as_of = row["chain"], as_of
        return _Window(number, since, as_of, rows)

    def _outside(self, name: str, row: Mapping[str, Any]) -> None:
        kept = self._witness.seals.get(row["seal_no"])
        if kept is not None:
            self._kept.examined += 1
            if kept.chain != row["chain"]:
                self._kept.blame(f"{name} is another than the one kept")
        keys = self._witness.keys
        if keys:
            self._kept.examined += 1
            if not is_signed(row["chain"], row["key_id"], row["signature"], keys):
                self._kept.blame(f"{name} is not signed by any of the keys")

    async def _compare(self, windows: Sequence[_Window]) -> None:
        part: list[_Window] = []
        number = 0
        for window in windows:
            rows = sum(row[1] for row in window.rows)
            if part and number + rows > PAGE_ROWS:
                await self._compare_part(part)
                part, number = [], 0
            part.append(window)
            number += rows
        if part:
            await self._compare_part(part)

    async def _compare_part(self, windows: Sequence[_Window]) -> None:
        begins = [window.since for window in windows]
        found = await self._connection.fetch(of_written("by_window"), begins[0], windows[-1].as_of, begins)
        now = {(row["place"], row["name"]): (row["number"], row["digest"]) for row in found}
        for place, window in enumerate(windows, start=1):
            sealed = {table: (rows, digest) for table, rows, digest in window.rows}
            there = {name: rows for (where, name), rows in now.items() if where == place}
            self._rows.examined += sum(rows for rows, _ in sealed.values())
            for table in sorted({*sealed, *there}):
                self._rows.blame(_difference(window, table, sealed.get(table, (0, "")), there.get(table, (0, ""))))

    def _missing(self) -> None:
        """Seals that were published and are not there any more."""
        for number in self._witness.seals:
            if number > self._last:
                self._kept.blame(f"seal {number} is gone")


def _difference(window: _Window, table: str, sealed: tuple[int, str], there: tuple[int, str]) -> str:
    if sealed == there:
        return ""
    told = f"{table} from {window.since.isoformat()} to {window.as_of.isoformat()} (seal {window.number})"
    if sealed[0] != there[0]:
        return f"{told}: {sealed[0]} rows were written, {there[0]} are there"
    return f"{told}: a row of {sealed[0]} is not what was written"
