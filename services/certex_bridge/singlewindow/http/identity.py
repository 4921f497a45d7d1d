"""From a request to its caller: access token, client certificate, or on this machine only a header.

What a message claims about its sender plays no part. The caller stands in `scope["state"]["caller"]`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from certex_bridge.platform.http_connection import CLIENT_CERTIFICATE, ClientCertificate
from certex_bridge.platform.local_host import is_for_this_machine
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.http.tokens import token_refusal
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from certex_bridge.platform.health import Application, Receive, Scope, Send
    from certex_bridge.platform.http_settings import Auth
    from certex_bridge.singlewindow.callers_file import CallerRegistry
    from certex_bridge.singlewindow.http.tokens import TokenVerifier

CALLER = "caller"
"""Where `scope["state"]` holds the `Caller`."""

LOCAL_CALLER = b"certex-caller"
"""Header that names the caller when nobody proves anything (CERTEX_GATEWAY_AUTH=none)."""
LOCAL_MEMBER_STATE = b"certex-member-state"
"""Its member state, when there is no file of callers."""


def caller_of(scope: Scope) -> Caller:
    """The authenticated caller of a request that passed `Identity`."""
    caller = scope["state"][CALLER]
    assert isinstance(caller, Caller)
    return caller


class Authenticator:
    """Finds out who calls, by the means the settings allow."""

    def __init__(
        self,
        auth: Auth,
        registry: CallerRegistry,
        tokens: TokenVerifier,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._auth = auth
        self._registry = registry
        self._tokens = tokens
        self._clock = clock

    async def caller(self, scope: Scope) -> Caller:
        """The caller of a request.

        Raises:
            Refusal: unknown caller, or a proof that does not hold; every status is 401, or 503 when a token cannot be
                checked now.
        """
        if self._auth == "none":
            return _local_caller(scope, self._registry)
        certificate = scope.get("state", {}).get(CLIENT_CERTIFICATE)
        by_certificate = None
        if self._auth != "oauth" and certificate is not None:
            by_certificate = self._certified(certificate)
        if self._auth == "mtls":
            return by_certificate or _no_certificate()
        token = bearer_token(scope)
        if token is None:
            if by_certificate is None:
                raise token_refusal("TOKEN_MISSING", "an access token is needed: Authorization: Bearer")
            return by_certificate
        by_token = await self._with_token(token, certificate)
        if by_certificate is not None and by_certificate != by_token:
            raise token_refusal("TOKEN_FOREIGN", "belongs to another caller than the client certificate")
        return by_token

    def _certified(self, certificate: ClientCertificate) -> Caller:
        if self._clock() > certificate.not_after:
            raise Refusal(
                "CERTIFICATE_EXPIRED",
                "the client certificate expired while the connection was open",
                field="certificate",
                value=certificate.fingerprint,
                headers=_ASK_FOR_CERTIFICATE,
            )
        caller = self._registry.current.with_certificate(certificate.fingerprint, certificate.names)
        if caller is None:
            names = ", ".join(sorted(certificate.names))
            raise Refusal(
                "CALLER_UNKNOWN",
                f"the client certificate belongs to no caller, or its names to several: {names}",
                field="certificate",
                value=certificate.fingerprint,
                headers=_ASK_FOR_CERTIFICATE,
            )
        return caller

    async def _with_token(self, token: str, certificate: ClientCertificate | None) -> Caller:
        verified = await self._tokens.verify(token)
        shown = certificate.fingerprint if certificate else None
        if verified.certificate is not None and verified.certificate != shown:
            raise token_refusal("TOKEN_INVALID", "is bound to another client certificate", field="cnf")
        caller = self._registry.current.with_client(verified.client)
        if caller is None:
            raise token_refusal(
                "CALLER_UNKNOWN", "the client of the token is no caller", field="client_id", value=verified.client
            )
        return caller


# No scheme is registered for TLS certificates; RFC 9110 demands that a 401 names one.
_ASK_FOR_CERTIFICATE = {"WWW-Authenticate": 'Certificate realm="certex-bridge"'}


def _no_certificate() -> Caller:
    message = "a client certificate is needed"
    raise Refusal("CERTIFICATE_MISSING", message, field="certificate", headers=_ASK_FOR_CERTIFICATE)


def bearer_token(scope: Scope) -> str | None:
    """The token of the Authorization header, or None without one.

    Raises:
        Refusal: TOKEN_INVALID, for another scheme, two headers, or characters no token has.
    """
    found: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not found:
        return None
    scheme, _, token = found[0].partition(b" ")
    token = token.strip(b" ")
    if len(found) > 1 or scheme.lower() != b"bearer" or not token or b" " in token or not token.isascii():
        raise token_refusal("TOKEN_INVALID", "must be one header of the form Authorization: Bearer <token>")
    return token.decode("ascii")


def _local_caller(scope: Scope, registry: CallerRegistry) -> Caller:
    """The caller a header names.

    A page in a browser can send that header only to its own host, and by a name of its own that leads here: so the name
    must be this machine's.
    """
    if not is_for_this_machine(scope["headers"]):
        raise Refusal("HOST_FOREIGN", "without proof of identity this machine is called by its own name", field="Host")
    headers = dict(scope["headers"])
    name = headers.get(LOCAL_CALLER, b"").decode("latin-1")
    if not name:
        raise token_refusal("CALLER_UNKNOWN", "name the caller in the header Certex-Caller", field="Certex-Caller")
    if registry.has_file:
        known = registry.current.by_name.get(name)
        if known is None:
            raise token_refusal("CALLER_UNKNOWN", "is not in the file of callers", field="Certex-Caller", value=name)
        return known
    state = headers.get(LOCAL_MEMBER_STATE, b"").decode("latin-1")
    try:
        return Caller(name=name, member_state=state, roles=frozenset(CallerRole))
    except ValidationError as error:
        field = "Certex-Caller" if error.errors()[0]["loc"] == ("name",) else "Certex-Member-State"
        value = name if field == "Certex-Caller" else state
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise token_refusal("CALLER_UNKNOWN", message, field=field, value=value) from None


class Identity:
    """Lets a request in when its caller is known, and tells the inside who it is."""

    def __init__(self, application: Application, authenticator: Authenticator) -> None:
        self._application = application
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with its caller.

        Raises:
            Refusal: it has none.
        """
        caller = await self._authenticator.caller(scope)
        scope.setdefault("state", {})[CALLER] = caller
        await self._application(scope, receive, send)
