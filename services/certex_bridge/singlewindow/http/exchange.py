"""One request while it is being answered, and what becomes of errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from certex_bridge.kernel.errors import InputError
from certex_bridge.platform.database_errors import retry_cause
from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.http.answers import CORRELATION
from certex_bridge.singlewindow.http.forms import JSON, likely_form
from certex_bridge.singlewindow.messages import mistakes
from certex_bridge.singlewindow.refusals import FieldError, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certex_bridge.platform.health import Receive, Scope
    from certex_bridge.singlewindow.callers import Caller
    from certex_bridge.singlewindow.http.soap import Soap

LOG = get_logger("certex_bridge.gateway")

PARAMETER_LENGTH = 512
"""Of one parameter of a read."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
_IDENTIFICATION = re.compile("[!-~]{1,35}").fullmatch


class ClientGone(Exception):
    """The client went away before its request was complete."""


@dataclass(slots=True)
class Exchange:
    """What is known about the request so far."""

    scope: Scope
    receive: Receive
    operation: str
    """Label of the metrics: an operation, or the address while that is not known."""
    caller: Caller
    outcome: str = "refused"
    handler_seconds: float | None = None
    """Time that the function took."""
    form: str | Soap = JSON
    """Form of the answer."""
    blocking: bool | None = None
    """Whether the verdict stops the caller's clearance."""
    status: int = 0
    """HTTP status of the answer, 0 before there is one."""
    error: str = ""
    """Code of the refusal that is no fault of the caller's, for the trace."""

    def __post_init__(self) -> None:
        self.form = likely_form(self.scope)

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            ClientGone: it does not come any more.
        """
        parts = []
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                raise ClientGone
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    def correlate(self, identification: str | None) -> None:
        """Keep the request's messageIdentification for the answer, when it is one."""
        if identification is not None and _IDENTIFICATION(identification):
            self.scope["state"][CORRELATION] = identification

    def pointer(self, name: str, root: str) -> str:
        """Where a field of the header is, in the form of the answer."""
        return mistakes.json_pointer((name,)) if self.form == JSON else f"/{root}/{name}"

    def parameters(self, path: Mapping[str, str], query: Mapping[str, str]) -> dict[str, str]:
        """The parameters of a read by name.

        Raises:
            Refusal: SCHEMA_INVALID, for one that is not known, is there twice, is too long or has control characters.
        """
        found = dict(path)
        errors = []
        for name, value in parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True):
            seen, place = mistakes.shown(value), mistakes.shown(f"?{name}")
            if name not in query:
                errors.append(FieldError(place, "15", "NOT_ALLOWED", seen, "unknown parameter"))
            elif name in found:
                errors.append(FieldError(place, "35", "TOO_MANY", seen, "is there twice"))
            else:
                found[name] = value
        for name, value in found.items():
            if len(value) > PARAMETER_LENGTH:
                message = f"has more than {PARAMETER_LENGTH} characters"
                errors.append(FieldError(name, "39", "TOO_LONG", mistakes.shown(value), message))
            elif _CONTROL(value):
                # The database knows no NUL, and no identifier has any other control character.
                errors.append(FieldError(name, "51", "PATTERN", value, "has a control character"))
        if errors:
            raise mistakes.refused(errors)
        return found

    def headers(self) -> dict[str, str]:
        """What the answer says besides its content."""
        headers = {} if self.outcome != "repeated" else {"Certex-Repeated": "1"}
        if self.blocking is not None:
            headers["Certex-Blocking"] = str(int(self.blocking))
        if self.handler_seconds is not None:
            headers["Server-Timing"] = f"handler;dur={self.handler_seconds * 1000:.3f}"
        return headers


def unforeseen(error: Exception, exchange: Exchange) -> Refusal:
    """What to tell the caller about an exception; our own mistakes are logged, and nothing of them is told."""
    exchange.outcome = "refused"
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InputError):
        return mistakes.refused([mistakes.of_rule(error)])
    exchange.outcome = "failed"
    cause = retry_cause(error)
    if cause is not None:
        LOG.warning("gateway.unavailable", operation=exchange.operation, cause=cause, error=type(error).__name__)
        return Refusal("NOT_AVAILABLE", "the ledger cannot be reached now", value=cause)
    LOG.error("gateway.failed", operation=exchange.operation, exc_info=error)
    message = "a defect of the bridge; ask again with the same message identification to learn the result"
    return Refusal("INTERNAL", message)
