"""Messages in JSON: the strict gate, then the model; names are those on the wire, never Python's."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from pydantic import ValidationError

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import Poison
from certex_bridge.singlewindow.messages import mistakes
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.reading import model_of

M = TypeVar("M", bound=Message)

NODES = 50_000
"""Values in one request."""


class _Head(msgspec.Struct):
    messageIdentification: str | None = None  # noqa: N815  # the wire's own spelling


_HEAD = msgspec.json.Decoder(_Head)


def read_json_message(raw: bytes, model: type[M]) -> M:
    """The message in the bytes.

    Raises:
        Refusal: SCHEMA_INVALID with the mistakes that `model_of` finds; pointers are those of RFC 6901.
    """
    try:
        parse_json(raw, NODES)
        return model_of(raw, model)
    except Poison as poison:
        raise mistakes.refused([mistakes.of_gate(poison)]) from poison
    except ValidationError as error:
        raise mistakes.refused(mistakes.of_model(error, mistakes.json_pointer)) from error
    except BridgeError as error:
        raise mistakes.refused([mistakes.of_rule(error)]) from error


def correlation_in(raw: bytes) -> str | None:
    """The messageIdentification of bytes that may be anything."""
    try:
        return _HEAD.decode(raw).messageIdentification
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
