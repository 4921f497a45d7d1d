"""What the schemas say about a type: its docstring, and its format in the notation of the customs data model."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache

from certex_bridge.singlewindow.messages.base import Part
from certex_bridge.singlewindow.messages.shape import Simple


def words_of(kind: type[Part] | Simple) -> str:
    """The docstring of a group or of a named type, in one line."""
    if isinstance(kind, Simple):
        return _named(kind.name) or _plain(kind)
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split())


def format_of(simple: Simple) -> str:
    """`an..35`, `an8`, `n..5`, `n1`; empty where no length tells it."""
    schema = simple.schema
    if simple.kind == "flag":
        return "n1"
    if simple.kind == "number":
        return f"n..{len(str(schema['maximum']))}" if "maximum" in schema else ""
    least, most = schema.get("minLength"), schema.get("maxLength")
    if most is None:
        return ""
    return f"an{most}" if least == most else f"an..{most}"


def _plain(simple: Simple) -> str:
    if simple.kind == "flag":
        return "Flag: 1 set, 0 not set."
    if simple.values:
        return "One of these codes."
    if "maxLength" in simple.schema:
        return f"Text of up to {simple.schema['maxLength']} characters."
    return "Whole number." if simple.kind == "number" else "Text."


def _named(name: str) -> str:
    """The docstring below `name = …` in the module of messages that has it, or of the class of that name."""
    package = Part.__module__.rpartition(".")[0]
    for module in sorted(sys.modules):
        if module.startswith(f"{package}.") and hasattr(sys.modules[module], name):
            found = _docstrings(module).get(name, "")
            if found:
                return found
    return ""


@cache
def _docstrings(module: str) -> dict[str, str]:
    """Docstrings below assignments and in classes of a module, by name."""
    body = ast.parse(inspect.getsource(sys.modules[module])).body
    found = {}
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.ClassDef):
            found[statement.name] = ast.get_docstring(statement) or ""
        elif isinstance(statement, ast.Assign) and isinstance(following, ast.Expr):
            text = following.value.value if isinstance(following.value, ast.Constant) else ""
            for target in statement.targets:
                if isinstance(target, ast.Name) and isinstance(text, str):
                    found[target.id] = text
    return {name: " ".join(inspect.cleandoc(text).split()) for name, text in found.items()}
