"""Hostile access tokens: forged, borrowed, expired, bound to others, malformed, large."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt

from tests.attack.attacks import Attack, Token
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer


def part(value: Any) -> str:
    """A part of a token, of JSON or of bytes."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """What a sound token says, changed."""
    return {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 300, "client_id": "atlas", **changes}


def unsigned(head: dict[str, Any], signature: bytes = b"") -> str:
    """A token with this head and no signature of the issuer."""
    return f"{part(head)}.{part(claims())}.{part(signature)}"


def by_secret(issuer: Issuer, algorithm: str) -> str:
    """Signed with the issuer's public key as if it were a shared secret."""
    secret = json.dumps(issuer.jwk("one"), sort_keys=True).encode()
    signed = f"{part({'alg': algorithm, 'kid': 'one', 'typ': 'at+jwt'})}.{part(claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), digest))}"


def signed(issuer: Issuer, told: dict[str, Any]) -> str:
    """Signed by the issuer, whatever it says: the library that makes tokens refuses some of it."""
    _, key = issuer._keys["one"]
    head = {"kid": "one", "typ": "at+jwt"}
    return jwt.api_jws.PyJWS().encode(json.dumps(told).encode(), key, "ES256", head)


def changed(token: str, which: int, change: Callable[[bytes], bytes]) -> str:
    """A sound token with one part changed."""
    parts = token.split(".")
    raw = base64.urlsafe_b64decode(parts[which] + "=" * (-len(parts[which]) % 4))
    parts[which] = part(change(raw))
    return ".".join(parts)


def _withdrawn(issuer: Issuer) -> str:
    issuer.add("old", "ES256")
    token = issuer.token(kid="old")
    issuer.withdraw("old")
    return token


