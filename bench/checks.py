"""Exactness after a run: a rate counts only when every figure is right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import asyncpg

from bench.servers import Place
from bench.watching import readable
from certex_bridge.operations.verify import verify


class Inexact(Exception):
    """The ledger or the topics do not hold what was sent in."""


async def check(place: Place, *, declarations: int, items: int, quantity: Decimal) -> list[str]:
    """Prove that everything was booked once and published once; returns what was proven, one sentence each.

    Raises:
        Inexact: names what is wrong.
    """
    connection = await asyncpg.connect(place.database, timeout=30)
    try:
        proven = await _figures(connection, items, quantity)
        proven += await _published(connection, place, declarations)
    finally:
        await connection.close()
    report = await verify(place.database)
    if not report.ok:
        raise Inexact(f"the verifier found: {[(one.name, one.detail) for one in report.failed]}")
    return [*proven, f"the verifier is satisfied ({len(report.checks)} checks)"]


async def _figures(connection: Any, items: int, quantity: Decimal) -> list[str]:
    reserved = await connection.fetchval("SELECT sum(reserved) FROM account WHERE dim = 'QTY'")
    moved = await connection.fetchrow("SELECT count(*), sum(d_res) FROM movement WHERE kind = 'RESERVE'")
    claims = await connection.fetchval("SELECT count(*) FROM claim WHERE state = 'RESERVED'")
    found = {"accounts": reserved, "movements": moved[1]}
    for name, value in found.items():
        if value != quantity:
            raise Inexact(f"declared {quantity}, reserved by the {name} {value}")
    if moved[0] != items or claims != items:
        raise Inexact(f"{items} items declared, {moved[0]} movements, {claims} claims reserved")
    return [f"reserved = declared = {quantity} in {items:,} movements"]


async def _published(connection: Any, place: Place, declarations: int) -> list[str]:
    if unsent := await connection.fetchval("SELECT count(*) FROM unsent"):
        raise Inexact(f"{unsent} batches are not published")
    gaps = await connection.fetchval(
        "SELECT count(*) FROM (SELECT agg_type, agg_id FROM outbox WHERE agg_type IN ('balance', 'outcome') "
        "GROUP BY agg_type, agg_id HAVING count(*) <> max(agg_ver)) AS gap"
    )
    if gaps:
        raise Inexact(f"{gaps} aggregates have gaps in their versions")
    said = []
    for name, topic in (("outcome", "certex.outcomes.v1"), ("balance", "licensing.balances.v1")):
        written = await connection.fetchval("SELECT count(*) FROM outbox WHERE agg_type = $1", name)
        published = await readable(place, topic)
        if written != published or (name == "outcome" and published != declarations):
            raise Inexact(f"{written} messages of {topic} written, {published} on Kafka, {declarations} declarations")
        said.append(f"{published:,} {name}s")
    return [f"{' and '.join(said)} on Kafka, each once, versions without gaps"]
