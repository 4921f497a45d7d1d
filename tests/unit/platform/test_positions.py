"""What is decided from four numbers, and which log they are numbers of."""

from __future__ import annotations

import pytest

from certex_bridge.platform.positions import Cause, Gap, LogId, LogNumbers, Position, fell, judge, moved

HERE = LogId("c1", "t1")


@pytest.mark.parametrize(
    ("known", "told", "expected"),
    [
        (None, LogNumbers(HERE, 5, 9), (Cause.NEW, 5)),
        (Position(7, HERE), LogNumbers(HERE, 0, 9), (Cause.KEPT, 7)),
        (Position(7, HERE), LogNumbers(HERE, 7, 7), (Cause.KEPT, 7)),
        (Position(7, HERE), LogNumbers(HERE, 0, 9, committed=9), (Cause.KEPT, 7)),
        (Position(7, HERE), LogNumbers(HERE, 8, 9), (Cause.GAP, 8)),
        (Position(7, HERE), LogNumbers(HERE, 2, 6), (Cause.LOG_CUT, 2)),
        (Position(7), LogNumbers(HERE, 0, 9), (Cause.NAMED, 7)),
        (Position(7, LogId("c1")), LogNumbers(HERE, 0, 9), (Cause.NAMED, 7)),
        (Position(7), LogNumbers(HERE, 8, 9), (Cause.GAP, 8)),
        (Position(7, HERE), LogNumbers(LogId("c1", "t2"), 3, 9), (Cause.OTHER_LOG, 0)),
        (Position(7, HERE), LogNumbers(LogId("c2"), 0, 9), (Cause.OTHER_LOG, 0)),
        (Position(7, HERE), LogNumbers(LogId("c2", "t1"), 0, 9), (Cause.NAMED, 7)),
        (Position(7, HERE), LogNumbers(LogId(), 0, 9), (Cause.KEPT, 7)),
    ],
)
def test_where_reading_goes_on(known: Position | None, told: LogNumbers, expected: tuple[Cause, int]) -> None:
    cause, start = judge(known, told)
    assert (cause, start) == expected


def test_records_from_before_what_was_read_mean_a_new_or_a_shortened_log() -> None:
    assert judge(Position(7, HERE), LogNumbers(HERE, 2, 99), was_reset=True) == (Cause.LOG_CUT, 2)


def test_numbers_of_another_log_are_counted_in_another_epoch() -> None:
    before = Position(7, HERE, 3)
    assert moved(None, 5, HERE, Cause.NEW) == Position(5, HERE, 0)
    assert moved(before, 0, LogId("c2"), Cause.OTHER_LOG) == Position(0, LogId("c2"), 4)
    assert moved(before, 2, HERE, Cause.LOG_CUT) == Position(2, HERE, 4)
    assert moved(before, 9, HERE, Cause.GAP_ACCEPTED) == Position(9, HERE, 3)


def test_a_gap_and_a_fall_are_named() -> None:
    assert str(Gap("t", 2, 0, 400, 436)) == "t partition 2: records 400 to 435"
    assert fell({("t", 2), ("t", 1)}).message == "the database is behind what was read of t partition 1"
