"""From JSON to a model, at a cost that does not grow with the number of mistakes.

Pydantic lists every mistake before anybody can say how many are wanted, and a document of one megabyte has room for
half a million. So a large document is read by a copy of the model's schema in which each list ends at its first wrong
element. What is right is read alike by both.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic_core import SchemaValidator

from certex_bridge.platform.jsongate import nodes_at_most

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

    from certex_bridge.singlewindow.messages.base import Message

M = TypeVar("M", bound="Message")

ALL_TOLD_NODES = 1_000
"""Values of the largest document whose mistakes are all looked for."""
_LISTS = frozenset({"frozenset", "list", "set", "tuple"})


def model_of(raw: bytes, model: type[M]) -> M:
    """The model in JSON that passed the gate; names are those on the wire.

    Raises:
        ValidationError: with all mistakes, or of a large document those up to the first wrong element of each list.
        BridgeError: a rule of the model.
    """
    if nodes_at_most(raw) <= ALL_TOLD_NODES:
        return model.model_validate_json(raw, by_alias=True, by_name=False)
    return cast("M", _hasty(model).validate_json(raw, by_alias=True, by_name=False))


@cache
def _hasty(model: type[Message]) -> SchemaValidator:
    return SchemaValidator(cast("CoreSchema", _failing_fast(model.__pydantic_core_schema__)))


def _failing_fast(schema: Any) -> Any:
    """The schema with every list in it ending at its first mistake."""
    if isinstance(schema, list):
        return [_failing_fast(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: value if name == "metadata" else _failing_fast(value) for name, value in schema.items()}
    kind = schema.get("type")  # of a model's fields, it is the field of that name
    return copy | {"fail_fast": True} if isinstance(kind, str) and kind in _LISTS else copy
