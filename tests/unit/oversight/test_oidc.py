"""Login by OpenID Connect, against an issuer that answers what it is told to."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.oversight.console.oidc import LOGIN_SECONDS, LoginRefused, OpenIdLogin
from certex_bridge.oversight.console.people import Role
from certex_bridge.oversight.console.sessions import SignedValues
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from tests.support.token_issuer import ISSUER, Issuer

if TYPE_CHECKING:
    from collections.abc import Iterator

OIDC = {
    "console_auth": "oidc",
    "console_url": "https://bridge.example",
    "console_oidc_issuer": ISSUER,
    "console_oidc_client": "console",
    "console_oidc_authorize_url": "https://login.example/authorize",
    "console_oidc_token_url": "https://login.example/token",
    "console_oidc_jwks_url": "https://login.example/keys",
}


class TokenEndpoint:
    """Answers with an identity token, and remembers the form it got."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.form: dict[str, list[str]] = {}
        self.identity = ""
        self.claims: dict[str, Any] = {}
        self.status = 200
        self.body: bytes | None = None

    def answer(self) -> bytes:
        if self.body is not None:
            return self.body
        return json.dumps({"id_token": self.issuer.token(**self.claims)}).encode()

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                endpoint.identity = self.headers.get("Authorization", "")
                body = endpoint.answer()
                self.send_response(endpoint.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/token"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint()


class World:
    """A login against the endpoint."""

    def __init__(self, endpoint: TokenEndpoint, **settings: Any) -> None:
        self.now = 1_000_000.0
        self.endpoint = endpoint
        self.settings = settings

    def login(self, url: str) -> OpenIdLogin:
        settings = Settings.load(**OIDC | {"console_oidc_token_url": url} | self.settings)
        made = OpenIdLogin(settings, SignedValues(b"k" * 32), Metrics(), lambda: self.now)
        made.keys._fetch = self.endpoint.issuer.fetch
        return made

    async def run(self, seconds: float = 0, query: dict[str, str] | None = None, **claims: Any) -> Any:
        with self.endpoint.serve() as url:
            login = self.login(url)
            address, cookie = login.begin("/console/flow")
            sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
            told = {
                "aud": "console",
                "sub": "4711",
                "nonce": sent["nonce"],
                "roles": ["operator"],
                "head": {"typ": "JWT"},
            }
            self.endpoint.claims = told | claims
            self.sent = sent
            self.now += seconds
            return await login.finish(query or {"code": "c0de", "state": sent["state"]}, cookie)


async def refused(world: World, **how: Any) -> str:
    with pytest.raises(LoginRefused) as caught:
        await world.run(**how)
    return caught.value.why


async def test_a_person_comes_in_with_name_roles_and_identity(endpoint: TokenEndpoint) -> None:
    world = World(endpoint, console_oidc_secret="s3cret")
    person, following = await world.run(preferred_username="ada", roles=["operator", "something else"])
    assert (person.name, person.identity, person.roles) == ("ada", "4711", {Role.OPERATOR})
    assert following == "/console/flow"
    digest = hashlib.sha256(endpoint.form["code_verifier"][0].encode()).digest()
    assert world.sent["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert world.sent["redirect_uri"] == "https://bridge.example/console/login/done"
    assert base64.b64decode(endpoint.identity.split()[1]) == b"console:s3cret"


async def test_groups_lie_where_the_setting_says_and_have_names_of_their_own(endpoint: TokenEndpoint) -> None:
    world = World(endpoint, console_oidc_roles_claim="realm.groups", console_oidc_roles={"x-audit": "auditor"})
    person, _ = await world.run(roles=None, realm={"groups": "x-audit x-other"})
    assert person.roles == {Role.AUDITOR}


async def test_an_officer_belongs_to_a_state_when_states_count(endpoint: TokenEndpoint) -> None:
    world = World(endpoint, console_oidc_state_claim="state")
    assert (await world.run(roles=["licensing_officer"], state="be"))[0].member_state == "BE"
    assert await refused(world, roles=["licensing_officer"]) == "state"
    assert (await world.run(roles=["auditor"]))[0].member_state == ""


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"roles": []}, "roles"),
        ({"roles": 7}, "roles"),
        ({"nonce": "another"}, "token"),
        ({"aud": "other"}, "token"),
        ({"iss": "https://evil.example"}, "token"),
        ({"sub": None}, "token"),
        ({"exp": 1}, "token"),
        ({"azp": "other"}, "token"),
    ],
)
async def test_tokens_that_prove_nothing(endpoint: TokenEndpoint, claims: dict[str, Any], why: str) -> None:
    assert await refused(World(endpoint), **claims) == why


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"{}", "exchange"),
        (200, b"[]", "token"),
        (200, b"not json", "exchange"),
        (200, b'{"id_token":"x.y.z"}', "token"),
        (200, b"x" * 70_000, "exchange"),
    ],
)
async def test_answers_of_an_issuer_gone_wrong(endpoint: TokenEndpoint, status: int, body: bytes, why: str) -> None:
    endpoint.status, endpoint.body = status, body
    assert await refused(World(endpoint)) == why


