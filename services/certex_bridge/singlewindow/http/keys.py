"""Public keys of the tokens' issuer (JWKS, RFC 7517): fetched without blocking, kept while the issuer is away."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings

LOG = get_logger("certex_bridge.keys")

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Signatures only: a shared secret, or none, proves nothing about the issuer."""

FETCH_SECONDS = 5.0
"""Time-out of one step of the fetch; twice as long for the whole."""
DOCUMENT_BYTES_MAX = 1_048_576
RSA_BITS_MIN = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the issuer."""

    kid: str | None
    algorithm: str
    key: Any
    text: str
    """Its JWK, canonical: tells whether it is still the same key."""


class KeysUnavailable(Exception):
    """The issuer's keys could not be had."""


def usable_keys(document: object) -> list[SigningKey]:
    """The keys of a JWKS that may have signed a token; keys for other purposes and unfit ones are left out.

    Raises:
        KeysUnavailable: no such key is in it; a set that is empty by mistake must not lock everybody out.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = [key for entry in (entries if isinstance(entries, list) else []) if (key := _usable(entry))]
    if not keys:
        raise KeysUnavailable("the key set holds no key for RS256, ES256 or EdDSA signatures")
    return keys


def _usable(entry: object) -> SigningKey | None:
    if not isinstance(entry, dict) or entry.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or "d" in entry
    ):
        return None
    try:
        made = jwt.PyJWK(entry)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    small = isinstance(made.key, RSAPublicKey) and made.key.key_size < RSA_BITS_MIN
    kid = entry.get("kid")
    if made.algorithm_name not in ALGORITHMS or small or not isinstance(kid, str | None):
        return None
    return SigningKey(kid, made.algorithm_name, made.key, json.dumps(entry, sort_keys=True))


class KeyStore:
    """The keys in force. `generation` rises when a key was withdrawn: what it had proved is then forgotten."""

    def __init__(
        self,
        fetch: Callable[[], object],
        pause_seconds: float,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.generation = 0
        self._fetch = fetch
        self._pause = pause_seconds
        self._metrics = metrics
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._lock = asyncio.Lock()
        self._asked_at: float | None = None
        self._away = True

    async def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """The key with this id for this algorithm (without an id: the only one for it); fetched when not known yet.

        Raises:
            Refusal: IDENTITY_UNAVAILABLE, when the key is not known and the issuer is away.
        """
        key = self._pick(kid, algorithm)
        if key is None:
            await self.refresh()
            key = self._pick(kid, algorithm)
        if key is None and self._away:
            raise Refusal(
                "IDENTITY_UNAVAILABLE",
                "the issuer's keys cannot be fetched now; try again later",
                field="Authorization",
                headers={"Retry-After": str(max(1, round(self._pause)))},
            )
        return key

    def _pick(self, kid: str | None, algorithm: str) -> SigningKey | None:
        found = [key for key in self._keys if key.algorithm == algorithm and kid in {None, key.kid}]
        return found[0] if len(found) == 1 or (found and kid is not None) else None

    async def refresh(self) -> None:
        """Fetch the keys; those who ask meanwhile wait for the same answer. Not oftener than the pause allows."""
        async with self._lock:
            if self._asked_at is not None and self._clock() - self._asked_at < self._pause:
                return
            try:
                document = await asyncio.wait_for(asyncio.to_thread(self._fetch), 2 * FETCH_SECONDS)
                fresh = usable_keys(document)
            except (KeysUnavailable, TimeoutError) as error:
                self._away = True
                self._metrics.gateway_keys_failures_total.inc()
                LOG.warning("keys.unavailable", reason=str(error) or "no answer in time", kept=len(self._keys))
            else:
                self._take(fresh)
            finally:
                self._asked_at = self._clock()

    def _take(self, fresh: list[SigningKey]) -> None:
        self._away = False
        withdrawn = {key.text for key in self._keys} - {key.text for key in fresh}
        if withdrawn:
            self.generation += 1
            LOG.info("keys.withdrawn", number=len(withdrawn), left=len(fresh))
        self._keys = fresh

    async def watch(self, stop: asyncio.Event, seconds: float) -> None:
        """Fetch now and every `seconds` until `stop`."""
        while not stop.is_set():
            await self.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that was configured, or not at all."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing: the redirect itself becomes the error."""


def fetcher(settings: Settings) -> Callable[[], object]:
    """A function that fetches the JWKS of the settings, blocking; raises KeysUnavailable."""
    return lambda: fetch_keys(settings.oidc_jwks_url, settings.oidc_cafile)


def fetch_keys(url: str, cafile: Path | None) -> object:
    """The JSON document at `url` (https, or http on loopback: the settings checked it).

    Raises:
        KeysUnavailable: it is away, answers with an error or a redirect, or sends no JSON.
    """
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  # https, held by the settings
    try:
        with opener.open(request, timeout=FETCH_SECONDS) as answer:
            document: object = json.loads(answer.read(DOCUMENT_BYTES_MAX))
    except urllib.error.HTTPError as error:
        with error:  # it is the open answer
            raise KeysUnavailable(f"the address answered {error.code}") from None
    except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
        raise KeysUnavailable(f"no key set: {error}") from error
    return document
