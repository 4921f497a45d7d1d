"""How functions are reached: by path, by root element and by SOAP, in JSON and XML, with coded refusals in each form."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from lxml import etree

from certex_bridge.platform.metrics import Metrics
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.http import gateway
from certex_bridge.singlewindow.http.gateway import gateway_application
from certex_bridge.singlewindow.http.soap import Soap, in_envelope
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from certex_bridge.singlewindow.refusals import REFUSALS
from tests.support.asgi import Answer, call
from tests.support.echo import ECHO, PLACE, SENDER, EchoRequest, EchoResponse, known, sample

CALLER = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))
JSON, XML = "application/json", "application/xml"


class Desk:
    """The application, and what it recorded and counted."""

    def __init__(self, caller: Caller = CALLER) -> None:
        self.metrics = Metrics()
        self.recorded: list[Any] = []
        application = gateway_application(
            [ECHO], self.metrics, SENDER, [PLACE], recorder=lambda *what: self.recorded.append(what)
        )
        self._application = known(application, caller)

    async def ask(self, method: str, address: str, body: bytes = b"", **headers: str) -> Answer:
        path, _, query = address.partition("?")
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": pairs,
            "server": ("bridge.test", 443), "scheme": "https", "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        return await call(self._application, scope, body)

    def count(self, operation: str, status: int) -> float:
        labels = {"operation": operation, "status": str(status)}
        return self.metrics.registry.get_sample_value("certex_bridge_gateway_requests_total", labels) or 0.0

    def timed(self, operation: str, outcome: str) -> float:
        labels = {"operation": operation, "outcome": outcome}
        return self.metrics.registry.get_sample_value("certex_bridge_gateway_request_seconds_count", labels) or 0.0


@pytest.fixture(params=["read in the loop", "read aside"])
def desk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Everything holds for large messages too, which are read in a thread of their own."""
    if request.param == "read aside":
        monkeypatch.setattr("certex_bridge.singlewindow.http.aside.LARGE_BYTES", -1)
    return Desk()


def as_json(**changes: Any) -> bytes:
    return json.dumps(sample(**changes)).encode()


def as_xml(**changes: Any) -> bytes:
    return write_message(read_json_message(as_json(**changes), EchoRequest))


def notification(body: bytes) -> ErrorNotification:
    return read_message(body, ErrorNotification)


