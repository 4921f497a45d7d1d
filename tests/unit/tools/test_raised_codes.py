"""Codes raised in tests: what counts as raised, how runs come together, and what the comparison with the reference says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from raised_codes import problems, raised

from certex_bridge.operations.code_catalogue import Section
from tests.support.raised import merge

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = [
    word for name in ("anyio", "hypothesispytest", "pytest_cov", "schemathesis") for word in ("-p", f"no:{name}")
]
"""Left out: they take seconds to import."""
TESTS = """\
import pytest
from certex_bridge.kernel.errors import Finding, InputError
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import Poison

def test_the_product_raises():
    with pytest.raises(Poison):
        parse_json(b"[")

def test_a_test_raises():
    Finding("MADE_HERE", "", "", "")
    Reason("NOT_FOUND")
    with pytest.raises(Poison):
        raise Poison("MADE_HERE", "")
    assert Poison.of(InputError("", code="MADE_HERE")).finding().code == "MADE_HERE"

def test_that_fails():
    parse_json(b"[")
"""
REFERENCE = [
    Section("Reasons", frozenset({"A", "B"}), frozenset({"reason", "finding"})),
    Section("Findings on declarations", frozenset({"C"}), frozenset({"finding"}), frozenset({"customs"})),
    Section("Incidents", frozenset({"I"}), frozenset({"incident"})),
]
ALL = {("reason", "A", "ledger"), ("finding", "B", "ledger"), ("finding", "C", "customs"), ("incident", "I", "ledger")}


@pytest.fixture(params=["0", "2"], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> str:
    """For the option -n."""
    return str(request.param)


def test_what_the_product_makes_in_a_passed_test_counts_and_nothing_else(tmp_path: Path, workers: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)  # the project's own settings of pytest
    (tmp_path / "test_some.py").write_text(TESTS, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "CI"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, "-n", workers, "test_some.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    by_test = json.loads((tmp_path / "out" / "raised.json").read_text("utf-8"))
    assert by_test == {"test_some.py::test_the_product_raises": ["finding JSON_SYNTAX platform"]}


def test_a_later_run_replaces_what_it_ran_and_keeps_the_rest() -> None:
    old = {"a": ["finding X customs"], "b": ["finding Y customs"], "c": ["finding Z customs"]}
    assert merge(old, {"a": ["finding W customs"], "c": []}) == {"a": ["finding W customs"], "b": ["finding Y customs"]}


def test_all_is_well_when_each_code_was_raised_where_it_is_listed() -> None:
    assert list(problems(ALL, REFERENCE)) == []


@pytest.mark.parametrize("missing", sorted(ALL))
def test_a_code_that_no_test_raises_is_named(missing: tuple[str, str, str]) -> None:
    (said,) = problems(ALL - {missing}, REFERENCE)
    assert said.endswith(f": no test raises {missing[1]}")


def test_a_code_raised_by_another_part_does_not_count() -> None:
    elsewhere = (ALL - {("finding", "C", "customs")}) | {("finding", "C", "kernel")}
    assert list(problems(elsewhere, REFERENCE)) == ["Findings on declarations: no test raises C"]


def test_a_code_that_the_reference_does_not_have_is_named() -> None:
    (said,) = problems(ALL | {("incident", "J", "ledger")}, REFERENCE)
    assert said == "the reference does not know the incident J, which ledger raises"


def test_runs_are_read_as_kind_code_and_part() -> None:
    assert raised({"a": ["reason A ledger"], "b": ["reason A ledger"]}) == {("reason", "A", "ledger")}
