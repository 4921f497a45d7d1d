"""The harness of Apache Kafka: secured listeners, and records that survive a kill."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from tests.support.databases import run
from tests.support.kafka_server import KafkaServer, Listener, forget_refused_connections, unsecured_token

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kafka_only


class _Tokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka carries no types
    async def token(self) -> str:
        return unsecured_token("certex-bridge")


def _client(server: KafkaServer, listener: Listener, password: str = "right") -> dict[str, Any]:
    settings: dict[str, Any] = {"bootstrap_servers": server.bootstrap(listener), "security_protocol": listener.protocol}
    if listener.protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=str(server.certificates.authority))
        if listener is Listener.MUTUAL_TLS:
            context.load_cert_chain(server.certificates.client_certificate, server.certificates.client_key)
        settings["ssl_context"] = context
    if listener.mechanism:
        settings["sasl_mechanism"] = listener.mechanism
    if listener.mechanism.startswith("SCRAM"):
        settings |= {"sasl_plain_username": "certex", "sasl_plain_password": password}
    if listener is Listener.OAUTHBEARER:
        settings["sasl_oauth_token_provider"] = _Tokens()
    return settings


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("secured"), listeners=tuple(Listener), users={"certex": "right"})
    run(server.start())
    run(_topic(server, "seen"))
    yield server
    run(server.stop())


async def _topic(server: KafkaServer, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()


@pytest.mark.parametrize("listener", list(Listener), ids=lambda listener: listener.name)
async def test_every_listener_takes_a_record(secured: KafkaServer, listener: Listener) -> None:
    async with AIOKafkaProducer(**_client(secured, listener), enable_idempotence=True) as producer:
        assert (await producer.send_and_wait("seen", b"x")).topic == "seen"


async def test_a_wrong_password_is_refused(secured: KafkaServer) -> None:
    producer = AIOKafkaProducer(**_client(secured, Listener.SCRAM, "wrong"))
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()
    del producer
    forget_refused_connections()


async def test_acknowledged_records_survive_a_kill(kafka_server: KafkaServer) -> None:
    await _topic(kafka_server, "kept")
    async with AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers, acks="all") as producer:
        for number in range(100):
            await producer.send_and_wait("kept", str(number).encode())
    await kafka_server.kill()
    await kafka_server.start()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_server.bootstrap_servers)
    await consumer.start()
    partition = TopicPartition("kept", 0)
    assert (await consumer.end_offsets([partition]))[partition] == 100
    await consumer.stop()
