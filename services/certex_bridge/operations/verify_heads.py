"""Heads of a ledger: taking them, and whether everything they tell of is still there as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from certex_bridge.operations.heads import Heads
from certex_bridge.operations.verify_finding import Finding
from certex_bridge.platform.migrations import load_queries

PLACES = 5000
"""Licences looked up at a time."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything that was written."""

SESSION = """SET statement_timeout = 0; SET work_mem = '64MB'; SET jit = off;
SET plan_cache_mode = force_custom_plan;
SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SET extra_float_digits = 1"""
"""How a session writes values as text: hashes must not depend on the server's or the role's defaults."""


def heads_queries() -> dict[str, str]:
    """The statements by name."""
    return load_queries("certex_bridge.operations", "heads.sql")


def of_written(query: str) -> str:
    """A query over what was written between two instants, $1 and $2."""
    queries = heads_queries()
    return f"WITH written AS (\n{queries['written']})\n{queries[query]}"


async def take_heads(connection: Any) -> Heads:
    """The heads of the ledger on this connection, in one snapshot."""
    await connection.execute(SESSION)
    # Before the snapshot: a transaction that ends between the two would be in neither.
    as_of = await connection.fetchval(heads_queries()["as_of"])
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await connection.fetch(heads_queries()["licences"])
        return Heads(as_of, {row[0]: (row[1], row[2]) for row in found}, await _rows(connection, as_of))


async def _rows(connection: Any, as_of: Any) -> dict[tuple[str, str], tuple[int, str]]:
    found = await connection.fetch(of_written("by_day"), EVER, as_of)
    return {(row["name"], row["day"]): (row["number"], row["digest"]) for row in found}


async def compare_licences(connection: Any, heads: Heads) -> Finding:
    """Every journal still goes through its head."""
    finding = Finding("heads of licences")
    for places in _in_parts(heads):
        for row in await connection.fetch(heads_queries()["at_heads"], *map(list, zip(*places, strict=True))):
            finding.examined += 1
            name = f"licence {row['licence_id']}"
            if not row["known"]:
                finding.blame(f"{name} is gone")
            elif row["lv"] and row["chain"] is None:
                finding.blame(f"{name} was at lv {row['lv']}; its journal does not get there")
            elif row["lv"] and row["chain"] != row["told"]:
                finding.blame(f"{name}: its journal up to lv {row['lv']} is another")
    return finding


def _in_parts(heads: Heads) -> list[list[tuple[str, int, str]]]:
    places = [(licence_id, *place) for licence_id, place in heads.licences.items()]
    return [places[start : start + PLACES] for start in range(0, len(places), PLACES)]


async def compare_rows(connection: Any, heads: Heads) -> Finding:
    """What was written before the heads is still that, row for row, and nothing was put in between."""
    finding = Finding("rows since the heads")
    now = await _rows(connection, heads.as_of)
    for group in sorted({*now, *heads.rows}):
        number, digest = heads.rows.get(group, (0, ""))
        left, other = now.get(group, (0, ""))
        finding.examined += number
        if left != number:
            finding.blame(f"{group[0]} of {group[1]}: {number} rows were written, {left} are there")
        elif other != digest:
            finding.blame(f"{group[0]} of {group[1]}: a row of {number} is not what was written")
    return finding
