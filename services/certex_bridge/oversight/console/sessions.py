"""Sessions: a signed cookie that says who, since when and until when; and the tokens of forms made from it.

Only what ended early is kept on the server (`revocations.py`), so any gateway with the same key takes any click.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from certex_bridge.oversight.console.people import Person, Role

COOKIE = "certex-console"
FLOW_COOKIE = "certex-console-login"
"""Of a login under way at the issuer: it must come with a click from the issuer's pages, so it is no strict one."""
PATH = "/console"


def cookie_place(name: str, *, secure: bool) -> tuple[str, str]:
    """Name and path of a cookie; with TLS the browser sees to it that no other host and no plain HTTP sets it."""
    return (f"__Host-{name}", "/") if secure else (name, PATH)


class SignedValues:
    """JSON with a signature, as a cookie holds it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, purpose: str, values: Mapping[str, Any]) -> str:
        """Text that only this key makes, for one purpose."""
        body = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).rstrip(b"=")
        return f"{body.decode()}.{self.mark(purpose, body)}"

    def open(self, purpose: str, text: str) -> dict[str, Any] | None:
        """What was sealed for the purpose; None for anything else."""
        body, _, mark = text.partition(".")
        raw = body.encode("ascii", "replace")
        if not hmac.compare_digest(self.mark(purpose, raw).encode(), mark.encode("utf-8", "replace")):
            return None
        try:
            values: dict[str, Any] = json.loads(base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4)))
        except (ValueError, binascii.Error):
            return None
        return values

    def mark(self, purpose: str, body: bytes) -> str:
        """Signature of bytes for a purpose."""
        return hmac.new(self._key, purpose.encode() + b"\n" + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's visit; without person before the login."""

    number: str
    person: Person | None
    since: float
    """Begin, seconds since 1970."""
    seen: int
    """Last click, seconds since 1970."""


class Sessions:
    """Makes sessions, reads them from cookies, ends them by the clock."""

    def __init__(
        self,
        values: SignedValues,
        idle_seconds: float,
        longest_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._values = values
        self._idle = idle_seconds
        self._longest = longest_seconds
        self._clock = clock

    def begin(self, person: Person | None = None) -> Session:
        """A new session under a new number: one from before a login is never used after it."""
        now = self.now()
        return Session(secrets.token_urlsafe(18), person, now, int(now))

    def now(self) -> float:
        """Seconds since 1970, as sessions have them."""
        return round(self._clock(), 3)

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie, or None when it is none of ours or over."""
        values = self._values.open("session", cookie)
        if values is None:
            return None
        now, person = self._clock(), values["person"]
        if now - values["seen"] > self._idle or now - values["since"] > self._longest:
            return None
        known = person and Person(person[0], frozenset(Role(one) for one in person[1]), *person[2:])
        return Session(values["number"], known or None, values["since"], values["seen"])

    def is_due(self, cookie: str) -> bool:
        """Whether a person's session is over only because the issuer's word is too old."""
        values = self._values.open("session", cookie)
        if values is None or not values["person"]:
            return False
        now = self._clock()
        idle, age = now - values["seen"], now - values["since"]
        return bool(idle <= self._idle and age > self._longest)

    def clicked(self, session: Session) -> Session:
        """The session after a click of the person; what a page fetches by itself is no click."""
        return replace(session, seen=int(self._clock()))

    def cookie(self, session: Session) -> str:
        """The cookie's value."""
        person = session.person
        return self._values.seal(
            "session",
            {
                "number": session.number,
                "person": person and [person.name, sorted(person.roles), person.member_state, person.subject],
                "since": session.since,
                "seen": session.seen,
            },
        )

    def form_token(self, session: Session) -> str:
        """What each form of the session must bring along."""
        return self._values.mark("form", session.number.encode())

    def form_is_ours(self, session: Session, token: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode("utf-8", "replace"))
