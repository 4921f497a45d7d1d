"""A worker speaks to the database and to no broker: it needs no address and no login there."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

from certex_bridge.platform.processes import free_port
from tests.support.killable import KillableBridge
from tests.support.wire_feed import until


async def test_a_worker_starts_and_is_ready_without_a_broker(database_url: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "serve.log"
    worker = KillableBridge(
        log,
        database_url=database_url,
        database_async_commit="true",  # the tests' server is not durable
        kafka_bootstrap_servers="",
        roles="worker",
        health_port=str(port),
    )

    def asked() -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:  # loopback
            status: int = answer.status
            return status

    async def ready() -> bool:
        assert worker.running, log.read_text("utf-8")
        try:
            return await asyncio.to_thread(asked) == 200
        except OSError:
            return False

    await worker.start()
    try:
        await until(ready, what="a worker that is ready")
    finally:
        assert await worker.stop() == 0


async def test_with_a_role_that_reads_the_broker_is_asked_for(database_url: str, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    both = KillableBridge(log, database_url=database_url, kafka_bootstrap_servers="", roles="worker,relay")
    await both.start()
    assert await both.died() == 2
    assert "CERTEX_KAFKA_BOOTSTRAP_SERVERS" in log.read_text("utf-8")
