"""Limits of a request and of a caller: each refusal with its code, field, value, and no effect inside."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from certex_bridge.platform.health import respond
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.callers import Caller, CallerRole, Limits
from certex_bridge.singlewindow.http import limits as limits_module
from certex_bridge.singlewindow.http.access import Access
from certex_bridge.singlewindow.http.identity import CALLER
from certex_bridge.singlewindow.http.limits import BodyLimits, CallerLimits, HandlerTime, SecureHeaders
from certex_bridge.singlewindow.http.problems import RefusalAnswers
from certex_bridge.singlewindow.refusals import REFUSALS, Refusal
from tests.support.asgi import call, scope_of
from tests.support.waiting import until


class Inside:
    """The application behind the limits; answers with the body it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.hold: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert not message["more_body"]
        self.bodies.append(message["body"])
        self.entered.set()
        if self.hold:
            await self.hold.wait()
        await respond(send, 200, message["body"], "text/plain")


def answering(application: Any) -> RefusalAnswers:
    return RefusalAnswers(application, Metrics())


def calling(name: str = "A", **limits: Any) -> dict[str, Any]:
    roles = frozenset({CallerRole.CLEARANCE})
    return scope_of({CALLER: Caller(name=name, member_state="DE", roles=roles, limits=Limits(**limits))})


async def test_a_body_in_parts_arrives_whole() -> None:
    inside = Inside()
    answer = await call(answering(BodyLimits(inside, 10, 5)), None, b"12345", b"", b"67890")
    assert (answer.status, answer.body) == (200, b"1234567890")


async def test_a_large_body_is_refused_by_its_announcement_unread() -> None:
    inside = Inside()
    answer = await call(answering(BodyLimits(inside, 10, 5)), scope_of(content_length="11"), hang_after=True)
    error = {
        "errorPointer": "Content-Length", "errorCode": "14", "errorReason": "BODY_TOO_LARGE",
        "originalAttributeValue": "11", "detail": "at most 10 bytes are accepted",
    }  # fmt: skip
    assert (answer.status, answer.problem["errors"], inside.bodies) == (413, [error], [])
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("announced", ["10", "", "-1", "x", "²"])
async def test_a_large_body_is_refused_while_it_is_read(announced: str) -> None:
    inside = Inside()
    scope = scope_of(content_length=announced)
    answer = await call(answering(BodyLimits(inside, 10, 5)), scope, b"123456", b"78901", b"2" * 99)
    assert (answer.status, answer.problem["errors"][0]["originalAttributeValue"], inside.bodies) == (413, "11", [])


async def test_an_announcement_beyond_all_numbers_is_refused() -> None:
    answer = await call(answering(BodyLimits(Inside(), 10, 5)), scope_of(content_length="9" * 5000))
    assert answer.status == 413


async def test_a_slow_body_is_refused() -> None:
    inside = Inside()
    answer = await call(answering(BodyLimits(inside, 10, 0.01)), None, b"123", hang_after=True)
    assert (answer.status, answer.problem["code"], inside.bodies) == (408, "BODY_TOO_SLOW", [])
    assert answer.problem["errors"][0]["originalAttributeValue"] == "3"


async def test_half_a_body_has_no_effect() -> None:
    inside = Inside()

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await BodyLimits(inside, 10, 5)(scope_of(), gone, send)
    assert inside.bodies == []


async def test_after_the_body_the_end_of_the_connection_is_still_heard() -> None:
    heard = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    await call(BodyLimits(inside, 10, 5), None, b"1")
    assert heard == ["http.request", "http.disconnect"]


async def test_a_handler_that_takes_too_long_is_ended() -> None:
    inside = Inside()
    inside.hold = asyncio.Event()
    answer = await call(answering(HandlerTime(inside, 0.01)))
    assert (answer.status, answer.problem["code"], answer.headers["retry-after"]) == (503, "TIME_EXCEEDED", "1")


async def test_a_time_out_of_the_inside_is_not_taken_for_the_limit() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("the database")

    with pytest.raises(TimeoutError, match="the database"):
        await call(HandlerTime(inside, 5))
    answer = await call(answering(HandlerTime(inside, 5)))
    assert (answer.status, answer.problem["code"]) == (500, "INTERNAL")


async def test_an_answer_that_began_is_not_answered_again() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await call(answering(HandlerTime(inside, 0.01)))

    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Refusal("ROLE_MISSING", "too late")

    with pytest.raises(Refusal):
        await call(answering(refuses))


async def test_the_bucket_gives_the_burst_and_then_the_rate() -> None:
    now = 0.0
    application = answering(CallerLimits(Inside(), lambda: now))

    async def status() -> int:
        return (await call(application, calling(rate=2, burst=3))).status

    assert [await status() for _ in range(4)] == [200, 200, 200, 429]
    now = 0.5
    assert [await status() for _ in range(2)] == [200, 429]
    now = 100
    assert [await status() for _ in range(4)] == [200, 200, 200, 429]


