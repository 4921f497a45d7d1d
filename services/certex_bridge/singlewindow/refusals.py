"""Refusals of a call before or beside its function: who asks, how much, how fast. Every code is stable.

`code` in the answer names the reason; `error_code` is the number of the customs code list CL180 (12 code list,
13 missing, 14 rule, 15 not allowed here).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from certex_bridge.kernel.errors import BridgeError


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """What all refusals of one code have in common."""

    status: int
    """HTTP status."""
    error_code: str
    """CL180."""
    title: str


REFUSALS: dict[str, RefusalKind] = {
    "TOKEN_MISSING": RefusalKind(401, "13", "no access token"),
    "TOKEN_EXPIRED": RefusalKind(401, "14", "the access token has expired"),
    "TOKEN_FOREIGN": RefusalKind(401, "14", "the access token is meant for others"),
    "TOKEN_INVALID": RefusalKind(401, "14", "the access token cannot be accepted"),
    "CERTIFICATE_MISSING": RefusalKind(401, "13", "no client certificate"),
    "CERTIFICATE_EXPIRED": RefusalKind(401, "14", "the client certificate has expired"),
    "CALLER_UNKNOWN": RefusalKind(401, "12", "nobody we know"),
    "ROLE_MISSING": RefusalKind(403, "15", "the caller has no such role"),
    "FOREIGN_MEMBER_STATE": RefusalKind(403, "15", "the declaration belongs to another member state"),
    "BODY_TOO_SLOW": RefusalKind(408, "14", "the body took too long to arrive"),
    "BODY_TOO_LARGE": RefusalKind(413, "14", "the body is too large"),
    "RATE_EXCEEDED": RefusalKind(429, "14", "more calls a second than agreed"),
    "CONCURRENCY_EXCEEDED": RefusalKind(429, "14", "more calls at once than agreed"),
    "IDENTITY_UNAVAILABLE": RefusalKind(503, "14", "the token cannot be checked now"),
    "TIME_EXCEEDED": RefusalKind(503, "14", "no answer within the time limit"),
}


class Refusal(BridgeError):
    """A call that is refused; `headers` go with the answer.

    `field` is the header, claim or data element concerned, `value` what was seen there: never a token.
    """

    def __init__(
        self, code: str, message: str, *, field: str = "", value: object = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, field=field, value=value, code=code)
        self.kind = REFUSALS[code]
        self.headers = dict(headers or {})
