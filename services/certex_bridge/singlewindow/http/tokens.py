"""Access tokens (OAuth 2.0 bearer JWT, RFC 6750, RFC 9068): verified once, remembered until they expire."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from certex_bridge.singlewindow.http.keys import ALGORITHMS
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.http.keys import KeyStore

TOKEN_LENGTH_MAX = 8_192
REMEMBERED_MAX = 4_096
"""Tokens kept; callers are few and use a token for minutes."""
TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})

_CHALLENGE = 'Bearer realm="certex-bridge"'


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a token says, its signature and times checked."""

    client: str
    """`client_id`, else `azp`, else `sub` where the settings say so."""
    expires: int
    """Seconds since 1970."""
    certificate: str | None
    """Fingerprint of the client certificate it is bound to (RFC 8705), or None."""
    generation: int
    """Of the issuer's keys at the time."""


def token_refusal(code: str, message: str, *, value: object = "", field: str = "Authorization") -> Refusal:
    """A refusal with the challenge of RFC 6750; never holds the token."""
    error = "" if code == "TOKEN_MISSING" else f', error="invalid_token", error_description="{message}"'
    return Refusal(code, message, field=field, value=value, headers={"WWW-Authenticate": _CHALLENGE + error})


class TokenVerifier:
    """Checks signature, issuer, audience and times."""

    def __init__(self, settings: Settings, keys: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._clients = ("client_id", "azp", "sub") if settings.oidc_sub_is_client else ("client_id", "azp")
        self._leeway = settings.oidc_leeway_seconds
        self._keys = keys
        self._clock = clock
        self._remembered: OrderedDict[bytes, VerifiedToken] = OrderedDict()

    async def verify(self, token: str) -> VerifiedToken:
        """The token's content.

        Raises:
            Refusal: TOKEN_EXPIRED, TOKEN_FOREIGN, TOKEN_INVALID, IDENTITY_UNAVAILABLE.
        """
        if len(token) > TOKEN_LENGTH_MAX:
            raise token_refusal("TOKEN_INVALID", f"is longer than {TOKEN_LENGTH_MAX} characters", value=len(token))
        # By hash: a dump of the memory shows no token that could be used.
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._remembered.get(digest)
        if known is not None and known.generation == self._keys.generation:
            if self._clock() < known.expires + self._leeway:
                self._remembered.move_to_end(digest)
                return known
            del self._remembered[digest]
            raise token_refusal("TOKEN_EXPIRED", "has expired", field="exp", value=known.expires)
        fresh = await self._check(token)
        self._remembered[digest] = fresh
        while len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return fresh

    async def _check(self, token: str) -> VerifiedToken:
        kid, algorithm = _head(token)
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise token_refusal("TOKEN_INVALID", "is signed with an unknown key", field="kid", value=kid or "")
        generation = self._keys.generation
        claims = self._claims(token, key.key, algorithm)
        return VerifiedToken(_client(claims, self._clients), int(claims["exp"]), _bound_certificate(claims), generation)

    def _claims(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise token_refusal("TOKEN_EXPIRED", "has expired", field="exp") from None
        except jwt.InvalidIssuerError:
            raise token_refusal("TOKEN_FOREIGN", f"is not issued by {self._issuer}", field="iss") from None
        except jwt.InvalidAudienceError:
            raise token_refusal("TOKEN_FOREIGN", f"is not meant for {self._audience}", field="aud") from None
        except jwt.ImmatureSignatureError:
            raise token_refusal("TOKEN_INVALID", "is not valid yet", field="nbf") from None
        except jwt.MissingRequiredClaimError as error:
            raise token_refusal("TOKEN_INVALID", f"lacks the claim {error.claim}", field=error.claim) from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            # The library's own words may quote the token.
            raise token_refusal("TOKEN_INVALID", "has a wrong signature or form") from None
        return claims


def _head(token: str) -> tuple[str | None, str]:
    try:
        head: Mapping[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):  # the last by brackets nested without end
        raise token_refusal("TOKEN_INVALID", "is no signed JWT") from None
    kid, algorithm, kind = head.get("kid"), head.get("alg"), head.get("typ", "JWT")
    if algorithm not in ALGORITHMS:
        allowed = ", ".join(ALGORITHMS)
        raise token_refusal("TOKEN_INVALID", f"must be signed with {allowed}", field="alg", value=str(algorithm)[:64])
    if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
        raise token_refusal("TOKEN_INVALID", "is no access token", field="typ", value=str(kind)[:64])
    return kid, algorithm


def _client(claims: Mapping[str, Any], names: Sequence[str]) -> str:
    client = next((claims[name] for name in names if name in claims), None)
    if not isinstance(client, str) or not client:
        raise token_refusal("TOKEN_INVALID", f"names no client in {' or '.join(names)}", field="client_id")
    return client


def _bound_certificate(claims: Mapping[str, Any]) -> str | None:
    bound = claims.get("cnf")
    if bound is None:
        return None
    thumbprint = bound.get("x5t#S256") if isinstance(bound, dict) else None
    try:
        raw = base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)) if thumbprint else b""
    except (binascii.Error, ValueError, TypeError):
        raw = b""
    if len(raw) != hashlib.sha256().digest_size:
        # Bound to something we cannot check: accepting it as an unbound one would undo the binding.
        raise token_refusal("TOKEN_INVALID", "is bound to a proof other than a client certificate", field="cnf")
    return raw.hex()
