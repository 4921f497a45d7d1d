"""Findings on a wire model: pydantic's errors in the bridge's codes and paths, and a reading of what is left.

Pydantic lists every field that cannot be read. The lint could only run on a licence that was read as a whole, and a
sender would meet its findings one correction later. So fields that could not be read get a stand-in, the lint runs,
and whatever it says about a stand-in is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from certex_bridge.kernel.errors import Finding
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES

_AMOUNTS = frozenset({"amount", "tolerancePercent"})
_CODES = {"missing": "FIELD_MISSING", "enum": "ENUM", "literal_error": "ENUM"}
_MESSAGES = {
    "AMOUNT_NOT_TEXT": "figures travel as JSON strings: a JSON number may lose digits on its way",
    "FIELD_MISSING": "the field is required",
    "model_type": "an object is expected",
    "dict_type": "an object is expected",
}

_PARTY = {"name": "x"}
_LINE = {"line": 1, "description": "x", "control": "NONE"}
_STAND_INS: dict[str, Any] = {
    "issuer": "BE",
    "number": "x",
    "eori": "BE1",
    "version": 1,
    "type": "GLOBAL",
    "direction": "EXPORT",
    "status": "VALID",
    "issueDate": "2000-01-01",
    "from": "2000-01-01",
    "holder": {"name": "x", "eori": "BE1"},
    "authority": _PARTY,
    "name": "x",
    "description": "x",
    "line": 1,
    "control": "NONE",
    "amount": "1",
    "unit": "KGM",
    "currency": "EUR",
    "source": "paper",
    "officer": "x",
    "reason": "x",
    "evidence": {"type": "x", "number": "x", "date": "2000-01-01"},
    "date": "2000-01-01",
    "tolerancePercent": "0",
    "mediaType": "application/pdf",
}
"""By field name; a field that is not listed is optional and is left out."""
_PART = {
    name: _STAND_INS[name]
    for name in ("issuer", "number", "version", "type", "status", "issueDate", "holder", "authority")
}
_ENTRIES: dict[str, Any] = {
    "lines": _LINE,
    "consignees": _PARTY,
    "endUsers": _PARTY,
    "tradePartners": {"type": "x", "name": "x"},
    "parts": _PART,
}
"""By list name; an entry of any other list is a text."""

_ROUNDS = 4
"""A stand-in for a text can bring up one more error in its neighbour (an amount too precise for the currency)."""


def validate(
    model: type[BaseModel], data: dict[str, Any], types: CertificateTypes = DUAL_USE_TYPES
) -> tuple[list[Finding], BaseModel | None]:
    """Read `data`; with errors, read what is left of it beside stand-ins. `types` says which licence types there are.

    Returns:
        The findings (empty when all was read), and the model: of the data, or of the data with stand-ins; None when
        even that cannot be read.
    """
    findings: list[Finding] = []
    for _ in range(_ROUNDS):
        try:
            return findings, model.model_validate(data, context=types)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False)
        findings += outside(findings, [_finding(each) for each in errors])
        data = _repair(data, errors)
    return findings, None


def outside(broken: Iterable[Finding], findings: Iterable[Finding]) -> list[Finding]:
    """Those of `findings` that are not about a field named in `broken`, nor about a part or the whole of one."""
    paths = {_steps(finding.field) for finding in broken}
    if not paths:
        return list(findings)
    # Sets of paths and of everything above them: comparing each with each would take seconds on a large event.
    above = {path[:length] for path in paths for length in range(1, len(path))}
    kept = []
    for finding in findings:
        path = _steps(finding.field)
        if path not in above and not any(path[: length + 1] in paths for length in range(len(path))):
            kept.append(finding)
    return kept


def top_level(broken: Iterable[Finding]) -> frozenset[str]:
    """The first field names of what could not be read."""
    return frozenset(_steps(finding.field)[0] for finding in broken)


def by_entry(broken: Iterable[Finding], name: str) -> dict[str, list[Finding]]:
    """The findings on the entries of a list and on what lies in them, by entry, with their paths from there.

    The path of a finding on an entry as a whole is empty.
    """
    entries: dict[str, list[Finding]] = {}
    for finding in broken:
        if finding.field.startswith(f"{name}["):
            entry, _, rest = finding.field.partition(".")
            inner = Finding(finding.code, rest, finding.value, finding.message, finding.severity)
            entries.setdefault(entry, []).append(inner)
    return entries


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[", ".").replace("]", "").split("."))


def _finding(error: ErrorDetails) -> Finding:
    location, value = error["loc"], error["input"]
    code = _code(error, location)
    message = _MESSAGES.get(code) or _MESSAGES.get(error["type"]) or error["msg"]
    # The input of a missing field is the whole object around it.
    seen = "" if code == "FIELD_MISSING" else shown(value)
    return Finding(code, _path(location), seen, message)


def _code(error: ErrorDetails, location: tuple[int | str, ...]) -> str:
    kind, value = error["type"], error["input"]
    if kind.isupper():
        return kind
    if kind == "string_type" and location[-1] in _AMOUNTS and isinstance(value, (int, float)) and value is not True:
        return "AMOUNT_NOT_TEXT"
    if kind == "enum" and not isinstance(value, str):
        return "FIELD_TYPE"
    return _CODES.get(kind, "FIELD_TYPE")


def _path(location: Sequence[int | str]) -> str:
    """`("lines", 2, "quantity", "unit")` as `lines[2].quantity.unit`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def shown(value: object) -> str:
    """What was seen, bounded and printable; of an object or list only its kind, since it may hold personal data."""
    if isinstance(value, str):
        return value[:80] if value[:80].isprintable() else ascii(value[:80])[1:-1]
    if isinstance(value, (dict, list)):
        return "object" if isinstance(value, dict) else "array"
    return str(value)[:80]


def _repair(data: dict[str, Any], errors: Sequence[ErrorDetails]) -> dict[str, Any]:
    """A copy of `data` with a stand-in at every place an error names."""
    repaired: dict[str, Any] = _copy(data)
    for error in errors:
        *parents, leaf = error["loc"]
        place: Any = repaired
        for step in parents:
            place = place[step]
        if isinstance(leaf, int):
            place[leaf] = _copy(_ENTRIES.get(str(parents[-1]), "x"))
        elif leaf in _STAND_INS:
            place[leaf] = _copy(_STAND_INS[leaf])
        elif leaf == "parts":
            place[leaf] = []
        else:
            place.pop(leaf, None)
    return repaired


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(entry) for name, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value
