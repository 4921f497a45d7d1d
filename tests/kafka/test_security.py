"""Every way of proving who we are, against Apache Kafka itself: publish, read in a group, and be refused."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.kafka import Publisher, Record, create_broker, ensure_topics, subscribe_batches
from certex_bridge.platform.settings import Settings
from tests.support.databases import run
from tests.support.kafka_server import KafkaServer, Listener, forget_refused_connections, unsecured_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.platform.envelope import Envelope
    from certex_bridge.platform.kafka import Commit

pytestmark = pytest.mark.kafka_only

TOPIC = "customs.declarations.v1"


class _Tokens(BaseHTTPRequestHandler):
    """The token endpoint: unsecured tokens, as the test listener takes them."""

    def do_POST(self) -> None:  # the library's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": unsecured_token("certex"), "expires_in": 600}).encode())

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def token_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Tokens)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("secured"), listeners=tuple(Listener), users={"certex": "right"})
    run(server.start())
    yield server
    run(server.stop())


def settings_for(server: KafkaServer, listener: Listener, token_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "kafka_bootstrap_servers": server.bootstrap(listener),
        "kafka_security_protocol": listener.protocol,
        "kafka_sasl_mechanism": listener.mechanism,
        "topic_prefix": f"{listener.label.lower()}.",
        "kafka_group": listener.label.lower(),
        "topic_partitions": 1,
        "kafka_request_timeout_ms": 4000,
        "kafka_delivery_seconds": 10,
    }
    if listener.protocol.endswith("SSL"):
        values["kafka_ssl_cafile"] = server.certificates.authority
    if listener is Listener.MUTUAL_TLS:
        values["kafka_ssl_certfile"] = server.certificates.client_certificate
        values["kafka_ssl_keyfile"] = server.certificates.client_key
    if listener.mechanism.startswith("SCRAM"):
        values |= {"kafka_username": "certex", "kafka_password": "right"}
    if listener is Listener.OAUTHBEARER:
        values |= {
            "kafka_oauth_token_url": token_url,
            "kafka_oauth_client_id": "certex",
            "kafka_oauth_client_secret": "secret",
        }
    return Settings.load(**values | changes)


@pytest.mark.parametrize("listener", list(Listener), ids=lambda listener: listener.name)
async def test_publish_and_read_in_a_group(secured: KafkaServer, listener: Listener, token_url: str) -> None:
    settings = settings_for(secured, listener, token_url)
    assert TOPIC in (await ensure_topics(settings, create=True)).created
    publisher = Publisher(settings)
    assert await publisher.send_all([Record(TOPIC, b"k", b"%d" % number) for number in range(10)]) == [None] * 10
    await publisher.stop()
    seen, done = list[bytes | None](), asyncio.Event()

    async def handler(batch: list[Envelope], commit: Commit) -> None:
        seen.extend(one.value for one in batch)
        await commit()
        if len(seen) == 10:
            done.set()

    broker = create_broker(settings)
    subscribe_batches(broker, [TOPIC], settings.kafka_group, handler, settings=settings)
    await broker.start()
    await asyncio.wait_for(done.wait(), 20)
    await asyncio.wait_for(broker.stop(), 20)
    assert seen == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize(
    ("listener", "changes"),
    [
        (Listener.SSL, {"kafka_ssl_cafile": None}),
        (Listener.MUTUAL_TLS, {"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None}),
        (Listener.SCRAM, {"kafka_password": "wrong"}),
        (Listener.OAUTHBEARER, {"kafka_oauth_token_url": "http://127.0.0.1:9/token"}),
    ],
    ids=["unknown authority", "no client certificate", "wrong password", "no token"],
)
async def test_whoever_cannot_prove_it_is_refused(
    secured: KafkaServer, token_url: str, listener: Listener, changes: dict[str, Any]
) -> None:
    settings = settings_for(secured, listener, token_url, **changes)
    publisher = Publisher(settings)
    (error,) = await asyncio.wait_for(publisher.send_all([Record(TOPIC, b"k", b"v")]), 30)
    assert error is not None
    await publisher.stop()
    del publisher, error
    forget_refused_connections()
