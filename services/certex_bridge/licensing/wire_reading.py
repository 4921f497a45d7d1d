"""How the wire models read values: a refusal of a kernel reader is told with its stable code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from certex_bridge.kernel.dates import parse_date
from certex_bridge.kernel.errors import InputError

_Read = TypeVar("_Read")


def read(reader: Callable[[], _Read]) -> _Read:
    """Run a kernel reader and hand its refusal to pydantic with the kernel's code, so that all are collected.

    Raises:
        PydanticCustomError: type is the stable code of the refusal.
    """
    try:
        return reader()
    except InputError as refused:
        # Braces would be taken for placeholders of the message template.
        message = refused.message.replace("{", "(").replace("}", ")")
        raise PydanticCustomError(refused.code, message) from None


def _read_date(value: Any) -> Any:
    return read(lambda: parse_date(value)) if isinstance(value, str) else value


def _schema_date() -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date"})


Day = Annotated[date, BeforeValidator(_read_date), _schema_date()]
