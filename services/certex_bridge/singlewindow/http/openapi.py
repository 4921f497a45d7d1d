"""The OpenAPI 3.1 document, made from operations, reads and their models."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from certex_bridge.platform.metrics import bridge_version
from certex_bridge.platform.resources import contract_path
from certex_bridge.singlewindow.http.forms import JSON, MESSAGES_PATH, XML
from certex_bridge.singlewindow.http.problems import PROBLEM_JSON
from certex_bridge.singlewindow.http.wsdl import schema_file
from certex_bridge.singlewindow.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.operation import Operation, Read

_DESCRIPTION = (
    "Functions of Implementing Regulation (EU) 2024/2145 Art. 5 to 11. Every message has the same content in JSON and "
    "in XML; Accept chooses the form of the answer, which is that of the request otherwise. The same messages are "
    f"taken at {MESSAGES_PATH}, told by their root element, and at /soap (WSDL: /soap?wsdl). Figures are texts. The "
    "sender and messageIdentification are the identity of a call: repeated with the same content it gets the answer "
    "given before, with the header Certex-Repeated. A refused claim is an answer (200), no error."
)
_EXAMPLES = "gateway"
"""Folder below contracts/examples with a folder for each operation: `<case>.request.json`, `<case>.response.xml`."""
_COMMON = (400, 401, 403, 408, 409, 413, 415, 429, 500, 503)
"""Every operation may answer so."""
_COMMON_READ = (400, 401, 403, 404, 429, 500, 503)
_TEXT: dict[str, Any] = {"type": "string"}
_RETRY = {"Retry-After": {"description": "Seconds after which asking again makes sense.", "schema": _TEXT}}
_WHOLE = {
    "Certex-Repeated": {"description": "1: the answer given before.", "schema": {"type": "string", "const": "1"}},
    "Certex-Blocking": {
        "description": "1: a negative verdict that stops the clearance; 0: none, or the caller's mode stops nothing.",
        "schema": {"type": "string", "enum": ["0", "1"]},
    },
    "Server-Timing": {"description": "Time that the function took, in milliseconds.", "schema": _TEXT},
}
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{model}"


def openapi_document(operations: Sequence[Operation], reads: Sequence[Read]) -> dict[str, Any]:
    """The document as plain data."""
    models: list[type[BaseModel]] = [model for one in operations for model in (one.request, one.response)]
    models += [one.response for one in reads]
    unique = list(dict.fromkeys(models))
    names, definitions = models_json_schema([(model, "validation") for model in unique], ref_template=_REF)
    reference = {model: names[model, "validation"] for model in unique}
    paths: dict[str, Any] = {one.path: {"post": _operation(one, reference)} for one in operations}
    paths |= {one.path: {"get": _read(one, reference)} for one in reads}
    paths[MESSAGES_PATH] = {"post": _any_message()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "certex-bridge",
            "version": bridge_version(),
            "summary": "The single window's functions for customs",
            "description": _DESCRIPTION,
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": "/"}],
        "security": [{"mutualTLS": []}, {"oauth2": []}],
        "tags": _tags(operations),
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted((definitions.get("$defs", {}) | {"Problem": _problem()}).items())),
            "responses": {f"Refused{status}": _refused(status) for status in _statuses()},
            "securitySchemes": _security(),
        },
    }


def _operation(one: Operation, reference: dict[type[BaseModel], Any]) -> dict[str, Any]:
    answer = {"headers": _WHOLE, "content": _content(one, one.response, reference, "response")}
    responses: dict[str, Any] = {"200": {"description": "The answer.", **answer}}
    if 202 in one.statuses:
        responses["202"] = {"description": "Kept and decided later; the outcome follows by push.", **answer}
    responses |= _references({*_COMMON, *one.statuses} - {200, 202})
    return {
        "operationId": one.name,
        "tags": [one.function],
        "summary": one.summary,
        "description": f"Implementing Regulation (EU) 2024/2145 Art. {one.law}. For {_roles(one)}.",
        "requestBody": {"required": True, "content": _content(one, one.request, reference, "request")},
        "responses": responses,
    }


def _read(one: Read, reference: dict[type[BaseModel], Any]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": 512}
    path = [{"name": name, "in": "path", "required": True, "schema": text} for name in _PARAMETER.findall(one.path)]
    query = [{"name": name, "in": "query", "description": said, "schema": _TEXT} for name, said in one.query.items()]
    return {
        "operationId": one.name,
        "tags": ["Reads"],
        "summary": one.summary,
        "description": f"For {_roles(one)}.",
        "parameters": [*path, *query],
        "responses": {
            "200": {"description": "What is known.", "content": {JSON: {"schema": reference[one.response]}}},
            **_references(set(_COMMON_READ)),
        },
    }


def _any_message() -> dict[str, Any]:
    xml = {XML: {"schema": _xml("A message of one of the operations, or ErrorNotification.")}}
    return {
        "operationId": "postMessage",
        "tags": ["Messages"],
        "summary": "Any message in XML, told by its root element.",
        "requestBody": {"required": True, "content": xml},
        "responses": {
            "200": {"description": "The answer of the operation.", "headers": _WHOLE, "content": xml},
            "202": {"description": "Kept and decided later.", "headers": _WHOLE, "content": xml},
            **_references({*_COMMON, 404, 422}),
        },
    }


def _content(
    one: Operation, model: type[Message], reference: dict[type[BaseModel], Any], direction: str
) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        JSON: {"schema": reference[model]},
        XML: {"schema": _xml(f"Element {model.root} of schemas/xsd/{schema_file(model)}.")},
    }
    for form, ending in ((JSON, "json"), (XML, "xml")):
        examples = _examples(one.name, f"{direction}.{ending}")
        if examples:
            found[form]["examples"] = examples
    return found


def _examples(operation: str, ending: str) -> dict[str, Any]:
    folder = contract_path("examples") / _EXAMPLES / operation
    texts = {
        path.name.removesuffix(f".{ending}"): path.read_text("utf-8") for path in sorted(folder.glob(f"*.{ending}"))
    }
    return {name: {"value": json.loads(text) if ending.endswith("json") else text} for name, text in texts.items()}


def _xml(said: str) -> dict[str, Any]:
    return {"type": "string", "contentMediaType": XML, "description": said}


def _references(statuses: set[int]) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(statuses)}


def _statuses() -> list[int]:
    return sorted({kind.status for kind in REFUSALS.values()})


def _refused(status: int) -> dict[str, Any]:
    kinds = {code: kind for code, kind in REFUSALS.items() if kind.status == status}
    said = "; ".join(f"{code}: {kind.title}" for code, kind in kinds.items())
    retried = any(kind.retry_seconds for kind in kinds.values())
    return {
        "description": f"{said}. No effect.",
        **({"headers": _RETRY} if retried else {}),
        "content": {
            PROBLEM_JSON: {"schema": {"$ref": _REF.format(model="Problem")}},
            XML: {"schema": _xml("Element ErrorNotification of schemas/xsd/error/1/error.xsd.")},
        },
    }


def _problem() -> dict[str, Any]:
    error = {
        "type": "object",
        "properties": {
            "errorPointer": {**_TEXT, "description": "Where: a JSON pointer, an XPath, or a header."},
            "errorCode": {**_TEXT, "pattern": "^[0-9]{2}$", "description": "Code list CL180, or that of CC917C."},
            "errorReason": {**_TEXT, "description": "Stable code of the rule."},
            "originalAttributeValue": {**_TEXT, "maxLength": 512},
            "detail": _TEXT,
        },
        "required": ["errorPointer", "errorCode", "errorReason", "originalAttributeValue", "detail"],
    }
    return {
        "type": "object",
        "description": "RFC 9457, with the functional errors of the customs systems.",
        "properties": {
            "type": {**_TEXT, "format": "uri"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": {**_TEXT, "enum": sorted(REFUSALS)},
            "errors": {"type": "array", "minItems": 1, "items": error},
        },
        "required": ["type", "title", "status", "detail", "code", "errors"],
    }


def _roles(one: Operation | Read) -> str:
    return " or ".join(sorted(role.value for role in one.roles))


def _tags(operations: Sequence[Operation]) -> list[dict[str, str]]:
    functions = sorted({one.function for one in operations}, key=lambda name: (len(name), name))
    return [{"name": name} for name in (*functions, "Reads", "Messages")]


def _security() -> dict[str, Any]:
    return {
        "mutualTLS": {"type": "mutualTLS", "description": "A client certificate named in the callers file."},
        "oauth2": {
            "type": "oauth2",
            "description": "An access token of CERTEX_OIDC_ISSUER, for a client named in the callers file.",
            "flows": {"clientCredentials": {"tokenUrl": "https://issuer.example/token", "scopes": {}}},
        },
    }
