"""The head of a request has a size and a time; a client certificate is read once."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certex_bridge.platform.health import HttpRole, respond
from certex_bridge.platform.http_connection import ClientCertificate, Connection, server_context
from certex_bridge.platform.settings import Settings
from tests.support.certificates import Certificates
from tests.support.serving import serving

if TYPE_CHECKING:
    from pathlib import Path


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, 200, b"hello", "text/plain")


async def talk(port: int, *parts: bytes) -> bytes:
    """What the server says, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_head_without_end_is_refused() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        # One byte too many and none after it: unread bytes would make the close a reset, which may outrun the answer.
        start = b"GET / HTTP/1.1\r\nhost: x\r\nfiller: "
        answer = await talk(port, start, b"a" * (Connection.head_bytes_max + 1 - len(start)))
        assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("parts", [(), (b"GET / HTTP/1.1\r\nhost:",)], ids=["silent", "half"])
async def test_a_head_that_does_not_come_ends_the_connection(
    parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.05)
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        assert (await talk(port, *parts)).startswith(b"HTTP/1.1 408 ")


async def test_a_second_head_that_does_not_come_ends_the_connection_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.05)
    whole = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        answer = await talk(port, whole, whole[:20])
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in answer


async def test_heads_in_pieces_and_one_after_the_other_are_answered() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        whole = b"GET / HTTP/1.1\r\nhost: x\r\n"
        answer = await talk(port, whole, b"\r\n", whole, b"connection: close\r\n\r\n")
        assert answer.count(b"hello") == 2


def test_a_certificate_says_its_names_and_its_end() -> None:
    leaf = trustme.CA().issue_cert("Atlas.Example.invalid", "Desk@example.invalid", common_name="ATLAS, Zoll")
    parsed = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    read = ClientCertificate.read(parsed.public_bytes(Encoding.DER))
    assert {"DNS:atlas.example.invalid", "email:desk@example.invalid"} <= read.names
    # The comma within the name is no separator.
    assert any(name.startswith("subject:CN=ATLAS\\, Zoll") for name in read.names)
    assert read.not_after == parsed.not_valid_after_utc.timestamp()
    assert len(read.fingerprint) == 64


def test_a_certificate_without_alternative_names_has_its_subject() -> None:
    authority = x509.load_pem_x509_certificate(trustme.CA().cert_pem.bytes())
    read = ClientCertificate.read(authority.public_bytes(Encoding.DER))
    assert {name.partition(":")[0] for name in read.names} == {"subject"}
    with pytest.raises(ValueError, match=r"."):
        ClientCertificate.read(b"no certificate")


def test_alternative_names_of_an_odd_kind_make_a_certificate_unreadable() -> None:
    leaf = trustme.CA().issue_cert("atlas.example.invalid")
    der = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)
    name = b"atlas.example.invalid"
    odd = der.replace(b"\x82" + bytes([len(name)]) + name, b"\xa3" + bytes([len(name)]) + name)  # x400Address
    assert odd != der
    with pytest.raises(ValueError, match="alternative names"):
        ClientCertificate.read(odd)


def test_the_server_speaks_tls_1_2_or_newer(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    plain = Settings.load(http_ssl_certfile=made.server_keystore, http_ssl_keyfile=made.server_keystore)
    context = server_context(plain)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE
    mutual = plain.model_copy(update={"http_ssl_client_cafile": made.authority})
    assert server_context(mutual).verify_mode == ssl.CERT_OPTIONAL
