"""Signatures of pushes, in the form of the Standard Webhooks specification, and the secrets they are made with.

No secret is stored: each is derived from a key of the settings and the subscription's id, so a copy of the database
signs nothing. A subscription remembers which key it was made under; keys can therefore be replaced one after the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
_CHECK_DIGITS = 16


class PushKeys:
    """The keys of the settings; the first makes the secrets of new subscriptions, the others keep old ones working."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    @property
    def usable(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._keys)

    def check_of_new(self, subscription_id: str) -> str:
        """What a new subscription remembers of its key.

        Raises:
            IndexError: there is no key.
        """
        return _check(self._keys[0], subscription_id)

    def secret(self, subscription_id: str, key_check: str) -> bytes | None:
        """The subscription's secret; None when the key it was made under is no longer among ours."""
        for key in self._keys:
            if hmac.compare_digest(_check(key, subscription_id), key_check):
                return hmac.digest(key, f"secret:{subscription_id}".encode(), hashlib.sha256)
        return None


def told_secret(secret: bytes) -> str:
    """The secret as receivers put it into their libraries."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature over id, time (seconds since 1970) and body."""
    signed = hmac.digest(secret, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def _check(key: bytes, subscription_id: str) -> str:
    return hmac.new(key, f"check:{subscription_id}".encode(), hashlib.sha256).hexdigest()[:_CHECK_DIGITS]
