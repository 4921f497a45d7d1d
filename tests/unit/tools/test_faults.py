"""The report of the faults: every row of the page is judged by all its tests."""

from __future__ import annotations

from faults import faults, results, table, verdict

PAGE = """# Faults

## Kafka

| Fault | What the bridge does | What is seen | Proved by |
| --- | --- | --- | --- |
| away | waits | 503 | `tests/a/test_a.py::test_one`*, `tests/a/test_a.py::test_two` |
| slow | waits longer | nothing | `tests/a/test_a.py::test_three` |
| gone | goes on | nothing | `tests/a/test_a.py::test_four` |
"""
REPORT = """<testsuites><testsuite>
<testcase classname="tests.a.test_a" name="test_one[x]" time="1.5"/>
<testcase classname="tests.a.test_a" name="test_one[y]" time="0.5"/>
<testcase classname="tests.a.test_a" name="test_two" time="1"><failure message="no"/></testcase>
<testcase classname="tests.a.test_a" name="test_three" time="2"/>
<testcase classname="tests.a.test_a" name="test_four" time="0"><skipped/></testcase>
</testsuite></testsuites>"""


def test_one_failing_test_fails_its_fault_and_a_skipped_one_was_not_tried() -> None:
    rows = faults(PAGE)
    assert [fault.name for fault in rows] == ["away", "slow", "gone"]
    by_test = results(REPORT)
    assert [verdict(fault, by_test) for fault in rows] == [("FAILED", 3.0), ("stood", 2.0), ("NOT TRIED", 0.0)]
    assert "| away | waits | **FAILED** | 3 | 3.0 |" in table(rows, by_test)
    assert "1 of 3 stood." in table(rows, by_test)


def test_a_test_that_did_not_run_was_not_tried() -> None:
    (fault, *_) = faults(PAGE)
    assert verdict(fault, {}) == ("NOT TRIED", 0.0)
