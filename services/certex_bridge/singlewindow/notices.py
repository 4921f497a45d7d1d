"""Notices of unavailability (IR 2024/2145 Art. 11): what is announced, and what follows for a call."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.singlewindow.answering import instant_text
from certex_bridge.singlewindow.answers import CallAnswers
from certex_bridge.singlewindow.messages.notice import NoticeState
from certex_bridge.singlewindow.refusals import Refusal

ALL = "ALL"
ALWAYS = "F10"
"""The function that says when the others are back is never announced away."""

RETRY_SECONDS_MAX = 3_600
RETRY_SECONDS_OPEN = 60
"""Retry-After while the end is not known."""


class NoticeRow(NamedTuple):
    """A notice as it stands."""

    notice_id: str
    version: int
    function: str
    kind: str
    begins: datetime
    ends: datetime | None
    reason: str
    degraded: str
    announced_by: str
    issuer: str = ""
    """Of whose licences it speaks; empty: of all."""

    def state(self, now: datetime) -> NoticeState:
        """PLANNED before its begin, ENDED from its end on."""
        if self.ends is not None and self.ends <= now:
            return "ENDED"
        return "PLANNED" if now < self.begins else "IN_FORCE"

    def concerns(self, function: str, issuers: Collection[str]) -> bool:
        """Whether it is about this function, asked about licences of these issuers."""
        return function != ALWAYS and self.function in {ALL, function} and (not self.issuer or self.issuer in issuers)


class NoticeUnit(CallAnswers, Protocol):
    """One open transaction."""

    async def lock(self, notice_id: str) -> NoticeRow | None:
        """The notice, or None; until the transaction ends nobody else writes it, whether it exists or not."""

    async def write(self, notice: NoticeRow, at: datetime) -> None:
        """Append this version of the notice."""

    async def open_of(self, who: str, now: datetime) -> int:
        """How many notices of an announcer have not ended; they add none until the transaction ends."""

    async def take_untold(self, limit: int) -> Sequence[NoticeRow]:
        """Notices of whose last version the callers were not told, locked; those another process tells are left out."""

    async def told(self, notice: NoticeRow) -> None:
        """The callers know this version."""

    @property
    def connection(self) -> Any:
        """What else is to be written in this transaction goes through it."""


class Notices(Protocol):
    """The store of notices."""

    def transaction(self) -> AbstractAsyncContextManager[NoticeUnit]:
        """Begin; commit at the end of the block."""

    async def current(self, now: datetime) -> Sequence[NoticeRow]:
        """Notices that have not ended, in the order of their begin."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What is announced, asked before every call; never changes."""

    notices: tuple[NoticeRow, ...] = ()

    def unavailable(self, function: str, now: datetime, issuers: Collection[str] = ()) -> NoticeRow | None:
        """The notice in force for a function; of several the one that ends last, open ends after all others."""
        found = [one for one in self.notices if one.concerns(function, issuers) and one.state(now) == "IN_FORCE"]
        return max(found, key=_end, default=None)

    def require(self, function: str, now: datetime, issuers: Collection[str] = ()) -> None:
        """Let a call pass unless its function is announced away, for all or for one of these issuers.

        Raises:
            Refusal: NOT_AVAILABLE, with the notice and the time after which to ask again.
        """
        notice = self.unavailable(function, now, issuers)
        if notice is None:
            return
        until = f"until {instant_text(notice.ends)}" if notice.ends else "until further notice"
        whose = f" for licences of {notice.issuer}" if notice.issuer else ""
        meanwhile = f" Meanwhile: {notice.degraded}" if notice.degraded else ""
        raise Refusal(
            "NOT_AVAILABLE",
            f"{function} is unavailable{whose} {until}, notice {notice.notice_id}: {notice.reason}.{meanwhile}",
            field="function",
            value=function,
            headers={"Retry-After": str(retry_seconds(notice, now))},
        )


_BY_MOVEMENT = {"RESERVE": "F3", "CONSUME": "F4", "UNRESERVE": "F5", "ADJUST": "F6", "WITHDRAW": "F6"}


def function_of(function: str, request: object) -> str:
    """The function that a message asks for: movements of all kinds have one operation."""
    return _BY_MOVEMENT.get(str(getattr(request, "movement_type", "")), function)


def issuers_of(request: object, state: str, codes: Collection[str]) -> frozenset[str]:
    """Whose licences a message names, as far as it says.

    Args:
        request: of any function.
        state: the caller's; it issued what a document that names no issuer cites, as the ledger assumes first.
        codes: of documents that cite a licence.
    """
    if isinstance(request, tuple):
        return frozenset[str]().union(*(issuers_of(one, state, codes) for one in request))
    if not isinstance(request, BaseModel):
        return frozenset()
    named = getattr(request, "issuing_country", None)
    if named is None and getattr(request, "type", None) in codes:
        named = state
    found = frozenset({issuing_state(named)} if named else ())
    return found.union(*(issuers_of(getattr(request, name), state, codes) for name in type(request).model_fields))


class AvailabilityWatch:
    """Keeps what is announced at hand, so that no call asks the database for it."""

    def __init__(self, notices: Notices, clock: Callable[[], datetime] | None = None) -> None:
        self._notices = notices
        self._clock = clock or (lambda: datetime.now(UTC))
        self.current = Availability()

    def require(self, function: str, issuers: Collection[str] = ()) -> None:
        """Let a call pass unless its function is announced away, for all or for one of these issuers.

        Raises:
            Refusal: NOT_AVAILABLE.
        """
        self.current.require(function, self._clock(), issuers)

    @property
    def by_issuer(self) -> bool:
        """Whether any notice speaks of the licences of one issuer only."""
        return any(one.issuer for one in self.current.notices)

    async def refresh(self) -> None:
        """Read the notices; when that fails, those of before stay in force."""
        self.current = Availability(tuple(await self._notices.current(self._clock())))


def retry_seconds(notice: NoticeRow, now: datetime) -> int:
    """Whole seconds until the announced end, at least 1; bounded, for an end may be told to be earlier."""
    if notice.ends is None:
        return RETRY_SECONDS_OPEN
    return min(RETRY_SECONDS_MAX, max(1, math.ceil((notice.ends - now).total_seconds())))


def _end(notice: NoticeRow) -> tuple[bool, float]:
    return (notice.ends is None, notice.ends.timestamp() if notice.ends else 0.0)


def in_order(notices: Iterable[NoticeRow]) -> list[NoticeRow]:
    """By begin, then by name."""
    return sorted(notices, key=lambda notice: (notice.begins, notice.notice_id))
