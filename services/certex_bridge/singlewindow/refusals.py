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
    "TOKEN_FOREIGN": RefusalKind(401, "14", "the access token is for another issuer or audience"),
    "TOKEN_INVALID": RefusalKind(401, "14", "the access token is not valid"),
    "CERTIFICATE_MISSING": RefusalKind(401, "13", "no client certificate"),
    "CERTIFICATE_EXPIRED": RefusalKind(401, "14", "the client certificate has expired"),
    "CALLER_UNKNOWN": RefusalKind(401, "12", "unknown caller"),
    "ROLE_MISSING": RefusalKind(403, "15", "the caller lacks the required role"),
    "FOREIGN_MEMBER_STATE": RefusalKind(403, "15", "the declaration belongs to another member state"),
    "HOST_FOREIGN": RefusalKind(403, "15", "the request is for another host"),
    "SENDER_MISMATCH": RefusalKind(403, "15", "the sender named in the message is not the caller"),
    # the request
    "SCHEMA_INVALID": RefusalKind(400, "14", "the message does not conform to its schema"),
    "NOT_FOUND": RefusalKind(404, "12", "not found"),
    "FUNCTION_UNKNOWN": RefusalKind(404, "12", "unknown function"),
    "METHOD": RefusalKind(405, "15", "method not allowed at this address"),
    "BODY_TOO_SLOW": RefusalKind(408, "14", "the body took too long to arrive"),
    "BODY_TOO_LARGE": RefusalKind(413, "14", "the body is too large"),
    "CONTENT_TYPE": RefusalKind(415, "12", "unsupported media type"),
    # the message
    "MRN_INVALID": RefusalKind(400, "93", "invalid MRN"),
    "DUPLICATE_ID": RefusalKind(409, "26", "the message identification was used for another message"),
    # records, lists, notices
    "RECORD_UNKNOWN": RefusalKind(404, "12", "the caller has no such record"),
    "RECORD_EXISTS": RefusalKind(409, "26", "a record with this name exists"),
    "RECORD_DELETED": RefusalKind(409, "92", "the record is deleted"),
    "RECORD_MISMATCH": RefusalKind(409, "14", "the record is about something else"),
    "TYPE_MISMATCH": RefusalKind(409, "14", "the licence has another document code"),
    "CONTINUATION_INVALID": RefusalKind(400, "14", "the continuation token belongs to another list"),
    "ORDER_UNKNOWN": RefusalKind(404, "12", "the caller has no such order"),
    "ORDER_ENDED": RefusalKind(409, "92", "the order has ended"),
    "LIST_UNKNOWN": RefusalKind(404, "12", "the order has produced no such list"),
    "NOTICE_UNKNOWN": RefusalKind(404, "12", "there is no such notice"),
    "NOTICE_EXISTS": RefusalKind(409, "26", "a notice with this name exists"),
    "NOTICE_FOREIGN": RefusalKind(403, "15", "the notice was announced by another caller"),
    "NOTICE_ENDED": RefusalKind(409, "92", "the notice has ended"),
    "CALLBACK_URL": RefusalKind(422, "14", "notifications may not be sent to this address"),
    "SUBSCRIPTION_TERMS": RefusalKind(422, "14", "a subscription is not possible on these terms"),
    # limits and means
    "QUOTA_EXCEEDED": RefusalKind(409, "15", "the caller has reached its limit of these"),
    "RATE_EXCEEDED": RefusalKind(429, "14", "call rate above the agreed limit", 1),
    "CONCURRENCY_EXCEEDED": RefusalKind(429, "14", "concurrent calls above the agreed limit", 1),
    "INTERNAL": RefusalKind(500, "14", "internal error"),
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
