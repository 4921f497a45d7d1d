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
CHECKS: Any = [status_code_conformance, content_type_conformance, response_schema_conformance]

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120 + EXAMPLES)]


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
    for path in document["paths"].values():
        for one in path.values():
            # Texts in XML are made from the models below; this sender knows JSON Schema.
            content = one.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                content.pop("application/xml", None)
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in schemathesis.GenerationMode:

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


def test_documents_of_the_models_find_no_fault(gateway: LiveGateway) -> None:
    with requests.Session() as session:
        session.headers.update(HEADERS | {"Content-Type": "application/xml"})
        for operation in gateway.operations:

            @campaign(EXAMPLES)
            @given(messages(operation.request, messageSender=NAME), st.booleans())
            def valid(message: Any, by_root: bool, operation: Operation = operation) -> None:
                path = "/v1/messages" if by_root else operation.path
                answer = session.post(gateway.url + path, write_message(message), timeout=30)
                by_contract(operation, answer)
                # What the schema takes is refused for its meaning only.
                reasons = {one.error_reason for one in _errors(answer)}
                assert not reasons & {"MISSING", "PATTERN", "TYPE", "CODE", "ORDER", "TOO_LONG", "TOO_SHORT", "SCHEMA"}

            @campaign(EXAMPLES)
            @given(broken_documents(operation.request, messageSender=NAME))
            def broken(document: bytes, operation: Operation = operation) -> None:
                by_contract(operation, session.post(gateway.url + operation.path, document, timeout=30))

            @campaign(EXAMPLES)
            @given(messages(operation.request, messageSender=NAME), st.randoms(use_true_random=False))
            def garbled(message: Any, chance: Any, operation: Operation = operation) -> None:
                document = bytearray(write_message(message))
                for _ in range(chance.randint(1, 4)):
                    document[chance.randrange(len(document))] = chance.randrange(256)
                by_contract(operation, session.post(gateway.url + operation.path, bytes(document), timeout=30))
                answer = session.post(f"{gateway.url}/soap", bytes(document), timeout=30)
                assert etree.fromstring(answer.content).tag == f"{{{Soap(_namespace(answer))}}}Envelope"
                assert b"Receiver" not in answer.content

            @campaign(EXAMPLES)
            @given(messages(operation.request, messageSender=NAME), st.sampled_from(list(Soap)))
            def enveloped(message: Any, version: Soap, operation: Operation = operation) -> None:
                request = in_envelope(version, write_message(message))
                headers = {"Content-Type": version.content_type}
                answer = session.post(f"{gateway.url}/soap", request, headers=headers, timeout=30)
                body = etree.fromstring(answer.content)[-1][0]
                if answer.status_code in {200, 202}:
                    read_message(body, operation.response)
                else:
                    read_message(next(body.iter(tag_of(ErrorNotification))), ErrorNotification)
                    assert b"Receiver" not in answer.content
                    assert b"Server</faultcode>" not in answer.content

            for deed in (valid, broken, garbled, enveloped):
                deed()


def _errors(answer: requests.Response) -> tuple[Any, ...]:
    return () if answer.status_code in {200, 202} else read_message(answer.content, ErrorNotification).functional_errors


def _namespace(answer: requests.Response) -> str:
    return str(etree.QName(etree.fromstring(answer.content)).namespace)


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
    answer = getattr(service, ECHO.name)(**told)
    assert answer.correlationIdentifier == "echo-1"
    assert [one.declarationGoodsItemNumber for one in answer.GoodsItem] == [1, 2]
    assert answer.note == ["Tom & <Jerry>", "Präzision"]
    with pytest.raises(zeep.exceptions.Fault, match="already consumed") as fault:
        getattr(service, ECHO.name)(**told | {"mood": "REFUSED"})
    error = read_message(next(fault.value.detail.iter(tag_of(ErrorNotification))), ErrorNotification)
    assert (error.code, error.functional_errors[0].error_code, error.correlation_identifier) == (
        "CLAIM_STATE",
        "92",
        "echo-1",
    )
