"""Mistakes in a message as functional errors: pointer, code, reason and value, the same for its JSON and its XML form.

The codes are those that the customs systems use for a message against its schema (CC917C): 12 code list, 13 missing,
14 rule, 15 not here, 18 other, 35 too often, 39 too long, 40 too short, 50 type, 51 pattern, 52 not well-formed,
53 characters, 54 below and 55 above the bounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from certex_bridge.singlewindow.refusals import FieldError, Refusal

if TYPE_CHECKING:
    from pydantic import ValidationError

    from certex_bridge.kernel.errors import BridgeError
    from certex_bridge.platform.poison import Poison

    Location = tuple[int | str, ...]
    Pointer = Callable[[Location], str]

MOST_TOLD = 99
"""Mistakes in one answer."""
VALUE_LENGTH = 512
"""errorPointer and originalAttributeValue, an..512."""

_KINDS: dict[str, tuple[str, str]] = {
    "missing": ("13", "MISSING"),
    "extra_forbidden": ("15", "NOT_ALLOWED"),
    "string_pattern_mismatch": ("51", "PATTERN"),
    "string_too_long": ("39", "TOO_LONG"),
    "string_too_short": ("40", "TOO_SHORT"),
    "too_long": ("35", "TOO_MANY"),
    "too_short": ("13", "TOO_FEW"),
    "literal_error": ("12", "CODE"),
    "enum": ("12", "CODE"),
    "greater_than": ("54", "TOO_SMALL"),
    "greater_than_equal": ("54", "TOO_SMALL"),
    "less_than": ("55", "TOO_LARGE"),
    "less_than_equal": ("55", "TOO_LARGE"),
}
_TYPE = ("50", "TYPE")
_NO_MRN = ("93", "MRN_INVALID")
_OF_FORM = {"string_pattern_mismatch", "string_too_long", "string_too_short"}
_GATES: dict[str, str] = {
    "SYNTAX": "52",
    "EMPTY": "52",
    "DOCTYPE": "52",
    "ENCODING": "53",
    "NUL": "53",
    "KEY": "35",
    "NUMBER": "50",
    "VALUE": "15",
}
"""CC917C by the last word of a gate's code (JSON_DUPLICATE_KEY, XML_SPLIT_VALUE)."""


def of_model(error: ValidationError, pointer: Pointer) -> list[FieldError]:
    """All that a model found wrong.

    A rule across several fields names itself and the item it is about, from where it stands:
    `PydanticCustomError("MRN_INVALID", "…", {"error_code": "93", "at": "DeclarationReference/MRN"})`.
    """
    return [_of_problem(problem, pointer) for problem in error.errors(include_url=False)]


def _of_problem(problem: Any, pointer: Pointer) -> FieldError:
    kind, context = problem["type"], problem.get("ctx", {})
    code, reason = ("14", kind) if kind.isupper() else _KINDS.get(kind, _TYPE)
    if kind in _OF_FORM and problem["loc"][-1:] == ("MRN",):
        code, reason = _NO_MRN
    value = "" if kind == "missing" else _echoed(problem["input"])
    place = (*problem["loc"], *filter(None, str(context.get("at", "")).split("/")))
    return FieldError(pointer(place), str(context.get("error_code", code)), reason, value, problem["msg"])


def _echoed(value: object) -> str:
    """The value of one data item; of a part of the message only what it is, since it may hold personal data."""
    if isinstance(value, (str, int, float)) or value is None:
        return shown(value)
    return "array" if isinstance(value, (list, tuple)) else "object"


def of_rule(error: BridgeError) -> FieldError:
    """A mistake that our own code found in a value."""
    return FieldError(error.field, "14", error.code, error.value, error.message)


def of_gate(poison: Poison) -> FieldError:
    """Bytes that are no document."""
    code = _GATES.get(poison.code.rsplit("_", 1)[-1], "18")
    return FieldError(poison.field, code, poison.code, poison.value, poison.message)


def refused(errors: Sequence[FieldError], count: int = 0) -> Refusal:
    """SCHEMA_INVALID with the first mistakes; how many there are in all is said, `count` where not all are kept."""
    count = max(count, len(errors))
    more = f"; the first {MOST_TOLD} of {count} mistakes are told" if count > MOST_TOLD else ""
    first = errors[0]
    message = f"{first.pointer or 'the document'}: {first.message}{more}"
    return Refusal("SCHEMA_INVALID", message, error_code=first.error_code, errors=errors[:MOST_TOLD])


def json_pointer(location: Location) -> str:
    """RFC 6901, cut to what an answer carries."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)[:VALUE_LENGTH]


def shown(value: object) -> str:
    """A value as text, cut to what an answer carries."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:VALUE_LENGTH]
