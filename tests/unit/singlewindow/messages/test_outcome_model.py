"""The model of the outcome document says what its hand-written schema says, and reads and writes every example."""

from __future__ import annotations

from typing import Any

import pytest
import xmlschema
from lxml import etree

from certex_bridge.platform.resources import contract_path, schema_path
from certex_bridge.singlewindow.http.answers import json_of
from certex_bridge.singlewindow.messages.base import Part
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.shape import shapes_of
from certex_bridge.singlewindow.messages.xml import json_of_document, read_message, write_message

EXAMPLES = sorted(contract_path("examples", "outcomes").glob("*.xml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_the_same_in_both_forms(path: Any) -> None:
    document = path.read_bytes()
    message = read_message(document, QuantityMovementResponse)
    assert etree.tostring(etree.fromstring(write_message(message)), method="c14n") == etree.tostring(
        etree.fromstring(document), method="c14n"
    )
    assert read_json_message(json_of(message), QuantityMovementResponse) == message
    assert json_of_document(document, QuantityMovementResponse) == json_of(message)


def of_schema(group: Any) -> list[Any]:
    """(name, required, many, values or parts) of each element."""
    found = []
    for element in group.content.iter_elements():
        kind = element.type
        values: Any = None
        if kind.is_complex():
            values = of_schema(kind)
        else:
            single = kind.item_type if kind.is_list() else kind
            values = sorted(map(str, single.enumeration or ()))
        found.append((element.local_name, element.min_occurs > 0, element.max_occurs is None, values))
    return found


def of_model(model: type[Part]) -> list[Any]:
    found = []
    for shape in shapes_of(model):
        values: Any = of_model(shape.part) if shape.part else sorted(_spelt(one) for one in shape.simple.values)  # type: ignore[union-attr]
        found.append((shape.alias, shape.required, shape.many and not shape.listed, values))
    return found


def _spelt(value: object) -> str:
    return "1" if value is True else str(value)


def test_the_model_has_the_elements_of_the_schema() -> None:
    schema = xmlschema.XMLSchema10(str(schema_path("xsd", "quantity-movement", 1)))
    root = schema.elements["QuantityMovementResponse"].type
    told = of_model(QuantityMovementResponse)
    assert told[4] == ("messageType", True, False, ["CBQMRS"])
    told[4] = ("messageType", True, False, [])  # any code in the shared header
    assert told == of_schema(root)
