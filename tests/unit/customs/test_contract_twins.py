"""The contract (pydantic) and the hot path's structures (msgspec) accept and refuse the same events."""

from __future__ import annotations

import json
import types
import typing
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from certex_bridge.customs import events, wire
from certex_bridge.customs.events import EVENT_MODELS, WireModel
from certex_bridge.ledger.domain.facts import EventKind
from tests.unit.customs.samples import DECLARATIONS, event


def contract_accepts(kind: EventKind, raw: bytes) -> bool:
    try:
        EVENT_MODELS[kind].model_validate_json(raw)
    except ValidationError:
        return False
    return True


def twin_accepts(kind: EventKind, raw: bytes) -> bool:
    try:
        wire.DECODERS[kind].decode(raw)
    except msgspec.ValidationError:
        return False
    return True


def agree(kind: EventKind, document: object) -> bool:
    """One verdict, returned."""
    raw = json.dumps(document).encode()
    verdict = contract_accepts(kind, raw)
    assert twin_accepts(kind, raw) == verdict, raw
    return verdict


EXAMPLES = {path.stem: events.KINDS[event(path.stem)["type"]] for path in sorted(DECLARATIONS.glob("*.json"))}


def paths(document: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document, and beside each object an unknown field."""
    found = [here]
    if isinstance(document, dict):
        found += [(*here, "unknown")]
        found += [path for key, value in document.items() for path in paths(value, (*here, key))]
    elif isinstance(document, list):
        found += [path for index, value in enumerate(document[:2]) for path in paths(value, (*here, index))]
    return found


def put(document: object, path: tuple[str | int, ...], value: object) -> object:
    if not path:
        return value
    copied: Any = dict(document) if isinstance(document, dict) else list(typing.cast("list[object]", document))
    known = copied.get(path[0]) if isinstance(document, dict) else copied[path[0]]
    copied[path[0]] = put(known, path[1:], value)
    return copied


def drop(document: object, path: tuple[str | int, ...]) -> object:
    copied: Any = json.loads(json.dumps(document))
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    if isinstance(path[-1], int) or path[-1] in holder:
        del holder[path[-1]]
    return copied


VALUES: list[object] = [
    None,
    True,
    0,
    1,
    -1,
    1.0,
    1.5,
    99_999,
    100_000,
    2**31,
    "",
    "x",
    "1",
    "x" * 36,
    "x" * 513,
    [],
    [{}],
    {},
    [1],
    "é",
]


@pytest.mark.row("E202")
@pytest.mark.parametrize("name", EXAMPLES)
def test_one_value_changed_anywhere_has_one_verdict(name: str) -> None:
    kind, document = EXAMPLES[name], event(name)["data"]
    assert agree(kind, document)
    verdicts = {agree(kind, put(document, path, value)) for path in paths(document) for value in VALUES}
    assert verdicts == {True, False}


@pytest.mark.row("E202")
@pytest.mark.parametrize("name", EXAMPLES)
def test_one_field_missing_has_one_verdict(name: str) -> None:
    kind, document = EXAMPLES[name], event(name)["data"]
    for path in paths(document):
        if path:
            agree(kind, drop(document, path))


@given(st.data())
def test_several_changes_have_one_verdict(draw: st.DataObject) -> None:
    name = draw.draw(st.sampled_from(sorted(EXAMPLES)))
    document: object = event(name)["data"]
    for _ in range(draw.draw(st.integers(1, 3))):
        path = draw.draw(st.sampled_from(paths(document)))
        document = put(document, path, draw.draw(st.sampled_from(VALUES)))
        if not isinstance(document, dict):
            break
    agree(EXAMPLES[name], document)


@pytest.mark.parametrize(
    ("path", "count"),
    [
        (("declaration", "items"), 9_999),
        (("declaration", "documents"), 99),
        (("declaration", "references"), 99),
        (("declaration", "items", 0, "documents"), 99),
        (("declaration", "items", 0, "references"), 99),
        (("declaration", "items", 0, "additionalProcedures"), 99),
    ],
)
def test_counts_are_limited_alike(path: tuple[str | int, ...], count: int) -> None:
    document = event("accepted")["data"]
    entries: dict[str | int, object] = {
        "items": {"item": 1},
        "documents": {"seq": 1, "type": "X060", "reference": "R"},
        "references": {"seq": 1, "type": "Y901"},
        "additionalProcedures": "F75",
    }
    entry = entries[path[-1]]
    assert agree(EventKind.ACCEPTED, put(document, path, [entry] * count))
    assert not agree(EventKind.ACCEPTED, put(document, path, [entry] * (count + 1)))


def _shape(annotation: Any) -> Any:
    """A type with constraints aside and models by name."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _shape(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return frozenset(_shape(argument) for argument in arguments)
    if origin is list:
        return ("list", _shape(arguments[0]))
    return getattr(annotation, "__name__", annotation)


def _names() -> list[str]:
    return sorted(
        name
        for name, found in vars(events).items()
        if isinstance(found, type) and issubclass(found, WireModel) and found is not WireModel
    )


@pytest.mark.parametrize("name", _names())
def test_fields_types_and_defaults_are_the_same(name: str) -> None:
    model: type[WireModel] = getattr(events, name)
    # Kinds without fields of their own share the structure of all events.
    structure = getattr(wire, name, None) or getattr(wire, name.removeprefix("Declaration"), None) or wire.Event
    fields = {field.encode_name: field for field in msgspec.structs.fields(structure)}
    assert set(fields) == {info.alias for info in model.model_fields.values()}
    hints = typing.get_type_hints(structure, include_extras=False)
    for info in model.model_fields.values():
        field = fields[str(info.alias)]
        assert info.is_required() == field.required, field.name
        assert _shape(info.annotation) == _shape(hints[field.name]), field.name


def test_the_published_schema_says_which_names_identify() -> None:
    schema = EVENT_MODELS[EventKind.RELEASED].model_json_schema(by_alias=True)
    assert schema["anyOf"] == [{"required": ["mrn"]}, {"required": ["lrn", "exporter"]}]
    assert schema["properties"]["items"]["anyOf"][0]["maxItems"] == 9_999
