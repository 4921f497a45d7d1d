"""When customs say that something happened, and which of two tellings is later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class LogPosition(NamedTuple):
    """Where the log holds a message."""

    timestamp_ms: int
    """Kafka's timestamp of the record, milliseconds since 1970 UTC."""
    offset: int
    time_stated: bool = True
    """Whether the message states a time of its own; else its time is that of the record."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When customs say a fact happened, with the event id as tie-break."""

    occurred_at: datetime
    event_id: str
    logged: LogPosition | None = field(default=None, compare=False)
    """Where the log holds the message, of senders whose messages may state no time; None: it states its time."""

    def precedes(self, other: Stamp) -> bool:
        """Whether this was said before the other, or at the same moment.

        Two times that the senders state are compared; where one of them was only assumed from its record, the
        positions in the log are.
        """
        mine, theirs = self.logged, other.logged
        if mine is not None and theirs is not None and not (mine.time_stated and theirs.time_stated):
            return mine[:2] <= theirs[:2]
        return self.occurred_at <= other.occurred_at


@dataclass(frozen=True, slots=True)
class PayloadRank:
    """Which of two payloads is newer: supplementary after ordinary, then the greater version.

    Two payloads of one version have the same content (anything else is a conflict); then the earlier stamp stays.
    """

    supplementary: int
    version: int
    stamp: Stamp

    @property
    def order(self) -> tuple[int, int]:
        """What decides; the stamp only says when it was told."""
        return (self.supplementary, self.version)


class SupersededContent(NamedTuple):
    """A version of a content that a later one replaced."""

    rank: PayloadRank
    fingerprint: str
    """What it declared, as `superseded.fingerprint` says."""
