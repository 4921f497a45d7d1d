"""Measure 5: whatever is sent to the live gateway, it answers by its contracts and never fails.

Three senders: schemathesis, which knows the OpenAPI document only; messages and broken documents made from the models;
and a SOAP client that knows the WSDL only. `make fuzz` runs the first two for long (CERTEX_FUZZ_EXAMPLES).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
import zeep
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from certex_bridge.singlewindow.http.soap import Soap, in_envelope
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.xml import read_message, tag_of, write_message
from tests.support.databases import run
from tests.support.echo import ECHO, sample
from tests.support.live_gateway import NAME, LiveGateway, live_gateway
from tests.support.message_strategies import broken_documents, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.singlewindow.operation import Operation
    from tests.support.databases import Databases

EXAMPLES = int(os.environ.get("CERTEX_FUZZ_EXAMPLES", "12"))
HEADERS = {"Certex-Caller": NAME}
UNAVAILABLE = 503
"""The one server error that is documented."""
OF_THE_SCHEMA = {"MISSING", "PATTERN", "TYPE", "CODE", "ORDER", "TOO_LONG", "TOO_SHORT", "TOO_MANY", "SCHEMA"}
POSITIVE = (schemathesis.GenerationMode.POSITIVE,)
"""Of reads: all they take is text, and any text is one by the document; what is no day or number is among it."""
CHECKS: Any = [status_code_conformance, content_type_conformance, response_schema_conformance]

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300 + 20 * EXAMPLES)]


@pytest.fixture(scope="module")
def gateway(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    url = run(databases.create_migrated())
    with live_gateway(url, tmp_path_factory.mktemp("gateway")) as live:
        yield live
    run(databases.drop(url))


def sound(answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == UNAVAILABLE, answer.content[:2000]


def campaign(examples: int) -> Any:
    """Settings of a run; failing examples are shown as they are, since shrinking them asks a live service again."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def test_schemathesis_finds_no_fault(gateway: LiveGateway) -> None:
    document = requests.get(f"{gateway.url}/openapi.json", headers=HEADERS, timeout=10).json()
    # Texts in XML are made from the models below; this sender knows JSON Schema.
    del document["paths"]["/v1/messages"]
    for path in document["paths"].values():
        for one in path.values():
            content = one.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                content.pop("application/xml", None)
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in POSITIVE if operation.method == "get" else schemathesis.GenerationMode:

            @campaign(EXAMPLES)
            @given(operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal tried
                tried += 1
                if isinstance(case.body, dict) and "messageSender" in case.body:
                    case.body["messageSender"] = NAME
                answer = case.call(base_url=gateway.url, headers=HEADERS)
                sound(answer)
                case.validate_response(answer, checks=CHECKS)

            ask()
    assert tried >= len(document["paths"])


def by_contract(operation: Operation, answer: requests.Response) -> None:
    """The answer fits the schema of what it says it is."""
    sound(answer)
    model = operation.response if answer.status_code in {200, 202} else ErrorNotification
    read_message(answer.content, model)


class Sender:
    """Sends what one operation's request could be, and what it could not."""

    def __init__(self, gateway: LiveGateway, operation: Operation, session: requests.Session) -> None:
        self.url, self.operation, self.session = gateway.url, operation, session
        self.valid = messages(operation.request, messageSender=NAME)

    def post(self, document: bytes, path: str = "", content_type: str = "application/xml") -> requests.Response:
        headers = HEADERS | {"Content-Type": content_type}
        return self.session.post(self.url + (path or self.operation.path), document, headers=headers, timeout=30)

    def good(self) -> None:
        @campaign(EXAMPLES)
        @given(self.valid, st.sampled_from(["", "/v1/messages"]))
        def send(message: Any, path: str) -> None:
            answer = self.post(write_message(message), path)
            by_contract(self.operation, answer)
            # What the schema takes is refused for its meaning only.
            assert not {one.error_reason for one in _errors(answer)} & OF_THE_SCHEMA

        send()

    def broken(self) -> None:
        @campaign(EXAMPLES)
        @given(broken_documents(self.operation.request, messageSender=NAME))
        def send(document: bytes) -> None:
            by_contract(self.operation, self.post(document))

        send()

    def garbled(self) -> None:
        @campaign(EXAMPLES)
        @given(self.valid, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
        def send(message: Any, changes: list[tuple[int, int]]) -> None:
            document = bytearray(write_message(message))
            for place, byte in changes:
                document[place % len(document)] = byte
            by_contract(self.operation, self.post(bytes(document)))
            answer = self.post(bytes(document), "/soap", "text/xml")
            assert etree.fromstring(answer.content).tag == f"{{{Soap.V11}}}Envelope"
            assert b"Server</faultcode>" not in answer.content

        send()

    def enveloped(self) -> None:
        @campaign(EXAMPLES)
        @given(self.valid, st.sampled_from(list(Soap)))
        def send(message: Any, version: Soap) -> None:
            answer = self.post(in_envelope(version, write_message(message)), "/soap", version.content_type)
            body = etree.fromstring(answer.content)[-1][0]
            if answer.status_code in {200, 202}:
                read_message(body, self.operation.response)
                return
            read_message(next(body.iter(tag_of(ErrorNotification))), ErrorNotification)
            assert b"Receiver" not in answer.content or answer.status_code == UNAVAILABLE
            assert b"Server</faultcode>" not in answer.content or b"NOT_AVAILABLE" in answer.content

        send()


def test_documents_of_the_models_find_no_fault(gateway: LiveGateway) -> None:
    with requests.Session() as session:
        for operation in gateway.operations:
            sender = Sender(gateway, operation, session)
            for deed in (sender.good, sender.broken, sender.garbled, sender.enveloped):
                deed()


def _errors(answer: requests.Response) -> tuple[Any, ...]:
    return () if answer.status_code in {200, 202} else read_message(answer.content, ErrorNotification).functional_errors


def client_of(gateway: LiveGateway) -> zeep.Client:
    session = requests.Session()
    session.headers.update(HEADERS)
    return zeep.Client(f"{gateway.url}/soap?wsdl", transport=zeep.Transport(session=session, timeout=10))


def test_every_operation_of_the_wsdl_is_known_to_a_soap_client(gateway: LiveGateway) -> None:
    client = client_of(gateway)
    for port in ("Soap12Port", "Soap11Port"):
        service = client.bind("CertexBridge", port)
        assert set(service._operations) == {one.name for one in gateway.operations}


@pytest.mark.parametrize("port", ["Soap12Port", "Soap11Port"])
def test_a_soap_client_that_knows_the_wsdl_only(gateway: LiveGateway, port: str) -> None:
    service = client_of(gateway).bind("CertexBridge", port)
    told = sample(messageSender=NAME, countries=None)
    told["GoodsItem"][1]["original"] = "1"
    answer = getattr(service, ECHO.name)(**told)
    assert answer.correlationIdentifier == "echo-1"
    assert [one.declarationGoodsItemNumber for one in answer.GoodsItem] == [1, 2]
    assert answer.note == ["Tom & <Jerry>", "Präzision"]
    with pytest.raises(zeep.exceptions.Fault, match="the record is deleted") as fault:
        getattr(service, ECHO.name)(**told | {"mood": "REFUSED"})
    error = read_message(next(fault.value.detail.iter(tag_of(ErrorNotification))), ErrorNotification)
    assert (error.code, error.functional_errors[0].error_code, error.correlation_identifier) == (
        "RECORD_DELETED",
        "92",
        "echo-1",
    )
