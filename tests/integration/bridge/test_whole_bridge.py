"""The whole bridge in a process of its own: events in, documents and balances out, orderly and disorderly ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from certex_bridge.platform.kafka import Record
from certex_bridge.platform.xsd import Validator
from tests.support.bridge_world import bridge_world
from tests.support.kafka_server import KafkaServer
from tests.support.wire_feed import DECLARATIONS, declaration, event, licence, mrn

STORY = [
    licence("A", "100"),
    declaration(1, "accepted", 1, {"A": "40"}),
    declaration(2, "accepted", 2, {"A": "106"}),
    declaration(3, "accepted", 3, {"B": "5"}),
    declaration(1, "released", 4),
    declaration(1, "accepted", 1, {"A": "40"}),
    declaration(4, "accepted", 5, {"A": "10"}),
    Record(DECLARATIONS, mrn(9).encode(), b"{not json", (("ce_id", b"bad"),)),
    declaration(4, "invalidated", 6),
    licence("B", "7"),
    licence("A", "105", version=2, kind="modified"),
    declaration(5, "accepted", 7, {"A": "1", "B": "2"}),
]
EVENTS, QUARANTINED = 10, 1
BALANCES = {"BE/A": "1/40/64", "BE/B": "7/0/0"}


async def test_events_in_documents_and_balances_out(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish(STORY)
        await world.settle(EVENTS, QUARANTINED)
        assert await world.balances() == BALANCES
        await world.check_outputs()
        certificate, movement = Validator("certificate", 1), Validator("quantity-movement", 1)
        for message_id, body in await world.messages():
            if message_id.startswith("certificate:"):
                certificate.validate(body)
            elif message_id.startswith("outcome:"):
                movement.validate(body)
        assert await world.reasons(mrn(2)) == "QUANTITY_EXCEEDED"
        assert await world.process.stop() == 0


@pytest.mark.row("E157", "E159")
async def test_every_bad_input_has_a_code_and_the_stream_goes_on(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    kind = "customs.declaration.accepted.v1"
    at = "2026-03-01T08:00:00Z"
    bad = {
        "JSON_SYNTAX": event(DECLARATIONS, "k", "b1", kind, b"{", at),
        "TYPE_UNKNOWN": event(DECLARATIONS, "k", "b2", "customs.declaration.unheard.v1", {"mrn": mrn(1)}, at),
        "MRN_INVALID": event(DECLARATIONS, "k", "b3", kind, {"mrn": "26be0000000000001"}, at),
        "JSON_DUPLICATE_KEY": event(DECLARATIONS, "k", "b4", kind, b'{"mrn":"a","mrn":"b"}', at),
        "NO_EVENT_ID": Record(DECLARATIONS, b"k", b"{}", (("ce_specversion", b"1.0"),)),
        "NULL_VALUE": Record(DECLARATIONS, b"k", None, ()),
    }
    refused = declaration(7, "accepted", 1, {"A": "0"})
    conflict = declaration(8, "accepted", 1, {"A": "1"})
    other = declaration(8, "accepted", 1, {"A": "2"})
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish([licence("A", "10"), *bad.values(), refused, conflict, other])
        await world.settle(3, len(bad) + 1)
        rows = await world.connection.fetch("SELECT code, raw FROM quarantine")
        assert {row["code"] for row in rows} == {*bad, "CONFLICTING_DUPLICATE"}
        kept = {row["code"]: row["raw"] for row in rows}
        assert kept["JSON_SYNTAX"] == b"{"
        assert await world.balances() == {"BE/A": "1/0/9"}
        assert await world.reasons(mrn(7)) == "INVALID_QUANTITY"
        await world.check_outputs()


async def test_a_stop_in_the_middle_of_the_stream_loses_nothing(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    stream = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(1, 121)]
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish([licence("A", "1000"), *stream])
        await world.begun(10)
        assert await world.process.stop() == 0
        await world.process.start()
        await world.settle(121)
        assert await world.balances() == {"BE/A": "120/0/880"}
        await world.check_outputs()


POINTS = [
    "executor.before_begin:kill:2",
    "executor.after_inbox:kill:2",
    "executor.before_write:kill:2",
    "executor.before_commit:kill:2",
    "executor.after_commit:kill:2",
    "intake.after_decode:kill:2",
    "intake.before_offset_commit:kill:2",
    "intake.after_offset_commit:kill:2",
    "relay.before_send:kill:1",
    "relay.after_send:kill:1",
    "relay.after_mark:kill:1",
    "worker.before_write:kill:1",
    "worker.before_commit:kill:1",
]


@pytest.mark.kafka_only
@pytest.mark.row("E143", "E164", "E167")
@pytest.mark.parametrize("failpoint", POINTS)
async def test_killed_at_a_named_point_and_started_again(
    failpoint: str, database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        last = licence("B", "7")  # wakes those that wait for it
        await world.publish([record for record in STORY if record != last])
        await world.process.start(failpoint=failpoint)
        if failpoint.startswith("worker."):
            await world.begun(EVENTS - 1)
        await world.publish([last])
        assert await world.process.died() == -signal.SIGKILL
        await world.process.start()
        await world.settle(EVENTS, QUARANTINED)
        assert await world.balances() == BALANCES
        await world.check_outputs()


@pytest.mark.kafka_only
@pytest.mark.row("E154", "E156", "E165")
async def test_two_processes_and_a_frozen_one(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    """The frozen one holds partitions and perhaps the relay's lead; it wakes as a zombie and does no harm."""
    more = {"idle_transaction_timeout_ms": "2000"}
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world:
        second = world.another(tmp_path / "second.log", **more)
        await world.process.start()
        await second.start()
        try:
            stream = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(1, 81)]
            await world.publish([licence("A", "50"), *stream[:40]])
            await asyncio.sleep(1)
            second.send(signal.SIGSTOP)
            await world.publish(stream[40:])
            await asyncio.sleep(4)
            second.send(signal.SIGCONT)
            await world.settle(81)
            rows = await world.balances()
            assert rows == {"BE/A": "50/0/0"}
            await world.check_outputs()
        finally:
            second.send(signal.SIGCONT)
            await second.stop()


@pytest.mark.row("E150", "E151")
async def test_a_broker_killed_while_we_commit_and_publish(
    database_url: str, kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path
) -> None:
    """Records the bridge has taken in and messages it has sent may come twice, none is lost, and the order is kept."""
    async with bridge_world(database_url, kafka_server.bootstrap_servers, topic_prefix, tmp_path) as world:
        stream = [declaration(number, "accepted", number % 60, {"A": "1"}) for number in range(1, 201)]
        await world.publish([licence("A", "1000"), *stream])
        await world.process.start()
        for events in (20, 120):
            await world.begun(events)
            await kafka_server.kill()
            await kafka_server.start()
        await world.settle(201)
        assert await world.balances() == {"BE/A": "200/0/800"}
        await world.check_outputs()
