"""One attempt over HTTP, against receivers that behave well and badly."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from certex_bridge.singlewindow.pushes.model import Push, PushKind
from certex_bridge.singlewindow.pushes.sending import Attempt, GuardedResolver, HttpSender, printable
from certex_bridge.singlewindow.pushes.signing import PushKeys
from tests.support.push_receiver import receiver
from tests.support.push_world import KEYS, NOON, subscription

if TYPE_CHECKING:
    from pathlib import Path

PUSH = Push("nsw.be", 7, PushKind.STATUS, "BE/A", "application/json", b'{"a":1}', NOON)


async def attempt(url: str, keys: PushKeys = KEYS, **settings: Any) -> Attempt:
    async with HttpSender(keys, **{"seconds": 5, "private": True, **settings}) as sender:
        return await sender.send(subscription(url=url), PUSH, NOON)


async def test_a_push_is_signed_and_arrives_whole() -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=204)

    async with receiver(handler) as url:
        assert await attempt(url) == Attempt(204)
    ((headers, body),) = seen
    assert body == PUSH.body
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "nsw.be/7"
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    secret = KEYS.secret("nsw.be", KEYS.check_of_new("nsw.be"))
    assert secret is not None
    signed = f"nsw.be/7.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize(("status", "delivered", "gone"), [(200, True, False), (500, False, False), (410, False, True)])
async def test_the_receivers_word_counts(status: int, delivered: bool, gone: bool) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="line one\nline\x1btwo")

    async with receiver(handler) as url:
        made = await attempt(url)
    assert (made.status, made.delivered, made.gone) == (status, delivered, gone)
    assert made.error == ("" if delivered else f"HTTP {status} line one line?two")


async def test_a_redirect_is_a_failure() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with receiver(handler) as url:
        made = await attempt(url)
    assert (made.status, made.delivered, asked) == (307, False, ["/pushes"])


async def test_a_receiver_cannot_keep_us_waiting() -> None:
    never = asyncio.Event()

    async def handler(_request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with receiver(handler) as url:
        made = await attempt(url, seconds=0.2)
        never.set()
    assert made == Attempt(0, "TIMEOUT: no answer within 0.2 s")


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * 65_536)
        except (ConnectionError, asyncio.CancelledError):
            return answer

    async with receiver(handler) as url:
        assert (await attempt(url)).delivered


async def test_nobody_there() -> None:
    made = await attempt("http://127.0.0.1:1/")
    assert made.status == 0
    assert "Cannot connect" in made.error


async def test_without_the_key_nothing_is_sent() -> None:
    made = await attempt("http://127.0.0.1:1/", PushKeys(["another key that is also long enough"]))
    assert made.error.startswith("KEY_MISSING")


async def test_a_number_that_is_not_allowed_is_not_connected_to() -> None:
    made = await attempt("https://169.254.169.254/latest/")
    assert made == Attempt(0, "ADDRESS: 169.254.169.254 is not where pushes may go")
    assert (await attempt("https://127.0.0.1:1/", private=False)).error.startswith("ADDRESS")


async def test_a_name_is_judged_by_what_it_leads_to() -> None:
    async def handler(_request: web.Request) -> web.Response:
        raise AssertionError("nobody may come here")

    async with receiver(handler) as url:
        made = await attempt(url, private=False)
    assert "leads only where pushes may not go" in made.error


async def test_addresses_that_are_not_allowed_are_left_out() -> None:
    class Names(AbstractResolver):
        closed = False

        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
            hosts = ("169.254.169.254", "93.184.215.14", "10.0.0.1")
            return [ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0) for one in hosts]

        async def close(self) -> None:
            self.closed = True

    inner = Names()
    resolver = GuardedResolver(private=False, inner=inner)
    assert [one["host"] for one in await resolver.resolve("nsw.example", 443)] == ["93.184.215.14"]
    await resolver.close()
    assert inner.closed


async def test_tls_is_verified(tmp_path: Path) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response()

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    async with receiver(handler, tls) as url:
        assert (await attempt(url, cafile=tmp_path / "ca.pem")).delivered
        assert "ertificate" in (await attempt(url)).error
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(other)
    async with receiver(handler, other) as url:
        assert "ertificate" in (await attempt(url, cafile=tmp_path / "ca.pem")).error


def test_what_receivers_write_is_one_bounded_line() -> None:
    assert printable("a\n b\x00\u202e") == "a b??"
    assert len(printable("x" * 1000)) == 200
