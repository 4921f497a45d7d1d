"""Refusals of a call: who asks, how much, how fast, in which form, and what every function may have against a message.

`code` in the answer names the reason and is stable; `error_code` is the number of the customs code list CL180
(12 code list, 13 missing, 14 rule, 15 not allowed here, 26 identification used before, 90 unknown MRN, 92 out of
sequence, 93 no MRN). A claim that is refused is no refusal of the call: that is an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    retry_seconds: int = 0
    """Retry-After, where asking again later helps; 0: none."""


REFUSALS: dict[str, RefusalKind] = {
    # identity and rights
    "TOKEN_MISSING": RefusalKind(401, "13", "no access token"),
    "TOKEN_EXPIRED": RefusalKind(401, "14", "the access token has expired"),
    "TOKEN_FOREIGN": RefusalKind(401, "14", "the access token is meant for others"),
    "TOKEN_INVALID": RefusalKind(401, "14", "the access token cannot be accepted"),
    "CERTIFICATE_MISSING": RefusalKind(401, "13", "no client certificate"),
    "CERTIFICATE_EXPIRED": RefusalKind(401, "14", "the client certificate has expired"),
    "CALLER_UNKNOWN": RefusalKind(401, "12", "nobody we know"),
    "ROLE_MISSING": RefusalKind(403, "15", "the caller has no such role"),
    "FOREIGN_MEMBER_STATE": RefusalKind(403, "15", "the declaration belongs to another member state"),
    "SENDER_MISMATCH": RefusalKind(403, "15", "the message names another sender than its caller"),
    # the request
    "SCHEMA_INVALID": RefusalKind(400, "14", "the message is not what its schema says"),
    "NOT_FOUND": RefusalKind(404, "12", "there is no such thing here"),
    "FUNCTION_UNKNOWN": RefusalKind(404, "12", "there is no such function"),
    "METHOD": RefusalKind(405, "15", "the address does not take this method"),
    "BODY_TOO_SLOW": RefusalKind(408, "14", "the body took too long to arrive"),
    "BODY_TOO_LARGE": RefusalKind(413, "14", "the body is too large"),
    "CONTENT_TYPE": RefusalKind(415, "12", "the body has a form that is not taken here"),
    # the message
    "MRN_INVALID": RefusalKind(400, "93", "no MRN"),
    "MRN_UNKNOWN": RefusalKind(404, "90", "a declaration nobody told of"),
    "OFFICER_MISSING": RefusalKind(400, "13", "no officer answers for this"),
    "DUPLICATE_ID": RefusalKind(409, "26", "the message identification was used for another message"),
    "OUT_OF_SEQUENCE": RefusalKind(409, "92", "the message does not follow on what is known"),
    "CLAIM_STATE": RefusalKind(409, "92", "the claim is in a state that does not allow this"),
    "LEVEL_NOT_SUPPORTED": RefusalKind(422, "15", "references are taken at the level of goods items only"),
    # limits and means
    "RATE_EXCEEDED": RefusalKind(429, "14", "more calls a second than agreed", 1),
    "CONCURRENCY_EXCEEDED": RefusalKind(429, "14", "more calls at once than agreed", 1),
    "INTERNAL": RefusalKind(500, "14", "the bridge failed"),
    "IDENTITY_UNAVAILABLE": RefusalKind(503, "14", "the token cannot be checked now", 10),
    "TIME_EXCEEDED": RefusalKind(503, "14", "no answer within the time limit", 1),
    "NOT_AVAILABLE": RefusalKind(503, "14", "the function cannot answer now", 5),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake, as functional errors of the customs systems tell it."""

    pointer: str
    """errorPointer: the header, claim or data element concerned."""
    error_code: str
    """errorCode: CL180."""
    reason: str
    """errorReason: our stable code."""
    value: str = ""
    """originalAttributeValue: what was seen there; never a token."""
    message: str = ""
    """A sentence for people."""


class Refusal(BridgeError):
    """A call that is refused; `headers` go with the answer.

    `field` is the header, claim or data element concerned, `value` what was seen there: never a token. `error_code`
    replaces the kind's where causes differ. `errors` has all mistakes where a check finds many; the first one then
    gives field and value.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str = "",
        value: object = "",
        error_code: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if errors and not field:
            field, value = errors[0].pointer, errors[0].value
        super().__init__(message, field=field, value=value, code=code)
        self.kind = REFUSALS[code]
        own = FieldError(field, error_code or self.kind.error_code, code, self.value, message)
        self.errors: tuple[FieldError, ...] = tuple(errors) or (own,)
        retry = {"Retry-After": str(self.kind.retry_seconds)} if self.kind.retry_seconds else {}
        self.headers = retry | dict(headers or {})
