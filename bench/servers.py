"""Kafka and PostgreSQL for one run: given by the environment, else started here; one database and topic prefix a part."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.kafka import TopicCatalogue, ensure_topics
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.settings import Settings

KAFKA_VERSION = "4.3.1"
"""Of the broker that is started here."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and what they are."""

    kafka: str
    database: str
    folder: Path
    """Scratch space of this run, on the disk that the database writes to when it was started here."""
    kafka_name: str
    kafka_pid: int | None = None
    """Of a broker that was started here."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a topic prefix of their own for one part of the run."""

    settings: Settings
    database: str
    environment: dict[str, str]
    """For processes of the bridge."""

    def topic(self, name: str) -> str:
        """A topic's name at the broker."""
        return self.settings.topic_prefix + name


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """The servers named by the environment, else Apache Kafka and a durable PostgreSQL of our own.

    Raises:
        ServerFailed: a server cannot be started.
    """
    # Not tempfile's default alone: /tmp may be memory, and then nothing would ever reach a disk.
    folder = Path(tempfile.mkdtemp(prefix="certex-bench-", dir=os.environ.get("CERTEX_BENCH_DIR")))
    kafka, database = os.environ.get("CERTEX_KAFKA_BOOTSTRAP_SERVERS"), os.environ.get("CERTEX_DATABASE_URL")
    try:
        async with AsyncExitStack() as stack:
            kafka_name, kafka_pid = "given", None
            if not database:
                database = (await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))).url
            if not kafka:
                from tests.support.kafka_server import KafkaServer

                server = await stack.enter_async_context(KafkaServer(folder / "kafka"))
                kafka, kafka_pid = server.bootstrap_servers, server.pid
                kafka_name = f"Apache Kafka {KAFKA_VERSION}"
            yield Servers(kafka, database, folder, kafka_name, kafka_pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def place(where: Servers, part: str) -> AsyncIterator[Place]:
    """A fresh migrated database and fresh topics, removed at the end.

    Raises:
        asyncpg.PostgresError: the user may not create databases.
        KafkaError: the broker refuses topics.
    """
    name = f"certex_bench_{part}_{secrets.token_hex(3)}"
    await _admin_sql(where.database, f'CREATE DATABASE "{name}"')
    try:
        url = _database_url(where.database, name)
        settings = bench_settings(where.kafka, url, name.replace("_", "-") + ".")
        await migrate(url)
        await ensure_topics(settings, create=True)
        try:
            yield Place(settings, url, _environment(settings, url))
        finally:
            await _delete_topics(settings)
    finally:
        await _admin_sql(where.database, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def bench_settings(kafka: str, url: str, prefix: str) -> Settings:
    """The settings of the environment, at these servers, with names of their own."""
    return Settings.load(
        kafka_bootstrap_servers=kafka,
        database_url=url,
        topic_prefix=prefix,
        kafka_group=prefix + "bridge",
        log_level="WARNING",
        http_port=0,
    )


def _environment(settings: Settings, url: str) -> dict[str, str]:
    return os.environ | {
        "CERTEX_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "CERTEX_DATABASE_URL": url,
        "CERTEX_TOPIC_PREFIX": settings.topic_prefix,
        "CERTEX_KAFKA_GROUP": settings.kafka_group,
        "CERTEX_LOG_LEVEL": "WARNING",
        "CERTEX_HTTP_PORT": "0",
        "CERTEX_HEALTH_PORT": "0",
    }


def _database_url(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


async def _admin_sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _delete_topics(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([settings.topic_prefix + spec.name for spec in TopicCatalogue.load()])
    finally:
        await admin.close()
