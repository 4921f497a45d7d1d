"""The gateway's application: every operation by path, by root element and by SOAP, in JSON and in XML."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from certex_bridge.platform.tracing import OFF, Tracing, exemplar
from certex_bridge.singlewindow.http.answers import Answers, now
from certex_bridge.singlewindow.http.descriptions import Descriptions
from certex_bridge.singlewindow.http.exchange import Exchange, unforeseen
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
from certex_bridge.singlewindow.messages.xml import parse_document, read_message, tag_of
from certex_bridge.singlewindow.operation import Call, Operation, Read, Reply
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from lxml import etree

    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.singlewindow.http.answers import Answer
    from certex_bridge.singlewindow.messages.base import Message

    Recorder = Callable[[Call, Operation, Message, Reply], None]
    Endpoint = Callable[[Request], Awaitable[Response]]

_GREEDY = re.compile(r"\{(\w+)\}$")


def gateway_application(
    operations: Sequence[Operation],
    metrics: Metrics,
    sender: str,
    reads: Sequence[Read] = (),
    clock: Callable[[], datetime] = now,
    recorder: Recorder | None = None,
    tracing: Tracing = OFF,
) -> Starlette:
    """The application behind `Access`.

    `sender` is what its own messages name as messageSender, `recorder` sees every call that was answered.
    """
    gateway = Gateway(operations, metrics, Answers(sender, clock), clock, recorder, tracing)
    descriptions = Descriptions(operations, reads)
    routes = [
        *(Route(one.path, gateway.operation(one), methods=["POST"]) for one in operations),
        *(Route(_GREEDY.sub(r"{\1:path}", one.path), gateway.read(one), methods=["GET"]) for one in reads),
        Route(MESSAGES_PATH, gateway.messages, methods=["POST"]),
        Route(SOAP_PATH, gateway.soap, methods=["POST"]),
        *descriptions.routes(),
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: gateway.no_route})
    # An address with a slash too many is another address; a redirected POST would lose its body.
    application.router.redirect_slashes = False
    return application


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
        for one in operations:  # a rate sees only what comes after a series began
            metrics.gateway_request_seconds.labels(one.name, "answered")

    def operation(self, operation: Operation) -> Endpoint:
        """POST <path>: one operation in JSON or XML."""

        async def work(exchange: Exchange, request: Request) -> Answer:
            form = request_form(request.scope)
            exchange.form = answer_form(request.scope, form)
            exchange.caller.require(*operation.roles)
            raw = await request.body()
            if form == XML:
                return await self._read_and_call(exchange, operation, parse_document(raw))
            exchange.correlate(correlation_in(raw))
            return await self._call(exchange, operation, read_json_message(raw, operation.request))

        return self._endpoint(operation.name, work)

    def read(self, read: Read) -> Endpoint:
        """GET <path>."""

        async def work(exchange: Exchange, request: Request) -> Answer:
            exchange.form = JSON
            exchange.caller.require(*read.roles)
            parameters = exchange.parameters(request.path_params, read.query)
            started = time.perf_counter()
            found = await read.handler(Call(exchange.caller, self._clock()), parameters)
            exchange.handler_seconds = time.perf_counter() - started
            return self._answers.plain(found)

        return self._endpoint(read.name, work)

    async def messages(self, request: Request) -> Response:
        """POST /v1/messages: any message in XML, told by its root element."""

        async def work(exchange: Exchange, request: Request) -> Answer:
            form = request_form(request.scope)
            if form != XML:
                raise Refusal("CONTENT_TYPE", "messages are taken in XML here", field="Content-Type", value=form)
            exchange.form = answer_form(request.scope, XML)
            root = parse_document(await request.body())
            return await self._dispatch(exchange, root)

        return await self._answered(request, "messages", work)

    async def soap(self, request: Request) -> Response:
        """POST /soap: the same in an envelope; the action is not needed, since the root element tells it."""

        async def work(exchange: Exchange, request: Request) -> Answer:
            exchange.form = soap_version(request.scope)
            exchange.form, body = open_envelope(parse_document(await request.body()))
            return await self._dispatch(exchange, body)

        return await self._answered(request, "soap", work)

    async def no_route(self, request: Request, error: Exception) -> Response:
        """An address or a method that there is not."""
        assert isinstance(error, HTTPException)
        code = "METHOD" if error.status_code == 405 else "NOT_FOUND"
        # Not the whole address: a query may hold what belongs in no log and no answer.
        path = request.scope["path"]
        refusal = Refusal(code, f"{request.method} {path}", field="path", value=path, headers=error.headers)

        async def work(_exchange: Exchange, _request: Request) -> Answer:
            raise refusal

        return await self._answered(request, "none", work)

    async def _dispatch(self, exchange: Exchange, root: etree._Element) -> Answer:
        operation = self._by_tag.get(str(root.tag))
        if operation is None:
            raise Refusal("FUNCTION_UNKNOWN", "no function has this message", field="/", value=root.tag)
        exchange.operation = operation.name
        exchange.caller.require(*operation.roles)
        return await self._read_and_call(exchange, operation, root)

    async def _read_and_call(self, exchange: Exchange, operation: Operation, root: etree._Element) -> Answer:
        exchange.correlate(root.findtext(f"{{{operation.request.namespace()}}}messageIdentification"))
        return await self._call(exchange, operation, read_message(root, operation.request))

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

    def _endpoint(self, name: str, work: Callable[[Exchange, Request], Awaitable[Answer]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await self._answered(request, name, work)

        return endpoint

    async def _answered(
        self, request: Request, name: str, work: Callable[[Exchange, Request], Awaitable[Answer]]
    ) -> Response:
        exchange = Exchange(request.scope, name, caller_of(request.scope))
        with served(self._tracing, request, exchange) as span:
            return await self._measured(exchange, request, work, exemplar(span.trace))

    async def _measured(
        self,
        exchange: Exchange,
        request: Request,
        work: Callable[[Exchange, Request], Awaitable[Answer]],
        example: dict[str, str] | None,
    ) -> Response:
        started = time.perf_counter()
        headers: dict[str, str] = {}
        try:
            answer = await work(exchange, request)
        except EnvelopeRefused as refused:
            answer = self._answers.envelope_refused(refused)
        except ClientDisconnect:
            # Nobody reads this.
            answer = self._answers.refusal(request.scope, Refusal("BODY_TOO_SLOW", "the caller went away"), JSON)
        except Exception as error:  # noqa: BLE001  # whatever a function raises, its caller gets a coded answer
            refusal = unforeseen(error, exchange)
            headers = dict(refusal.headers)
            exchange.error = refusal.code if refusal.kind.status >= 500 else ""
            self._metrics.gateway_refusals_total.labels(refusal.code).inc()
            answer = self._answers.refusal(request.scope, refusal, exchange.form)
        exchange.status = answer.status
        self._metrics.gateway_requests_total.labels(exchange.operation, str(answer.status)).inc()
        seconds = self._metrics.gateway_request_seconds.labels(exchange.operation, exchange.outcome)
        seconds.observe(time.perf_counter() - started, example)
        return Response(answer.body, answer.status, headers | exchange.headers(), answer.content_type)
