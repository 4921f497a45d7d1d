"""Subscriptions and the pushes they are owed: Implementing Regulation (EU) 2024/2145 Art. 5(2), 10 and 11."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_PAUSE_SECONDS = 300.0
"""A receiver that is back is found after this time at the latest."""
_DOUBLINGS = 9
"""Two to this power seconds is beyond the longest pause."""


class Scope(StrEnum):
    """Which changes a subscriber hears of."""

    INTEREST = "INTEREST"
    """Of licences that declarations of its own wait for, or were checked against and are not finished."""
    LICENCE = "LICENCE"
    ISSUER = "ISSUER"
    ALL = "ALL"


class Form(StrEnum):
    """How the body of a push is written."""

    JSON = "JSON"
    XML = "XML"


class PushKind(StrEnum):
    """What a push tells."""

    STATUS = "status"
    """Art. 5(2)."""
    LIST = "list"
    """Art. 10, periodic."""
    NOTICE = "notice"
    """Art. 11."""


class Paused(StrEnum):
    """Why nothing is sent for now; what is owed is kept."""

    NO = ""
    OPERATOR = "OPERATOR"
    GONE = "GONE"
    """The receiver answered 410."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One address of one caller, with its own row of numbers."""

    subscription_id: str
    caller: str
    member_state: str
    """Whose declarations the caller may be told of."""
    declarations_shown: bool
    """Whether it is told of declarations at all: customs are, licensing authorities are not."""
    scope: Scope
    issuer: str
    """For ISSUER."""
    licence_id: str
    """For LICENCE."""
    url: str
    form: Form
    key_check: str
    """Names the key that the secret is made from, without giving anything of it away."""
    created_at: datetime
    valid_to: datetime | None = None
    """From then on nothing new is owed; what is owed is still delivered."""
    ended_at: datetime | None = None
    """When the caller ended it; nothing is sent any more."""
    paused: Paused = Paused.NO
    last_number: int = 0
    """Number of the newest push."""
    failing_since: datetime | None = None
    """When the first attempt failed since the last success."""

    def covers(self, licence_id: str) -> bool:
        """Whether the scope names the licence; INTEREST names none, declarations do."""
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.ISSUER:
                return licence_id.startswith(f"{self.issuer}/")
            case Scope.LICENCE:
                return licence_id == self.licence_id
        return False


@dataclass(frozen=True, slots=True)
class Push:
    """One message owed to a subscription; the number is dense, so a receiver sees gaps and repetitions."""

    subscription_id: str
    number: int
    kind: PushKind
    subject: str
    """The licence, the order of lists or the notice it is about."""
    content_type: str
    body: bytes
    created_at: datetime
    attempts: int = 0
    trace: str = ""
    """W3C traceparent of what led to it, empty: none."""

    @property
    def webhook_id(self) -> str:
        """Identity on the wire, the same at each attempt."""
        return f"{self.subscription_id}/{self.number}"


def pause_seconds(attempts: int, chance: float) -> float:
    """How long to wait after so many failures in a row (from 1): doubling from 1 s to 5 min.

    `chance` between 0 and 1 takes away up to half, so that receivers that failed together do not come back together;
    the first pause is never below one second.
    """
    longest = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(attempts, _DOUBLINGS))
    return longest - longest / 2 * chance
