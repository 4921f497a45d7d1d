"""Codes as they stand in the sources: what the code can say stands in the reference."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2] / "services" / "certex_bridge"
_FIRST_ARGUMENT = frozenset(
    {"Finding", "Poison", "Reason", "PydanticCustomError", "warn", "warning", "_warning", "error"}
)
_SECOND_ARGUMENT = frozenset({"fail", "warn", "tell", "_refused"})
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def codes_of(*packages: str) -> set[str]:
    """Codes that modules below these packages hand to findings, refusals and reasons."""
    files = [path for name in packages for path in sorted((_PACKAGE / name).rglob("*.py"))]
    return {code for path in files for code in _codes(ast.parse(path.read_text("utf-8")))}


def _codes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from filter(_is_code, map(_text, _candidates(node)))


def _candidates(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in _FIRST_ARGUMENT and call.args:
        yield call.args[0]
    if name in _SECOND_ARGUMENT and len(call.args) > 1:
        yield call.args[1]
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "code")


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_code(text: str) -> bool:
    return len(text) > 2 and text[0].isalpha() and _WORD.issuperset(text)
