"""Positions of database and Kafka drift apart, each way in which they do: nothing is passed over without a word."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from typer.testing import CliRunner

from certex_bridge.operations import cli, terminal
from certex_bridge.operations.verify import verify
from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.kafka import create_consumer, ensure_topics
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.processes import free_port
from certex_bridge.platform.settings import Settings
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.wire_feed import DECLARATIONS, declaration, licence, until

BEGIN = [licence("A", "1000"), *(declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(1, 31))]
LATER = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(31, 61)]


@pytest.fixture(autouse=True)
def fresh_console() -> Iterator[None]:
    terminal.console.cache_clear()
    yield
    terminal.console.cache_clear()


def said(world: BridgeWorld, *words: str) -> Any:
    """Whether one line of the log has all these words."""

    async def found() -> bool:
        text = world.log.read_text("utf-8") if world.log.exists() else ""
        return any(all(word in line for word in words) for line in text.splitlines())

    return found


async def admin_of(settings: Settings) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    return admin


async def held_back(world: BridgeWorld) -> dict[int, int]:
    rows = await world.connection.fetch(
        "SELECT partition, next_record FROM consumer_offset WHERE topic = $1", DECLARATIONS
    )
    return {row[0]: row[1] for row in rows}


def certex(status: int, *arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == status, f"{result.output} {result.exception}"
    return result.output


def environment(monkeypatch: pytest.MonkeyPatch, world: BridgeWorld) -> None:
    for name in ("kafka_bootstrap_servers", "topic_prefix", "kafka_group"):
        monkeypatch.setenv(f"CERTEX_{name.upper()}", getattr(world.settings, name))
    monkeypatch.setenv("CERTEX_DATABASE_URL", world.database_url)


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[OwnServer]:
    server = OwnServer(tmp_path)
    await server.start("data")
    try:
        yield server
    finally:
        await server.stop()


class OwnServer:
    """A PostgreSQL that can be put back to an earlier moment, at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._name = ""
        self._server: EmbeddedPostgres

    async def start(self, name: str) -> None:
        self._name = name
        self._server = EmbeddedPostgres(self._folder / name, durable=False, port=self._port)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def keep(self, name: str) -> None:
        """Keep what it holds now under a name."""
        await self.stop()
        await asyncio.to_thread(shutil.copytree, self._folder / self._name, self._folder / name)
        await self.start(self._name)

    async def put_back(self, world: BridgeWorld, name: str) -> None:
        """What it held then answers under the same address."""
        await self.stop()
        await self.start(name)
        world.connection = await asyncpg.connect(world.database_url)

    async def migrated(self) -> str:
        """Address of a database with the ledger's tables."""
        url = self._server.database_url("postgres")
        await migrate(url)
        return url


