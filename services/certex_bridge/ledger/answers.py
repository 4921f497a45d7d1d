"""What became of one event, and the document that tells the declaration's sender."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

DUPLICATE_ID = "DUPLICATE_ID"
"""Result of a call whose id was used for other content; never stored."""


class Answer(NamedTuple):
    """Stored with the event, so that a replay answers the same (invariant I13)."""

    event_id: str
    result: str
    body: str
    """JSON with the details."""
    repeated: bool = False


class OutcomeDocument(NamedTuple):
    """The outcome document of a declaration in one of its versions, as published."""

    decl_id: str
    dv: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """What a sender that waits is given."""

    answer: Answer
    document: OutcomeDocument | None
    """None only where nothing was stored: DUPLICATE_ID."""


class Stored(msgspec.Struct, frozen=True):
    """What every stored answer begins with."""

    result: str
    declaration: str = ""
    dv: int = 0
    """Version of the outcome that answers; 0 when none was made for this event."""


_decoder = msgspec.json.Decoder(Stored)


def read_answer(body: str) -> Stored:
    """A stored answer; PENDING while its transaction has not ended."""
    return _decoder.decode(body) if body else Stored("PENDING")


class Answers(Protocol):
    """Looks up what was published."""

    async def document(self, decl_id: str, dv: int) -> OutcomeDocument | None:
        """The outcome of a declaration in this version, byte for byte; it is kept for ever."""
