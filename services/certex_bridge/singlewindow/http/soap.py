"""SOAP envelopes: 1.2, and 1.1 for those who still speak it. The message in the body is what any XML request has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Sequence

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_NEXT = frozenset({"", "http://www.w3.org/2003/05/soap-envelope/role/next",
                   "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
                   "http://schemas.xmlsoap.org/soap/actor/next"})  # fmt: skip
"""Header blocks for these are for us."""
_BLOCKS_NAMED = 8
"""Header blocks that a refusal names; one is enough to refuse."""


class Soap(StrEnum):
    """A version of SOAP, by the namespace of its envelope."""

    V11 = "http://schemas.xmlsoap.org/soap/envelope/"
    V12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def content_type(self) -> str:
        """Media type of its messages."""
        return "application/soap+xml; charset=utf-8" if self is Soap.V12 else "text/xml; charset=utf-8"


@dataclass
class EnvelopeRefused(Exception):
    """The envelope itself is wrong; the answer is a fault without a message of ours."""

    version: Soap
    code: str
    """VersionMismatch, MustUnderstand or Sender."""
    reason: str
    not_understood: tuple[tuple[str, str], ...] = ()
    """(namespace, name) of the first header blocks."""

    @property
    def status(self) -> int:
        """HTTP status by the binding of the version."""
        return 400 if self.version is Soap.V12 and self.code == "Sender" else 500


def open_envelope(root: etree._Element) -> tuple[Soap, etree._Element]:
    """The version and the one element in the body.

    Raises:
        EnvelopeRefused: no envelope, a header block that must be understood, or a body with none or several elements.
    """
    namespace = etree.QName(root).namespace or ""
    if local_name(root) != "Envelope" or namespace not in set(Soap):
        # Whoever sends something else is told in the older version, which every reader knows.
        raise EnvelopeRefused(Soap.V11, "VersionMismatch", "an envelope of SOAP 1.2 or 1.1 is expected")
    version = Soap(namespace)
    header = root.find(f"{{{version}}}Header")
    foreign = tuple(_demanded(header, version)) if header is not None else ()
    if foreign:
        raise EnvelopeRefused(version, "MustUnderstand", f"no header block {foreign[0][1]} is known here", foreign)
    bodies = root.findall(f"{{{version}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise EnvelopeRefused(version, "Sender", "a body with one message is expected")
    return version, bodies[0][0]


def _demanded(header: etree._Element, version: Soap) -> list[tuple[str, str]]:
    role = "role" if version is Soap.V12 else "actor"
    found = []
    for block in header:
        must = block.get(f"{{{version}}}mustUnderstand", "0").strip()
        if must in {"1", "true"} and block.get(f"{{{version}}}{role}", "").strip() in _NEXT:
            name = etree.QName(block)
            found.append((name.namespace or "", name.localname))
            if len(found) == _BLOCKS_NAMED:
                break
    return found


def in_envelope(version: Soap, document: bytes) -> bytes:
    """An envelope around a finished document."""
    inner = document.partition(b"?>")[2].lstrip() if document.startswith(b"<?xml") else document
    head = f'\n<soap:Envelope xmlns:soap="{version}"><soap:Body>'.encode()
    return b"".join((DECLARATION, head, inner, b"</soap:Body></soap:Envelope>"))


def fault(version: Soap, code: str, reason: str, detail: bytes = b"", foreign: Sequence[tuple[str, str]] = ()) -> bytes:
    """A fault; `code` in the words of SOAP 1.2, `detail` a finished document."""
    inner = detail.partition(b"?>")[2].lstrip() if detail.startswith(b"<?xml") else detail
    said = escape(reason)
    if version is Soap.V12:
        head = _not_understood(foreign)
        where = f"<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
        parts = (where + f'<soap:Reason><soap:Text xml:lang="en">{said}</soap:Text></soap:Reason>', "soap:Detail")
    else:
        head = ""
        old = {"Sender": "Client", "Receiver": "Server"}.get(code, code)
        parts = (f"<faultcode>soap:{old}</faultcode><faultstring>{said}</faultstring>", "detail")
    shown = b"<%b>%b</%b>" % (parts[1].encode(), inner, parts[1].encode()) if inner else b""
    opening = f'\n<soap:Envelope xmlns:soap="{version}">{head}<soap:Body><soap:Fault>{parts[0]}'
    return b"".join((DECLARATION, opening.encode(), shown, b"</soap:Fault></soap:Body></soap:Envelope>"))


def _not_understood(foreign: Sequence[tuple[str, str]]) -> str:
    inner = "".join(
        f'<soap:NotUnderstood xmlns:x={quoteattr(namespace)} qname="x:{name}"/>'
        if namespace
        else f'<soap:NotUnderstood qname="{name}"/>'
        for namespace, name in foreign
    )
    return f"<soap:Header>{inner}</soap:Header>" if inner else ""
