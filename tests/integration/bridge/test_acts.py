"""Acts that block, from the topic to acknowledgement, certificate, metric and the command that lists what was refused."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from certex_bridge.platform.processes import free_port
from tests.support.bridge_world import bridge_world
from tests.support.wire_feed import LICENCES, declaration, event, licence, mrn

AT = "2026-02-01T11:00:00Z"


def act(number: str, kind: str, data: dict[str, Any] | bytes, name: str = "") -> Any:
    """An act on the topic."""
    event_id = f"{number}-{kind}{name}"
    return event(LICENCES, f"BE/{number}", event_id, f"licensing.licence.{kind}.v1", data, AT)


async def test_from_the_topic_to_everything_that_must_say_it(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    wrong = json.loads(licence("A", "10", version=2, status="REVOKED").value or b"{}")
    wrong["lines"][0]["quantity"]["unit"] = "pieces"
    wrong["authority"]["name"] = "x" * 80
    port = free_port()
    story = [
        licence("A", "10"),
        licence("B", "10"),
        act("A", "revoked", wrong),
        act("B", "suspended", {"issuer": "BE", "number": "B", "version": 2}),
        act("C", "revoked", {"issuer": "BE", "number": "C", "version": 2}),
        licence("C", "10"),
        act("D", "revoked", {"issuer": "BE", "number": "D", "version": 2}),
        act("A", "revoked", b"{not json", "-broken"),
        licence("E", "ten"),
    ]
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, health_port=str(port)) as world:
        await world.process.start()
        await world.publish(story)
        await world.settle(len(story) - 1, 3)
        await world.publish(
            [declaration(number, "accepted", number, {name: "1"}) for number, name in enumerate("ABC", 1)]
        )
        await world.settle(len(story) + 2, 3)
        assert await world.balances() == dict.fromkeys(("BE/A", "BE/B", "BE/C"), "0/0/10")
        assert [await world.reasons(mrn(number)) for number in (1, 2, 3)] == [
            "STATUS_REVOKED",
            "STATUS_SUSPENDED",
            "STATUS_REVOKED",
        ]
        await world.check_outputs()
        said = dict(await world.messages("licensing.acknowledgements.v1"))
        told = {body["event"]: body for body in map(json.loads, said.values())}
        assert {name: told[name]["verdict"] for name in told if "-v1" not in name} == {
            "A-revoked": "ACCEPTED",
            "B-suspended": "ACCEPTED",
            "C-revoked": "KEPT",
            "D-revoked": "KEPT",
        }
        codes = [finding["code"] for finding in told["A-revoked"]["findings"]]
        assert codes == ["CONTENT_NOT_TAKEN", "UNIT_UNKNOWN", "TOO_LONG"]
        assert told["B-suspended"]["findings"] == []
        certificates = dict(await world.messages("certex.certificates.v1"))
        for name, status in (("A", "Revoked"), ("B", "Suspended"), ("C", "Revoked")):
            assert f"<status>{status}</status>".encode() in certificates[f"certificate:BE/{name}:2"]
        metrics = await asyncio.to_thread(page, f"http://127.0.0.1:{port}/metrics")
        for line in (
            'licence_acts_total{result="taken"} 1.0',
            'licence_acts_total{result="content_not_taken"} 1.0',
            'licence_acts_total{result="kept"} 2.0',
            'licence_acts_total{result="lost"} 1.0',
            'licence_events_refused_total{code="LICENCE_UNKNOWN"} 2.0',
            'licence_events_refused_total{code="LEXICAL"} 1.0',
            'licence_events_refused_total{code="TOO_MANY"} 0.0',
        ):
            assert f"certex_bridge_{line}\n" in metrics, line
        rows = await asyncio.to_thread(refused, database_url)
        assert {(row["event_id"], row["act"], row["status"]) for row in rows} == {
            ("A-revoked", "TAKEN", "Revoked"),
            ("C-revoked", "KEPT", "Revoked"),
            ("D-revoked", "KEPT", "Unknown"),
            ("E-v1", "", "Unknown"),
        }
        assert await world.process.stop() == 0


def page(address: str) -> str:
    """What a process shows."""
    with urllib.request.urlopen(address) as answer:  # noqa: S310  # our own process
        text: str = answer.read().decode()
    return text


def refused(database_url: str) -> list[dict[str, Any]]:
    """What `licence refused` lists, once as a table and once for programs."""
    main = "from certex_bridge.operations.cli import main; main()"
    environment = {**os.environ, "CERTEX_DATABASE_URL": database_url, "COLUMNS": "200"}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", main, "licence", "refused", *more], capture_output=True, check=True, env=environment
        ).stdout
        for more in ([], ["--json"])
    ]
    assert b"BE/D" in outputs[0]
    found: list[dict[str, Any]] = json.loads(outputs[1])
    return found
