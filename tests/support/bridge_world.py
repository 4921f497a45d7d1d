"""A database, topics and one bridge process for a test, with the checks that end every story."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.operations.verify import verify
from certex_bridge.platform.kafka import Publisher, Record, ensure_topics
from certex_bridge.platform.settings import Settings
from tests.support.killable import KillableBridge
from tests.support.topic_reading import read_topics
from tests.support.wire_feed import settled, until

_SESSION_MS = "1500" if os.environ.get("CERTEX_TEST_KAFKA") == "apache" else "6000"
"""How long a killed member keeps its partitions; the embedded broker allows nothing shorter."""


class BridgeWorld:
    """What a test of the whole bridge needs."""

    def __init__(self, settings: Settings, database_url: str, log: Path, **more: str) -> None:
        self.settings = settings
        self.database_url = database_url
        self.log = log
        self.process = self.another(log, **more)
        self.connection: asyncpg.Connection[Any]
        self.publisher = Publisher(settings)

    def another(self, log: Path, **more: str) -> KillableBridge:
        """One more process on the same topics and database."""
        return KillableBridge(
            log,
            kafka_bootstrap_servers=self.settings.kafka_bootstrap_servers,
            database_url=self.database_url,
            topic_prefix=self.settings.topic_prefix,
            kafka_group=self.settings.kafka_group,
            kafka_session_timeout_ms=_SESSION_MS,
            kafka_heartbeat_ms="400",
            batch_records_max="4",
            worker_poll_ms="100",
            database_async_commit="true",  # the run's PostgreSQL is not durable; processes are killed, not machines
            **more,
        )

    async def publish(self, records: Sequence[Record]) -> None:
        """Put records on the topics."""
        errors = await self.publisher.send_all(records)
        assert errors == [None] * len(records), errors

    async def settle(self, events: int, quarantined: int = 0) -> None:
        """Wait until so many events are in and all is published; the process must not die meanwhile."""

        async def done() -> bool:
            assert self.process.running, "the process ended"
            return await settled(self.connection, events, quarantined)

        await until(done, what=f"{events} events settled")

    async def begun(self, events: int) -> None:
        """Wait until so many events are in."""

        async def done() -> bool:
            return int(await self.connection.fetchval("SELECT count(*) FROM inbox")) >= events

        await until(done, what=f"{events} events in")

    async def balances(self) -> dict[str, str]:
        """reserved/consumed/available of each licence's first line."""
        rows = await self.connection.fetch(
            "SELECT licence_id, trim_scale(reserved)::text, trim_scale(consumed)::text, trim_scale(available)::text "
            "FROM account WHERE line_no = 1"
        )
        return {row[0]: "/".join(row[1:]) for row in rows}

    async def reasons(self, decl_id: str) -> str:
        """Reason codes of a declaration's open claims."""
        query = "SELECT string_agg(reasons, ' ') FROM claim WHERE decl_id = $1 AND state <> 'CLOSED'"
        return str(await self.connection.fetchval(query, decl_id))

    async def messages(self, *topics: str, committed: bool = True) -> list[tuple[str, bytes]]:
        """(message id, body) of everything on the outgoing topics, or on these, in order of each partition.

        Not `committed`: also what was written in transactions that were given up.
        """
        records = await read_topics(self.settings, *(topics or TOPIC_OF.values()), committed=committed)
        return [(dict(record.headers)["ce_id"].decode(), record.value or b"") for record in records]

    async def check_outputs(self) -> None:
        """Every outbox row comes to be published, repeats have equal bytes, firsts are in order, the verifier agrees."""

        async def published() -> bool:
            return int(await self.connection.fetchval("SELECT count(*) FROM unsent")) == 0

        await until(published, what="the publishing of the outbox")
        # Seals come by the clock, also between this look and the next.
        rows = await self.connection.fetch(
            "SELECT agg_type, agg_id, agg_ver, body FROM outbox WHERE agg_type <> 'seal'"
        )
        expected = {f"{row[0]}:{row[1]}:{row[2]}": row[3] for row in rows}
        seen: dict[str, bytes] = {}
        last: dict[str, int] = {}
        for message_id, body in await self.messages():
            if message_id in seen:
                assert seen[message_id] == body
                continue
            seen[message_id] = body
            aggregate, _, version = message_id.rpartition(":")
            assert int(version) == last.get(aggregate, 0) + 1, f"{message_id} out of order"
            last[aggregate] = int(version)
        found = {one: body for one, body in seen.items() if not one.startswith("seal:")}
        assert found.keys() == expected.keys(), f"missing or unknown: {sorted(found.keys() ^ expected.keys())}"
        assert found == expected
        report = await verify(self.database_url)
        assert report.ok, [check for check in report.checks if not check.ok]


@asynccontextmanager
async def bridge_world(
    database_url: str, bootstrap_servers: str, prefix: str, folder: Path, **more: str
) -> AsyncIterator[BridgeWorld]:
    """Topics and connections; the process is started by the test and ended here."""
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        topic_prefix=prefix,
        kafka_group=prefix + "bridge",
        topics_create=True,
    )
    await ensure_topics(settings)
    world = BridgeWorld(settings, database_url, folder / "serve.log", **more)
    world.connection = await asyncpg.connect(database_url)
    try:
        yield world
    finally:
        await world.process.stop()
        await world.publisher.stop()
        await world.connection.close()
