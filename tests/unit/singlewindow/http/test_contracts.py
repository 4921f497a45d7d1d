"""What the gateway tells about itself: OpenAPI and WSDL are valid and whole, the schemas can be fetched."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from lxml import etree
from openapi_spec_validator import OpenAPIV31SpecValidator

from certex_bridge.operations import gateway_contracts
from certex_bridge.platform.resources import contract_path
from certex_bridge.singlewindow.http.openapi import openapi_document
from certex_bridge.singlewindow.http.wsdl import WSDL, wsdl_document
from certex_bridge.singlewindow.refusals import REFUSALS
from tests.support.echo import ECHO, PLACE, sample
from tests.unit.singlewindow.http.test_gateway import Desk, as_json

SOAP12 = "{http://schemas.xmlsoap.org/wsdl/soap12/}"
W = f"{{{WSDL}}}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document([ECHO], [PLACE])


def body_schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


@pytest.mark.parametrize("operations", [gateway_contracts.described(), ([ECHO], [PLACE])], ids=["ours", "echo"])
def test_the_document_is_openapi(operations: Any) -> None:
    OpenAPIV31SpecValidator(openapi_document(*operations)).validate()  # type: ignore[arg-type]  # plain data is one


def test_every_status_of_every_refusal_is_described(document: dict[str, Any]) -> None:
    told = {
        code for one in document["components"]["responses"].values() for code in REFUSALS if code in one["description"]
    }
    assert told == set(REFUSALS)
    responses = document["paths"]["/v1/echoes"]["post"]["responses"]
    assert set(responses) == {"200", "202", "400", "401", "403", "408", "409", "413", "415", "429", "500", "503"}


async def test_requests_and_answers_fit_the_document(document: dict[str, Any], desk: Desk) -> None:
    jsonschema.validate(sample(), body_schema(document, "EchoRequest"))
    for wrong in (sample(mood="good"), sample(messageType="CBECRS"), sample(x=1), sample(GoodsItem=[{}])):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, body_schema(document, "EchoRequest"))
    answer = await desk.ask("POST", "/v1/echoes", as_json(), content_type="application/json")
    jsonschema.validate(json.loads(answer.body), body_schema(document, "EchoResponse"))
    refused = await desk.ask("POST", "/v1/echoes", b"{}", content_type="application/json")
    jsonschema.validate(refused.problem, body_schema(document, "Problem"))


async def test_the_gateway_hands_it_out(document: dict[str, Any], desk: Desk) -> None:
    answer = await desk.ask("GET", "/openapi.json")
    assert json.loads(answer.body) == json.loads(json.dumps(document))
    again = await desk.ask("GET", "/openapi.json")
    assert again.body == answer.body


async def test_there_is_an_index_for_people_and_for_programs(desk: Desk) -> None:
    told = json.loads((await desk.ask("GET", "/v1")).body)["operations"]
    assert [(one["method"], one["path"]) for one in told] == [("POST", "/v1/echoes"), ("GET", PLACE.path)]
    page = await desk.ask("GET", "/v1", accept="text/html,*/*")
    assert page.headers["content-type"].startswith("text/html")
    assert b"<td>Says it again.</td>" in page.body


async def test_the_wsdl_names_every_operation_and_its_schemas_can_be_fetched(desk: Desk) -> None:
    answer = await desk.ask("GET", "/soap?WSDL")
    root = etree.fromstring(answer.body)
    assert [one.get("name") for one in root.iterfind(f"{W}portType/{W}operation")] == ["echo"]
    assert [one.get("location") for one in root.iter(f"{SOAP12}address")] == ["https://bridge.test/soap"]
    locations = [one.get("schemaLocation", "") for one in root.iter("{http://www.w3.org/2001/XMLSchema}import")]
    assert locations == [
        "https://bridge.test/schemas/xsd/echo/1/echo.xsd",
        "https://bridge.test/schemas/xsd/error/1/error.xsd",
    ]
    for location in [*locations, "https://bridge.test/schemas/xsd/shared/1/stypes.xsd"]:
        found = await desk.ask("GET", location.removeprefix("https://bridge.test"))
        assert (found.status, etree.fromstring(found.body).tag) == (200, "{http://www.w3.org/2001/XMLSchema}schema")


def test_every_reference_in_the_wsdl_is_to_something() -> None:
    root = etree.fromstring(wsdl_document([ECHO], "https://x.test/soap", "x"))
    messages = {f"tns:{one.get('name')}" for one in root.iterfind(f"{W}message")}
    used = {
        one.get("message") for kind in ("input", "output", "fault") for one in root.iterfind(f"{W}portType//{W}{kind}")
    }
    assert used == messages
    types = {f"tns:{one.get('name')}" for one in root.iterfind(f"{W}portType")}
    assert {one.get("type") for one in root.iterfind(f"{W}binding")} == types
    bindings = {f"tns:{one.get('name')}" for one in root.iterfind(f"{W}binding")}
    assert {one.get("binding") for one in root.iterfind(f"{W}service/{W}port")} == bindings
    for part in root.iterfind(f"{W}message/{W}part"):
        prefix = part.get("element", "").partition(":")[0]
        assert root.nsmap[prefix] in {"urn:certex-bridge:echo:1", "urn:certex-bridge:error:1"}


def test_the_files_are_where_they_say() -> None:
    text = contract_path("wsdl", "certex-bridge.wsdl")
    for location in etree.parse(str(text)).getroot().iter("{http://www.w3.org/2001/XMLSchema}import"):
        assert (text.parent / location.get("schemaLocation", "")).is_file()
