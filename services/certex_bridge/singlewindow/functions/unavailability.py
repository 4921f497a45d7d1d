"""F10: announce, end and list unavailability (IR 2024/2145 Art. 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.singlewindow.answering import (
    header,
    instant_text,
    missing,
    not_here,
    reply_header,
)
from certex_bridge.singlewindow.answers import once
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.listing import read_instant
from certex_bridge.singlewindow.messages.notice import Notice, NoticeList, UnavailabilityNotice
from certex_bridge.singlewindow.notices import NoticeRow, Notices, NoticeUnit, in_order
from certex_bridge.singlewindow.operation import Call, Operation, Read, Reply
from certex_bridge.singlewindow.pushes.model import PushKind
from certex_bridge.singlewindow.pushes.ports import Pushes
from certex_bridge.singlewindow.quotas import USUAL, Quotas, require_room
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import require_own_licence


class Unavailability:
    """The function's handler; the operator's commands use it, too."""

    def __init__(
        self,
        notices: Notices,
        sender: str,
        clock: Callable[[], datetime] | None = None,
        quotas: Quotas = USUAL,
    ) -> None:
        self._notices = notices
        self._sender = sender
        self._clock = clock or (lambda: datetime.now(UTC))
        self._quotas = quotas

    async def handle(self, call: Call, request: UnavailabilityNotice) -> Reply:
        """Announce or end (licensing officers), or list (everybody).

        Raises:
            Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE (another authority's licences), SCHEMA_INVALID, NOTICE_EXISTS,
                NOTICE_UNKNOWN, NOTICE_FOREIGN, NOTICE_ENDED, QUOTA_EXCEEDED, DUPLICATE_ID.
        """
        if request.action == "LIST":
            now = self._clock()
            return Reply(self._list(call, request, await self._notices.current(now), now))
        issuer = request.issuing_country or call.caller.member_state
        require_own_licence(call.caller, issuer, "issuingCountry")
        async with self._notices.transaction() as unit:
            answer, repeated = await once(unit, call, request, NoticeList, lambda: self._write(unit, call, request))
        return Reply(answer, repeated=repeated)

    async def read(self, call: Call) -> NoticeList:
        """What is in force or planned, for those who ask without a message (GET /v1/notices)."""
        now = self._clock()
        head = header(self._sender, call.caller.name, NoticeList, now, instant_text(now))
        told = [notice_part(notice, now) for notice in await self._notices.current(now)]
        return NoticeList.model_validate({**head, "asOf": instant_text(now), "Notice": told})

    async def _write(self, unit: NoticeUnit, call: Call, request: UnavailabilityNotice) -> NoticeList:
        now = self._clock()
        notice = next_notice(request, await self._locked(unit, request), call.caller.name, now)
        if request.action == "ANNOUNCE":
            held = await unit.open_of(call.caller.name, now)
            require_room(held, self._quotas.notices, "notices that have not ended: end one")
            notice = notice._replace(issuer=issuing_state(call.caller.member_state))
        await unit.write(notice, now)
        return self._list(call, request, (notice,), now)

    async def _locked(self, unit: NoticeUnit, request: UnavailabilityNotice) -> NoticeRow | None:
        if request.notice_identification is None:
            raise missing("noticeIdentification", "a notice has a name")
        return await unit.lock(request.notice_identification)

    def _list(
        self, call: Call, request: UnavailabilityNotice, notices: Iterable[NoticeRow], now: datetime
    ) -> NoticeList:
        head = reply_header(self._sender, call, request, NoticeList, now)
        told = [notice_part(notice, now) for notice in in_order(notices)]
        return NoticeList.model_validate({**head, "asOf": instant_text(now), "Notice": told})

    async def tell(self, callers: Iterable[str], pushes: Pushes) -> int:
        """Push the next notice that callers do not know to each of them, once; returns how many notices (0 or 1)."""
        async with self._notices.transaction() as unit:
            untold = await unit.take_untold(1)
            now = self._clock()
            for notice in untold:
                for caller in sorted(callers):
                    message = self._push(caller, notice, now)
                    await pushes.enqueue(unit.connection, caller, PushKind.NOTICE, notice.notice_id, message)
                await unit.told(notice)
        return len(untold)

    def _push(self, caller: str, notice: NoticeRow, now: datetime) -> NoticeList:
        identity = f"{caller}\n{notice.notice_id}\n{notice.version}"
        head = header(self._sender, caller, NoticeList, now, identity)
        return NoticeList.model_validate({**head, "asOf": instant_text(now), "Notice": [notice_part(notice, now)]})


def notice_part(notice: NoticeRow, now: datetime) -> Notice:
    """Element Notice."""
    return Notice.model_validate(
        {
            "noticeIdentification": notice.notice_id,
            "function": notice.function,
            "kind": notice.kind,
            "state": notice.state(now),
            "fromDateAndTime": instant_text(notice.begins),
            "untilDateAndTime": instant_text(notice.ends) if notice.ends else None,
            "reason": notice.reason,
            "degradedMode": notice.degraded or None,
            "issuingCountry": notice.issuer or None,
            "announcedBy": notice.announced_by,
            "noticeVersion": notice.version,
        }
    )


def next_notice(request: UnavailabilityNotice, before: NoticeRow | None, who: str, now: datetime) -> NoticeRow:
    """The notice after the request. Pure.

    Raises:
        Refusal: the request contradicts itself or the notice.
    """
    name = request.notice_identification or ""
    if request.action == "END":
        return _ended(request, before, who, now)
    if before is not None:
        raise Refusal("NOTICE_EXISTS", f"the name {name} is used", field="noticeIdentification", value=name)
    begins, ends = _times(request, now)
    return NoticeRow(
        name,
        1,
        _needed(request.function, "function"),
        _needed(request.kind, "kind"),
        begins,
        ends,
        _needed(request.reason, "reason"),
        request.degraded_mode or "",
        who,
        issuing_state(request.issuing_country or ""),
    )


def _needed(value: str | None, field: str) -> str:
    if value is None:
        raise missing(field, f"an announcement has a {field}")
    return value


def _times(request: UnavailabilityNotice, now: datetime) -> tuple[datetime, datetime | None]:
    begins = read_instant(request.from_date_and_time, "fromDateAndTime") or now
    ends = read_instant(request.until_date_and_time, "untilDateAndTime")
    if ends is not None and ends <= max(begins, now):
        raise Refusal(
            "SCHEMA_INVALID",
            "a notice ends after its begin, and not in the past",
            field="untilDateAndTime",
            value=request.until_date_and_time,
        )
    return begins, ends


def _ended(request: UnavailabilityNotice, before: NoticeRow | None, who: str, now: datetime) -> NoticeRow:
    name = request.notice_identification or ""
    if before is None:
        raise Refusal("NOTICE_UNKNOWN", f"there is no notice {name}", field="noticeIdentification", value=name)
    if before.announced_by != who:
        sentence = f"the notice {name} was announced by {before.announced_by}, who alone ends it"
        raise Refusal("NOTICE_FOREIGN", sentence, field="noticeIdentification", value=name)
    if before.state(now) == "ENDED":
        raise Refusal("NOTICE_ENDED", f"the notice {name} has ended", field="noticeIdentification", value=name)
    given = (
        ("function", request.function),
        ("kind", request.kind),
        ("fromDateAndTime", request.from_date_and_time),
        ("reason", request.reason),
        ("degradedMode", request.degraded_mode),
        ("issuingCountry", request.issuing_country),
    )
    for field, value in given:
        if value is not None:
            raise not_here(field, value, "only the end of a notice can be changed: end it and announce another one")
    ends = read_instant(request.until_date_and_time, "untilDateAndTime") or now
    if ends < now:
        raise Refusal(
            "SCHEMA_INVALID",
            "a notice does not end in the past",
            field="untilDateAndTime",
            value=request.until_date_and_time,
        )
    return before._replace(version=before.version + 1, ends=ends)


def operations(unavailability: Unavailability) -> Sequence[Operation]:
    """F10 as an operation."""
    return (
        Operation(
            name="announceUnavailability",
            function="F10",
            law="11(1)",
            path="/v1/notices",
            request=UnavailabilityNotice,
            response=NoticeList,
            roles=frozenset(CallerRole),
            handler=unavailability.handle,
            summary="Announces, ends or lists times in which functions are unavailable.",
            statuses=(404, 409),
        ),
    )


def reads(unavailability: Unavailability) -> Sequence[Read]:
    """The notices for those who ask without a message."""

    async def current(call: Call, _parameters: Mapping[str, str]) -> NoticeList:
        return await unavailability.read(call)

    return (
        Read(
            name="getNotices",
            path="/v1/notices",
            response=NoticeList,
            roles=frozenset(CallerRole),
            handler=current,
            summary="Times in which functions are or will be unavailable.",
        ),
    )
