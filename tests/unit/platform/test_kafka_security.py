"""Security settings become the same arguments for FastStream and for bare clients; tokens are cached and renewed."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from faststream.kafka.security import parse_security
from faststream.middlewares import AckPolicy

from certex_bridge.platform.kafka_clients import (
    consumer_arguments,
    create_broker,
    producer_arguments,
    subscriber_arguments,
)
from certex_bridge.platform.kafka_security import (
    ClientCredentialTokens,
    TokenUnavailable,
    client_security,
    faststream_security,
    ssl_context,
)
from certex_bridge.platform.settings import Settings
from tests.support.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRAM = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512"}
LOGIN = {"kafka_username": "certex", "kafka_password": "hunter2"}


class Endpoint:
    """A token endpoint on loopback."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.status = 200
        self.answer: Any = {"access_token": "t1", "expires_in": 300}
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.requests.append((self.headers["Authorization"], body))
                self.send_response(endpoint.status)
                self.end_headers()
                answer = endpoint.answer
                self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

            def log_message(self, *_: Any) -> None:
                """Be quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


def oauth(endpoint: Endpoint) -> Settings:
    return Settings.load(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="OAUTHBEARER",
        kafka_oauth_token_url=endpoint.url,
        kafka_oauth_client_id="certex",
        kafka_oauth_client_secret="s3 cret",
        kafka_oauth_scope="kafka",
    )


def test_what_decides_safety_in_a_producer() -> None:
    arguments = producer_arguments(Settings.load(kafka_bootstrap_servers="a:1, b:2"))
    assert arguments["acks"] == "all"
    assert arguments["enable_idempotence"] is True
    assert arguments["bootstrap_servers"] == ["a:1", "b:2"]
    assert producer_arguments(Settings.load(kafka_compression="lz4"))["compression_type"] == "lz4"


def test_what_decides_safety_in_a_consumer() -> None:
    for arguments in (
        consumer_arguments(Settings.load(), "group"),
        {**subscriber_arguments(Settings.load(), "group"), "enable_auto_commit": False},
    ):
        assert arguments["enable_auto_commit"] is False
        assert arguments["auto_offset_reset"] == "earliest"
        assert arguments["isolation_level"] == "read_committed"
        assert arguments["fetch_max_wait_ms"] == 50
        assert arguments["group_id"] == "group"
    assert subscriber_arguments(Settings.load(), "group")["ack_policy"] is AckPolicy.MANUAL


def test_the_subscriber_really_turns_automatic_commits_off() -> None:
    from certex_bridge.platform.kafka_batches import subscribe_batches

    async def handler(_batch: Any, _commit: Any) -> None:
        """Nothing."""

    settings = Settings.load(kafka_bootstrap_servers="127.0.0.1:1")
    broker = create_broker(settings)
    subscribe_batches(broker, ["customs.declarations.v1"], "group", handler, settings=settings)
    (subscriber,) = broker.subscribers
    arguments: Any = subscriber
    assert arguments._connection_args["enable_auto_commit"] is False
    assert arguments._connection_args["auto_offset_reset"] == "earliest"
    assert arguments._connection_args["isolation_level"] == "read_committed"
    assert arguments.max_records == settings.batch_records_max


def test_plain_has_no_context() -> None:
    assert client_security(Settings.load()) == {"security_protocol": "PLAINTEXT", "ssl_context": None}


def test_tls_checks_the_brokers_certificate_and_name() -> None:
    context = ssl_context(Settings.load(kafka_security_protocol="SSL"))
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_mutual_tls_loads_our_certificate(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    context = ssl_context(
        Settings.load(
            kafka_security_protocol="SSL",
            kafka_ssl_cafile=certificates.authority,
            kafka_ssl_certfile=certificates.client_certificate,
            kafka_ssl_keyfile=certificates.client_key,
        )
    )
    assert context is not None
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"kafka_security_protocol": "SSL"},
        SCRAM | LOGIN,
        {**SCRAM, **LOGIN, "kafka_security_protocol": "SASL_PLAINTEXT"},
        {**LOGIN, "kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "PLAIN"},
    ],
    ids=["plain", "tls", "scram", "scram without tls", "password"],
)
def test_faststream_and_bare_clients_get_the_same(chosen: dict[str, str]) -> None:
    settings = Settings.load(**chosen)
    theirs, ours = parse_security(faststream_security(settings)), client_security(settings)
    assert (theirs.pop("ssl_context") is None) == (ours.pop("ssl_context") is None)
    assert theirs == ours


async def test_a_token_is_asked_for_once_and_renewed_in_time(endpoint: Endpoint) -> None:
    now = 0.0
    tokens = ClientCredentialTokens(oauth(endpoint), lambda: now)
    assert await asyncio.gather(*(tokens.token() for _ in range(20))) == ["t1"] * 20
    now = 269.0
    endpoint.answer = {"access_token": "t2", "expires_in": 300}
    assert await tokens.token() == "t1"
    now = 270.0
    assert await tokens.token() == "t2"
    assert len(endpoint.requests) == 2
    assert endpoint.requests[0] == ("Basic Y2VydGV4OnMzJTIwY3JldA==", "grant_type=client_credentials&scope=kafka")


async def test_a_short_lived_token_is_not_renewed_at_every_call(endpoint: Endpoint) -> None:
    now = 0.0
    endpoint.answer = {"access_token": "t1", "expires_in": 20}
    tokens = ClientCredentialTokens(oauth(endpoint), lambda: now)
    await tokens.token()
    now = 9.0
    await tokens.token()
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("answer", [b"not json", b"[]", {"token_type": "Bearer"}, {"access_token": ""}])
async def test_an_answer_without_token_is_an_error(endpoint: Endpoint, answer: object) -> None:
    endpoint.answer = answer
    with pytest.raises(TokenUnavailable):
        await ClientCredentialTokens(oauth(endpoint)).token()


async def test_a_refusal_is_an_error_without_the_secret(endpoint: Endpoint) -> None:
    endpoint.status = 401
    with pytest.raises(TokenUnavailable) as caught:
        await ClientCredentialTokens(oauth(endpoint)).token()
    assert "cret" not in str(caught.value)
    endpoint.status = 200
