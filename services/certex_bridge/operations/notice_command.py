"""`notice announce|end|list`: what the operator tells all callers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from certex_bridge.kernel.errors import InputError
from certex_bridge.operations.reading import OneConnection, read, write
from certex_bridge.operations.terminal import print_json, say, table
from certex_bridge.singlewindow.adapters.desk import PostgresNotices
from certex_bridge.singlewindow.answering import header, instant_text
from certex_bridge.singlewindow.callers import OPERATOR
from certex_bridge.singlewindow.functions.unavailability import next_notice, notice_part
from certex_bridge.singlewindow.messages.notice import UnavailabilityNotice
from certex_bridge.singlewindow.notices import NoticeRow


def run_announce(  # noqa: PLR0913, PLR0917  # one per field of the notice
    name: str,
    function: str,
    kind: str,
    reason: str,
    begins: str,
    ends: str,
    meanwhile: str,
    issuer: str,
    *,
    as_json: bool,
) -> None:
    """Store a notice; running gateways have it within a second.

    Raises:
        InputError, Refusal: it cannot be announced so.
    """
    given = {"fromDateAndTime": begins, "untilDateAndTime": ends, "degradedMode": meanwhile, "issuingCountry": issuer}
    _change("ANNOUNCE", name, {"function": function, "kind": kind, "reason": reason, **given}, as_json=as_json)


def run_end(name: str, ends: str, *, as_json: bool) -> None:
    """End a notice, or move its end.

    Raises:
        InputError, Refusal: there is no such notice, or it has ended.
    """
    _change("END", name, {"untilDateAndTime": ends}, as_json=as_json)


def run_list(*, as_json: bool) -> None:
    """Show what is in force or planned."""
    now = datetime.now(UTC)
    rows = read(lambda database: _notices(database).current(now))
    _show(rows, now, as_json=as_json)


def _notices(connection: Any) -> PostgresNotices:
    return PostgresNotices(OneConnection(connection))  # type: ignore[arg-type]  # what it uses of a pool is there


def _change(action: str, name: str, items: dict[str, str], *, as_json: bool) -> None:
    now = datetime.now(UTC)
    request = _request(action, name, {item: value for item, value in items.items() if value}, now)

    async def work(connection: Any) -> NoticeRow:
        async with _notices(connection).transaction() as unit:
            notice = next_notice(request, await unit.lock(name), OPERATOR, now)
            await unit.write(notice, now)
            return notice

    _show([write(work)], now, as_json=as_json)


def _request(action: str, name: str, items: dict[str, str], now: datetime) -> UnavailabilityNotice:
    head = header(OPERATOR, OPERATOR, UnavailabilityNotice, now, f"{name}\n{instant_text(now)}")
    try:
        return UnavailabilityNotice.model_validate({**head, "action": action, "noticeIdentification": name, **items})
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        sentence = f"{field}: {first['msg'].lower()}"
        raise InputError(sentence, field=field, value=first["input"], code="NOTICE_FIELD") from None


def _show(notices: Sequence[NoticeRow], now: datetime, *, as_json: bool) -> None:
    parts = [notice_part(notice, now) for notice in notices]
    if as_json:
        print_json([part.model_dump(by_alias=True, exclude_none=True) for part in parts])
        return
    from rich.markup import escape

    made = table("", "name", "function", "licences", "kind", "state", "from", "until", "reason", "by")
    for part in parts:
        times = (part.from_date_and_time, part.until_date_and_time or "not known")
        said = (escape(part.reason), escape(part.announced_by))
        made.add_row(
            escape(part.notice_identification),
            part.function,
            part.issuing_country or "all",
            part.kind,
            part.state,
            *times,
            *said,
        )
    say(made if parts else "Nothing is announced.")
