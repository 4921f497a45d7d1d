"""The gateway's application: every operation by path, by root element and by SOAP, in JSON and in XML."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from certex_bridge.platform.tracing import OFF, Tracing, exemplar
from certex_bridge.singlewindow.http.answers import Answers, now
from certex_bridge.singlewindow.http.aside import Aside
from certex_bridge.singlewindow.http.descriptions import Descriptions
from certex_bridge.singlewindow.http.exchange import ClientGone, Exchange, unforeseen
from certex_bridge.singlewindow.http.forms import (
    JSON,
    MESSAGES_PATH,
    SOAP_PATH,
    XML,
    answer_form,
    request_form,
    soap_version,
)
from certex_bridge.singlewindow.http.identity import caller_of
from certex_bridge.singlewindow.http.soap import EnvelopeRefused, open_envelope
from certex_bridge.singlewindow.http.tracing import served
from certex_bridge.singlewindow.messages.json import correlation_in, read_json_message
from certex_bridge.singlewindow.messages.mistakes import shown
from certex_bridge.singlewindow.messages.xml import parse_document, read_message, tag_of
from certex_bridge.singlewindow.operation import Call, Operation, Read, Reply
from certex_bridge.singlewindow.refusals import REFUSALS, Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from lxml import etree
    from starlette.requests import Request

    from certex_bridge.platform.health import Application, Receive, Scope, Send
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.singlewindow.http.answers import Answer
    from certex_bridge.singlewindow.messages.base import Message

    Recorder = Callable[[Call, Operation, Message, Reply], None]
    Work = Callable[[Exchange], Awaitable[Answer]]

_GREEDY = re.compile(r"\{(\w+)\}$")


def gateway_application(
    operations: Sequence[Operation],
    metrics: Metrics,
    sender: str,
    reads: Sequence[Read] = (),
    clock: Callable[[], datetime] = now,
    recorder: Recorder | None = None,
    tracing: Tracing = OFF,
) -> Application:
    """The application behind `Access`.

    `sender` is what its own messages name as messageSender, `recorder` sees every call that was answered.
    """
    gateway = Gateway(operations, metrics, Answers(sender, clock), clock, recorder, tracing)
    descriptions = Descriptions(operations, reads)
    posts = {one.path: gateway.operation(one) for one in operations}
    posts |= {MESSAGES_PATH: gateway.messages(), SOAP_PATH: gateway.soap()}
    routes = [
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()),
        *(Route(_GREEDY.sub(r"{\1:path}", one.path), gateway.read(one), methods=["GET"]) for one in reads),
        *descriptions.routes(),
    ]
    handlers: Any = {HTTPException: gateway.no_route}  # the answer may be any application, whatever the stubs say
    others = Starlette(routes=routes, exception_handlers=handlers)
    # An address with a slash too many is another address; a redirected POST would lose its body.
    others.router.redirect_slashes = False
    return _ByAddress(posts, others)


class _ByAddress:
    """A call finds its function by its address at once; patterns, and what there is not, are the router's."""

    def __init__(self, posts: Mapping[str, Endpoint], others: Application) -> None:
        self._posts = posts
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = self._posts.get(scope["path"]) if scope["method"] == "POST" else None
        await (endpoint or self._others)(scope, receive, send)