async def test_a_restored_database_is_given_what_it_lacks_though_the_group_is_ahead(
    own_server: OwnServer, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    url = await own_server.migrated()
    async with bridge_world(url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        assert await world.process.stop() == 0
        await own_server.keep("then")
        world.connection = await asyncpg.connect(url)
        await world.process.start()
        await world.publish(LATER)
        await world.settle(61)
        assert await world.process.stop() == 0
        await own_server.put_back(world, "then")
        await world.process.start()
        await world.settle(61)
        assert await world.balances() == {"BE/A": "60/0/940"}
        assert await said(world, "the database is behind the group", DECLARATIONS, "warning")()
        assert (await verify(url)).ok
        assert await world.process.stop() == 0


async def test_a_database_that_goes_back_under_the_running_bridge_is_noticed_without_a_new_record(
    own_server: OwnServer, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    url = await own_server.migrated()
    async with bridge_world(url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        await own_server.keep("then")
        world.connection = await asyncpg.connect(url)
        await world.publish(LATER)
        await world.settle(61)
        await own_server.put_back(world, "then")
        await world.settle(61)
        assert await world.balances() == {"BE/A": "60/0/940"}
        assert await said(world, "the database went back", DECLARATIONS, "error")()
        assert (await verify(url)).ok
        assert await world.process.stop() == 0


async def test_numbers_of_another_cluster_are_not_believed(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        assert await world.process.stop() == 0
        await world.publish(LATER)
        # The other cluster had been read further than this one: to believe it would pass over records.
        await world.connection.execute(
            "UPDATE consumer_offset SET cluster_id = 'another', topic_id = '', next_record = next_record + 1"
        )
        await world.process.start()
        await world.settle(61)
        assert await world.balances() == {"BE/A": "60/0/940"}
        rows = await world.connection.fetch("SELECT cluster_id, cause, moved_to FROM position_history")
        assert {tuple(row) for row in rows} == {("another", "OTHER_LOG", 0)}
        assert (await verify(world.database_url)).ok
        assert await world.process.stop() == 0


@pytest.mark.kafka_only
async def test_a_topic_made_anew_is_read_from_its_beginning_and_the_old_position_is_kept_as_history(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        assert await world.process.stop() == 0
        before = await held_back(world)
        admin = await admin_of(world.settings)
        try:
            await admin.delete_topics([topic_prefix + DECLARATIONS])

            async def gone() -> bool:
                return topic_prefix + DECLARATIONS not in await admin.list_topics()

            await until(gone, what="the topic's end")
        finally:
            await admin.close()
        await ensure_topics(world.settings)
        await world.publisher.stop()  # the next one counts its records of the new topic from 0
        more = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(31, 121)]
        await world.publish(more)  # more than the old log had: its numbers alone tell nothing
        await world.process.start()
        await world.settle(121)
        assert await world.balances() == {"BE/A": "120/0/880"}
        rows = await world.connection.fetch("SELECT partition, next_record, cause, moved_to FROM position_history")
        assert {row[0]: row[1] for row in rows} == before
        assert {tuple(row[2:]) for row in rows} == {("OTHER_LOG", 0)}
        assert await said(world, "is another log", "error")()
        assert (await verify(world.database_url)).ok
        assert await world.process.stop() == 0


@pytest.mark.kafka_only
async def test_what_the_log_lost_before_it_was_read_is_named_until_somebody_accepts_it(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        environment(monkeypatch, world)
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        assert await world.process.stop() == 0
        await world.publish(LATER)
        partition, start = min((await held_back(world)).items())
        admin = await admin_of(world.settings)
        try:
            place = TopicPartition(topic_prefix + DECLARATIONS, partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=start + 2)})
        finally:
            await admin.close()
        await world.process.start()
        gap = f"{DECLARATIONS} partition {partition}: records {start} to {start + 1}"
        await until(said(world, gap, "never read", "error"), what="the word about the gap")
        await world.settle(61 - await waiting(world, partition, start))  # other partitions go on
        failed = [check.detail for check in (await verify(world.database_url)).checks if not check.ok]
        assert failed == [f"{gap} were never read"]
        shown = json.loads(await asyncio.to_thread(certex, 1, "positions", "show", "--json"))
        (found,) = shown["gaps"]
        assert (found["from_record"], found["to_record"], found["is_open"]) == (start, start + 2, True)
        (row,) = [row for row in shown["positions"] if (row["topic"], row["partition"]) == (DECLARATIONS, partition)]
        assert (row["next_record"], row["log_first"], row["committed"]) == (start, start + 2, start)
        assert gap in await asyncio.to_thread(certex, 1, "positions", "show")
        named = ("positions", "accept", DECLARATIONS, str(partition), "--from", str(start))
        because = ("--reason", "the senders repeat them", "--by", "ann")
        await asyncio.to_thread(certex, 1, *named, "--to", str(start + 1), *because)
        await asyncio.to_thread(certex, 0, *named, "--to", str(start + 2), *because)
        await world.settle(59)
        report = await verify(world.database_url)
        assert report.ok
        (check,) = [check for check in report.checks if check.name == "records never read"]
        assert f"{gap} were never read, accepted by ann" in check.detail
        assert "the senders repeat them" in check.detail
        assert "accepted by ann" in await asyncio.to_thread(certex, 0, "positions", "show")
        assert await world.process.stop() == 0


async def waiting(world: BridgeWorld, partition: int, start: int) -> int:
    """Records of a partition that were not read, those that are gone included."""
    sent = len(BEGIN) + len(LATER) - 1
    read = sum((await ends(world)).values())
    assert read == sent
    return (await ends(world))[partition] - start


async def ends(world: BridgeWorld) -> dict[int, int]:
    consumer = create_consumer(world.settings, DECLARATIONS)
    await consumer.start()
    try:
        found = await consumer.end_offsets([*consumer.assignment()])
        return {one.partition: end for one, end in found.items()}
    finally:
        await consumer.stop()


@pytest.mark.kafka_only
async def test_partitions_added_while_running_are_read(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    quick = {"kafka_metadata_ms": "300"}
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, **quick) as world:
        await world.process.start()
        await world.publish(BEGIN)
        await world.settle(31)
        admin = await admin_of(world.settings)
        try:
            wide = len(await ends(world)) * 3
            await admin.create_partitions({topic_prefix + DECLARATIONS: NewPartitions(wide)})
        finally:
            await admin.close()

        async def known() -> bool:
            return len(await ends(world)) == wide

        await until(known, what="the new partitions")
        await world.publisher.stop()
        await world.publish(LATER)
        await world.settle(61)
        assert max(await held_back(world)) >= wide / 3
        assert await world.process.stop() == 0
