"""Types of settings: how texts of the environment become values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

PREFIX = "CERTEX_"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Role = Literal["intake", "relay", "worker", "gateway"]
ROLES: tuple[Role, ...] = get_args(Role)
DEFAULT_ROLES: tuple[Role, ...] = ("intake", "relay", "worker")
"""The gateway is asked for by name: it needs to know who may call."""
CONNECTIONS: dict[Role, int] = {"intake": 2, "relay": 1, "worker": 6, "gateway": 4}
"""Database connections a role may hold at once: one per loop, the intake's question for lost offsets, calls in work."""
DocumentStatus = Literal["WRITTEN_OFF", "NOT_ACTED_ON", "ATTRIBUTED", "NOT_HELD"]
Comparison = Literal["PROCEDURE", "HOLDER", "CONSIGNEE", "DESTINATION", "COMMODITY", "ORIGIN"]
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


def needs_https(address: str) -> str:
    """The address; http only on this machine, empty stays empty.

    Raises:
        ValueError: anybody on the way could read or change what is fetched there.
    """
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if address and not local and not (parts.scheme == "https" and parts.hostname):
        raise ValueError("must be an address with https")
    return address


def readable(path: Path | None) -> Path | None:
    """The path of a file this process may read; None stays None.

    Raises:
        ValueError: there is no such file.
    """
    if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
        raise ValueError(f"no readable file at {path}")
    return path


Words = BeforeValidator(_words)
Mapping = BeforeValidator(_mapping)
Zone = Annotated[str, AfterValidator(_zone)]
Count = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
HttpsAddress = Annotated[str, AfterValidator(needs_https)]
ReadableFile = Annotated[Path | None, AfterValidator(readable)]