async def test_too_many_calls_are_told_when_to_come_back_and_others_are_not_held_up() -> None:
    application = answering(CallerLimits(Inside(), lambda: 0.0))
    await call(application, calling(rate=0.1, burst=1))
    answer = await call(application, calling(rate=0.1, burst=1))
    assert (answer.status, answer.problem["code"], answer.headers["retry-after"]) == (429, "RATE_EXCEEDED", "10")
    error = answer.problem["errors"][0]
    assert (error["errorPointer"], error["errorReason"]) == ("messageSender", "RATE_EXCEEDED")
    assert error["originalAttributeValue"] == "0.1"
    assert (await call(application, calling("B", rate=0.1, burst=1))).status == 200


async def test_new_limits_hold_at_once() -> None:
    application = answering(CallerLimits(Inside(), lambda: 0.0))
    await call(application, calling(burst=100))
    await call(application, calling(burst=1))
    assert (await call(application, calling(burst=1))).status == 429


async def test_only_so_many_calls_at_once_and_a_refused_one_costs_nothing() -> None:
    inside = Inside()
    inside.hold = asyncio.Event()
    application = answering(CallerLimits(inside, lambda: 0.0))
    running = asyncio.create_task(call(application, calling(concurrent=1, burst=2)))
    await until(lambda: inside.entered.is_set() or running.done(), "the first call")
    assert not running.done(), running.result()
    answer = await call(application, calling(concurrent=1, burst=2))
    assert (answer.status, answer.problem["code"], answer.headers["retry-after"]) == (429, "CONCURRENCY_EXCEEDED", "1")
    inside.hold.set()
    assert (await running).status == 200
    assert (await call(application, calling(concurrent=1, burst=2))).status == 200


async def test_a_call_that_fails_gives_its_place_back() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    application = CallerLimits(fails, lambda: 0.0)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await call(application, calling(concurrent=1))


async def test_made_up_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "CALLERS_REMEMBERED_MAX", 2)
    application = CallerLimits(Inside(), lambda: 0.0)
    for number in range(5):
        await call(application, calling(f"N{number}"))
    assert list(application._uses) == ["N3", "N4"]


async def test_every_answer_has_the_secure_headers_unless_it_says_otherwise() -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Cache-Control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    headers = (await call(SecureHeaders(inside))).headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "max-age=60"
    assert "cache-control" not in headers


@pytest.mark.parametrize("code", list(REFUSALS))
async def test_every_refusal_is_a_problem_document(code: str) -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        raise Refusal(code, "ä \udcff", field="f", value="v", headers={"X-A": "ü€"})

    answer = await call(answering(inside))
    assert answer.status == answer.problem["status"] == REFUSALS[code].status
    assert answer.problem["code"] == answer.problem["errors"][0]["errorReason"] == code
    assert int(answer.headers["content-length"]) == len(answer.body)


async def test_the_parts_stand_in_the_right_order() -> None:
    """A stranger is refused before the body is read; the size is checked before the function runs."""
    inside, metrics = Inside(), Metrics()
    access = Access(Settings.load(gateway_body_bytes_max=10), metrics)
    application = access.protect(inside)
    known = {"certex_caller": "LAB", "certex_member_state": "NL"}
    stranger = await call(application, scope_of(content_length="99"), hang_after=True)
    assert (stranger.status, stranger.problem["code"]) == (401, "CALLER_UNKNOWN")
    assert stranger.headers["x-content-type-options"] == "nosniff"
    assert (await call(application, scope_of(content_length="99", **known))).status == 413
    assert (await call(application, scope_of(**known), b"12")).body == b"12"
    count = metrics.registry.get_sample_value
    assert count("certex_bridge_gateway_refusals_total", {"code": "CALLER_UNKNOWN"}) == 1


async def test_refusals_take_the_form_the_request_asks_for() -> None:
    def render(scope: Any, refusal: Refusal) -> tuple[bytes, str]:
        return f"<Error code='{refusal.code}'/>".encode(), "application/xml"

    answer = await call(Access(Settings.load(), Metrics()).protect(Inside(), render))
    assert (answer.headers["content-type"], answer.body) == ("application/xml", b"<Error code='CALLER_UNKNOWN'/>")


async def test_the_watch_lasts_until_it_is_told_to_stop_even_with_nothing_to_keep_fresh() -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(Access(Settings.load(), Metrics()).watch(stop))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not watching.done()
    stop.set()
    await asyncio.wait_for(watching, 30)


def test_problem_documents_are_json_in_utf_8() -> None:
    from certex_bridge.singlewindow.http.problems import problem_document

    body, _ = problem_document({}, Refusal("BODY_TOO_LARGE", "zu groß"))
    assert json.loads(body.decode("utf-8"))["detail"] == "zu groß"
