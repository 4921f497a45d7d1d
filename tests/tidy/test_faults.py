"""The page of faults names tests that exist, and says which of them need Apache Kafka itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "faults.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`(\*?)")


def needs_kafka(file: Path, name: str) -> bool | None:
    """Whether a test runs on Apache Kafka only; None: there is no such test."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            marks = " ".join(ast.unparse(one) for one in node.decorator_list)
            return "kafka_only" in marks or "kafka_server" in {one.arg for one in node.args.args}
    return None


def test_each_fault_has_tests_that_exist() -> None:
    named = _NAMED.findall(PAGE.read_text("utf-8"))
    assert len(named) >= 40
    wrong = {}
    for file, name, star in named:
        found = needs_kafka(ROOT / file, name) if (ROOT / file).is_file() else None
        if found is not bool(star):
            wrong[f"{file}::{name}"] = "does not exist" if found is None else "has a star wrongly, or none"
    assert wrong == {}


def test_each_row_names_a_test() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows if "tests/" not in row and not re.match(r"\| (Fault|---)", row)] == []