class Endpoint:
    """One address: what is done there, and the label of its metrics."""

    def __init__(self, gateway: Gateway, name: str, work: Work) -> None:
        self._gateway = gateway
        self._name = name
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a caller that is known."""
        exchange = Exchange(scope, receive, self._name, caller_of(scope))
        answer, headers = await self._gateway.answered(exchange, self._work)
        told = {**headers, "content-length": str(len(answer.body)), "content-type": answer.content_type}
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.body})


class Gateway:
    """Takes requests apart, lets functions answer, and puts the answers together."""

    def __init__(
        self,
        operations: Sequence[Operation],
        metrics: Metrics,
        answers: Answers,
        clock: Callable[[], datetime],
        recorder: Recorder | None,
        tracing: Tracing = OFF,
    ) -> None:
        self._by_tag = {tag_of(one.request): one for one in operations}
        self._metrics = metrics
        self._answers = answers
        self._clock = clock
        self._recorder = recorder
        self._tracing = tracing
        self._aside = Aside()
        # A rate sees only what comes after a series began.
        for one in operations:
            metrics.gateway_request_seconds.labels(one.name, "answered")
        for code in REFUSALS:
            metrics.gateway_refusals_total.labels(code)

    def operation(self, operation: Operation) -> Endpoint:
        """POST <path>: one operation in JSON or XML."""

        async def work(exchange: Exchange) -> Answer:
            form = request_form(exchange.scope)
            exchange.form = answer_form(exchange.scope, form)
            exchange.caller.require(*operation.roles)
            raw = await exchange.body()
            if form == XML:
                root = await self._aside(len(raw), parse_document, raw)
                return await self._read_and_call(exchange, operation, root, len(raw))
            exchange.correlate(await self._aside(len(raw), correlation_in, raw))
            return await self._call(
                exchange, operation, await self._aside(len(raw), read_json_message, raw, operation.request)
            )

        return Endpoint(self, operation.name, work)

    def read(self, read: Read) -> Endpoint:
        """GET <path>."""

        async def work(exchange: Exchange) -> Answer:
            exchange.form = JSON
            exchange.caller.require(*read.roles)
            parameters = exchange.parameters(exchange.scope["path_params"], read.query)
            started = time.perf_counter()
            found = await read.handler(Call(exchange.caller, self._clock()), parameters)
            exchange.handler_seconds = time.perf_counter() - started
            return self._answers.plain(found)

        return Endpoint(self, read.name, work)

    def messages(self) -> Endpoint:
        """POST /v1/messages: any message in XML, told by its root element."""

        async def work(exchange: Exchange) -> Answer:
            form = request_form(exchange.scope)
            if form != XML:
                raise Refusal("CONTENT_TYPE", "messages are taken in XML here", field="Content-Type", value=form)
            exchange.form = answer_form(exchange.scope, XML)
            raw = await exchange.body()
            return await self._dispatch(exchange, await self._aside(len(raw), parse_document, raw), len(raw))

        return Endpoint(self, "messages", work)

    def soap(self) -> Endpoint:
        """POST /soap: the same in an envelope; the action is not needed, since the root element tells it."""

        async def work(exchange: Exchange) -> Answer:
            exchange.form = soap_version(exchange.scope)
            raw = await exchange.body()
            exchange.form, body = open_envelope(await self._aside(len(raw), parse_document, raw))
            return await self._dispatch(exchange, body, len(raw))

        return Endpoint(self, "soap", work)

    def no_route(self, request: Request, error: Exception) -> Endpoint:
        """An address or a method that there is not."""
        assert isinstance(error, HTTPException)
        code = "METHOD" if error.status_code == 405 else "NOT_FOUND"
        # Not the whole address: a query may hold what belongs in no log and no answer.
        path = shown(request.scope["path"])
        refusal = Refusal(code, f"{request.method} {path}", field="path", value=path, headers=error.headers)

        async def work(_exchange: Exchange) -> Answer:
            raise refusal

        return Endpoint(self, "none", work)

    async def _dispatch(self, exchange: Exchange, root: etree._Element, size: int) -> Answer:
        operation = self._by_tag.get(str(root.tag))
        if operation is None:
            raise Refusal("FUNCTION_UNKNOWN", "no function has this message", field="/", value=root.tag)
        exchange.operation = operation.name
        exchange.caller.require(*operation.roles)
        return await self._read_and_call(exchange, operation, root, size)

    async def _read_and_call(self, exchange: Exchange, operation: Operation, root: etree._Element, size: int) -> Answer:
        exchange.correlate(root.findtext(f"{{{operation.request.namespace()}}}messageIdentification"))
        return await self._call(exchange, operation, await self._aside(size, read_message, root, operation.request))

    async def _call(self, exchange: Exchange, operation: Operation, request: Message) -> Answer:
        call = Call(exchange.caller, self._clock())
        if request.message_sender != call.caller.name:
            message = f"the caller is {call.caller.name}"
            raise Refusal("SENDER_MISMATCH", message, field=exchange.pointer("messageSender", operation.request.root),
                          value=request.message_sender)  # fmt: skip
        started = time.perf_counter()
        try:
            reply = await operation.handler(call, request)
        finally:
            exchange.handler_seconds = time.perf_counter() - started
        answer = self._answers.message(reply, operation.response, exchange.form)
        exchange.blocking = reply.blocking
        exchange.outcome = "repeated" if reply.repeated else "kept" if reply.kept else "answered"
        if self._recorder is not None:
            self._recorder(call, operation, request, reply)
        return answer

    async def answered(self, exchange: Exchange, work: Work) -> tuple[Answer, dict[str, str]]:
        """The answer, whatever becomes of the work, and the headers that it has besides those of its content."""
        with served(self._tracing, exchange) as span:
            return await self._measured(exchange, work, exemplar(span.trace))

    async def _measured(
        self, exchange: Exchange, work: Work, example: dict[str, str] | None
    ) -> tuple[Answer, dict[str, str]]:
        started = time.perf_counter()
        headers: dict[str, str] = {}
        try:
            answer = await work(exchange)
        except EnvelopeRefused as refused:
            answer = self._answers.envelope_refused(refused)
        except ClientGone:
            # Nobody reads this.
            answer = self._answers.refusal(exchange.scope, Refusal("BODY_TOO_SLOW", "the caller went away"), JSON)
        except Exception as error:  # noqa: BLE001  # whatever a function raises, its caller gets a coded answer
            refusal = unforeseen(error, exchange)
            headers = dict(refusal.headers)
            exchange.error = refusal.code if refusal.kind.status >= 500 else ""
            self._metrics.gateway_refusals_total.labels(refusal.code).inc()
            answer = self._answers.refusal(exchange.scope, refusal, exchange.form)
        exchange.status = answer.status
        self._metrics.gateway_requests_total.labels(exchange.operation, str(answer.status)).inc()
        seconds = self._metrics.gateway_request_seconds.labels(exchange.operation, exchange.outcome)
        seconds.observe(time.perf_counter() - started, example)
        return answer, headers | exchange.headers()
