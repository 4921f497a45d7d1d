"""Types of settings: how texts of the environment become values."""

from __future__ import annotations

import json
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

Role = Literal["intake", "relay", "worker"]
ROLES: tuple[Role, ...] = get_args(Role)
CONNECTIONS: dict[Role, int] = {"intake": 2, "relay": 1, "worker": 4}
"""Database connections a role may hold at once: one per loop, and the intake's question for lost offsets."""
Comparison = Literal["HOLDER", "CONSIGNEE", "DESTINATION", "COMMODITY", "ORIGIN"]
FigureSource = Literal["DOCUMENT", "NET_MASS", "ITEM_AMOUNT"]


def _words(value: object) -> object:
    """`a, b` -> ["a", "b"]: lists are written with commas, not in JSON."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _mapping(value: object) -> object:
    """A JSON object, also when it comes as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError as error:
        raise ValueError(f"must be a JSON object: {error}") from None


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone of the IANA database (example: Europe/Brussels)") from None
    return value


Words = BeforeValidator(_words)
Mapping = BeforeValidator(_mapping)
Zone = Annotated[str, AfterValidator(_zone)]
Count = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
