"""Where reading goes on: the database's own number, the log it counts records of, and what the log still has.

The database keeps its position in the transaction of the effects; it alone knows what was taken in. The committed
offset of the consumer group is compared and told, never believed. Here it is decided from the numbers;
`PositionKeeper` asks for them and acts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from certex_bridge.kernel.errors import BridgeError

Place = tuple[str, int]
"""Topic (without prefix) and partition."""


class LogId(NamedTuple):
    """Which log it is: a topic of the same name may be another one. Empty: the broker does not say."""

    cluster: str = ""
    topic: str = ""

    def is_another(self, known: LogId) -> bool:
        """Whether this log is surely not the one known; brokers number each topic that is made, old ones do not."""
        if self.topic and known.topic:
            return self.topic != known.topic
        return bool(self.cluster and known.cluster) and self.cluster != known.cluster

    def completed(self, known: LogId) -> LogId:
        """This log, with what the broker does not say today."""
        return LogId(self.cluster or known.cluster, self.topic or known.topic)


class Position(NamedTuple):
    """What the database holds of a partition."""

    next_record: int
    log: LogId = LogId()
    epoch: int = 0
    """How often the number was set anew."""


class Reached(NamedTuple):
    """How far the database was when the records of a batch were asked for: it must not be behind that when they end."""

    epoch: int
    next_record: int


class Gap(NamedTuple):
    """Records that the log no longer has, and that were never read."""

    topic: str
    partition: int
    epoch: int
    from_record: int
    to_record: int
    """The first that the log still has."""

    def __str__(self) -> str:
        return f"{self.topic} partition {self.partition}: records {self.from_record} to {self.to_record - 1}"


class PositionsFell(BridgeError):
    """The database is behind what this process had written to it: another server answers, or it was restored."""

    code = "POSITIONS_FELL"


def fell(places: Collection[Place]) -> PositionsFell:
    """The error that names the first of these partitions."""
    topic, partition = min(places)
    return PositionsFell(f"the database is behind what was read of {topic} partition {partition}", field=topic)


class Cause(StrEnum):
    """Why reading begins where it begins."""

    KEPT = "KEPT"
    """Where the database says."""
    NAMED = "NAMED"
    """The same, and the log is named from now on."""
    NEW = "NEW"
    """The database knows nothing of the partition: at the log's beginning."""
    OTHER_LOG = "OTHER_LOG"
    """The number counts records of another log: at the beginning."""
    LOG_CUT = "LOG_CUT"
    """The log ends, or ended, before what was taken in from it: at its beginning."""
    GAP = "GAP"
    """The log begins behind the database's number."""
    GAP_ACCEPTED = "GAP_ACCEPTED"
    """Behind a gap that an operator has accepted."""


HISTORIC = frozenset({Cause.OTHER_LOG, Cause.LOG_CUT, Cause.GAP_ACCEPTED})
"""Causes for which the number before is kept."""

ANEW = frozenset({Cause.OTHER_LOG, Cause.LOG_CUT})
"""Causes for which numbers no longer compare with those before."""


@dataclass(frozen=True, slots=True)
class LogNumbers:
    """What the broker says of a partition."""

    log: LogId
    first: int
    end: int
    committed: int | None = None
    """The group's own number, None when it has none or was not asked for."""


def judge(known: Position | None, told: LogNumbers, *, was_reset: bool = False) -> tuple[Cause, int]:
    """Where reading goes on, and why; `was_reset`: the broker sent records that come before what was read.

    Another log is read from record 0, so that what it no longer has is a gap like any other.
    """
    if known is None:
        return Cause.NEW, told.first
    if told.log.is_another(known.log):
        return Cause.OTHER_LOG, 0
    if was_reset or told.end < known.next_record:
        return Cause.LOG_CUT, told.first
    if told.first > known.next_record:
        return Cause.GAP, told.first
    named = told.log.completed(known.log) != known.log
    return Cause.NAMED if named else Cause.KEPT, known.next_record


def moved(before: Position | None, next_record: int, log: LogId, cause: Cause) -> Position:
    """The position that follows: numbers that no longer compare are counted in another epoch."""
    if before is None:
        return Position(next_record, log)
    return Position(next_record, log, before.epoch + (cause in ANEW))


class Positions(Protocol):
    """The database's own positions."""

    async def known(self, places: Collection[Place]) -> Mapping[Place, Position]:
        """What is known of these partitions."""

    async def move(self, place: Place, before: Position | None, to: Position, cause: Cause) -> bool:
        """Set a position anew, and keep the one before where it tells something; False: it is no longer `before`."""

    async def gap(self, gap: Gap, log: LogId) -> int | None:
        """Remember a gap; to which record an operator has accepted what is lost from its first on, None: not yet."""
