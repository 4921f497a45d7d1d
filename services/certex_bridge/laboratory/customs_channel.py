"""How the laboratory's customs systems reach a gateway: JSON, XML or SOAP over HTTP, also with bad manners.

A channel sends finished messages and takes answers apart; what is asked and what should be answered is the business of
`customs_client`. Nothing here knows the gateway's inside: any implementation of the interface can be called.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar
from urllib.parse import quote, urlsplit

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.platform.xmlgate import parse_xml
from certex_bridge.singlewindow.http.forms import JSON, MESSAGES_PATH, SOAP_PATH, XML
from certex_bridge.singlewindow.http.soap import Soap, in_envelope, open_envelope
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.xml import parse_document, read_message, tag_of, write_message

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import aiohttp

    from certex_bridge.singlewindow.messages.base import Message

M = TypeVar("M", bound="Message")

ANSWER_SECONDS = 20.0
"""How long an answer is waited for, unless told otherwise."""


class Form(Enum):
    """In which form a message travels."""

    JSON = JSON
    """To the function's own path."""
    XML = XML
    """To the function's own path."""
    MESSAGES = "messages"
    """In XML to the one path for all messages."""
    SOAP_12 = "SOAP 1.2"
    SOAP_11 = "SOAP 1.1"

    @property
    def envelope(self) -> Soap | None:
        """The version of SOAP, where it is SOAP."""
        return {Form.SOAP_12: Soap.V12, Form.SOAP_11: Soap.V11}.get(self)

    @property
    def content_type(self) -> str:
        """The request's content type."""
        return self.envelope.content_type if self.envelope else JSON if self is Form.JSON else XML


@dataclass(frozen=True, slots=True)
class Account:
    """A customs system as the gateway knows it."""

    name: str
    """What its messages name as messageSender."""
    member_state: str
    """Whose declarations it may write for."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What proves it, `Authorization` say; without any, the headers of a gateway that asks for no proof."""

    @property
    def proof(self) -> Mapping[str, str]:
        """The headers that tell the gateway who calls."""
        return self.headers or {"Certex-Caller": self.name, "Certex-Member-State": self.member_state}