@pytest.mark.parametrize("form", ["json", "xml", "any", "soap"])
@pytest.mark.parametrize("large", [False, True])
async def test_a_large_message_is_read_apart_from_the_loop(
    form: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = []

    def noting(read: Any) -> Any:
        def noted(*what: Any) -> Any:
            readers.append(threading.current_thread().name)
            return read(*what)

        return noted

    for name in ("parse_document", "read_message", "read_json_message", "correlation_in"):
        monkeypatch.setattr(gateway, name, noting(getattr(gateway, name)))
    document = as_xml()
    body, kind, path = {
        "json": (as_json(), JSON, ECHO.path),
        "xml": (document, XML, ECHO.path),
        "any": (document, XML, "/v1/messages"),
        "soap": (in_envelope(Soap.V11, document), "text/xml", "/soap"),
    }[form]
    body += b" " * 65_536 if large else b""
    answer = await Desk().ask("POST", path, body, content_type=kind)
    assert answer.status == 200, answer.body
    assert {name.partition("_")[0] for name in readers} == {"large-message" if large else "MainThread"}
    assert len(readers) == 2


def test_every_series_begins_with_nothing(desk: Desk) -> None:
    value = desk.metrics.registry.get_sample_value
    answered = {"operation": ECHO.name, "outcome": "answered"}
    assert value("certex_bridge_gateway_request_seconds_count", answered) == 0
    assert {value("certex_bridge_gateway_refusals_total", {"code": code}) for code in REFUSALS} == {0}


async def test_both_forms_get_the_same_answer(desk: Desk) -> None:
    told = await desk.ask("POST", "/v1/echoes", as_json(), content_type=JSON)
    shown = await desk.ask("POST", "/v1/echoes", as_xml(), content_type="text/xml; charset=UTF-8")
    assert (told.status, told.headers["content-type"]) == (200, JSON)
    assert (shown.status, shown.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    assert read_json_message(told.body, EchoResponse) == read_message(shown.body, EchoResponse)
    assert json.loads(told.body)["correlationIdentifier"] == "echo-1"
    assert told.headers["server-timing"].startswith("handler;dur=")
    assert desk.count("echo", 200) == desk.timed("echo", "answered") == 2
    (_, operation, request, reply), _ = desk.recorded
    assert (operation, request.mrn, reply.message.note) == (ECHO, "26BE00000000000M12", ("Tom & <Jerry>", "Präzision"))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [(XML, XML), (f"{JSON};q=0.1, {XML}", XML), ("*/*", JSON), ("text/csv", JSON), (f"{XML};q=0", JSON), (f"{XML};q=x", JSON)],
)  # fmt: skip
async def test_accept_chooses_the_form(desk: Desk, accept: str, content_type: str) -> None:
    answer = await desk.ask("POST", "/v1/echoes", as_json(), content_type=JSON, accept=accept)
    assert answer.headers["content-type"].startswith(content_type)
    refused = await desk.ask("POST", "/v1/echoes", as_json(mood="REFUSED"), content_type=JSON, accept=accept)
    assert refused.headers["content-type"].startswith("application/problem+json" if content_type == JSON else XML)


async def test_a_repeated_answer_and_a_kept_one_say_so(desk: Desk) -> None:
    repeated = await desk.ask("POST", "/v1/echoes", as_json(mood="REPEATED"), content_type=JSON)
    kept = await desk.ask("POST", "/v1/echoes", as_json(mood="KEPT"), content_type=JSON)
    assert (repeated.status, repeated.headers["certex-repeated"]) == (200, "1")
    assert (kept.status, "certex-repeated" in kept.headers) == (202, False)
    assert desk.timed("echo", "repeated") == desk.timed("echo", "kept") == 1


async def test_any_message_is_told_by_its_root(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/messages", as_xml(), content_type=XML)
    assert read_message(answer.body, EchoResponse).correlation_identifier == "echo-1"
    unknown = await desk.ask("POST", "/v1/messages", b"<x/>", content_type=XML)
    assert (unknown.status, notification(unknown.body).code) == (404, "FUNCTION_UNKNOWN")
    wrong = await desk.ask("POST", "/v1/messages", as_json(), content_type=JSON)
    assert (wrong.status, wrong.problem["code"]) == (415, "CONTENT_TYPE")
    assert desk.count("echo", 200) == desk.count("messages", 404) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code", "error_code", "pointer"),
    [
        ({"mood": None}, 400, "SCHEMA_INVALID", "13", "mood"),
        ({"mood": "REFUSED"}, 409, "RECORD_DELETED", "92", "MRN"),
        ({"mood": "INPUT"}, 400, "SCHEMA_INVALID", "14", "preparationDateAndTime"),
        ({"messageSender": "NSW.FR"}, 403, "SENDER_MISMATCH", "15", "messageSender"),
        ({"mood": "AWAY"}, 503, "NOT_AVAILABLE", "14", ""),
        ({"mood": "BROKEN"}, 500, "INTERNAL", "14", ""),
    ],
)
async def test_refusals_in_all_forms(
    desk: Desk, changes: dict[str, Any], status: int, code: str, error_code: str, pointer: str
) -> None:
    told = await desk.ask("POST", "/v1/echoes", as_json(**changes), content_type=JSON)
    document = as_xml(**changes) if changes["mood" if "mood" in changes else "messageSender"] else _without_mood()
    shown = await desk.ask("POST", "/v1/echoes", document, content_type=XML)
    new = await desk.ask("POST", "/soap", in_envelope(Soap.V12, document), content_type="application/soap+xml")
    old = await desk.ask("POST", "/soap", in_envelope(Soap.V11, document), content_type="text/xml")
    problem = told.problem
    assert (told.status, problem["code"], problem["errors"][0]["errorCode"]) == (status, code, error_code)
    assert problem["errors"][0]["errorPointer"].endswith(pointer)
    error = notification(shown.body)
    assert (shown.status, error.code, error.functional_errors[0].error_code) == (status, code, error_code)
    assert (error.message_sender, error.message_recipient, error.correlation_identifier) == (SENDER, "NSW.BE", "echo-1")
    assert error.functional_errors[0].error_pointer.endswith(pointer or "/")
    assert (new.status, old.status) == (status, 500)
    for answer, version in ((new, Soap.V12), (old, Soap.V11)):
        envelope = etree.fromstring(answer.body)
        assert answer.headers["content-type"] == version.content_type
        detail = next(envelope.iter(f"{{{ErrorNotification.namespace()}}}ErrorNotification"))
        assert read_message(detail, ErrorNotification).code == code
    assert b"secret" not in told.body + shown.body + new.body + old.body
    assert ("retry-after" in told.headers) == (status == 503)


def _without_mood() -> bytes:
    return as_xml().replace(b"<mood>GOOD</mood>", b"")


async def test_a_caller_without_the_role_is_refused_unread() -> None:
    auditor = Desk(Caller(name="AUDIT", member_state="BE", roles=frozenset({CallerRole.AUDITOR})))
    for path, body in (("/v1/echoes", b"<"), ("/v1/messages", as_xml())):
        answer = await auditor.ask("POST", path, body, content_type=XML)
        assert (answer.status, notification(answer.body).code) == (403, "ROLE_MISSING")
    assert (await auditor.ask("GET", "/v1/places/BE/1")).status == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=latin-1", "multipart/form-data"])
async def test_other_forms_are_not_taken(desk: Desk, content_type: str) -> None:
    answer = await desk.ask("POST", "/v1/echoes", as_json(), content_type=content_type)
    assert (answer.status, answer.problem["code"]) == (415, "CONTENT_TYPE")
    assert answer.problem["errors"][0]["originalAttributeValue"] == content_type


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/echoes", 405, "METHOD"),
        ("PUT", "/soap", 405, "METHOD"),
        ("GET", "/soap", 405, "METHOD"),
        ("POST", "/v1/echoes/", 404, "NOT_FOUND"),
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/schemas/xsd/../../pyproject.toml", 404, "NOT_FOUND"),
    ],
)
async def test_no_such_address_or_method(desk: Desk, method: str, path: str, status: int, code: str) -> None:
    answer = await desk.ask(method, path)
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert ("allow" in answer.headers) == (status == 405)
    assert desk.count("none", status) == 1


