"""Access tokens and the issuer's keys: what is accepted, what is refused with which code, rotation, outage."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.http import tokens as tokens_module
from certex_bridge.singlewindow.http.keys import KeyStore, KeysUnavailable, fetch_keys, usable_keys
from certex_bridge.singlewindow.http.tokens import TOKEN_LENGTH_MAX, TokenVerifier
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer

if TYPE_CHECKING:
    from collections.abc import Callable


class Desk:
    """A verifier with clocks of ours."""

    def __init__(self, issuer: Issuer) -> None:
        self.now, self.ticks = time.time(), 0.0
        self.metrics = Metrics()
        self.keys = KeyStore(issuer.fetch, 10, self.metrics, lambda: self.ticks)
        settings = Settings.load(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_leeway_seconds=5)
        self.tokens = TokenVerifier(settings, self.keys, lambda: self.now)

    async def refusal(self, token: str) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.tokens.verify(token)
        assert token not in str(caught.value.headers) + caught.value.message + caught.value.value
        return caught.value


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def desk(issuer: Issuer) -> Desk:
    return Desk(issuer)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_algorithm_is_accepted_and_a_token_is_verified_once(
    algorithm: str, issuer: Issuer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.add("two", algorithm)
    token = issuer.token(kid="two")
    verified = await desk.tokens.verify(token)
    assert (verified.client, verified.certificate) == ("atlas", None)
    monkeypatch.setattr(tokens_module.jwt, "decode", None)
    assert await desk.tokens.verify(token) is verified
    assert issuer.fetches == 1


@pytest.mark.parametrize(
    ("claims", "client"),
    [({"azp": "b", "sub": "c"}, "atlas"), ({"client_id": None, "azp": "b", "sub": "c"}, "b"), ({"client_id": None, "sub": "c"}, "c")],
)  # fmt: skip
async def test_the_client_is_client_id_else_azp_else_sub_where_it_is_configured(
    claims: dict[str, Any], client: str, issuer: Issuer, desk: Desk
) -> None:
    configured = Settings.load(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_sub_is_client=True)
    tokens = TokenVerifier(configured, desk.keys, lambda: desk.now)
    assert (await tokens.verify(issuer.token(**claims))).client == client


async def test_a_person_called_like_a_client_is_no_caller(issuer: Issuer, desk: Desk) -> None:
    refusal = await desk.refusal(issuer.token(client_id=None, sub="atlas"))
    assert (refusal.code, refusal.field) == ("TOKEN_INVALID", "client_id")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"exp": 1}, "TOKEN_EXPIRED", "exp"),
        ({"iss": "https://other.example.invalid"}, "TOKEN_FOREIGN", "iss"),
        ({"aud": "other"}, "TOKEN_FOREIGN", "aud"),
        ({"nbf": 4_000_000_000}, "TOKEN_INVALID", "nbf"),
        ({"exp": None}, "TOKEN_INVALID", "exp"),
        ({"aud": None}, "TOKEN_INVALID", "aud"),
        ({"iss": None}, "TOKEN_INVALID", "iss"),
        ({"exp": float("inf")}, "TOKEN_INVALID", "Authorization"),
        ({"exp": "soon"}, "TOKEN_INVALID", "Authorization"),
        ({"client_id": ""}, "TOKEN_INVALID", "client_id"),
        ({"client_id": 7}, "TOKEN_INVALID", "client_id"),
        ({"client_id": None}, "TOKEN_INVALID", "client_id"),
        ({"cnf": {"jkt": "x"}}, "TOKEN_INVALID", "cnf"),
        ({"cnf": {"x5t#S256": "AAAA"}}, "TOKEN_INVALID", "cnf"),
        ({"cnf": {"x5t#S256": 7}}, "TOKEN_INVALID", "cnf"),
        ({"cnf": "x"}, "TOKEN_INVALID", "cnf"),
        ({"head": {"kid": "unknown"}}, "TOKEN_INVALID", "kid"),
        ({"head": {"typ": "logout+jwt"}}, "TOKEN_INVALID", "typ"),
        ({"head": {"typ": 7}}, "TOKEN_INVALID", "Authorization"),
    ],
)
async def test_a_wrong_token_is_refused_with_its_code(
    changes: dict[str, Any], code: str, field: str, issuer: Issuer, desk: Desk
) -> None:
    if changes.get("head", {}).get("typ") == 7:  # the library refuses to make it
        token = forged(issuer, {"typ": 7, "alg": "ES256", "kid": "one"})
        field = "typ"
    else:
        token = issuer.token(**changes)
    refusal = await desk.refusal(token)
    assert (refusal.code, refusal.field, refusal.kind.status) == (code, field, 401)
    assert 'error="invalid_token"' in refusal.headers["WWW-Authenticate"]


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(issuer: Issuer, head: object, signature: str = "") -> str:
    """A token with a head of ours and right claims."""
    return f"{part(head)}.{issuer.token().split('.')[1]}.{signature or part(b'x' * 64)}"


@pytest.mark.parametrize(
    "make",
    [
        lambda _: "no token",
        lambda _: "a.b.c",
        lambda issuer: forged(issuer, {"alg": "ES256", "kid": "one"}),
        lambda issuer: forged(issuer, {"alg": "ES256", "kid": 7}),
        lambda issuer: forged(issuer, {"alg": "ES256", "kid": "one", "crit": ["b64"]}),
        lambda issuer: forged(issuer, {"alg": "none"}),
        lambda issuer: forged(issuer, {"alg": ["ES256"]}),
        lambda issuer: forged(issuer, {"alg": "RS256", "kid": "one"}),
        lambda issuer: forged(issuer, b"[" * 4000),
        lambda issuer: jwt.encode({"iss": ISSUER}, json.dumps(issuer.jwk("one")) * 2, "HS256", {"kid": "one"}),
        lambda _: "x" * (TOKEN_LENGTH_MAX + 1),
        lambda issuer: issuer.token()[:-4] + "AAAA",
    ],
)
async def test_forged_tokens_are_refused(make: Callable[[Issuer], str], issuer: Issuer, desk: Desk) -> None:
    assert (await desk.refusal(make(issuer))).code == "TOKEN_INVALID"


async def test_a_small_difference_of_the_clocks_is_no_expiry(issuer: Issuer, desk: Desk) -> None:
    await desk.tokens.verify(issuer.token(exp=int(time.time()) - 2))


async def test_a_remembered_token_expires_too(issuer: Issuer, desk: Desk) -> None:
    token = issuer.token(exp=int(desk.now) + 60)
    await desk.tokens.verify(token)
    desk.now += 64
    await desk.tokens.verify(token)
    desk.now += 2
    assert (await desk.refusal(token)).code == "TOKEN_EXPIRED"


async def test_no_more_tokens_are_remembered_than_allowed(
    issuer: Issuer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "REMEMBERED_MAX", 3)
    for number in range(10):
        await desk.tokens.verify(issuer.token(jti=str(number)))
    assert len(desk.tokens._remembered) == 3


async def test_a_token_bound_to_a_certificate_names_its_fingerprint(issuer: Issuer, desk: Desk) -> None:
    bound = part(bytes(range(32)))
    verified = await desk.tokens.verify(issuer.token(cnf={"x5t#S256": bound}))
    assert verified.certificate == bytes(range(32)).hex()


async def test_rotation_a_new_key_is_fetched_once_and_a_withdrawn_one_is_refused(issuer: Issuer, desk: Desk) -> None:
    old = issuer.token()
    await desk.tokens.verify(old)
    issuer.add("two", "ES256")
    desk.ticks = 10
    fresh = issuer.token(kid="two")
    await asyncio.gather(*(desk.tokens.verify(fresh) for _ in range(20)))
    assert issuer.fetches == 2
    await desk.tokens.verify(old)
    issuer.withdraw("one")
    desk.ticks = 20
    await desk.keys.refresh()
    assert (await desk.refusal(old)).code == "TOKEN_INVALID"
    await desk.tokens.verify(fresh)


async def test_a_key_replaced_under_its_id_counts_as_withdrawn(issuer: Issuer, desk: Desk) -> None:
    old = issuer.token()
    await desk.tokens.verify(old)
    issuer.add("one", "ES256")
    desk.ticks = 10
    await desk.keys.refresh()
    assert (await desk.refusal(old)).code == "TOKEN_INVALID"


async def test_unknown_keys_do_not_flood_the_issuer(issuer: Issuer, desk: Desk) -> None:
    for number in range(50):
        assert (await desk.refusal(issuer.token(head={"kid": f"made-up-{number}"}))).field == "kid"
    assert issuer.fetches == 1


async def test_while_the_issuer_is_away_known_keys_hold_and_unknown_ones_wait(issuer: Issuer, desk: Desk) -> None:
    await desk.tokens.verify(issuer.token())
    issuer.away, desk.ticks = True, 10
    refusal = await desk.refusal(issuer.token(head={"kid": "new"}))
    assert (refusal.code, refusal.kind.status, refusal.headers["Retry-After"]) == ("IDENTITY_UNAVAILABLE", 503, "10")
    await desk.tokens.verify(issuer.token(jti="another"))
    failures = desk.metrics.registry.get_sample_value("certex_bridge_gateway_keys_failures_total")
    assert failures == 1
    issuer.away, desk.ticks = False, 20
    issuer.add("new", "EdDSA")
    await desk.tokens.verify(issuer.token(kid="new"))


async def test_never_reached_nobody_is_called_a_forger(issuer: Issuer, desk: Desk) -> None:
    issuer.away = True
    assert (await desk.refusal(issuer.token())).code == "IDENTITY_UNAVAILABLE"


async def test_a_token_without_key_id_fits_when_only_one_key_does(issuer: Issuer, desk: Desk) -> None:
    issuer.add("rsa", "RS256")
    await desk.tokens.verify(issuer.token(head={"kid": None}))
    issuer.add("two", "ES256")
    desk.ticks = 10
    await desk.keys.refresh()
    desk.ticks = 20
    assert (await desk.refusal(issuer.token(head={"kid": None}, jti="x"))).field == "kid"


async def test_keys_are_fetched_regularly(issuer: Issuer) -> None:
    reached, stop, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()

    def fetch() -> object:
        answer = issuer.fetch()
        if issuer.fetches == 3:
            loop.call_soon_threadsafe(reached.set)
        return answer

    keys = KeyStore(fetch, 0.001, Metrics())
    watching = asyncio.create_task(keys.watch(stop, 0.01))
    await asyncio.wait_for(reached.wait(), 30)
    stop.set()
    await asyncio.wait_for(watching, 30)


def test_unfit_keys_are_left_out(issuer: Issuer) -> None:
    issuer.add("small", "RS256", bits=1024)
    issuer.add("other", "RS512")
    good = issuer.jwk("one")
    unfit: list[object] = [
        issuer.jwk("small"),
        issuer.jwk("other"),
        {**good, "use": "enc"},
        {**good, "key_ops": ["encrypt"]},
        {**good, "key_ops": "verify"},
        {**good, "d": "secret"},
        {**good, "x": "!"},
        {**good, "kid": 7},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC"},
        "key",
    ]
    assert [key.kid for key in usable_keys({"keys": [*unfit, good]})] == ["one"]
    for document in ({"keys": unfit}, {"keys": {}}, {}, []):
        with pytest.raises(KeysUnavailable):
            usable_keys(document)


def test_the_key_set_is_fetched_from_the_given_address_only(issuer: Issuer) -> None:
    with issuer.serve() as url:
        assert fetch_keys(url, None) == issuer.jwks()
        for path, words in (("/moved", "302"), ("/text", "no key set")):
            with pytest.raises(KeysUnavailable, match=words):
                fetch_keys(url.replace("/jwks", path), None)
        issuer.away = True
        with pytest.raises(KeysUnavailable, match="503"):
            fetch_keys(url, None)
    with pytest.raises(KeysUnavailable, match="no key set"):
        fetch_keys(url, None)
