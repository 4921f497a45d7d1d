"""Apache Kafka 4.3.1 as one KRaft node for tests: plain and secured listeners, stop, kill, restart.

The broker is our own child process (it dies with the test run) and every wait is bounded. A killed broker is back in
about four seconds, because the two broker session settings below let its old registration lapse quickly.
"""

from __future__ import annotations

import asyncio
import base64
import enum
import gc
import json
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from pathlib import Path
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from certex_bridge.platform.processes import LOOPBACK, ChildProcess, OwnServer, ServerFailed, accepts, free_port
from tests.support.certificates import Certificates

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
FORMAT_SECONDS = 60.0
STOP_SECONDS = 20.0


class Listener(enum.Enum):
    """A way in: how the connection is protected and how the client says who it is."""

    PLAINTEXT = ("PLAINTEXT", "", "none")
    SSL = ("SSL", "", "none")
    MUTUAL_TLS = ("SSL", "", "required")
    SCRAM = ("SASL_SSL", "SCRAM-SHA-512", "none")
    OAUTHBEARER = ("SASL_SSL", "OAUTHBEARER", "none")
    SCRAM_PLAINTEXT = ("SASL_PLAINTEXT", "SCRAM-SHA-512", "none")

    @property
    def protocol(self) -> str:
        """Kafka's security.protocol."""
        return self.value[0]

    @property
    def mechanism(self) -> str:
        """Kafka's sasl.mechanism, empty without SASL."""
        return self.value[1]

    @property
    def client_certificate(self) -> str:
        """Kafka's ssl.client.auth."""
        return self.value[2]

    @property
    def label(self) -> str:
        """The listener's name in the broker's settings."""
        return self.name.replace("_", "")


def jars() -> Path:
    """The folder with Kafka's jars, fetched the first time.

    Raises:
        ServerFailed: they cannot be had; carries the sentence of tools/fetch_kafka.py.
    """
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fetch_kafka.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise ServerFailed(done.stderr.strip())
    return Path(done.stdout.strip().splitlines()[-1])


def unsecured_token(subject: str, seconds: float = 3600) -> str:
    """A JWS without signature, as the broker's OAUTHBEARER listener of the tests accepts it."""

    def part(claims: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now, 'exp': now + seconds})}."


class KafkaServer(OwnServer):
    """One Apache Kafka node with its data in `directory`; the plain listener always exists."""

    def __init__(
        self,
        directory: Path,
        *,
        listeners: tuple[Listener, ...] = (),
        users: dict[str, str] | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self._directory = directory.resolve()
        self._listeners = (Listener.PLAINTEXT, *(item for item in listeners if item is not Listener.PLAINTEXT))
        self._users = users or {}
        self._extra = settings or {}
        self._ports = {listener: free_port() for listener in self._listeners}
        self._controller_port = free_port()
        self.certificates = Certificates(self._directory / "certificates")

    @property
    def bootstrap_servers(self) -> str:
        """Host and port of the plain listener."""
        return self.bootstrap(Listener.PLAINTEXT)

    def bootstrap(self, listener: Listener) -> str:
        """Host and port of one listener. TLS listeners are named localhost, as their certificate says."""
        return f"{self._host(listener)}:{self._ports[listener]}"

    @staticmethod
    def _host(listener: Listener) -> str:
        return "localhost" if listener.protocol.endswith("SSL") else LOOPBACK

    async def start(self) -> None:
        """Format the storage the first time, start, and wait until a client gets the metadata.

        Raises:
            ServerFailed: no Java, no jars, or the broker did not start in time.
        """
        java = shutil.which("java")
        if java is None:
            raise ServerFailed("Apache Kafka needs java on the PATH: apt-get install openjdk-17-jre-headless maven")
        classpath = str(await asyncio.to_thread(jars) / "*")
        properties = self._directory / "server.properties"
        if not (self._directory / "data" / "meta.properties").exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._write_properties(properties)
            await asyncio.to_thread(self._format, java, classpath, properties)
        heap = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
        command = [java, *heap, "-cp", classpath, "kafka.Kafka", str(properties)]
        self._child = ChildProcess("Apache Kafka", command, self._directory / "kafka.log", stop_seconds=STOP_SECONDS)
        self._child.start()
        try:
            await self._child.wait_ready(self._ready, START_SECONDS)
        except BaseException:
            await self.kill()
            raise

    async def kill(self) -> None:
        """SIGKILL, as a crash of the machine's process; the data directory stays for `start()`."""
        if self._child is not None:
            await self._child.kill()
            self._child = None

    async def restart(self) -> None:
        """Stop in order and start again on the same ports and data."""
        await self.stop()
        await self.start()

    async def _ready(self) -> bool:
        if not await accepts(self._ports[Listener.PLAINTEXT]):
            return False
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap_servers, request_timeout_ms=5000)
        try:
            await client.bootstrap()
        except KafkaError:
            return False
        else:
            return bool(client.cluster.brokers())
        finally:
            await client.close()

    def _format(self, java: str, classpath: str, properties: Path) -> None:
        identifier = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # A leading dash would be read as an option.
        identifier = "k" + identifier[1:]
        command = [java, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", identifier, "-c", str(properties)]
        for name, password in self._users.items():
            command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FORMAT_SECONDS)
        if done.returncode:
            said = (done.stdout + done.stderr)[-600:]
            raise ServerFailed(f"the storage of Apache Kafka could not be formatted: {said}")

    def _write_properties(self, target: Path) -> None:
        addresses = [f"{item.label}://{self._host(item)}:{self._ports[item]}" for item in self._listeners]
        protocols = [f"{item.label}:{item.protocol}" for item in self._listeners]
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([*addresses, f"CONTROLLER://{LOOPBACK}:{self._controller_port}"]),
            "advertised.listeners": ",".join(addresses),
            "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:PLAINTEXT"]),
            "inter.broker.listener.name": Listener.PLAINTEXT.label,
            "log.dirs": str(self._directory / "data"),
            **_SINGLE_NODE,
        }
        for listener in self._listeners:
            settings |= self._listener_settings(listener)
        settings |= self._extra
        target.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")

    def _listener_settings(self, listener: Listener) -> dict[str, str]:
        prefix = f"listener.name.{listener.label.lower()}."
        settings: dict[str, str] = {}
        if listener.protocol.endswith("SSL"):
            settings |= {
                f"{prefix}ssl.keystore.type": "PEM",
                f"{prefix}ssl.keystore.location": str(self.certificates.server_keystore),
                f"{prefix}ssl.truststore.type": "PEM",
                f"{prefix}ssl.truststore.location": str(self.certificates.authority),
                f"{prefix}ssl.client.auth": listener.client_certificate,
            }
        if listener.mechanism:
            settings[f"{prefix}sasl.enabled.mechanisms"] = listener.mechanism
            settings[f"{prefix}{listener.mechanism.lower()}.sasl.jaas.config"] = _LOGIN_MODULES[listener.mechanism]
        return settings


_SECURITY = "org.apache.kafka.common.security"
_LOGIN_MODULES = {
    "SCRAM-SHA-512": f"{_SECURITY}.scram.ScramLoginModule required;",
    "OAUTHBEARER": (f'{_SECURITY}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'),
}

_SINGLE_NODE = {
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "min.insync.replicas": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "300",
    "controller.quorum.fetch.timeout.ms": "600",
}


def forget_refused_connections() -> None:
    """Collect the sockets that aiokafka leaves open when a broker refuses it, before they speak up in another test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
