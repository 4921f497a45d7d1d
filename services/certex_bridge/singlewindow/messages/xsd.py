"""XML schemas made from the models of a family: `<family>.xsd` with the roots, `ctypes.xsd` and `stypes.xsd`.

A type is called as the name that its module gives it, its words are the docstring there. What a model demands across
several fields has no place in a schema; the reader checks it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lxml import etree

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.singlewindow.messages.base import Message, Part
from certex_bridge.singlewindow.messages.shape import Shape, Simple, shapes_of
from certex_bridge.singlewindow.messages.xsd_pattern import xsd_pattern
from certex_bridge.singlewindow.messages.xsd_words import format_of, words_of

XS = "http://www.w3.org/2001/XMLSchema"
_COUNTED = 999
"""More repetitions than that are unbounded in the schema: a validator unrolls a count. The model still counts."""


@dataclass
class _Family:
    """What the models of one family consist of, each type once, in the order of first use."""

    namespace: str
    roots: list[type[Message]] = field(default_factory=list)
    groups: dict[str, type[Part]] = field(default_factory=dict)
    values: dict[str, Simple] = field(default_factory=dict)

    def add(self, model: type[Part]) -> None:
        """Take a model with all that it needs.

        Raises:
            ConfigurationError: two types have the same name.
        """
        for shape in shapes_of(model):
            if shape.simple is not None:
                known = self.values.setdefault(shape.simple.name, shape.simple)
                if known != shape.simple:
                    raise ConfigurationError("two types of a family have one name", field=shape.simple.name)
            elif shape.part is not None and shape.part.__name__ not in self.groups:
                self.groups[shape.part.__name__] = shape.part
                self.add(shape.part)
            elif shape.part is not None and self.groups[shape.part.__name__] is not shape.part:
                raise ConfigurationError("two groups of a family have one name", field=shape.part.__name__)


def families(models: Iterable[type[Message]]) -> dict[tuple[str, int], tuple[type[Message], ...]]:
    """The models whose schema is generated, by family and version, in order of their roots."""
    found: dict[tuple[str, int], dict[str, type[Message]]] = {}
    for model in models:
        if model.schema_generated:
            of_family = found.setdefault((model.family, model.family_version), {})
            if of_family.setdefault(model.root, model) is not model:
                raise ConfigurationError("two messages of a family have one root", field=model.root)
    return {key: tuple(group[root] for root in sorted(group)) for key, group in sorted(found.items())}


def documents(models: Sequence[type[Message]]) -> dict[str, bytes]:
    """The files of one family, by name."""
    family = _collected(models)
    name = f"{models[0].family}.xsd"
    values = _schema(family.namespace, f"Simple types of the family {models[0].family}.")
    for simple in family.values.values():
        _simple_types(values, simple, _listed(family), described=True)
    groups = _schema(family.namespace, f"Groups of the family {models[0].family}.", "stypes.xsd")
    for part in family.groups.values():
        _group(groups, part)
    roots = _schema(
        family.namespace,
        f"Messages of the family {models[0].family}, version {models[0].family_version}. Element names follow the "
        "customs systems' own where the thing exists there; the number in dataElement is the EU customs data model's.",
        "ctypes.xsd",
    )
    for model in family.roots:
        _root(roots, model)
    return {name: _bytes(roots), "ctypes.xsd": _bytes(groups), "stypes.xsd": _bytes(values)}


def one_document(models: Sequence[type[Message]]) -> bytes:
    """The same schema in one piece and without words, for the validator of this process."""
    family = _collected(models)
    schema = _schema(family.namespace, "")
    for simple in family.values.values():
        _simple_types(schema, simple, _listed(family), described=False)
    for part in family.groups.values():
        _group(schema, part)
    for model in family.roots:
        _root(schema, model)
    return _bytes(schema)


def _collected(models: Sequence[type[Message]]) -> _Family:
    family = _Family(models[0].namespace())
    for model in models:
        if model.namespace() != family.namespace:
            raise ConfigurationError("a schema has one namespace", field=model.root)
        family.roots.append(model)
        family.add(model)
    return family


def _listed(family: _Family) -> frozenset[str]:
    """Types that some field has a list of, in one element."""
    models: list[type[Part]] = [*family.groups.values(), *family.roots]
    shapes = [shape for model in models for shape in shapes_of(model)]
    return frozenset(shape.simple.name for shape in shapes if shape.listed and shape.simple)


def _schema(namespace: str, words: str, include: str = "") -> etree._Element:
    prefixes: dict[str | None, str] = {"xs": XS, None: namespace}
    schema = etree.Element(f"{{{XS}}}schema", nsmap=prefixes)  # type: ignore[arg-type]  # the stubs know no None here
    schema.set("targetNamespace", namespace)
    schema.set("elementFormDefault", "qualified")
    schema.set("version", "1.0")
    _annotate(schema, words)
    if include:
        _child(schema, "include", schemaLocation=include)
    return schema


def _root(schema: etree._Element, model: type[Message]) -> None:
    _child(schema, "element", name=model.root, type=f"{model.root}Type")
    kind = _child(schema, "complexType", name=f"{model.root}Type")
    _annotate(kind, words_of(model))
    sequence = _child(kind, "sequence")
    for shape in shapes_of(model):
        _element(sequence, shape)


def _group(schema: etree._Element, part: type[Part]) -> None:
    kind = _child(schema, "complexType", name=f"{part.__name__}Type")
    _annotate(kind, words_of(part))
    sequence = _child(kind, "sequence")
    for shape in shapes_of(part):
        _element(sequence, shape)


def _element(sequence: etree._Element, shape: Shape) -> None:
    kind = shape.part.__name__ if shape.part else shape.simple.name if shape.simple else ""
    element = _child(sequence, "element", name=shape.alias, type=f"{kind}{'ListType' if shape.listed else 'Type'}")
    repeated = shape.many and not shape.listed
    least = shape.least if repeated and shape.required else int(shape.required)
    if least != 1:
        element.set("minOccurs", str(least))
    if repeated:
        counted = shape.most is not None and shape.most <= _COUNTED
        element.set("maxOccurs", str(shape.most) if counted else "unbounded")
    _annotate(element, shape.description, shape.data_element, format_of(shape.simple) if shape.simple else "")


def _simple_types(schema: etree._Element, simple: Simple, listed: frozenset[str], *, described: bool) -> None:
    kind = _child(schema, "simpleType", name=f"{simple.name}Type")
    if described:
        _annotate(kind, words_of(simple), "", format_of(simple))
    _restriction(kind, simple)
    if simple.name in listed:
        several = _child(schema, "simpleType", name=f"{simple.name}ListType")
        _annotate(several, "Several of them, separated by blanks." if described else "")
        _child(several, "list", itemType=f"{simple.name}Type")


def _restriction(kind: etree._Element, simple: Simple) -> None:
    base = _child(kind, "restriction", base="xs:integer" if simple.kind == "number" else "xs:string")
    schema = simple.schema
    if simple.kind == "flag":
        for value in simple.values or (False, True):
            _child(base, "enumeration", value=str(int(value)))
        return
    for value in simple.values:
        _child(base, "enumeration", value=str(value))
    if simple.values:
        return
    if "minLength" in schema:
        _child(base, "minLength", value=str(schema["minLength"]))
    if "maxLength" in schema:
        _child(base, "maxLength", value=str(schema["maxLength"]))
    if "pattern" in schema:
        _child(base, "pattern", value=xsd_pattern(schema["pattern"]))
    if simple.kind == "number":
        _child(base, "minInclusive", value=str(schema.get("minimum", 0)))
        if "maximum" in schema:
            _child(base, "maxInclusive", value=str(schema["maximum"]))
        # One spelling of a number, as in JSON.
        _child(base, "pattern", value="0|[1-9][0-9]*")


def _annotate(parent: etree._Element, words: str, data_element: str = "", format_: str = "") -> None:
    if not (words or data_element or format_):
        return
    annotation = _child(parent, "annotation")
    if data_element or format_:
        information = _child(annotation, "appinfo")
        for name, text in (("dataElement", data_element), ("format", format_)):
            if text:
                etree.SubElement(information, f"{{{parent.nsmap[None]}}}{name}").text = text
    if words:
        _child(annotation, "documentation").text = words


def _child(parent: etree._Element, kind: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{XS}}}{kind}", attributes)


def _bytes(schema: etree._Element) -> bytes:
    etree.indent(schema)
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    # Rare blanks and control characters of the patterns are written by number: nobody can see them.
    return head + etree.tostring(schema, encoding="US-ASCII") + b"\n"
