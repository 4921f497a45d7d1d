"""What the relay remembers while it leads: topics that take nothing now, and batches that wait for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from aiokafka.errors import (
    InvalidTopicError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.platform.logs import get_logger

if TYPE_CHECKING:
    from certex_bridge.ledger.relay import Batch

LOG = get_logger("certex_bridge.relay")

OF_THE_TOPIC: tuple[type[Exception], ...] = (
    InvalidTopicError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
"""Errors that say something about one topic, not about the broker."""

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0

WAITING_MAX = 2_000
"""Batches that may wait for topics; when there are more, publishing waits with them, so that memory stays bounded."""

Identity = tuple[str, str, int]


class TopicPauses:
    """Topics that are left alone for a while, each time for twice as long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._times: dict[str, int] = {}

    def topics(self) -> set[str]:
        """The topics to leave alone now."""
        now = self._clock()
        return {topic for topic, until in self._until.items() if until > now}

    def outage(self, failed: Mapping[str, Exception], took: Collection[str]) -> Exception | None:
        """The error that is the broker's and not a topic's: nothing was taken, and no error names a topic."""
        if took or not failed or any(isinstance(error, OF_THE_TOPIC) for error in failed.values()):
            return None
        return next(iter(failed.values()))

    def note(self, failed: Mapping[str, Exception], took: Collection[str]) -> list[str]:
        """Pause what failed, forget about what works; returns the topics whose state changed."""
        changed = []
        for topic, error in failed.items():
            times = self._times[topic] = self._times.get(topic, 0) + 1
            seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(times - 1, 10))
            self._until[topic] = self._clock() + seconds
            if times == 1:
                LOG.error("relay.topic_unusable", topic=topic, error=type(error).__name__)
                changed.append(topic)
        for topic in set(took) - failed.keys():
            if self._times.pop(topic, 0):
                del self._until[topic]
                LOG.info("relay.topic_usable_again", topic=topic)
                changed.append(topic)
        return changed


class Pending:
    """Batches of which something is not sent yet: what the broker has of them, and which topics they wait for."""

    def __init__(self) -> None:
        self._confirmed: dict[int, set[Identity]] = {}
        self._topics: dict[int, set[str]] = {}

    def open_rows(self, batch: Batch) -> Sequence[OutboxRow]:
        """The rows of a batch that the broker does not have yet."""
        confirmed = self._confirmed.get(batch.batch_id)
        return batch.rows if not confirmed else [row for row in batch.rows if row[:3] not in confirmed]

    def waiting(self, paused: Collection[str]) -> list[int]:
        """Batches in which nothing can be sent while these topics are paused."""
        if not self._topics or len(self._topics) >= WAITING_MAX:
            return []
        return [batch_id for batch_id, topics in self._topics.items() if topics <= set(paused)]

    def keep(
        self, batches: Sequence[Batch], still_open: Sequence[OutboxRow], topic_of: Callable[[OutboxRow], str]
    ) -> list[int]:
        """Remember the batches that have open rows; returns the others, which are done."""
        opened = {row[:3] for row in still_open}
        done = []
        for batch in batches:
            topics = {topic_of(row) for row in batch.rows if row[:3] in opened} if opened else set()
            if topics:
                self._topics[batch.batch_id] = topics
                self._confirmed[batch.batch_id] = {row[:3] for row in batch.rows if row[:3] not in opened}
            else:
                self._topics.pop(batch.batch_id, None)
                self._confirmed.pop(batch.batch_id, None)
                done.append(batch.batch_id)
        return done
