"""How often strangers may try."""

from __future__ import annotations

import pytest

from certex_bridge.oversight.console import pace
from certex_bridge.oversight.console.pace import Pace


def test_attempts_come_back_with_time_and_are_counted_by_address() -> None:
    now = [0.0]
    made = Pace(60, lambda: now[0])
    assert [made.allows("a") for _ in range(61)] == [True] * 60 + [False]
    assert made.allows("b")
    now[0] = 0.5
    assert not made.allows("a")
    now[0] = 1.0
    assert [made.allows("a"), made.allows("a")] == [True, False]


def test_addresses_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "ADDRESSES_MAX", 2)
    made = Pace(1, lambda: 0.0)
    assert [made.allows(name) for name in ("a", "b", "c", "a", "a")] == [True, True, True, True, False]
