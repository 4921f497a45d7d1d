"""A relay that stands still between reading and sending, while its session ends and another one publishes newer versions."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.wire_feed import licence, until

LEADER = "FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = x'65780002'::bit(32)::bigint"


async def published(world: BridgeWorld) -> None:
    async def nothing_is_left() -> bool:
        return not await world.connection.fetchval("SELECT count(*) FROM unsent")

    await until(nothing_is_left, what="the outbox to be published")


async def version_is(world: BridgeWorld, number: int) -> None:
    async def there() -> bool:
        query = "SELECT version FROM licence WHERE licence_id = 'BE/A'"
        return bool(await world.connection.fetchval(query) == number)

    await until(there, what=f"version {number}")
    await published(world)


@pytest.mark.parametrize("begun", [False, True])
async def test_no_version_follows_a_newer_one(
    begun: bool, database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    """`begun`: it had published before, so that the broker knew it as the leader."""
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, roles="intake") as world:
        # Its watchdog must not end it first, however long the others take on a busy machine.
        paused = world.another(tmp_path / "paused.log", roles="relay", watchdog_stuck_seconds="3600")
        successor = world.another(tmp_path / "successor.log", roles="relay")

        async def somebody_leads() -> bool:
            return bool(await world.connection.fetchval(f"SELECT count(*) {LEADER}"))

        async def stands_still() -> bool:
            return paused.stands_still

        async def knows() -> bool:
            return "relay.waits" in (tmp_path / "paused.log").read_text("utf-8")

        try:
            await world.process.start()
            await paused.start(failpoint=f"relay.before_send:stop:{1 + begun}")
            await until(somebody_leads, what="the first relay to lead")
            if begun:
                await world.publish([licence("Z", "1")])
                await world.begun(1)
                await published(world)
            await world.publish([licence("A", "10")])
            await until(stands_still, what="the first relay to stand still")
            await successor.start()
            assert await world.connection.fetchval(f"SELECT pg_terminate_backend(pid, 60000) {LEADER}")
            await version_is(world, 1)
            await world.publish([licence("A", "20", version=2, kind="modified")])
            await version_is(world, 2)
            paused.send(signal.SIGCONT)
            await until(knows, what="the first relay to find out")
            await world.publish([licence("A", "30", version=3, kind="modified")])
            await version_is(world, 3)
            for committed in (True, False):
                newest: dict[str, int] = {}
                for message_id, _ in await world.messages(committed=committed):
                    aggregate, _, version = message_id.rpartition(":")
                    assert int(version) >= newest.get(aggregate, 0), f"{message_id} after {newest[aggregate]}"
                    newest[aggregate] = int(version)
                assert newest["certificate:BE/A"] == newest["balance:BE/A"] == 3
            assert paused.running
            await world.check_outputs()
        finally:
            paused.send(signal.SIGCONT)
            await paused.stop()
            await successor.stop()