async def test_a_key_nobody_published(endpoint: TokenEndpoint) -> None:
    foreign = Issuer()
    token = foreign.token(aud="console", sub="1")
    endpoint.body = json.dumps({"id_token": token}).encode()
    assert await refused(World(endpoint)) == "token"


async def test_a_login_that_was_not_begun_here_or_took_too_long(endpoint: TokenEndpoint) -> None:
    assert await refused(World(endpoint), seconds=LOGIN_SECONDS + 1) == "flow"
    assert await refused(World(endpoint), query={"code": "c", "state": "forged"}) == "flow"
    with pytest.raises(LoginRefused, match="flow"):
        await World(endpoint).login("https://login.example/token").finish({"code": "c", "state": "s"}, "")


async def test_the_issuer_says_no(endpoint: TokenEndpoint) -> None:
    world = World(endpoint)
    login = world.login("https://login.example/token")
    address, cookie = login.begin("/console/flow")
    state = parse_qs(urlsplit(address).query)["state"][0]
    with pytest.raises(LoginRefused, match="issuer"):
        await login.finish({"error": "access_denied", "state": state}, cookie)


@pytest.mark.parametrize("quiet", [True, False])
async def test_the_issuer_is_asked_again_without_showing_anything(endpoint: TokenEndpoint, quiet: bool) -> None:
    login = World(endpoint).login("https://login.example/token")
    address, cookie = login.begin("/console/flow", quiet=quiet)
    asked = parse_qs(urlsplit(address).query)
    assert asked.get("prompt") == (["none"] if quiet else None)
    with pytest.raises(LoginRefused, match="issuer") as caught:
        await login.finish({"error": "login_required", "state": asked["state"][0]}, cookie)
    assert caught.value.asked_again == ("/console/flow" if quiet else "")


async def test_an_issuer_that_is_away(endpoint: TokenEndpoint) -> None:
    login = World(endpoint).login("http://127.0.0.1:1/token")
    address, cookie = login.begin("/console/flow")
    state = parse_qs(urlsplit(address).query)["state"][0]
    async with asyncio.timeout(20):
        with pytest.raises(LoginRefused, match="exchange"):
            await login.finish({"code": "c", "state": state}, cookie)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"console_auth": "local", "http_host": "192.0.2.1"}, "CERTEX_CONSOLE_AUTH"),
        ({**OIDC, "console_oidc_client": ""}, "CERTEX_CONSOLE_OIDC_CLIENT"),
        ({**OIDC, "console_url": "http://bridge.example"}, "CERTEX_CONSOLE_URL"),
        ({"console_key": "short"}, "at least 32"),
        ({"console_oidc_roles": {"x": "king"}}, "CERTEX_CONSOLE_OIDC_ROLES"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Settings.load(**settings)
