"""Family `notice`: the single window, or one of its functions, is or will be unavailable (IR 2024/2145 Art. 11)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.base import Country, Identification, Instant, Message, Part, Text35, Text512

NoticeAction = Literal["ANNOUNCE", "END", "LIST"]
FunctionName = Literal["ALL", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9"]
"""F10 itself cannot be announced away: it says when the others are back."""
NoticeKind = Literal["PLANNED", "SUDDEN"]
NoticeState = Literal["PLANNED", "IN_FORCE", "ENDED"]


class Notice(Part):
    """One notice as it stands."""

    notice_identification: Identification
    """Its name, used once for ever."""
    function: FunctionName
    """Function of IR 2024/2145 Art. 5 to 10 as numbered in the interface, or all of them."""
    kind: NoticeKind
    """Planned beforehand, or sudden."""
    state: NoticeState
    """PLANNED before its begin, IN_FORCE until its end, ENDED afterwards."""
    from_date_and_time: Instant
    """First moment (UTC)."""
    until_date_and_time: Instant | None = None
    """First moment at which the function answers again (UTC); absent: not known yet."""
    reason: Text512
    """Why."""
    degraded_mode: Text512 | None = None
    """How to work meanwhile."""
    issuing_country: Country | None = None
    """Whose licences it speaks of; absent: all."""
    announced_by: Text35
    """Caller, or the operator of the bridge; nobody else ends it."""
    notice_version: Annotated[int, Field(ge=1)]
    """1 when announced, more when its end was told or moved."""


class UnavailabilityNotice(Message):
    """Announce an unavailability, end it, or ask what is announced."""

    family: ClassVar[str] = "notice"
    root: ClassVar[str] = "UnavailabilityNotice"
    message_type: ClassVar[str] = "NOT001"

    action: NoticeAction
    """END may also move the announced end: to `untilDateAndTime` where it is stated, else to now."""
    notice_identification: Identification | None = None
    """Mandatory to announce and to end."""
    function: FunctionName | None = None
    """Mandatory to announce."""
    kind: NoticeKind | None = None
    """Mandatory to announce."""
    from_date_and_time: Instant | None = None
    """First moment (UTC); absent: now."""
    until_date_and_time: Instant | None = None
    """First moment at which the function answers again (UTC)."""
    reason: Text512 | None = None
    """Mandatory to announce."""
    degraded_mode: Text512 | None = None
    """How to work meanwhile."""
    issuing_country: Country | None = None
    """Whose licences it speaks of: the announcing authority's own, also when it is absent; only the operator of the
    bridge announces for all."""


class NoticeList(Message):
    """Notices that are in force or planned; after an announcement or an end, the one concerned, too."""

    family: ClassVar[str] = "notice"
    root: ClassVar[str] = "NoticeList"
    message_type: ClassVar[str] = "NOT002"

    as_of: Instant
    """When this was so (UTC)."""
    notices: Annotated[tuple[Notice, ...], Field(alias="Notice", strict=False)] = ()
    """In the order of their begin."""
