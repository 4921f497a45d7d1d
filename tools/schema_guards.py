"""Writes `services/certex_bridge/operations/schema_guards.txt`: what the migrations make, for `journal verify`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import asyncpg

from certex_bridge.operations.verify_schema import LIST, described
from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.migrations import migrate

FILE = Path(__file__).resolve().parent.parent / "services/certex_bridge/operations" / LIST


async def listed(url: str) -> str:
    """The list of a database that was just migrated: all its tables."""
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        lines = await described(connection, [row["tablename"] for row in names])
    finally:
        await connection.close()
    return "\n".join(sorted(lines)) + "\n"


async def main() -> None:
    """Migrate an empty database and write its list."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        await server.start()
        try:
            await migrate(server.url)
            FILE.write_text(await listed(server.url), "utf-8")
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
