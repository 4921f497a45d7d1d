"""What a message with very many mistakes costs, and what an answer repeats of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from certex_bridge.singlewindow.messages import reading
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.messages.json import NODES, read_json_message
from certex_bridge.singlewindow.messages.mistakes import json_pointer
from certex_bridge.singlewindow.messages.reading import ALL_TOLD_NODES, model_of
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.echo import EchoRequest, sample


def references(count: int) -> bytes:
    """A check with so many wrong elements in one list; the object and the list are two values more."""
    return json.dumps({"CertificateReference": [1] * count}).encode()


def refusal(raw: bytes, model: Any = AvailabilityCheck) -> Refusal:
    with pytest.raises(Refusal) as refused:
        read_json_message(raw, model)
    return refused.value


def found(raw: bytes) -> int:
    with pytest.raises(ValidationError) as wrong:
        model_of(raw, AvailabilityCheck)
    return wrong.value.error_count()


def test_a_large_message_is_read_up_to_the_first_wrong_element_of_each_list() -> None:
    missing = found(b"{}")
    # Commas and brackets: as many as there are elements, and one.
    within = ALL_TOLD_NODES - 2
    assert found(references(within)) == missing + within
    assert found(references(within + 1)) == missing + 1


def test_both_readings_have_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps(sample()).encode()
    thorough = model_of(raw, EchoRequest)
    monkeypatch.setattr(reading, "ALL_TOLD_NODES", 0)
    assert model_of(raw, EchoRequest) == thorough
    assert type(model_of(raw, EchoRequest)) is EchoRequest


def test_a_request_has_a_number_of_values() -> None:
    assert refusal(references(NODES - 2)).errors[0].reason == "MISSING"
    assert refusal(references(NODES - 1)).errors[0].reason == "JSON_LIMIT"


def test_pointers_and_keys_are_bounded() -> None:
    assert refusal(json.dumps({"k" * 256: 1}).encode()).errors[-1].pointer == "/" + "k" * 256
    assert refusal(json.dumps({"k" * 257: 1}).encode()).errors[0].reason == "JSON_LIMIT"
    assert len(json_pointer(("k" * 511,))) == len(json_pointer(("k" * 512,))) == 512


@pytest.mark.parametrize("unknown", [98, 99, 40_000])
def test_mistakes_in_xml_are_counted_and_few_are_kept(unknown: int) -> None:
    text = (
        write_message(read_json_message(json.dumps(sample()).encode(), EchoRequest))
        .decode()
        .replace("<mood>", "<x/>" * unknown + "<mood>")
    )
    with pytest.raises(Refusal) as refused:
        read_message(text.replace("GOOD", "good").encode(), EchoRequest)
    assert len(refused.value.errors) == min(unknown + 1, 99)
    assert (f"the first 99 of {unknown + 1} mistakes" in refused.value.message) == (unknown + 1 > 99)
