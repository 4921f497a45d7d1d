"""From a request to its caller, by each means the settings allow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.platform.http_connection import CLIENT_CERTIFICATE, ClientCertificate
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.callers_file import CallerRegistry
from certex_bridge.singlewindow.http.identity import Authenticator, Identity, caller_of
from certex_bridge.singlewindow.http.keys import KeyStore
from certex_bridge.singlewindow.http.tokens import TokenVerifier
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.asgi import call, scope_of
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer

if TYPE_CHECKING:
    from pathlib import Path

    from certex_bridge.platform.http_settings import Auth

CALLERS = """
[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance"]
oauth_clients = ["atlas"]
certificate_names = ["DNS:atlas.example.invalid"]

[[caller]]
name = "FR-DELTA"
member_state = "FR"
roles = ["clearance"]
oauth_clients = ["delta"]
"""

ATLAS = ClientCertificate("aa" * 32, frozenset({"DNS:atlas.example.invalid"}), time.time() + 3600)
STRANGER = ClientCertificate("bb" * 32, frozenset({"DNS:x.example.invalid"}), time.time() + 3600)
STALE = ClientCertificate("aa" * 32, frozenset({"DNS:atlas.example.invalid"}), time.time() - 1)


class Door:
    """Authenticators of every kind over one issuer and one file of callers."""

    def __init__(self, folder: Path) -> None:
        path = folder / "callers.toml"
        path.write_text(CALLERS, "utf-8")
        metrics = Metrics()
        self.issuer = Issuer()
        self.registry = CallerRegistry(path, metrics)
        settings = Settings.load(oidc_issuer=ISSUER, oidc_audience=AUDIENCE)
        keys = KeyStore(self.issuer.fetch, 10, metrics)
        self.tokens = TokenVerifier(settings, keys)

    async def name(self, auth: Auth, certificate: ClientCertificate | None = None, **headers: str) -> str:
        state = {CLIENT_CERTIFICATE: certificate} if certificate else {}
        authenticator = Authenticator(auth, self.registry, self.tokens)
        return (await authenticator.caller(scope_of(state, **headers))).name

    async def code(self, auth: Auth, certificate: ClientCertificate | None = None, **headers: str) -> str:
        with pytest.raises(Refusal) as caught:
            await self.name(auth, certificate, **headers)
        assert "WWW-Authenticate" in caught.value.headers
        assert caught.value.kind.status == 401
        return caught.value.code

    def bearer(self, client: str = "atlas", **changes: Any) -> str:
        return "Bearer " + self.issuer.token(client, **changes)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


async def test_by_token(door: Door) -> None:
    assert await door.name("oauth", authorization=door.bearer()) == "DE-ATLAS"
    assert await door.name("oauth", authorization=door.bearer().replace("Bearer", "bearer ")) == "DE-ATLAS"
    assert await door.code("oauth") == "TOKEN_MISSING"
    assert await door.code("oauth", authorization=door.bearer("nobody")) == "CALLER_UNKNOWN"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "Bearer tok\xe9n", ""])
async def test_another_kind_of_proof_is_no_token(header: str, door: Door) -> None:
    assert await door.code("oauth", authorization=header) == "TOKEN_INVALID"


async def test_two_authorization_headers_are_none(door: Door) -> None:
    scope = scope_of(authorization=door.bearer())
    scope["headers"] *= 2
    with pytest.raises(Refusal) as caught:
        await Authenticator("oauth", door.registry, door.tokens).caller(scope)
    assert caught.value.code == "TOKEN_INVALID"


async def test_a_certificate_alone_proves_nothing_where_tokens_are_asked_for(door: Door) -> None:
    assert await door.code("oauth", ATLAS) == "TOKEN_MISSING"


async def test_by_certificate(door: Door) -> None:
    assert await door.name("mtls", ATLAS) == "DE-ATLAS"
    assert await door.code("mtls") == "CERTIFICATE_MISSING"
    assert await door.code("mtls", STRANGER) == "CALLER_UNKNOWN"
    assert await door.code("mtls", STALE) == "CERTIFICATE_EXPIRED"
    assert await door.code("mtls", authorization=door.bearer()) == "CERTIFICATE_MISSING"


async def test_either_is_enough_and_both_must_agree(door: Door) -> None:
    assert await door.name("both", ATLAS) == "DE-ATLAS"
    assert await door.name("both", authorization=door.bearer("delta")) == "FR-DELTA"
    assert await door.name("both", ATLAS, authorization=door.bearer()) == "DE-ATLAS"
    assert await door.code("both", ATLAS, authorization=door.bearer("delta")) == "TOKEN_FOREIGN"
    assert await door.code("both", STRANGER, authorization=door.bearer()) == "CALLER_UNKNOWN"
    assert await door.code("both", ATLAS, authorization="Bearer x") == "TOKEN_INVALID"
    assert await door.code("both") == "TOKEN_MISSING"


async def test_a_bound_token_needs_its_certificate(door: Door) -> None:
    bound = {"x5t#S256": "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo"}  # 32 bytes of 0xaa
    header = door.bearer(cnf=bound)
    assert await door.name("both", ATLAS, authorization=header) == "DE-ATLAS"
    assert await door.name("oauth", ATLAS, authorization=header) == "DE-ATLAS"
    assert await door.code("oauth", STRANGER, authorization=header) == "TOKEN_INVALID"
    assert await door.code("oauth", authorization=header) == "TOKEN_INVALID"


async def test_on_this_machine_a_header_names_the_caller(door: Door) -> None:
    assert await door.name("none", certex_caller="FR-DELTA") == "FR-DELTA"
    assert await door.code("none") == "CALLER_UNKNOWN"
    assert await door.code("none", certex_caller="IT-AIDA") == "CALLER_UNKNOWN"


async def test_a_name_that_was_made_to_lead_here_is_refused(door: Door) -> None:
    with pytest.raises(Refusal) as caught:
        await door.name("none", certex_caller="FR-DELTA", host="evil.example")
    assert (caught.value.code, caught.value.field) == ("HOST_FOREIGN", "Host")
    assert await door.name("none", certex_caller="FR-DELTA", host="localhost:8080") == "FR-DELTA"


async def test_without_a_file_the_header_makes_a_caller(door: Door) -> None:
    door.registry = CallerRegistry(None, Metrics())
    scope = scope_of(certex_caller="LAB", certex_member_state="NL")
    caller = await Authenticator("none", door.registry, door.tokens).caller(scope)
    assert (caller.name, caller.member_state, caller.roles) == ("LAB", "NL", frozenset(CallerRole))
    assert await door.code("none", certex_caller="LAB") == "CALLER_UNKNOWN"
    assert await door.code("none", certex_caller="LAB", certex_member_state="US") == "CALLER_UNKNOWN"
    assert await door.code("none", certex_caller="L" * 36, certex_member_state="NL") == "CALLER_UNKNOWN"


async def test_the_inside_learns_who_calls(door: Door) -> None:
    seen = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.append(caller_of(scope).name)

    scope = scope_of(authorization=door.bearer())
    del scope["state"]
    await call(Identity(inside, Authenticator("oauth", door.registry, door.tokens)), scope)
    assert seen == ["DE-ATLAS"]
