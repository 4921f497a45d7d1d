"""An operation of the single window: what is asked, by whom, and who answers it.

The functions (`functions/`) export operations; how they are reached (JSON, XML, SOAP) is the business of `http/`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from certex_bridge.kernel.canonical import content_id
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.messages.base import Message


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request on its way to its function."""

    caller: Caller
    received_at: datetime

    def call_id(self, request: Message) -> str:
        """Identity of the call for ever: the caller and the message's own identification."""
        return content_id("call", self.caller.name, request.message_identification)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a function answers."""

    message: Message | bytes
    """A message, or a finished XML document of the response's family."""
    repeated: bool = False
    """The call was answered before; this is that answer."""
    kept: bool = False
    """Taken over and not decided yet (HTTP 202): the outcome follows on the topic and by push."""
    blocking: bool | None = None
    """Whether a negative verdict stops the caller's clearance (header Certex-Blocking); None: there is no verdict."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and its handler."""

    name: str
    """lowerCamel verb and object, as in the WSDL: checkAvailability."""
    function: str
    """F1 to F10."""
    law: str
    """Paragraphs of Implementing Regulation (EU) 2024/2145, for instance `5(1)`."""
    path: str
    """`/v1/checks`."""
    request: type[Message]
    response: type[Message]
    roles: frozenset[CallerRole]
    """One of them is needed."""
    handler: Callable[[Call, Any], Awaitable[Reply]]
    """Takes the call and a message of the request's type.

    Raises:
        Refusal: the call is refused, with a code.
    """
    summary: str
    """One sentence for the OpenAPI document."""
    statuses: tuple[int, ...] = ()
    """HTTP statuses besides those that every operation may have."""


@dataclass(frozen=True, slots=True)
class Read:
    """A plain read for people and the console: GET, JSON, nothing is stored."""

    name: str
    """lowerCamel, as in the OpenAPI document: getDeclaration."""
    path: str
    """`/v1/licences/{issuer}/{number}`; the last parameter may hold slashes."""
    response: type[BaseModel]
    roles: frozenset[CallerRole]
    """One of them is needed."""
    handler: Callable[[Call, Mapping[str, str]], Awaitable[BaseModel]]
    """Takes the call and the parameters of path and query by name.

    Raises:
        Refusal: NOT_FOUND and what else the read may have against them.
    """
    summary: str
    """One sentence for the OpenAPI document."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the query, all optional: name to one sentence."""