_INVALID, _FOREIGN, _EXPIRED = "TOKEN_INVALID", "TOKEN_FOREIGN", "TOKEN_EXPIRED"
_NOW = int(time.time())
_CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "expired": (_EXPIRED, {"exp": _NOW - 60}),
    "expired in 1970": (_EXPIRED, {"exp": 1}),
    "expired before 1970": (_EXPIRED, {"exp": -1}),
    "never expires": (_INVALID, {"exp": None}),
    "expires in words": (_INVALID, {"exp": "never"}),
    "not yet": (_INVALID, {"nbf": _NOW + 3_600}),
    "issued tomorrow": (_INVALID, {"iat": _NOW + 86_400}),
    "another issuer": (_FOREIGN, {"iss": "https://evil.example"}),
    "issuer with a slash": (_FOREIGN, {"iss": ISSUER + "/"}),
    "issuer in capitals": (_FOREIGN, {"iss": ISSUER.upper()}),
    "no issuer": (_INVALID, {"iss": None}),
    "another audience": (_FOREIGN, {"aud": "other"}),
    "no audience": (_INVALID, {"aud": None}),
    "audience of nothing": (_INVALID, {"aud": []}),
    "audience with a blank": (_FOREIGN, {"aud": AUDIENCE + " "}),
    "no client": (_INVALID, {"client_id": None}),
    "client of nothing": (_INVALID, {"client_id": ""}),
    "client as list": (_INVALID, {"client_id": ["atlas"]}),
    "client as number": (_INVALID, {"client_id": 7}),
    "only a person": (_INVALID, {"client_id": None, "sub": "atlas"}),
    "bound to a key": (_INVALID, {"cnf": {"jwk": {}}}),
    "bound to nothing": (_INVALID, {"cnf": {}}),
    "bound to words": (_INVALID, {"cnf": "x"}),
    "bound to half a thumbprint": (_INVALID, {"cnf": {"x5t#S256": "AAAA"}}),
    "identity token": (_INVALID, {"head": {"typ": "id+jwt"}}),
    "logout token": (_INVALID, {"head": {"typ": "logout+jwt"}}),
    "type as list": (_INVALID, {"head": {"typ": ["at+jwt"]}}),
    "critical extension": (_INVALID, {"head": {"crit": ["b64"], "b64": False}}),
    "key id as path": (_INVALID, {"head": {"kid": "../../../../dev/null"}}),
    "key id as SQL": (_INVALID, {"head": {"kid": "x' UNION SELECT 'key"}}),
    "key id as command": (_INVALID, {"head": {"kid": "|id"}}),
    "key id of another": (_INVALID, {"head": {"kid": "two"}}),
    "key id of 4 kB": (_INVALID, {"head": {"kid": "x" * 4_000}}),
}
_RECIPES: dict[str, tuple[str, Callable[[Issuer], str]]] = {
    **{name: (right, lambda issuer, told=told: issuer.token(**told)) for name, (right, told) in _CHANGES.items()},
    **{
        f"algorithm {algorithm!r}": (_INVALID, lambda _, algorithm=algorithm: unsigned({"alg": algorithm, "kid": "one"}))
        for algorithm in ("none", "None", "NONE", "nOnE", "", "HS256", "RS1", "ES256K", "PS256", None, 7, ["ES256"])
    },
    **{
        f"public key as secret, {algorithm}": (_INVALID, lambda issuer, algorithm=algorithm: by_secret(issuer, algorithm))
        for algorithm in ("HS256", "HS384", "HS512")
    },
    "signature of nothing": (_INVALID, lambda issuer: issuer.token().rpartition(".")[0] + "."),
    "signature cut": (_INVALID, lambda issuer: issuer.token()[:-4]),
    "signature of zeros": (_INVALID, lambda issuer: changed(issuer.token(), 2, lambda raw: bytes(len(raw)))),
    "claims changed": (_INVALID, lambda issuer: changed(issuer.token(), 1, lambda raw: raw.replace(b"atlas", b"other"))),
    "head changed": (_INVALID, lambda issuer: changed(issuer.token(), 0, lambda raw: raw.replace(b"at+jwt", b"jwt"))),
    "claims no JSON": (_INVALID, lambda issuer: changed(issuer.token(), 1, lambda _: b"{")),
    "claims a list": (_INVALID, lambda issuer: changed(issuer.token(), 1, lambda _: b"[]")),
    "claims nested without end": (_INVALID, lambda issuer: changed(issuer.token(), 1, lambda _: b"[" * 4_000)),
    "head nested without end": (_INVALID, lambda issuer: changed(issuer.token(), 0, lambda _: b"[" * 4_000)),
    "head no JSON": (_INVALID, lambda issuer: changed(issuer.token(), 0, lambda _: b"\xff")),
    "key in the head": (
        _INVALID, lambda issuer: unsigned({"alg": "ES256", "jwk": issuer.jwk("one"), "kid": "evil"}, bytes(64)),
    ),
    "key at an address": (
        _INVALID, lambda _: unsigned({"alg": "ES256", "jku": "http://127.0.0.1:9/keys", "kid": "evil"}, bytes(64)),
    ),
    "certificate at an address": (
        _INVALID, lambda _: unsigned({"alg": "ES256", "x5u": "http://127.0.0.1:9/x", "kid": "evil"}, bytes(64)),
    ),
    "certificate in the head": (_INVALID, lambda _: unsigned({"alg": "RS256", "x5c": ["AAAA"], "kid": "evil"}, bytes(256))),
    "ES256 of zeros": (_INVALID, lambda _: unsigned({"alg": "ES256", "kid": "one"}, bytes(64))),
    "key of another issuer": (_INVALID, lambda _: Issuer().token()),
    "issuers in a list": (f"{_FOREIGN}|{_INVALID}", lambda issuer: signed(issuer, claims(iss=[ISSUER]))),
    "claims of other kinds": (f"{_FOREIGN}|{_INVALID}", lambda issuer: signed(issuer, claims(exp={}, nbf=[], iat="x"))),
    "key id as list": (_INVALID, lambda _: unsigned({"alg": "ES256", "kid": ["one"]}, bytes(64))),
    "withdrawn key": (_INVALID, _withdrawn),
    "empty": (_INVALID, lambda _: ""),
    "dots": (_INVALID, lambda _: ".."),
    "one part": (_INVALID, lambda _: "abc"),
    "five parts": (_INVALID, lambda _: "a.b.c.d.e"),
    "encrypted": (_INVALID, lambda _: f"{part({'alg': 'dir', 'enc': 'A256GCM'})}....."),
    "not base 64": (_INVALID, lambda _: "%%%.%%%.%%%"),
    "words": (_INVALID, lambda _: "Bearer Bearer"),
    "1 MB": (_INVALID, lambda issuer: issuer.token() + "A" * 1_000_000),
    "8,193 characters": (_INVALID, lambda issuer: issuer.token().ljust(8_193, "A")),
    "other letters": (_INVALID, lambda _: "\xe9.\xe9.\xe9"),
}  # fmt: skip


def made(recipe: str, issuer: Issuer) -> str:
    """The token of this name."""
    return _RECIPES[recipe][1](issuer)


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (right, _) in _RECIPES.items():
        yield Attack("tokens", name, right, Token(name))
