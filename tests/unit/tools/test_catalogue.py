"""The catalogue of proven rows: claims are read from marks, and runs are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.support.catalogue import merge, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Item:
    """A test with two marks; a real one would claim these rows in the catalogue."""

    def iter_markers(self, name: str) -> Iterator[pytest.Mark]:
        assert name == "row"
        yield pytest.mark.row("X2").mark
        yield pytest.mark.row("X1", "X2").mark


def test_claims_come_from_every_mark_once() -> None:
    assert rows(cast("pytest.Item", _Item())) == ["X2", "X1"]


def test_a_later_run_replaces_what_it_ran_and_keeps_the_rest() -> None:
    old = {"E001": {"a": "failed", "b": "passed"}, "E009": {"a": "passed"}}
    new = merge(old, [("a", ["E001", "E002"], "passed")])
    assert new == {"E001": {"a": "passed", "b": "passed"}, "E002": {"a": "passed"}}
