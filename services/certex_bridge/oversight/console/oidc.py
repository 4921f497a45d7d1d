"""Login by OpenID Connect: authorization code with PKCE (RFC 7636), the identity token checked by the issuer's keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import aiohttp
import jwt

from certex_bridge.oversight.console.people import Person, Role
from certex_bridge.singlewindow.http.keys import ALGORITHMS, KeyStore, fetch_keys
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from certex_bridge.oversight.console.sessions import SignedValues
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings

LOGIN_SECONDS = 600
"""Between leaving for the issuer and coming back."""
EXCHANGE_SECONDS = 10.0
ANSWER_BYTES_MAX = 65_536
CALLBACK = "/console/login/done"


class LoginRefused(Exception):
    """The login failed; the text is a key below `login.refused` of the console's words."""

    def __init__(self, why: str, detail: str = "", *, person: Person | None = None, asked_again: str = "") -> None:
        """`person` is whom the issuer vouches for, and who may not come in all the same.

        `asked_again` is the page wanted by somebody whom the issuer was asked about without showing them anything.
        """
        super().__init__(why)
        self.why = why
        self.detail = detail
        self.person = person
        self.asked_again = asked_again


class OpenIdLogin:
    """The console as a client of the issuer."""

    def __init__(
        self, settings: Settings, values: SignedValues, metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._values = values
        self._clock = clock
        self.keys = KeyStore(
            lambda: fetch_keys(settings.console_oidc_jwks_url, settings.oidc_cafile),
            settings.oidc_keys_pause_seconds,
            metrics,
        )

    def begin(self, onwards: str, *, quiet: bool = False) -> tuple[str, str]:
        """Where to send the browser, and the cookie that proves on return that it left from here.

        With `quiet` the issuer shows nothing: it sends back whoever is logged in there, and says no to all others.
        """
        settings = self._settings
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": settings.console_oidc_client,
            "redirect_uri": settings.console_url + CALLBACK,
            "scope": settings.console_oidc_scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in settings.console_oidc_authorize_url else "?"
        flow = {"state": state, "nonce": nonce, "verifier": verifier, "next": onwards, "at": int(self._clock())}
        if quiet:
            query["prompt"] = "none"
            flow["quiet"] = True
        return settings.console_oidc_authorize_url + mark + urlencode(query), self._values.seal("login", flow)

    async def finish(self, query: Mapping[str, str], cookie: str) -> tuple[Person, str]:
        """The person who comes back from the issuer, and the page to go on with.

        Raises:
            LoginRefused: flow (not begun here, or too long ago), issuer (it says no), exchange, token, roles.
        """
        flow = self._values.open("login", cookie)
        if flow is None or self._clock() - flow["at"] > LOGIN_SECONDS:
            raise LoginRefused("flow")
        if not hmac.compare_digest(flow["state"].encode(), query.get("state", "").encode()):
            raise LoginRefused("flow")
        if "code" not in query:
            asked_again = flow["next"] if flow.get("quiet") else ""
            raise LoginRefused("issuer", query.get("error", "")[:64], asked_again=asked_again)
        token = await self._exchange(query["code"], flow["verifier"])
        return self._person(await self._claims(token, flow["nonce"])), flow["next"]

    async def _exchange(self, code: str, verifier: str) -> str:
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.console_url + CALLBACK,
            "client_id": settings.console_oidc_client,
            "code_verifier": verifier,
        }
        secret = settings.console_oidc_secret.get_secret_value()
        headers = {"Accept": "application/json"}
        if secret:  # form-encoded first: RFC 6749 section 2.3.1
            pair = f"{quote(settings.console_oidc_client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        context = ssl.create_default_context(cafile=settings.oidc_cafile)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=EXCHANGE_SECONDS)) as client,
                client.post(
                    settings.console_oidc_token_url, data=form, headers=headers, ssl=context, allow_redirects=False
                ) as answer,
            ):
                if answer.status != 200 or int(answer.headers.get("Content-Length", "0")) > ANSWER_BYTES_MAX:
                    raise LoginRefused("exchange", str(answer.status))
                document = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise LoginRefused("exchange", type(error).__name__) from error
        token = document.get("id_token") if isinstance(document, dict) else None
        if not isinstance(token, str):
            raise LoginRefused("token", "id_token")
        return token

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        settings = self._settings
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                raise LoginRefused("token", "alg")
            key = await self.keys.find(head.get("kid"), head["alg"])
            if key is None:
                raise LoginRefused("token", "kid")
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[head["alg"]],
                issuer=settings.console_oidc_issuer,
                audience=settings.console_oidc_client,
                leeway=settings.oidc_leeway_seconds,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except Refusal as refusal:
            raise LoginRefused("exchange", refusal.code) from refusal
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise LoginRefused("token", type(error).__name__) from error
        if not hmac.compare_digest(nonce.encode(), str(claims.get("nonce", "")).encode("utf-8", "replace")):
            raise LoginRefused("token", "nonce")
        if claims.get("azp", settings.console_oidc_client) != settings.console_oidc_client:
            raise LoginRefused("token", "azp")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        settings = self._settings
        subject = str(claims["sub"])[:255]
        name = str(claims.get("preferred_username") or claims.get("name") or subject)[:100]
        told = _groups(claims, settings.console_oidc_roles_claim)
        names: Mapping[str, str] = settings.console_oidc_roles or {role.value: role.value for role in Role}
        roles = frozenset(Role(names[one]) for one in told if one in names)
        state = ""
        if settings.console_oidc_state_claim:
            state = str(claims.get(settings.console_oidc_state_claim, "")).upper()
            # An officer of no state would otherwise see all: nothing confines whom nobody placed.
            if not state and roles.isdisjoint({Role.AUDITOR, Role.OPERATOR}):
                raise LoginRefused("state", name, person=Person(name, roles, subject=subject))
        if not roles:
            raise LoginRefused("roles", name, person=Person(name, roles, subject=subject))
        return Person(name, roles, state, subject)


def _groups(claims: Mapping[str, Any], path: str) -> list[str]:
    """The values of a claim, which may lie deeper (`realm_access.roles`)."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, str):
        return found.split()
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
