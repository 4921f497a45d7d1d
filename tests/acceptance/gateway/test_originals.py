"""The original document over HTTP, in each form a customs system may speak (IR 2024/2145 Art. 5(1)(c))."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.laboratory.customs_channel import Form
from certex_bridge.laboratory.customs_requests import cited, goods
from tests.support.gateway_world import GatewayWorld, content, gateway_world, licence

PDF = b"%PDF-1.7 issued in Brussels"
PLACES = {
    "memberStatesOfLocation": ["BE"],
    "representative": {"name": "Freight Forwarder"},
    "contractDate": "2025-11-03",
}
LINE = {"technicalSpecification": "0.9 µm", "endUse": "Milling", "controlListRegulation": "(EU) 2021/821"}


async def original(world: GatewayWorld, form: Form, number: str = "L") -> Any:
    question = content("M1", goods(1, [cited(1, number, quantity="1")])) | {"original": True}
    answer = await world.customs(form=form).check(question)
    return answer.check_result[0].original


@pytest.mark.row("IR 5(1)(c)")
@pytest.mark.parametrize("form", list(Form))
async def test_customs_get_the_bytes_of_the_authority_and_its_document(database_url: str, form: Form) -> None:
    async with gateway_world(database_url) as world:
        data = licence("L", quantity="10") | PLACES
        data["lines"][0] |= LINE
        data["originalDocument"] = {"mediaType": "application/pdf", "content": base64.b64encode(PDF).decode()}
        await world.tell("licensing.licence.issued.v1", data)
        await world.change("L", "suspended", "SUSPENDED", 2, quantity="10")
        told = await original(world, form)
        sent = json.dumps(licence("L", quantity="10") | {"version": 2, "status": "SUSPENDED"}).encode()
        issued, attached = told.issued_content, told.attached_document
        assert base64.b64decode(issued.content) == sent
        assert (issued.version, issued.event_identification, issued.media_type) == (2, "event-2", "application/json")
        assert issued.sha256 == sha256_hex(sent)
        assert base64.b64decode(attached.content) == PDF
        assert (attached.media_type, attached.sha256) == ("application/pdf", sha256_hex(PDF))
        await world.sound()


@pytest.mark.row("IR 5(1)(c)")
async def test_what_no_data_element_holds_is_in_the_certificate_in_original_form(database_url: str) -> None:
    async with gateway_world(database_url) as world:
        data = licence("L", quantity="10") | PLACES
        data["lines"][0] |= LINE
        await world.tell("licensing.licence.issued.v1", data)
        certificate = base64.b64decode((await original(world, Form.JSON)).certificate).decode()
        for box, item, text in (
            ("7", "representative.name", "Freight Forwarder"),
            ("10", "memberStatesOfLocation", "BE"),
            ("20", "contractDate", "2025-11-03"),
            ("13", "technicalSpecification", "0.9 µm"),
            ("16", "controlListRegulation", "(EU) 2021/821"),
            ("19", "endUse", "Milling"),
        ):
            assert f"<box>{box}</box><dataItem>{item}</dataItem><text>{text}</text>" in certificate
