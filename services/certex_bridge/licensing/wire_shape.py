"""The shape of an event before it is read: lists that are too long, and names that this version does not know.

Reading is tolerant, since a sender may be ahead of this version. But an optional field that is misspelt would leave a
licence without limit or without end and nobody would notice: unknown names are told, and a name that is a known one
in another spelling is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.texts import COUNTS
from certex_bridge.licensing.wire_findings import shown

NAMES_TOLD = 100
"""Unknown names told one by one for one object; of more only the number is told."""

_IGNORED = str.maketrans("", "", "_-. ")


class _Shape(NamedTuple):
    names: frozenset[str]
    spellings: dict[str, str]
    """Normal spelling to the name."""
    lists: tuple[tuple[str, type[BaseModel] | None], ...]
    objects: tuple[tuple[str, type[BaseModel]], ...]


def check_shape(model: type[BaseModel], data: dict[str, Any]) -> tuple[list[Finding], dict[str, Any]]:
    """Findings TOO_MANY and UNKNOWN_FIELD, and the data with every list cut to what may be looked at.

    The data are not changed; what is not cut is shared with the result.
    """
    findings: list[Finding] = []
    return findings, _walk(model, data, "", findings)


def _walk(model: type[BaseModel], data: dict[str, Any], path: str, findings: list[Finding]) -> dict[str, Any]:
    shape = _shape(model)
    if not data.keys() <= shape.names:
        findings += _unknown(shape, data, path)
    cut: dict[str, Any] = {}
    for name, entry_model in shape.lists:
        value = data.get(name)
        if type(value) is list and value:
            cut[name] = _entries(entry_model, value, f"{path}{name}", findings)
    for name, inner in shape.objects:
        value = data.get(name)
        if type(value) is dict:
            cut[name] = _walk(inner, value, f"{path}{name}.", findings)
    return data | cut


def _entries(model: type[BaseModel] | None, entries: list[Any], path: str, findings: list[Finding]) -> list[Any]:
    limit = COUNTS[path.rpartition(".")[2]]
    if len(entries) > limit:
        message = f"at most {limit} entries; those beyond were not looked at"
        findings.append(Finding("TOO_MANY", path, str(len(entries)), message))
        entries = entries[:limit]
    if model is None:
        return entries
    return [
        _walk(model, entry, f"{path}[{index}].", findings) if type(entry) is dict else entry
        for index, entry in enumerate(entries)
    ]


def _unknown(shape: _Shape, data: dict[str, Any], path: str) -> Iterator[Finding]:
    told = 0
    for name in data:
        if name in shape.names:
            continue
        meant = shape.spellings.get(_normal(name))
        if meant is not None:
            message = f"the field is written {meant}; as it stands it would be ignored"
            yield Finding("UNKNOWN_FIELD", path + shown(name), shown(name), message)
            continue
        told += 1
        if told <= NAMES_TOLD:
            message = "no field of this version: it is ignored"
            yield Finding("UNKNOWN_FIELD", path + shown(name), shown(name), message, Severity.WARNING)
    if told > NAMES_TOLD:
        message = f"{told - NAMES_TOLD} more names are no fields of this version"
        yield Finding("UNKNOWN_FIELD", path.removesuffix("."), str(told), message, Severity.WARNING)


def _normal(name: str) -> str:
    return name.translate(_IGNORED).casefold() if len(name) <= 80 else name


@cache
def _shape(model: type[BaseModel]) -> _Shape:
    names: list[str] = []
    lists: list[tuple[str, type[BaseModel] | None]] = []
    objects: list[tuple[str, type[BaseModel]]] = []
    for field, info in model.model_fields.items():
        name = info.alias or field
        names.append(name)
        inner = _models(info.annotation)
        if getattr(info.annotation, "__origin__", None) is list:
            lists.append((name, inner[0] if inner else None))
        elif inner:
            objects.append((name, inner[0]))
    return _Shape(frozenset(names), {_normal(name): name for name in names}, tuple(lists), tuple(objects))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
