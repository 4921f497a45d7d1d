"""Shape of a message's fields on the wire, read from its model: what reader, writer and schema have in common."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.singlewindow.messages.base import Part

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class BlankSeparated:
    """Mark of a list whose values stand in one XML element, separated by blanks: `Annotated[tuple[…], BLANKS]`."""


BLANKS = BlankSeparated()

Kind = Literal["text", "number", "flag"]
_SAID = frozenset({"pattern", "minLength", "maxLength", "minimum", "maximum", "enum", "const"})
"""What of a JSON Schema tells values apart."""
_KINDS: dict[str, Kind] = {"string": "text", "integer": "number", "boolean": "flag"}


@dataclass(frozen=True, slots=True)
class Simple:
    """A type of values without parts."""

    name: str
    """Name in the schema, without its suffix `Type`."""
    kind: Kind
    schema: dict[str, Any]
    """JSON Schema of one value: `pattern`, `minLength`, `minimum`, `enum` and so on."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The only values there are; empty when these are not counted."""
        return tuple(self.schema.get("enum", ())) or ((self.schema["const"],) if "const" in self.schema else ())


@dataclass(frozen=True, slots=True)
class Shape:
    """One field."""

    position: int
    """Among the fields, from 0."""
    name: str
    """In Python."""
    alias: str
    """On the wire."""
    required: bool
    many: bool
    """It may be there several times."""
    listed: bool
    """Several values, in one element and separated by blanks."""
    least: int
    """Fewest values of a list that is there."""
    most: int | None
    """Most values of a list."""
    part: type[Part] | None
    """What a group consists of; None for a single value."""
    simple: Simple | None
    """Type of a single value; None for a group."""
    default: Any
    description: str
    data_element: str
    """EUCDM number, where the field has one: `json_schema_extra={"dataElement": …}`."""


@cache
def shapes_of(model: type[Part]) -> tuple[Shape, ...]:
    """The fields in their order on the wire.

    Raises:
        ConfigurationError: a field is of a type that XML and JSON have no common form for.
    """
    hints = get_type_hints(model, include_extras=True)
    fields = enumerate(model.model_fields.items())
    return tuple(_shape(model, at, name, field, hints[name]) for at, (name, field) in fields)


@cache
def by_alias(model: type[Part]) -> dict[str, Shape]:
    """The fields by their name on the wire."""
    return {shape.alias: shape for shape in shapes_of(model)}


def _shape(model: type[Part], position: int, name: str, field: FieldInfo, hint: Any) -> Shape:
    where = f"{model.__name__}.{name}"
    alias = field.serialization_alias or field.alias or name
    listed, inner = _unwrapped(hint, where)
    many = get_origin(inner) is tuple
    element = _unwrapped(get_args(inner)[0], where)[1] if many else inner
    part = _part_of(element)
    schema = _schema_of(model, alias)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Shape(
        position=position,
        name=name,
        alias=alias,
        required=field.is_required(),
        many=many,
        listed=listed,
        least=schema.get("minItems", 0) if many else 0,
        most=schema.get("maxItems") if many else None,
        part=part,
        simple=None if part else _simple(_type_name(model, name, element), _items(model, schema, many=many), where),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        description=(field.description or "").strip(),
        data_element=str(extra.get("dataElement", "")),
    )


@cache
def _json_schema(model: type[Part]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _resolved(model: type[Part], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references, without the way out for None."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if kinds:
        return _resolved(model, kinds[0])
    if "$ref" in schema:
        found: dict[str, Any] = _json_schema(model)["$defs"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _schema_of(model: type[Part], alias: str) -> dict[str, Any]:
    return _resolved(model, _resolved(model, _json_schema(model))["properties"][alias])


def _items(model: type[Part], schema: dict[str, Any], *, many: bool) -> dict[str, Any]:
    return _resolved(model, schema["items"]) if many else schema


def _unwrapped(hint: Any, where: str) -> tuple[bool, Any]:
    """Whether the values stand in one element; the type without `None` and without what is said about the list."""
    listed = False
    while True:
        origin = get_origin(hint)
        if origin in {Union, types.UnionType}:
            kinds = [one for one in get_args(hint) if one is not types.NoneType]
            if len(kinds) != 1:
                raise ConfigurationError("a field of a message has one type", field=where)
            hint = kinds[0]
        elif origin is Annotated and _is_wrapper(get_args(hint)[0]):
            listed = listed or any(isinstance(one, BlankSeparated) for one in get_args(hint)[1:])
            hint = get_args(hint)[0]
        else:
            return listed, hint


def _is_wrapper(hint: Any) -> bool:
    return get_origin(hint) in {Union, types.UnionType, tuple}


def _part_of(hint: Any) -> type[Part] | None:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return kind if isinstance(kind, type) and issubclass(kind, Part) else None


def _simple(name: str, schema: dict[str, Any], where: str) -> Simple:
    kind = _KINDS.get(schema.get("type", ""))
    if kind is None:
        raise ConfigurationError("a value of a message is text, an integer or a flag", field=where, value=schema)
    return Simple(name, kind, {key: value for key, value in schema.items() if key in _SAID})


def _type_name(model: type[Part], name: str, hint: Any) -> str:
    """What the module that made the type calls it; else the model and the field, which nothing else is called."""
    if hint is bool:
        return "Flag"
    if name == "type_of_message":
        return f"{model.__name__}MessageType"
    for module in (sys.modules[Part.__module__], *(sys.modules[one.__module__] for one in model.__mro__)):
        for called, known in vars(module).items():
            if not called.startswith("_") and _same_type(known, hint):
                return called
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(base, type) and base.__module__ != "builtins":
        return base.__name__
    return model.__name__ + "".join(word.capitalize() for word in name.split("_"))


def _same_type(known: Any, hint: Any) -> bool:
    """Whether a name stands for this type: the very same, or the same with an alias or a description added."""
    if known is hint:
        return True
    if get_origin(known) is not Annotated or get_origin(hint) is not Annotated:
        return get_origin(known) is Literal and get_origin(hint) is Literal and known == hint
    (base, *marks), (own_base, *own) = get_args(known), get_args(hint)
    same = base is own_base and len(marks) <= len(own) and all(a is b for a, b in zip(marks, own, strict=False))
    return same and not any(getattr(mark, "metadata", ()) for mark in own[len(marks) :])
