"""SOAP envelopes: both versions, header blocks that must be understood, and what is no envelope."""

from __future__ import annotations

import pytest
from lxml import etree

from certex_bridge.singlewindow.http.soap import EnvelopeRefused, Soap, fault, in_envelope, open_envelope
from certex_bridge.singlewindow.messages.xml import read_message
from tests.support.echo import EchoResponse
from tests.unit.singlewindow.http.test_gateway import Desk, as_xml


def envelope(version: Soap, body: str, header: str = "") -> etree._Element:
    text = f'<s:Envelope xmlns:s="{version}">{header and f"<s:Header>{header}</s:Header>"}<s:Body>{body}</s:Body></s:Envelope>'
    return etree.fromstring(text)


@pytest.mark.parametrize("version", Soap)
async def test_an_envelope_gets_an_envelope(version: Soap) -> None:
    answer = await Desk().ask("POST", "/soap", in_envelope(version, as_xml()), content_type=version.content_type)
    assert (answer.status, answer.headers["content-type"]) == (200, version.content_type)
    told, body = open_envelope(etree.fromstring(answer.body))
    assert (told, read_message(body, EchoResponse).correlation_identifier) == (version, "echo-1")


@pytest.mark.parametrize("version", Soap)
@pytest.mark.parametrize("body", ["", "<a/><b/>", "words"])
def test_a_body_has_one_message(version: Soap, body: str) -> None:
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(envelope(version, body))
    assert (refused.value.code, refused.value.status) == ("Sender", 400 if version is Soap.V12 else 500)


@pytest.mark.parametrize("text", ["<Envelope/>", '<Envelope xmlns="urn:soap"/>', f'<x xmlns="{Soap.V12}"/>'])
async def test_what_is_no_envelope_gets_the_fault_that_says_so(text: str) -> None:
    answer = await Desk().ask("POST", "/soap", text.encode(), content_type="text/xml")
    assert (answer.status, b"<faultcode>soap:VersionMismatch</faultcode>" in answer.body) == (500, True)


@pytest.mark.parametrize(
    ("version", "block", "refused"),
    [
        (Soap.V12, '<x:a xmlns:x="urn:x" s:mustUnderstand="true"/>', True),
        (Soap.V12, '<x:a xmlns:x="urn:x" s:mustUnderstand="false"/>', False),
        (Soap.V12, '<x:a xmlns:x="urn:x"/>', False),
        (Soap.V12, '<x:a xmlns:x="urn:x" s:mustUnderstand="1" s:role="urn:somebody"/>', False),
        (Soap.V11, '<x:a xmlns:x="urn:x" s:mustUnderstand="1"/>', True),
        (Soap.V11, '<x:a xmlns:x="urn:x" s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"/>', True),
    ],
)  # fmt: skip
async def test_header_blocks_that_must_be_understood(version: Soap, block: str, refused: bool) -> None:
    inner = as_xml().partition(b"?>")[2].decode()
    raw = etree.tostring(envelope(version, inner, block))
    answer = await Desk().ask("POST", "/soap", raw, content_type=version.content_type)
    assert answer.status == (500 if refused else 200)
    assert (b"soap:MustUnderstand" in answer.body) == refused
    if refused and version is Soap.V12:
        found = next(etree.fromstring(answer.body).iter(f"{{{version}}}NotUnderstood"))
        assert (found.get("qname"), found.nsmap["x"]) == ("x:a", "urn:x")


def test_a_fault_says_it_without_breaking_its_own_form() -> None:
    root = etree.fromstring(fault(Soap.V12, "Sender", "a < b & c", foreign=[("urn:x?a&b", "y"), ("", "z")]))
    assert root.findtext(f".//{{{Soap.V12}}}Text") == "a < b & c"
    blocks = [(block.get("qname"), block.nsmap.get("x")) for block in root.iter(f"{{{Soap.V12}}}NotUnderstood")]
    assert blocks == [("x:y", "urn:x?a&b"), ("z", None)]


async def test_bytes_that_are_no_xml_are_told_with_the_reason() -> None:
    answer = await Desk().ask("POST", "/soap", b"<!DOCTYPE x><x/>", content_type="application/soap+xml")
    assert (answer.status, b"XML_DOCTYPE" in answer.body) == (400, True)


@pytest.mark.parametrize("blocks", [8, 9, 4_000])
def test_a_refusal_names_the_first_blocks_only(blocks: int) -> None:
    text = '<x:a xmlns:x="urn:x" s:mustUnderstand="1"/>' * blocks
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(envelope(Soap.V12, "<a/>", text))
    assert refused.value.not_understood == (("urn:x", "a"),) * 8


async def test_a_long_namespace_is_not_repeated() -> None:
    block = f'<x:a xmlns:x="{"u" * 257}" s:mustUnderstand="1"/>'
    answer = await Desk().ask(
        "POST", "/soap", etree.tostring(envelope(Soap.V12, "<a/>", block)), content_type="text/xml"
    )
    assert b"XML_LIMIT" in answer.body
    assert b"uuu" not in answer.body
