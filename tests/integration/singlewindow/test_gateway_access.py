"""The gateway's door on a real server: TLS, client certificates, tokens with keys fetched over HTTP, limits."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.health import HttpRole, PublicApp, respond
from certex_bridge.platform.http_connection import ClientCertificate
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns
from certex_bridge.singlewindow.http.access import Access
from certex_bridge.singlewindow.http.identity import caller_of
from tests.support.certificates import Certificates
from tests.support.serving import serving
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

CALLERS = """
[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance"]
certificate_names = ["email:bridge@example.invalid"]

[[caller]]
name = "FR-DELTA"
member_state = "FR"
roles = ["clearance"]
oauth_clients = ["delta"]
"""


async def function(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the caller's name and the length of the body."""
    body = (await receive())["body"]
    await respond(send, 200, f"{caller_of(scope).name} {len(body)}".encode(), "text/plain")


@dataclass
class Site:
    port: int
    certificates: Certificates
    access: Access

    def context(self, *, certificate: bool = False, other: Certificates | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.certificates.authority)
        if certificate:
            own = other or self.certificates
            context.load_cert_chain(own.client_certificate, own.client_key)
        return context

    async def post(
        self, context: ssl.SSLContext | None = None, path: str = "/v1/checks", body: bytes = b"12", **headers: str
    ) -> tuple[int, str]:
        def send() -> tuple[int, str]:
            connection = http.client.HTTPSConnection("localhost", self.port, context=context or self.context())
            try:
                connection.request("GET" if path == "/livez" else "POST", path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()

        return await asyncio.to_thread(send)

    async def code(self, context: ssl.SSLContext | None = None, **headers: str) -> tuple[int, str]:
        status, body = await self.post(context, **headers)
        return status, json.loads(body)["code"]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def address(issuer: Issuer) -> Iterator[str]:
    with issuer.serve() as url:
        yield url


@asynccontextmanager
async def site(folder: Path, url: str, **more: Any) -> AsyncIterator[Site]:
    callers, certificates = folder / "callers.toml", Certificates(folder / "pki")
    callers.write_text(CALLERS, "utf-8")
    settings = Settings.load(
        http_port=0,
        http_host="localhost",
        http_ssl_certfile=certificates.server_keystore,
        http_ssl_keyfile=certificates.server_keystore,
        http_ssl_client_cafile=certificates.authority,
        gateway_auth="both",
        callers_file=callers,
        callers_poll_seconds=0.02,
        oidc_issuer=ISSUER,
        oidc_audience=AUDIENCE,
        oidc_jwks_url=url,
        oidc_keys_pause_seconds=0.01,
        **more,
    )
    metrics, stop = Metrics(), asyncio.Event()
    access = Access(settings, metrics)
    watching = asyncio.create_task(access.watch(stop))
    public = PublicApp(settings, Turns(), access.protect(function))
    try:
        async with serving(HttpRole(settings, public)) as port:
            yield Site(port, certificates, access)
    finally:
        stop.set()
        await asyncio.wait_for(watching, 30)


async def test_a_client_certificate_names_the_caller(tmp_path: Path, address: str) -> None:
    async with site(tmp_path, address) as here:
        assert await here.post(here.context(certificate=True)) == (200, "DE-ATLAS 2")
        assert await here.code() == (401, "TOKEN_MISSING")
        assert (await here.post(path="/livez"))[0] == 200


async def test_a_certificate_nobody_can_read_proves_nothing(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(der: bytes) -> ClientCertificate:
        raise ValueError(len(der))

    monkeypatch.setattr(ClientCertificate, "read", read)
    async with site(tmp_path, address) as here:
        assert await here.code(here.context(certificate=True)) == (401, "TOKEN_MISSING")


async def test_a_certificate_of_another_authority_ends_the_handshake(tmp_path: Path, address: str) -> None:
    foreign = Certificates(tmp_path / "foreign")
    assert foreign.authority.is_file()
    async with site(tmp_path, address) as here:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await here.post(here.context(certificate=True, other=foreign))


async def test_a_token_names_the_caller_and_keys_rotate(tmp_path: Path, address: str, issuer: Issuer) -> None:
    async with site(tmp_path, address) as here:
        old = "Bearer " + issuer.token("delta")
        assert await here.post(Authorization=old) == (200, "FR-DELTA 2")
        assert await here.code(here.context(certificate=True), Authorization=old) == (401, "TOKEN_FOREIGN")
        issuer.add("two", "RS256")
        issuer.withdraw("one")
        assert await here.post(Authorization="Bearer " + issuer.token("delta", kid="two")) == (200, "FR-DELTA 2")
        # The fetch for the new key also brought the news that the old one is gone.
        assert await here.code(Authorization=old) == (401, "TOKEN_INVALID")
        issuer.away = True
        assert await here.post(Authorization="Bearer " + issuer.token("delta", kid="two", jti="x")) == (
            200,
            "FR-DELTA 2",
        )


async def test_rights_change_while_connections_stay(tmp_path: Path, address: str) -> None:
    async with site(tmp_path, address) as here:
        context = here.context(certificate=True)
        connection = http.client.HTTPSConnection("localhost", here.port, context=context)

        def ask() -> int:
            connection.request("POST", "/v1/checks", b"1")
            answer = connection.getresponse()
            answer.read()
            return answer.status

        try:
            assert await asyncio.to_thread(ask) == 200
            (tmp_path / "new").write_text(CALLERS.replace("bridge@", "other@"), "utf-8")
            (tmp_path / "new").replace(tmp_path / "callers.toml")
            async with asyncio.timeout(30):
                while await asyncio.to_thread(ask) == 200:  # noqa: ASYNC110  # only asking tells
                    await asyncio.sleep(0.01)
            assert await asyncio.to_thread(ask) == 401
        finally:
            connection.close()


async def test_old_tls_is_refused(tmp_path: Path, address: str) -> None:
    async with site(tmp_path, address) as here:
        context = here.context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # this side would speak it
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        # Words of a handshake the other side ended: by an alert, or by closing.
        with pytest.raises(OSError, match=r"ALERT_PROTOCOL_VERSION|EOF occurred|reset by peer|closed \(EOF\)"):
            await here.post(context)
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        await here.post(context)  # nothing else was wrong with it


async def test_large_and_slow_bodies_are_refused_on_the_wire(tmp_path: Path, address: str) -> None:
    async with site(tmp_path, address, gateway_body_bytes_max=10, gateway_body_seconds=0.1) as here:
        context = here.context(certificate=True)

        def talk(length: int) -> tuple[int, str]:
            plain = socket.create_connection(("localhost", here.port), timeout=10)
            with plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(f"POST /v1/checks HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\nab".encode())
                answer = http.client.HTTPResponse(tls)
                answer.begin()
                code = json.loads(answer.read())["code"]
                assert answer.getheader("connection") == "close"
                assert tls.recv(1) == b""
                return answer.status, code

        assert await asyncio.to_thread(talk, 11) == (413, "BODY_TOO_LARGE")
        assert await asyncio.to_thread(talk, 9) == (408, "BODY_TOO_SLOW")
