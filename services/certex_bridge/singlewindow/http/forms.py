"""Forms of requests and answers: JSON, XML, and XML in a SOAP envelope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from certex_bridge.singlewindow.http.soap import Soap
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from certex_bridge.platform.health import Scope

JSON = "application/json"
XML = "application/xml"
SOAP_PATH = "/soap"
MESSAGES_PATH = "/v1/messages"
_JSON_TYPES = frozenset({JSON, "application/problem+json"})
_XML_TYPES = frozenset({XML, "text/xml"})
_REMEMBERED = 64
"""A caller sends the same few again and again; foreign ones may be as long as a request's head."""
_SOAP_TYPES = {"application/soap+xml": Soap.V12, "text/xml": Soap.V11}


@dataclass(frozen=True, slots=True)
class MediaType:
    """A content type or one range of an Accept header."""

    name: str
    parameters: dict[str, str]

    @classmethod
    @lru_cache(maxsize=_REMEMBERED)
    def read(cls, text: str) -> MediaType:
        """`text/xml; charset="UTF-8"`; nothing is refused here."""
        name, *rest = text.split(";")
        pairs = (part.partition("=") for part in rest)
        return cls(name.strip().lower(), {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs})

    @property
    def quality(self) -> float:
        """`q`, 1 without one, 0 when it is none."""
        try:
            return min(1.0, max(0.0, float(self.parameters.get("q", "1"))))
        except ValueError:
            return 0.0


def header(scope: Scope, name: bytes) -> str:
    """A header's value; empty without one, several joined by commas."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def request_form(scope: Scope) -> str:
    """JSON or XML, by the content type.

    Raises:
        Refusal: CONTENT_TYPE.
    """
    found = MediaType.read(header(scope, b"content-type"))
    form = JSON if found.name in _JSON_TYPES else XML if found.name in _XML_TYPES else ""
    charset = found.parameters.get("charset", "utf-8").lower()
    if not form or charset not in {"utf-8", "utf8"}:
        message = f"{JSON} and {XML} in UTF-8 are taken here"
        raise Refusal("CONTENT_TYPE", message, field="Content-Type", value=header(scope, b"content-type"))
    return form


def soap_version(scope: Scope) -> Soap:
    """The version that the content type tells; 1.2 when it tells none."""
    return _SOAP_TYPES.get(MediaType.read(header(scope, b"content-type")).name, Soap.V12)


def answer_form(scope: Scope, otherwise: str) -> str:
    """JSON or XML, as Accept prefers; the form of the request when it names neither."""
    best, form = 0.0, ""
    for text in header(scope, b"accept").split(","):
        found = MediaType.read(text)
        named = JSON if found.name in _JSON_TYPES else XML if found.name in _XML_TYPES else ""
        if named and found.quality > best:
            best, form = found.quality, named
    return form or otherwise


def likely_form(scope: Scope) -> str:
    """The form for an answer to a request that nobody read: by Accept, else by the content type, else JSON."""
    content = MediaType.read(header(scope, b"content-type")).name
    return answer_form(scope, XML if content in _XML_TYPES else JSON)