async def test_reads_take_path_and_query(desk: Desk) -> None:
    answer = await desk.ask("GET", "/v1/places/BE/2026/17?at=2026-01-01")
    assert json.loads(answer.body) == {"place": "at=2026-01-01 issuer=BE number=2026/17"}
    missing = await desk.ask("GET", "/v1/places/BE/nowhere", accept=XML)
    assert (missing.status, missing.problem["code"]) == (404, "NOT_FOUND")
    wrong = await desk.ask("GET", "/v1/places/BE/1?at=1&at=2&to=3")
    found = [(one["errorPointer"], one["errorReason"]) for one in wrong.problem["errors"]]
    assert (wrong.status, found) == (400, [("?at", "TOO_MANY"), ("?to", "NOT_ALLOWED")])


async def test_parameters_have_a_length_and_no_control_characters(desk: Desk) -> None:
    assert (await desk.ask("GET", "/v1/places/BE/" + "1" * 512)).status == 200
    for path, pointer, reason in (
        ("/v1/places/BE/" + "1" * 513, "number", "TOO_LONG"),
        ("/v1/places/BE/A\0B", "number", "PATTERN"),
        ("/v1/places/B\nE/1", "issuer", "PATTERN"),
        ("/v1/places/BE/1?at=%00", "at", "PATTERN"),
    ):
        answer = await desk.ask("GET", path)
        found = [(one["errorPointer"], one["errorReason"]) for one in answer.problem["errors"]]
        assert (answer.status, answer.problem["code"], found) == (400, "SCHEMA_INVALID", [(pointer, reason)])


async def test_an_address_is_repeated_in_part(desk: Desk) -> None:
    answer = await desk.ask("GET", "/" + "x" * 60_000)
    assert answer.status == 404
    assert len(answer.body) < 2_000


async def test_a_caller_that_goes_away_while_sending_breaks_nothing(desk: Desk) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/echoes", "query_string": b"",
             "headers": [(b"content-type", b"application/json")]}  # fmt: skip
    await desk._application(scope, receive, send)
    assert sent[0]["status"] == 408
