"""The list of seeded bugs does not rot: each entry applies to the code as it is, and stands on the page."""

from __future__ import annotations

import re
from collections import Counter

import mutants
import pytest

LISTED = mutants.listed()


@pytest.mark.parametrize("area", sorted({mutant.area for mutant in LISTED}))
def test_each_bug_can_be_put_into_the_code_as_it_is(area: str) -> None:
    assert [problem for one in LISTED if one.area == area for problem in mutants.problems(one)] == []


def test_a_bug_has_one_name_and_the_list_is_long() -> None:
    assert [name for name, times in Counter(one.name for one in LISTED).items() if times > 1] == []
    assert len(LISTED) >= 100
    assert {"ledger", "gateway", "licensing", "customs", "platform", "operations"} <= {one.area for one in LISTED}
    assert 6 <= sum(one.slice for one in LISTED) <= 12


def test_the_page_is_that_of_a_run_of_this_list() -> None:
    page = mutants.PAGE.read_text("utf-8")
    shown = re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \| `(.+)`.* \| \d+ \|$", page, re.MULTILINE)
    stale = "write it anew: make mutants"
    assert sorted((name, what) for name, what, _ in shown) == sorted((one.name, one.what) for one in LISTED), stale
    for name, _, test in shown:
        assert mutants.exists(f"tests/{test}"), f"{name}: {stale}"


def test_an_entry_that_applies_no_longer_is_told() -> None:
    gone = mutants.Mutant(
        "kernel", "x", "y", "kernel/dates.py", "no such text", "", ("tests/none.py", "tests/tidy/test_law.py::none")
    )
    assert mutants.problems(gone) == [
        "x: its text stands 0 times in kernel/dates.py",
        "x: there is no tests/none.py",
        "x: there is no tests/tidy/test_law.py::none",
    ]
    broken = mutants.Mutant("kernel", "x", "y", "kernel/dates.py", "def parse_date(", "def (", ())
    assert [problem.partition(":")[2][:14] for problem in mutants.problems(broken)] == [
        " is no Python:",
        " names no test",
    ]
