"""The JSON Schemas promise what the decoder demands: whatever a schema refuses for its facets is refused."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from certex_bridge.licensing.domain.texts import COUNTS, LENGTHS
from certex_bridge.licensing.events import EVENT_MODELS
from certex_bridge.platform.poison import Poison
from tests.unit.licensing.samples import decode, golden_event, snapshot

ISSUED = "licensing.licence.issued.v1"
SCHEMA = EVENT_MODELS[ISSUED].model_json_schema(by_alias=True)
FACETS = ("minLength", "maxLength", "pattern", "maxItems", "minimum", "maximum", "enum")


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, behind a reference or beside null."""
    for option in schema.get("anyOf", ()):
        if option.get("type") != "null":
            return resolve(option)
    if "$ref" in schema:
        return resolve(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    return schema


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value meets the facets."""
    if isinstance(value, str):
        sizes = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return sizes and bool(re.search(schema.get("pattern", ""), value)) and value in schema.get("enum", [value])
    if isinstance(value, list):
        return len(value) <= schema.get("maxItems", len(value))
    if type(value) is int:
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def spoilt(schema: dict[str, Any], value: Any) -> Iterator[Any]:
    """Values that one facet of the schema refuses."""
    if isinstance(value, str):
        yield from (
            "",
            " ",
            f" {value}x",
            f"{value}x ",
            "x" * 600,
            "9" * 18,
            "-1",
            "1e3",
            "01",
            "0.0000001",
            "xx",
            "101",
            "Ä",
        )
    elif isinstance(value, list):
        yield (value or ["x"]) * 1001
    elif type(value) is int:
        yield from (0, -1, 10**12)


def full() -> dict[str, Any]:
    """A sound snapshot with every field of the record."""
    party = {"name": "P", "identification": "N1", "street": "S 1", "postcode": "1000", "city": "C", "country": "KR"}
    data = snapshot(documentCode="X060", cap={"value": {"amount": "1000", "currency": "EUR"}})
    data |= {
        "representative": party, "endUsers": [party], "consignmentCountries": ["CH"], "applicationNumber": "A1",
        "legalBasis": "B", "replaces": "R1", "initialLicence": {"issuer": "CZ", "number": "N1"},
        "tradePartners": [{"type": "T", "name": "N", "identification": "I", "vat": "V"}],
    }  # fmt: skip
    data["lines"][0] |= {
        "itemType": "I", "consumptionMethod": "M", "customsPurposesOnly": "C", "cas": ["111-48-8"],
        "netQuantityRemaining": {"amount": "3", "unit": "NAR"},
    }  # fmt: skip
    return data


def leaves(
    schema: dict[str, Any], value: Any, path: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Every value of a document with its schema."""
    schema = resolve(schema)
    yield path, schema, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(schema["properties"][name], inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from leaves(schema["items"], value[0], (*path, 0))


def changed(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    *parents, last = path
    place: Any = data
    for step in parents:
        place = place[step]
    place[last] = value
    return data


def is_refused(data: dict[str, Any]) -> bool:
    try:
        return decode(data).refused
    except Poison:  # without an identity there is nobody to answer
        return True


LEAVES = [(path, schema, value) for path, schema, value in leaves(SCHEMA, full()) if set(FACETS) & schema.keys()]


def test_the_full_snapshot_is_sound() -> None:
    assert not decode(full()).refused
    assert all(fits(schema, value) for _, schema, value in LEAVES)


@pytest.mark.parametrize(("path", "schema", "value"), LEAVES, ids=[".".join(map(str, path)) for path, _, _ in LEAVES])
def test_what_the_schema_refuses_is_refused(path: tuple[Any, ...], schema: dict[str, Any], value: Any) -> None:
    tried = 0
    for wrong in spoilt(schema, value):
        if not fits(schema, wrong):
            tried += 1
            assert is_refused(changed(full(), path, wrong)), wrong
    assert tried


def test_each_text_and_list_has_its_limit() -> None:
    texts = {path[-1] if isinstance(path[-1], str) else path[-2]: schema for path, schema, _ in LEAVES}
    assert texts["description"]["maxLength"] == LENGTHS["descriptionOfGoods"]
    for name in COUNTS.keys() - {"parts", "documentCodes"}:
        found = [schema for path, schema, value in LEAVES if path[-1] == name and isinstance(value, list)]
        assert [schema["maxItems"] for schema in found] == [COUNTS[name]] * len(found)
        assert found, name


def test_a_bar_names_codes_of_general_authorisations() -> None:
    schema = EVENT_MODELS["licensing.exporter.barred.v1"].model_json_schema(by_alias=True)["properties"]
    assert schema["documentCodes"]["items"]["enum"] == [f"X06{number}" for number in range(1, 9)]
    bar = golden_event("exporter-barred")["data"] | {"documentCodes": ["X060"]}
    assert decode(bar, "licensing.exporter.barred.v1").refused
