"""Messages made from their models: valid ones by walking the shapes, and documents with one thing wrong."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar

from hypothesis import assume
from hypothesis import strategies as st
from lxml import etree
from pydantic import ValidationError

from certex_bridge.singlewindow.messages.base import Message, Part
from certex_bridge.singlewindow.messages.shape import Shape, Simple, shapes_of
from certex_bridge.singlewindow.messages.xml import write_message

M = TypeVar("M", bound=Message)

_MOST = 3
"""Repetitions that show what repeating does."""


def messages(model: type[M], **fixed: Any) -> st.SearchStrategy[M]:
    """Valid messages; `fixed` by name on the wire."""

    @st.composite
    def build(draw: st.DrawFn) -> M:
        content = draw(contents(model)) | {"messageType": model.message_type} | fixed
        try:
            return model.model_validate_json(_encoded(content), by_alias=True, by_name=False)
        except ValidationError as error:
            assume(not _broken_across_fields(error))
            raise

    return build()


@cache
def contents(part: type[Part]) -> st.SearchStrategy[dict[str, Any]]:
    """What a group consists of, by name on the wire."""
    needed = {one.alias: _values(one) for one in shapes_of(part) if one.required}
    others = {one.alias: _values(one) for one in shapes_of(part) if not one.required}
    return st.fixed_dictionaries(needed, optional=others)


def _sound(part: type[Part], content: dict[str, Any]) -> bool:
    """Whether a group keeps its rules across fields: half of them do not, and a message has many groups."""
    try:
        part.model_validate_json(_encoded(content), by_alias=True, by_name=False)
    except ValidationError as error:
        assert _broken_across_fields(error), error
        return False
    return True


def _broken_across_fields(error: ValidationError) -> bool:
    """What one field may be is drawn right; what is refused beside it follows (a list that lost its members)."""
    return any(one["type"].isupper() or one["type"] == "value_error" for one in error.errors())


def broken_documents(model: type[Message], **fixed: Any) -> st.SearchStrategy[bytes]:
    """Documents of the model with one element taken out, doubled, moved, renamed, emptied, filled or misspelt."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        root = etree.fromstring(write_message(draw(messages(model, **fixed))))
        below = list(root.iterdescendants())
        element = draw(st.sampled_from(below))
        parent = element.getparent()
        assert parent is not None
        deed = draw(st.sampled_from(["take", "double", "move", "rename", "empty", "fill", "text", "attribute"]))
        if deed == "take":
            parent.remove(element)
        elif deed == "double":
            parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
        elif deed == "move":
            draw(st.sampled_from([root, *below])).insert(0, etree.fromstring(etree.tostring(element)))
        elif deed == "rename":
            element.tag = f"{{{model.namespace()}}}{draw(st.sampled_from(['x', model.root, 'MRN', 'quantity']))}"
        elif deed == "empty":
            element.clear()
        elif deed == "fill":
            element.append(etree.fromstring(etree.tostring(draw(st.sampled_from(below)))))
        elif deed == "text":
            element.text = draw(
                st.text(st.characters(min_codepoint=32, exclude_characters="\ufffe\uffff"), max_size=600)
            )
        else:
            element.set("x", "1")
        return etree.tostring(root, encoding="UTF-8")

    return build()


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _values(shape: Shape) -> st.SearchStrategy[Any]:
    part = shape.part
    one = contents(part).filter(lambda content: _sound(part, content)) if part else _simple(shape.simple)
    if not shape.many:
        return one
    return st.lists(one, min_size=shape.least, max_size=max(shape.least, min(shape.most or _MOST, _MOST)))


def _simple(simple: Simple | None) -> st.SearchStrategy[Any]:
    assert simple is not None
    schema = simple.schema
    if simple.values:
        return st.sampled_from(simple.values)
    if simple.kind == "flag":
        return st.booleans()
    if simple.kind == "number":
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 10**9))
    least, most = schema.get("minLength", 0), schema.get("maxLength", 600)
    if "pattern" not in schema:
        return st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=least, max_size=most)  # fmt: skip
    # Python's `$` lets a line break follow; the models' does not.
    pattern = schema["pattern"].removesuffix("$") + r"\Z"
    return st.from_regex(pattern).filter(lambda text: least <= len(text) <= most and not any("\ud800" <= one <= "\udfff" for one in text))  # fmt: skip
