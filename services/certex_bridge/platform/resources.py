"""Where schemas and contracts lie: inside the installed package, or in the repository of an editable install."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from certex_bridge.kernel.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent.parent)
"""The wheel carries both folders as data; a checkout has them two levels above the package."""

_LAYOUT = {
    "xsd": "xsd/{family}/{version}/{family}.xsd",
    "events": "events/{family}/v{version}.json",
}


def resource_path(*parts: str) -> Path:
    """The file or folder `parts`, whose first part is `schemas` or `contracts`.

    Raises:
        ConfigurationError: the installation is not complete.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise ConfigurationError("the installation lacks a file of its contract", field="/".join(parts))


@cache
def schema_path(kind: str, family: str, version: int) -> Path:
    """The root file of a schema: `kind` is `xsd` or `events`.

    Raises:
        ConfigurationError: there is no such schema in this installation.
    """
    layout = _LAYOUT.get(kind)
    if layout is None:
        raise ConfigurationError("a schema is of kind xsd or events", field="schemas", value=kind)
    return resource_path("schemas", *layout.format(family=family, version=version).split("/"))


def contract_path(*parts: str) -> Path:
    """A file or folder of the contracts, for instance `contract_path("topics.yaml")`.

    Raises:
        ConfigurationError: there is none in this installation.
    """
    return resource_path("contracts", *parts)
