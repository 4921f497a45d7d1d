"""The gateway of the compose file, with the certificates that its script makes, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from certex_bridge.platform.processes import free_port
from certex_bridge.platform.settings import Settings
from tests.ops.test_image_and_compose import DOCKER, DOCKERFILE, compose
from tests.support.bridge_world import bridge_world
from tests.support.killable import KillableBridge
from tests.support.wire_feed import until

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = DOCKER / "gateway" / "certificates.sh"


def make(folder: Path) -> dict[str, bytes]:
    """Let the script make the certificates, or keep them; what is in the folder then."""
    done = subprocess.run(["sh", str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def here(value: str, folder: Path) -> str:
    """A path of the container on this machine."""
    return value.replace("/certificates/", f"{folder}/").replace("/gateway/", f"{DOCKER}/gateway/")


def service(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Settings of the gateway's service, and the image's health command."""
    services = compose()["services"]
    gateway = services["gateway"]
    assert not [name for name, one in services.items() if "healthcheck" in one and name not in {"kafka", "postgres"}]
    own = ("CERTEX_GATEWAY_AUTH", "CERTEX_CALLERS_FILE", "CERTEX_HTTP_SSL")
    settings = {name: here(text, folder) for name, text in gateway["environment"].items() if name.startswith(own)}
    found = re.search(r"^HEALTHCHECK [^\[]*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    program, *arguments = json.loads(found[1])
    assert program == "python"
    return settings, [sys.executable, *arguments]


def test_certificates_are_made_once_and_only_what_is_needed_stays(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert made.keys() == {"authority.pem", "gateway.pem", "gateway.key", "customs.pem", "customs.key"}
    assert {name for name in made if (tmp_path / name).stat().st_mode & 0o077} == {"authority.pem"}
    assert make(tmp_path) == made
    (tmp_path / "customs.pem").unlink()
    assert make(tmp_path)["gateway.pem"] != made["gateway.pem"]


async def listens(port: int) -> bool:
    """Whether somebody answers there."""
    try:
        _, writer = await asyncio.open_connection("localhost", port)
    except OSError:
        return False
    writer.close()
    return True


async def ask(url: str, context: ssl.SSLContext) -> tuple[int, Mapping[str, str]]:
    """Status and problem document of a read."""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_its_customs_system_is_let_in_and_nobody_else(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    certificates, port, health = tmp_path / "certificates", free_port(), free_port()
    certificates.mkdir()
    make(certificates)
    named, healthy = service(certificates)
    healthy = [one.replace(":8081/", f":{health}/") for one in healthy]
    nobody = ssl.create_default_context(cafile=certificates / "authority.pem")
    customs = ssl.create_default_context(cafile=certificates / "authority.pem")
    customs.load_cert_chain(certificates / "customs.pem", certificates / "customs.key")

    async def is_healthy() -> bool:
        assert world.process.running, (tmp_path / "serve.log").read_text("utf-8")
        return (await asyncio.to_thread(subprocess.run, healthy, capture_output=True, check=False)).returncode == 0

    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        settings: Settings = world.settings
        world.process = KillableBridge(
            tmp_path / "serve.log",
            kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
            database_url=world.database_url,
            topic_prefix=settings.topic_prefix,
            topics_create="true",
            database_async_commit="true",  # the tests' server is not durable
            roles="gateway",
            http_port=str(port),
            health_port=str(health),
            **{name.removeprefix("CERTEX_").lower(): value for name, value in named.items()},
        )
        await world.process.start()
        await until(is_healthy, what="the image's health command")
        await until(lambda: listens(port), what="the gateway listens")
        url = f"https://localhost:{port}/v1/licences/BE/1"
        status, problem = await ask(url, customs)
        assert (status, problem["code"]) == (404, "NOT_FOUND")
        status, problem = await ask(url, nobody)
        assert (status, problem["code"]) == (401, "CERTIFICATE_MISSING")
