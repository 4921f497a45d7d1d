"""What became of one event."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """Stored with the event, so that a replay answers the same (invariant I13)."""

    event_id: str
    result: str
    body: str
    """JSON with the details."""
    repeated: bool = False
