"""The gateway as a process: mutual TLS to the functions, health for everybody, an orderly stop, mistakes at the start."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from pathlib import Path

import pytest

from certex_bridge.platform.embedded import EmbeddedPostgres
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.processes import free_port
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.certificates import Certificates
from tests.support.wire_feed import licence, until

CALLERS = """
[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance"]
certificate_names = ["email:bridge@example.invalid"]
"""


class Door:
    """A gateway with mutual TLS: its settings, and requests to it."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates(folder / "pki")
        self.callers = folder / "callers.toml"
        self.callers.write_text(CALLERS, "utf-8")
        self.port, self.health_port = free_port(), free_port()

    def settings(self, roles: str) -> dict[str, str]:
        return {
            "roles": roles,
            "http_host": "localhost",
            "http_port": str(self.port),
            "health_port": str(self.health_port),
            "http_ssl_certfile": str(self.certificates.server_keystore),
            "http_ssl_keyfile": str(self.certificates.server_keystore),
            "http_ssl_client_cafile": str(self.certificates.authority),
            "gateway_auth": "mtls",
            "callers_file": str(self.callers),
        }

    async def ask(self, method: str, path: str, *, certificate: bool = False) -> tuple[int, dict[str, object]]:
        def send() -> tuple[int, dict[str, object]]:
            context = ssl.create_default_context(cafile=self.certificates.authority)
            if certificate:
                context.load_cert_chain(self.certificates.client_certificate, self.certificates.client_key)
            connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=10)
            try:
                connection.request(method, path, b"{}" if method == "POST" else None)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            finally:
                connection.close()

        return await asyncio.to_thread(send)

    async def inside(self, path: str) -> tuple[int, str]:
        """What the port of probes and metrics answers, to whom shows no certificate."""

        def send() -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=10)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()

        return await asyncio.to_thread(send)

    async def code(self, *, certificate: bool = False) -> tuple[int, object]:
        status, body = await self.ask("POST", "/v1/nowhere", certificate=certificate)
        return status, body["code"]

    async def ready(self) -> bool:
        try:
            return (await self.inside("/readyz"))[0] == 200
        except OSError:
            return False

    async def opened(self, world: BridgeWorld) -> None:
        async def open_or_ended() -> bool:
            assert world.process.running, "the process ended"
            return await self.ready()

        await until(open_or_ended, what="a gateway that is ready")


async def test_one_process_with_all_roles_stops_in_order(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    door = Door(tmp_path)
    more = door.settings("intake,relay,worker,gateway")
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world:
        await world.process.start()
        await door.opened(world)
        assert await door.code(certificate=True) == (404, "NOT_FOUND")
        assert await door.code() == (401, "CERTIFICATE_MISSING")
        for path in ("/metrics", "/readyz", "/startupz"):
            assert (await door.inside(path))[0] == 200
            assert (await door.ask("GET", path))[1]["code"] == "CERTIFICATE_MISSING"
            assert (await door.ask("GET", path, certificate=True))[0] == 404
        assert (await door.inside("/v1/nowhere"))[0] == 404
        await world.publish([licence("A", "10")])
        await world.settle(1)
        assert await world.process.stop() == 0


async def test_the_gateway_stays_in_service_without_the_database(
    bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    door = Door(tmp_path)
    async with EmbeddedPostgres(tmp_path / "postgres") as server:
        url, more = server.database_url("postgres"), door.settings("gateway")
        async with bridge_world(url, bootstrap_servers, topic_prefix, tmp_path, **more) as world:
            await migrate(url)
            await world.process.start()
            await door.opened(world)
            await world.connection.close()
            await server.stop()
            assert await door.ready()
            assert await door.code(certificate=True) == (404, "NOT_FOUND")
            assert await world.process.stop() == 0


@pytest.mark.parametrize(
    ("setting", "value", "variable"),
    [
        ("callers_file", "", "CERTEX_CALLERS_FILE"),
        ("callers_file", "name = 1", "CERTEX_CALLERS_FILE"),
        ("http_ssl_keyfile", "", "CERTEX_HTTP_SSL_KEYFILE"),
        ("http_ssl_keyfile", "no key", "CERTEX_HTTP_SSL_KEYFILE"),
        ("http_ssl_client_cafile", "no certificate", "CERTEX_HTTP_SSL_CLIENT_CAFILE"),
    ],
)
async def test_what_cannot_work_ends_the_start_with_the_name_of_the_variable(
    setting: str, value: str, variable: str,
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path,
) -> None:  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text(value, "utf-8")
    more = Door(tmp_path).settings("gateway") | {setting: str(wrong) if value else ""}
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path, **more) as world:
        await world.process.start()
        assert await world.process.died() == 2
        said = (tmp_path / "serve.log").read_text("utf-8")
        assert variable in said
        assert "Traceback" not in said
