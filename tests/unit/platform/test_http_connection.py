"""A request has a size and a time until it is complete; a client certificate is read once."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certex_bridge.platform.health import HttpRole, PublicApp, respond
from certex_bridge.platform.http_connection import ClientCertificate, Connection, server_context
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns
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
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_head_without_end_is_refused() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        # One byte too many and none after it: unread bytes would make the close a reset, which may outrun the answer.
        start = b"GET / HTTP/1.1\r\nhost: x\r\nfiller: "
        answer = await talk(port, start, b"a" * (Connection.framing_bytes_max + 1 - len(start)))
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


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the size of the body and the number of fields, once the body is there."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await respond(send, 200, f"{size} bytes, {len(scope['headers'])} fields".encode(), "text/plain")


async def test_a_head_of_just_the_size_is_answered() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        start, end = b"GET / HTTP/1.1\r\nconnection: close\r\nfiller: ", b"\r\n\r\n"
        filler = b"a" * (Connection.framing_bytes_max - len(start) - len(end))
        assert (await talk(port, start + filler + end)).startswith(b"HTTP/1.1 200 ")
        assert (await talk(port, start + filler + b"a" + end)).startswith(b"HTTP/1.1 431 ")


def framing(kind: str, size: int) -> bytes:
    """A chunked request with this many bytes that are no body data, of which `kind` has most."""
    if kind == "extension":
        before, after, unit = CHUNKED + b"1;x=", b"\r\na\r\n0\r\n\r\n", b"a"
    elif kind == "trailer":
        before, after, unit = CHUNKED + b"1\r\na\r\n0\r\nx: ", b"\r\n\r\n", b"a"
    else:
        before, after, unit = CHUNKED + b"1\r\na\r\n0\r\n", b"\r\n", b"a: b\r\n"
    units, rest = divmod(size + 1 - len(before) - len(after), len(unit))
    # A blank may stand before a value: the last field takes what is left over.
    last = b"a:" + b" " * (rest + 1) + b"b\r\n" if len(unit) > 1 else b""
    return before + unit * (units - bool(last)) + last + after


@pytest.mark.parametrize("kind", ["extension", "trailer", "trailers"])
async def test_what_is_no_body_has_one_size_for_the_whole_request(kind: str) -> None:
    most = Connection.framing_bytes_max
    async with serving(HttpRole(Settings.load(http_port=0), echo)) as port:
        within = await talk(port, framing(kind, most), b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert within.startswith(b"HTTP/1.1 200 ")
        # Trailers are no fields of the request.
        assert b"1 bytes, 2 fields" in within
        assert (await talk(port, framing(kind, most + 1 + Connection.piece_bytes))).startswith(b"HTTP/1.1 431 ")


async def test_a_body_is_not_counted_with_the_framing() -> None:
    size = 4 * Connection.framing_bytes_max
    async with serving(HttpRole(Settings.load(http_port=0), echo)) as port:
        head = b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
        assert b"%d bytes" % size in await talk(port, head, b"a" * size)


@pytest.mark.parametrize("path", ["/", "/livez"])
async def test_an_answer_before_the_body_ends_the_connection(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "linger_seconds", 0.05)
    settings = Settings.load(http_port=0)
    async with serving(HttpRole(settings, PublicApp(settings, Turns(), hello))) as port:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n".encode()
        answer = await talk(port, head, b"a")
        assert b"connection: close" in answer
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_the_rest_of_a_body_that_nobody_reads_does_not_lose_the_answer() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        size = 1 << 20
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        assert b"200" in await reader.readline()
        writer.write(b"a" * size)
        await writer.drain()
        # All of it was read, so the connection ends in order, and at once.
        assert (await asyncio.wait_for(reader.read(), 30)).endswith(b"hello")
        writer.close()


async def test_a_small_body_that_was_there_keeps_the_connection() -> None:
    whole = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\na"
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        answer = await talk(port, whole, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert answer.count(b"hello") == 2


async def test_a_request_has_a_time_from_its_first_byte_to_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "request_seconds", 0.05)
    async with serving(HttpRole(Settings.load(http_port=0), echo)) as port:
        answer = await talk(port, CHUNKED, b"1\r\na\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")


async def test_blank_lines_do_not_hold_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"hello")
        monkeypatch.setattr(Connection, "head_seconds", 0.05)
        writer.write(b"\r\n")
        assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_request_for_another_protocol_is_answered_and_ends_the_connection() -> None:
    async with serving(HttpRole(Settings.load(http_port=0), hello)) as port:
        answer = await talk(port, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
        assert b"connection: close" in answer
        assert answer.endswith(b"hello")


async def test_a_request_behind_one_in_work_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing is read, the time is not the client's."""
    monkeypatch.setattr(Connection, "request_seconds", 0.05)
    expired = asyncio.Event()
    late = Connection._late

    def noticed(connection: Connection) -> None:
        connection.request_seconds = 30
        late(connection)
        expired.set()

    monkeypatch.setattr(Connection, "_late", noticed)

    async def after_that(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.wait_for(expired.wait(), 30)
        await echo(scope, receive, send)

    async with serving(HttpRole(Settings.load(http_port=0), after_that)) as port:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"\r\na" + head + b"connection: close\r\n\r\n")
        await expired.wait()
        writer.write(b"a")
        assert (await asyncio.wait_for(reader.read(), 30)).count(b"1 bytes") == 2
        writer.close()


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


@pytest.mark.parametrize(("more", "answered"), [(0, True), (1, False)])
async def test_requests_that_come_at_once_wait_in_a_bounded_line(more: int, answered: bool) -> None:
    """One is in work and so many wait; what comes beyond that in one read is never kept."""
    entered, free = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await free.wait()
        await hello(scope, receive, send)

    async with serving(HttpRole(Settings.load(http_port=0), slow)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 1 + Connection.waiting_max + more
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * count)
        if answered:
            await entered.wait()
            free.set()
            for _ in range(count):
                assert b"200" in (await reader.readuntil(b"\r\n\r\n")).splitlines()[0]
                await reader.readexactly(5)
        else:
            assert b" 200 " not in await asyncio.wait_for(reader.read(), 30)
            free.set()
        writer.close()
        await writer.wait_closed()