class Mistake(NamedTuple):
    """One mistake as the answer tells it."""

    pointer: str
    error_code: str
    """Code list CL180."""
    reason: str
    value: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer."""

    status: int
    """HTTP status."""
    body: bytes
    """Everything after the headers."""
    message: Message | None
    """The response message; None for a refusal."""
    code: str
    """Stable code of a refusal; empty otherwise."""
    mistakes: tuple[Mistake, ...]
    """What a refusal says is wrong."""
    repeated: bool
    """The gateway says that it gave this answer before."""
    blocking: bool | None
    """Whether the verdict stops the clearance, where there is one."""
    retry_seconds: float | None
    """When to ask again, where that helps."""
    seconds: float
    """From the request's first byte to the answer's last."""


class NoAnswer(BridgeError):
    """No answer came; whether the call had its effect only the same message again can tell."""

    code = "NO_ANSWER"


class NotUnderstood(BridgeError):
    """The answer is not one that the interface has."""

    code = "ANSWER_NOT_UNDERSTOOD"


class Channel:
    """Connections to one gateway; use it as a context."""

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None, connections: int = 100) -> None:
        """`url` is the gateway's address, `tls` trusts its server and may hold the client's certificate."""
        self.url = url.rstrip("/")
        self._tls = tls
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        import aiohttp

        connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls or True)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(
        self,
        account: Account,
        path: str,
        request: Message,
        response: type[Message],
        form: Form = Form.JSON,
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> Answered:
        """Send a message and wait for its answer.

        Args:
            account: who sends it.
            path: of the function, used by the forms that have a path for each.
            request: the message.
            response: the kind of message that answers it.
            form: how it travels.
            seconds: how long to wait; less than an answer takes is a client that gives up.

        Raises:
            NoAnswer: the connection failed, or the time was over.
            NotUnderstood: the answer is not of the interface.
        """
        return await self.send_bytes(account, path, encoded(request, form), response, form, seconds=seconds)

    async def send_bytes(
        self,
        account: Account,
        path: str,
        body: bytes,
        response: type[Message],
        form: Form,
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> Answered:
        """Send anything as the body of a call, a message that is broken on purpose say; raises like `send`."""
        headers = {**account.proof, "Content-Type": form.content_type}
        status, told, answer, took = await self._exchange("POST", _path(form, path), headers, body, seconds)
        return _answered(status, told, answer, took, response if status in {200, 202} else None, form)

    async def get(self, account: Account, *path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A plain read, parts of the path unquoted: `get(account, "v1", "licences", "BE", "L/1")`.

        Raises:
            NoAnswer: the connection failed, or the time was over.
            NotUnderstood: it is not there, or the answer is none of the interface.
        """
        target = "/" + "/".join(quote(part, safe="/") for part in path)
        if query:
            target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        status, _, body, _ = await self._exchange("GET", target, dict(account.proof), None, ANSWER_SECONDS)
        if status != 200:
            raise NotUnderstood(f"HTTP {status}: {body[:300]!r}", field="GET", value=target)
        found: dict[str, Any] = json.loads(body)
        return found

    async def abandon(self, account: Account, path: str, request: Message, form: Form = Form.JSON) -> None:
        """Send a message and close the connection without waiting: nobody hears the answer.

        Raises:
            NoAnswer: not even a connection could be made.
        """
        parts, body = urlsplit(self.url), encoded(request, form)
        headers = {
            **account.proof,
            "Host": parts.netloc,
            "Content-Type": form.content_type,
            "Content-Length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        try:
            _, writer = await asyncio.open_connection(
                parts.hostname,
                parts.port or (443 if parts.scheme == "https" else 80),
                ssl=(self._tls or True) if parts.scheme == "https" else None,
            )
            writer.write(f"POST {parts.path}{_path(form, path)} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            await writer.drain()
        except OSError as error:
            raise NoAnswer(f"{type(error).__name__}: {error}", field="url", value=self.url) from error
        writer.transport.abort()

    async def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes, float]:
        import aiohttp

        assert self._session is not None, "use it as a context"
        began = time.perf_counter()
        try:
            async with self._session.request(
                method,
                self.url + path,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as answer:
                read = await answer.read()
                return answer.status, answer.headers, read, time.perf_counter() - began
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}", field="url", value=self.url + path) from error


def encoded(message: Message, form: Form) -> bytes:
    """The message as it travels."""
    if form is Form.JSON:
        return message.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=False).encode()
    document = write_message(message)
    return in_envelope(form.envelope, document) if form.envelope else document


def _path(form: Form, path: str) -> str:
    return SOAP_PATH if form.envelope else MESSAGES_PATH if form is Form.MESSAGES else path


def _answered(
    status: int, headers: Mapping[str, str], body: bytes, seconds: float, response: type[Message] | None, form: Form
) -> Answered:
    blocking, retry = headers.get("Certex-Blocking"), headers.get("Retry-After")
    message: Message | None = None
    code = ""
    mistakes: tuple[Mistake, ...] = ()
    try:
        if response is not None:
            message = _message(body, response, form)
        else:
            code, mistakes = _refusal(body, form)
    except (BridgeError, LookupError, ValueError, TypeError) as error:
        raise NotUnderstood(f"HTTP {status}: {error}: {body[:300]!r}", field="body", value=form.value) from error
    return Answered(
        status=status,
        body=body,
        message=message,
        code=code,
        mistakes=mistakes,
        repeated=headers.get("Certex-Repeated") == "1",
        blocking=None if blocking is None else blocking == "1",
        retry_seconds=None if retry is None else float(retry),
        seconds=seconds,
    )


def _message(body: bytes, model: type[M], form: Form) -> M:
    if form is Form.JSON:
        return read_json_message(body, model)
    if form.envelope is None:
        return read_message(body, model)
    _, inner = open_envelope(parse_document(body))
    return read_message(inner, model)


def _refusal(body: bytes, form: Form) -> tuple[str, tuple[Mistake, ...]]:
    if form is Form.JSON:
        told = json.loads(body)
        names = ("errorPointer", "errorCode", "errorReason", "originalAttributeValue")
        return told["code"], tuple(Mistake(*(str(one[name]) for name in names)) for one in told["errors"])
    root = parse_xml(body)
    found = root if form.envelope is None else root.find(f".//{tag_of(ErrorNotification)}")
    if found is None:
        raise LookupError("a fault without ErrorNotification")
    notification = read_message(found, ErrorNotification)
    return notification.code, tuple(
        Mistake(one.error_pointer, one.error_code, one.error_reason, one.original_attribute_value or "")
        for one in notification.functional_errors
    )
