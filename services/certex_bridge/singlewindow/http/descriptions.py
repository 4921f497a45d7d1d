"""What the gateway tells about itself: index, OpenAPI, WSDL and the schemas."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from certex_bridge.platform.resources import resource_path
from certex_bridge.singlewindow.http.forms import JSON, SOAP_PATH, header
from certex_bridge.singlewindow.http.openapi import openapi_document
from certex_bridge.singlewindow.http.wsdl import wsdl_document
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.xsd import documents, families

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from certex_bridge.singlewindow.operation import Operation, Read

SCHEMAS_PATH = "/schemas/xsd"
_XML = "application/xml"


class Descriptions:
    """Documents about operations and reads, each made when it is first asked for."""

    def __init__(self, operations: Sequence[Operation], reads: Sequence[Read]) -> None:
        self._operations = operations
        self._reads = reads
        self._made: dict[str, bytes] = {}
        self._schemas: dict[str, bytes] = {}

    def routes(self) -> list[Route]:
        """The addresses of all that."""
        return [
            Route("/v1", self.index, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route(SOAP_PATH, self.wsdl, methods=["GET"]),
            Route(f"{SCHEMAS_PATH}/{{path:path}}", self.schema, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """GET /v1: what there is, for people and for programs."""
        entries = [_entry("POST", one, function=one.function, law=one.law) for one in self._operations]
        entries += [_entry("GET", one, function="", law="") for one in self._reads]
        if "text/html" in header(request.scope, b"accept"):
            return Response(_page(entries), media_type="text/html")
        return Response(json.dumps({"operations": entries}, ensure_ascii=False).encode(), media_type=JSON)

    async def openapi(self, _request: Request) -> Response:
        """GET /openapi.json."""
        if "openapi" not in self._made:
            document = openapi_document(self._operations, self._reads)
            self._made["openapi"] = json.dumps(document, ensure_ascii=False).encode()
        return Response(self._made["openapi"], media_type=JSON)

    async def wsdl(self, request: Request) -> Response:
        """GET /soap?wsdl, with the address that it was asked at."""
        if "wsdl" not in {name.lower() for name in request.query_params}:
            raise HTTPException(405, headers={"Allow": "POST"})
        base = str(request.base_url).rstrip("/")
        document = wsdl_document(self._operations, f"{base}{SOAP_PATH}", f"{base}{SCHEMAS_PATH}")
        return Response(document, media_type=_XML)

    async def schema(self, request: Request) -> Response:
        """GET /schemas/xsd/<family>/<version>/<file>."""
        found = self._all_schemas().get(request.path_params["path"])
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type=_XML)

    def _all_schemas(self) -> dict[str, bytes]:
        """The published ones, and those of the operations as their models are."""
        if not self._schemas:
            root = resource_path("schemas", "xsd")
            self._schemas = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.xsd")}
            models = [model for one in self._operations for model in (one.request, one.response)]
            for (family, version), group in families([*models, ErrorNotification]).items():
                self._schemas |= {f"{family}/{version}/{name}": text for name, text in documents(group).items()}
        return self._schemas


def _entry(method: str, one: Operation | Read, **more: str) -> dict[str, str]:
    return {"name": one.name, "method": method, "path": one.path, **more, "summary": one.summary}


def _page(entries: list[dict[str, Any]]) -> str:
    cells = ("function", "method", "path", "summary", "law")
    rows = "".join(f"<tr>{''.join(f'<td>{escape(entry[cell])}</td>' for cell in cells)}</tr>" for entry in entries)
    heads = "".join(f"<th>{cell}</th>" for cell in cells)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>certex-bridge</title><h1>certex-bridge</h1>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        '<p><a href="/openapi.json">OpenAPI</a> <a href="/soap?wsdl">WSDL</a></p></html>'
    )
