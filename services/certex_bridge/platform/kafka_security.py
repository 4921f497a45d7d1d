"""How we prove to the broker who we are, and it to us: TLS, mutual TLS, SCRAM-SHA-512, PLAIN, OAUTHBEARER.

One description of the settings becomes FastStream's security object and the arguments of a bare aiokafka client.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLPlaintext, SASLScram512

if TYPE_CHECKING:
    from collections.abc import Callable

    from certex_bridge.platform.settings import Settings

TOKEN_REQUEST_SECONDS = 10.0
TOKEN_BYTES_MAX = 65_536


class TokenUnavailable(KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """The token endpoint gives no token; a KafkaError, so that the client tries again as after a lost connection."""


class ClientCredentialTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Access tokens by OAuth 2.0 client credentials (RFC 6749 4.4), kept until shortly before they expire.

    One request at a time; the token is never logged. Brokers that end connections with expired tokens are met by
    aiokafka's reconnect, which asks here again.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        """A token that is valid for some time to come.

        Raises:
            TokenUnavailable: the endpoint is away or refuses; no secret is in the message.
        """
        async with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                asked = self._clock()
                answer = await asyncio.to_thread(self._request)
                lifetime = float(answer.get("expires_in", 300))
                # Never renew more often than at half of a short lifetime.
                skew = min(self._settings.kafka_oauth_skew_seconds, lifetime / 2)
                self._token, self._renew_at = str(answer["access_token"]), asked + lifetime - skew
            return self._token

    def _request(self) -> dict[str, Any]:
        settings = self._settings
        fields = {"grant_type": "client_credentials", "scope": settings.kafka_oauth_scope}
        body = urllib.parse.urlencode({name: value for name, value in fields.items() if value}).encode()
        pair = (settings.kafka_oauth_client_id, settings.kafka_oauth_client_secret.get_secret_value())
        basic = b64encode(":".join(urllib.parse.quote(part, safe="") for part in pair).encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Accept": "application/json"}
        # The scheme is https, or http on loopback: checked by the settings.
        request = urllib.request.Request(settings.kafka_oauth_token_url, body, headers)  # noqa: S310  # the address is the operator's, http or https
        context = _verifying_context(settings) if request.type == "https" else None
        try:
            with urllib.request.urlopen(request, timeout=TOKEN_REQUEST_SECONDS, context=context) as answer:  # noqa: S310  # the address is the operator's, http or https
                document: Any = json.loads(answer.read(TOKEN_BYTES_MAX))
        except urllib.error.HTTPError as error:
            with error:  # it is the open answer
                raise TokenUnavailable(f"the token endpoint answered {error.code} {error.reason}") from None
        except (OSError, ValueError) as error:
            raise TokenUnavailable(f"the token endpoint gave no token: {error}") from error
        if not isinstance(document, dict) or not document.get("access_token"):
            raise TokenUnavailable("the token endpoint's answer holds no access_token")
        return dict(document)


def _verifying_context(settings: Settings) -> ssl.SSLContext:
    """Checks certificate and name of the other side, against the given authorities or else the system's."""
    context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context for brokers, with our certificate when there is one; None for plain connections."""
    if settings.kafka_security_protocol not in {"SSL", "SASL_SSL"}:
        return None
    context = _verifying_context(settings)
    if settings.kafka_ssl_certfile:
        password = settings.kafka_ssl_key_password.get_secret_value()
        # A lambda instead of the password itself: OpenSSL otherwise asks at the terminal for a missing one.
        context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile, lambda: password)
    return context


def token_provider(settings: Settings) -> ClientCredentialTokens | None:
    """The source of tokens for OAUTHBEARER, else None."""
    return ClientCredentialTokens(settings) if settings.kafka_sasl_mechanism == "OAUTHBEARER" else None


def faststream_security(settings: Settings) -> BaseSecurity:
    """FastStream's description of the same."""
    context = ssl_context(settings)
    user, password = settings.kafka_username, settings.kafka_password.get_secret_value()
    match settings.kafka_sasl_mechanism:
        case "PLAIN":
            return SASLPlaintext(user, password, ssl_context=context)
        case "SCRAM-SHA-512":
            return SASLScram512(user, password, ssl_context=context)
        case "OAUTHBEARER":
            return SASLOAuthBearer(ssl_context=context)
        case _:
            return BaseSecurity(ssl_context=context)


def client_security(settings: Settings) -> dict[str, Any]:
    """Arguments of a bare aiokafka producer, consumer or admin client."""
    arguments: dict[str, Any] = {
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_sasl_mechanism:
        arguments["sasl_mechanism"] = settings.kafka_sasl_mechanism
    if settings.kafka_sasl_mechanism in {"PLAIN", "SCRAM-SHA-512"}:
        arguments["sasl_plain_username"] = settings.kafka_username
        arguments["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        arguments["sasl_oauth_token_provider"] = token_provider(settings)
    return arguments
