"""Whether the tables are still guarded as the migrations left them: constraints, triggers, and what the role may write.

A change of rows that the guards would have refused needs them to be taken off; they are compared with a list that the
project keeps (`schema_guards.txt`), made from the migrations of this release.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from certex_bridge.operations.verify_finding import Finding
from certex_bridge.platform.migrations import list_migrations, load_queries

PACKAGE = "certex_bridge.operations"
LIST = "schema_guards.txt"
GUARDS = "guards of the tables"


@cache
def expected() -> frozenset[str]:
    """The lines of the kept list."""
    return frozenset(files(PACKAGE).joinpath(LIST).read_text("utf-8").splitlines())


def tables(lines: frozenset[str]) -> list[str]:
    """The tables that a list is about."""
    return sorted({line.split()[1].partition(".")[0] for line in lines if line.startswith("column ")})


async def described(connection: Any, names: list[str]) -> frozenset[str]:
    """The lines of the database, for these tables; others are none of ours."""
    rows = await connection.fetch(load_queries(PACKAGE, "verify_schema.sql")["guards"], names)
    return frozenset(row["line"] for row in rows)


async def guards(connection: Any) -> Finding:
    """What is missing, else what is there and should not be; a later release may have added something."""
    listed = expected()
    found = await described(connection, tables(listed))
    finding = Finding(GUARDS, examined=len(listed))
    for line in sorted(listed - found):
        finding.blame(f"missing: {line}")
    ours = [one.number for one in list_migrations()]
    if not await connection.fetchval(load_queries(PACKAGE, "verify_schema.sql")["newer"], ours):
        for line in sorted(found - listed):
            finding.blame(f"not of the migrations: {line}")
    return finding
