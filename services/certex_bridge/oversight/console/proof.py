"""The proof of a journal: each row's hash is computed anew from the one before and the row's own content."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.ledger.domain.journal import entry_text

FIRST = GENESIS.hex()
_LINK = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch
CHUNK = 500
"""Rows computed before other requests of the process have their turn."""


def computed(before: str, row: Mapping[str, Any]) -> str:
    """The hash a row must have after this one; empty when the one before is none, or a figure is no figure."""
    deltas = (row["d_cap"], row["d_res"], row["d_cons"], row["d_over"])
    if not _LINK(before) or not all(delta.is_finite() for delta in deltas):
        return ""
    place = (row["licence_id"], row["lv"], row["seq"], row["line_no"], row["dim"], row["kind"])
    text = entry_text(*place, row["event_id"], row["claim"], deltas, row["at"], row["detail"])
    return chain(bytes.fromhex(before), text).hex()


def marked(before: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of the journal, each with `proved`; `before` is the hash before the first."""
    told = []
    for row in rows:
        told.append({**row, "proved": computed(before, row) == row["chain"]})
        before = row["chain"]
    return told


@dataclass(slots=True)
class Proof:
    """What a walk over a whole journal found."""

    rows: int = 0
    broken: str = ""
    """Place (version.position) of the first row whose hash is another."""
    head: str = FIRST
    """Hash of the last row."""

    async def walk(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Go on with further rows."""
        for row in rows:
            if computed(self.head, row) != row["chain"] and not self.broken:
                self.broken = f"{row['lv']}.{row['seq']}"
            self.head = row["chain"]
            self.rows += 1
            if self.rows % CHUNK == 0:
                await asyncio.sleep(0)
