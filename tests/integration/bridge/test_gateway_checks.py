"""Checks and reads on a running process: over HTTP, in JSON and XML, with the database there and away."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.migrations import migrate
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.messages.xml import write_message
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.checks import cited, goods
from tests.support.wire_feed import declaration, licence, mrn, until

if TYPE_CHECKING:
    from pathlib import Path

HEADERS = {"certex-caller": "NSWE-C.BE", "certex-member-state": "BE"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def question(number: int, quantity: str) -> dict[str, Any]:
    """A check of licence A for declaration 1."""
    return {
        "messageSender": "NSWE-C.BE",
        "messageRecipient": "CERTEX",
        "preparationDateAndTime": "2026-03-01T12:00:00",
        "messageIdentification": f"check-{number}",
        "messageType": "CBACRQ",
        "DeclarationReference": {"MRN": mrn(1)},
        "countryOfDestination": "KR",
        "GoodsItem": [{"declarationGoodsItemNumber": 1} | goods(cited("A", quantity))],
    }


class Gateway:
    """Requests to a gateway on loopback."""

    def __init__(self) -> None:
        self.port, self.health_port = free_port(), free_port()
        self.settings = {
            "roles": "intake,relay,worker,gateway",
            "http_port": str(self.port),
            "health_port": str(self.health_port),
            "gateway_check_budget_ms": "5000",
            "gateway_database_wait_ms": "5000",
        }

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, bytes]:
        port = self.health_port if path == "/readyz" else self.port

        def send() -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request(method, path, body or None, HEADERS | {"Content-Type": kind})
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        return await asyncio.to_thread(send)

    async def check(self, number: int, quantity: str) -> tuple[int, Any]:
        status, body = await self.ask("POST", "/v1/checks", json.dumps(question(number, quantity)).encode())
        return status, json.loads(body)

    async def opened(self, world: BridgeWorld) -> None:
        async def ready() -> bool:
            assert world.process.running, "the process ended"
            try:
                return (await self.ask("GET", "/readyz"))[0] == 200
            except OSError:
                return False

        await until(ready, what="a gateway that is ready")


@pytest.mark.row("IR 5(1)(a)")
async def test_checks_and_reads_with_the_database_and_without(
    bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    gateway = Gateway()
    async with EmbeddedPostgres(tmp_path / "postgres") as server:
        url = server.database_url("postgres")
        async with bridge_world(url, bootstrap_servers, topic_prefix, tmp_path, **gateway.settings) as world:
            await migrate(url)
            await world.process.start()
            await gateway.opened(world)
            await world.publish([licence("A", "10"), declaration(1, "accepted", 1, {"A": "4"})])
            await world.settle(2)
            await answers(gateway)
            await until(lambda: noted(world), what="the interest written")
            await world.connection.close()
            await server.stop()
            status, told = await gateway.check(3, "9")
            (result,) = told["CheckResult"]
            assert (status, told["degraded"], result["licenceStatus"]) == (200, True, "Valid")
            assert result["age"] >= 0
            assert "outcome" not in result


async def noted(world: BridgeWorld) -> bool:
    row = await world.connection.fetchrow("SELECT licence_id, caller, declaration, member_state FROM interest")
    return row is not None and tuple(row) == ("BE/A", "NSWE-C.BE", mrn(1), "BE")


async def answers(gateway: Gateway) -> None:
    """The declaration holds 4 of 10: it may ask for 10, and not for more."""
    status, told = await gateway.check(1, "10")
    (result,) = told["CheckResult"]
    assert (status, result["outcome"], result["quantityAvailable"], result["quantityPassing"]) == (
        200, "OK_AVAILABLE", "6", "10",
    )  # fmt: skip
    document = write_message(AvailabilityCheck.model_validate(question(2, "11")))
    for path in ("/v1/checks", "/v1/messages"):
        status, body = await gateway.ask("POST", path, document, "application/xml")
        answer = etree.fromstring(body)
        assert status == 200
        assert answer.findtext(".//{*}Verdict/{*}code") == "QUANTITY_EXCEEDED"
        assert answer.findtext("{*}correlationIdentifier") == "check-2"
    status, body = await gateway.ask("GET", "/v1/licences/BE/A")
    assert (status, json.loads(body)["balances"][0]["reserved"]) == (200, "4")
    status, body = await gateway.ask("GET", f"/v1/declarations/{mrn(1)}")
    assert (status, json.loads(body)["claims"][0]["state"]) == (200, "RESERVED")
    assert (await gateway.ask("GET", "/v1/licences/BE/X"))[0] == 404
