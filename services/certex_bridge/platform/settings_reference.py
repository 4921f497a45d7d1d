"""The reference page of the settings, and help with misspelt variables; both read the class itself."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from certex_bridge.platform.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = """# Settings

Every setting is an environment variable. The process checks all of them at start and names each wrong one. A secret may
also be a file named like the variable in small letters (`certex_database_url`) in the folder that `CERTEX_SECRETS_DIR`
names. Lists are written with commas, mappings as JSON objects. This page is generated: `make contracts`.

| Variable | Default | Values | Meaning |
| --- | --- | --- | --- |
"""


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables CERTEX_… that are no setting but look like one: name -> the name probably meant."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    unknown = (name for name in environment if name.startswith(PREFIX) and name not in known)
    close = {name: difflib.get_close_matches(name, known, n=1, cutoff=0.85) for name in unknown}
    return {name: found[0] for name, found in close.items() if found}


def render() -> str:
    """The page docs/reference/settings.md."""
    schema = Settings.model_json_schema()["properties"]
    return _HEAD + "".join(_row(name, schema[name]) for name in Settings.model_fields)


def _row(name: str, schema: dict[str, Any]) -> str:
    field = Settings.model_fields[name]
    meaning = " ".join((field.description or "").split())  # a line break would end the row
    cells = (f"`{PREFIX}{name.upper()}`", _default(field.default), _values(schema), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(secret)"
    if isinstance(value, tuple | frozenset):
        value = ",".join(sorted(value) if isinstance(value, frozenset) else value)
    if isinstance(value, dict):
        value = json.dumps(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value not in {"", None} else ""


def _values(schema: dict[str, Any]) -> str:
    """Enumerations and bounds of the JSON schema, in words."""
    choice = schema.get("enum") or schema.get("items", {}).get("enum")
    if choice:
        return ", ".join(f"`{one}`" for one in choice if one)
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        return f"> {schema['exclusiveMinimum']}"
    if low is not None and high is not None:
        return f"{low} … {high}"
    return f">= {low}" if low is not None else ""
