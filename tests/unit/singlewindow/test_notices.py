"""What is announced, and what follows for a call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from certex_bridge.operations import desk as wiring
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.adapters.desk_memory import InMemoryDesk, InMemoryNotices
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.notices import Availability, NoticeRow, function_of, issuers_of, retry_seconds
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import CUSTOMS

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def notice(name: str, function: str = "ALL", begins: float = 0, ends: float | None = None, **more: Any) -> NoticeRow:
    end = None if ends is None else NOW + timedelta(seconds=ends)
    made = NoticeRow(name, 1, function, "SUDDEN", NOW + timedelta(seconds=begins), end, "why", "", "operator")
    return made._replace(**more)


@pytest.mark.parametrize(("function", "expected"), [("F1", "N1"), ("F3", "long"), ("F4", "N1"), ("F10", None)])
def test_of_several_notices_the_one_that_ends_last_is_told(function: str, expected: str | None) -> None:
    announced = Availability((notice("N1", ends=60), notice("long", "F3", ends=900), notice("later", begins=1)))
    found = announced.unavailable(function, NOW)
    assert (found.notice_id if found else None) == expected
    assert found is None or announced.unavailable(function, NOW + timedelta(hours=1)) == notice("later", begins=1)


def test_an_open_end_comes_after_all_others() -> None:
    found = Availability((notice("open"), notice("N1", ends=1e6))).unavailable("F1", NOW)
    assert found is not None
    assert found.notice_id == "open"


@pytest.mark.parametrize(("ends", "seconds"), [(None, 60), (0.2, 1), (90.5, 91), (1e6, 3600)])
def test_asking_again_helps_after_the_end(ends: float | None, seconds: int) -> None:
    assert retry_seconds(notice("N1", ends=ends), NOW) == seconds


@pytest.mark.parametrize(
    ("kind", "function"),
    [("RESERVE", "F3"), ("CONSUME", "F4"), ("UNRESERVE", "F5"), ("ADJUST", "F6"), ("WITHDRAW", "F6"), ("", "F3-F6")],
)
def test_a_movement_is_one_of_four_functions(kind: str, function: str) -> None:
    assert function_of("F3-F6", SimpleNamespace(movement_type=kind)) == function
    assert function_of("F1", object()) == "F1"


def check(*documents: dict[str, Any], alone: str = "") -> AvailabilityCheck:
    body: dict[str, Any] = {
        "messageSender": "NSW.BE", "messageRecipient": "BRIDGE", "preparationDateAndTime": "2026-03-02T06:00:00",
        "messageIdentification": "M1", "messageType": "CBACRQ",
    }  # fmt: skip
    if alone:
        body["CertificateReference"] = [{"issuingCountry": alone, "referenceNumber": "A"}]
    else:
        item = {"declarationGoodsItemNumber": 1, "SupportingDocument": [goods_document(one) for one in documents]}
        body |= {"GoodsItem": [item], "DeclarationReference": {"MRN": "26BEE0000B7Q2K5XA9"}}
    return AvailabilityCheck.model_validate(body)


def goods_document(told: dict[str, Any]) -> dict[str, Any]:
    return {"sequenceNumber": 1, "type": "X060", "referenceNumber": "A"} | told


@pytest.mark.parametrize(
    ("request_", "issuers"),
    [
        (check(alone="MT"), {"MT"}),
        (check(alone="XI"), {"GB"}),
        (check({"issuingCountry": "MT"}, {"sequenceNumber": 2}), {"MT", "BE"}),
        (check({"type": "N380"}), set()),
        (object(), set()),
    ],
)
def test_whose_licences_a_message_names(request_: object, issuers: set[str]) -> None:
    assert issuers_of(request_, "BE", {"X060"}) == issuers


async def test_the_notice_of_an_authority_stops_calls_about_its_licences_only() -> None:
    desk = wiring.Desk(bridge())
    desk._settings = Settings()

    async def handler(_call: Call, _request: object) -> Reply:
        return Reply(b"")

    operation = desk.guard(Operation(**_SHAPE, function="F1", handler=handler))
    desk._availability.current = Availability((notice("N1", begins=-1e9, issuer="MT"),))
    await operation.handler(Call(CUSTOMS, NOW), check({}))
    with pytest.raises(Refusal, match="unavailable for licences of MT"):
        await operation.handler(Call(CUSTOMS, NOW), check({"issuingCountry": "MT"}))


def bridge() -> Any:
    settings = Settings(message_sender="BRIDGE")
    return SimpleNamespace(pool=None, settings=settings, callers=dict)


async def test_what_is_announced_away_is_refused_before_its_function_is_asked() -> None:
    desk = wiring.Desk(bridge())
    asked = []

    async def handler(_call: Call, request: object) -> Reply:
        asked.append(request)
        return Reply(b"")

    operation = desk.guard(Operation(**_SHAPE, function="F1", handler=handler))
    await operation.handler(Call(CUSTOMS, NOW), "first")
    desk._availability.current = Availability((notice("N1", begins=-1e9, reason="a fire"),))
    with pytest.raises(Refusal, match="N1: a fire") as refused:
        await operation.handler(Call(CUSTOMS, NOW), "second")
    assert (refused.value.code, asked) == ("NOT_AVAILABLE", ["first"])


_SHAPE: dict[str, Any] = {
    "name": "any", "law": "5(1)", "path": "/v1/any", "request": object, "response": object,
    "roles": frozenset(), "summary": "",
}  # fmt: skip


async def test_a_desk_works_until_it_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is told, tried again, and ends nothing."""
    monkeypatch.setattr(wiring, "LISTS_SECONDS", 0.001)
    monkeypatch.setattr(wiring, "NOTICES_SECONDS", 0.001)
    desk, notices = wiring.Desk(bridge(), pushes=object()), InMemoryNotices(InMemoryDesk())  # type: ignore[arg-type]  # what is not used here
    tried, stop = [], asyncio.Event()

    async def make_due() -> int:
        tried.append("list")
        if len(tried) > 2:
            stop.set()
        raise RuntimeError("on purpose")

    monkeypatch.setattr(desk._maker, "make_due", make_due)
    monkeypatch.setattr(desk._availability, "_notices", notices)
    monkeypatch.setattr(desk._unavailability, "_notices", notices)
    await asyncio.wait_for(desk.run(stop), 30)
    assert len(tried) >= 3
