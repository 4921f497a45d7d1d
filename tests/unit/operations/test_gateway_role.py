"""The role gateway: its tasks live and end with it, its functions stand behind identity."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from certex_bridge.operations.gateway_role import Gateway, GatewayParts, GatewayTimes, in_stop_order, parts_of
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.http.access import Access
from tests.support.asgi import call, scope_of


def gateway(**tasks: Any) -> Gateway:
    settings = Settings.load(roles="gateway")
    return Gateway(settings, Access(settings, Metrics()), GatewayParts(tasks=tasks))


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # the role has no event for it
            await asyncio.sleep(0)


async def test_it_is_ready_while_its_tasks_run_and_they_end_what_they_began() -> None:
    ended = []

    async def work(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("work")

    role, stop = gateway(work=work), asyncio.Event()
    assert role.ready() == "not started yet"
    running = asyncio.create_task(role.run(stop))
    await until(lambda: role.ready() is None)
    stop.set()
    await asyncio.wait_for(running, 30)
    assert ended == ["work"]
    assert role.ready() is not None


async def test_a_task_that_fails_ends_the_role_with_its_failure() -> None:
    async def fails(_stop: asyncio.Event) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(gateway(fails=fails).run(asyncio.Event()), 30)


async def test_a_task_that_fails_while_it_stops_is_told() -> None:
    async def fails(stop: asyncio.Event) -> None:
        await stop.wait()
        raise OSError("not flushed")

    role, stop = gateway(fails=fails), asyncio.Event()
    running = asyncio.create_task(role.run(stop))
    await until(lambda: role.ready() is None)
    stop.set()
    with pytest.raises(OSError, match="not flushed"):
        await asyncio.wait_for(running, 30)


async def test_a_task_that_ends_early_ends_the_role() -> None:
    async def short(_stop: asyncio.Event) -> None:
        return

    with pytest.raises(RuntimeError, match=r"gateway\.short ended although nobody asked"):
        await asyncio.wait_for(gateway(short=short).run(asyncio.Event()), 30)


async def test_nothing_is_answered_before_the_caller_is_known() -> None:
    application = gateway().application
    answer = await call(application, scope_of())
    assert (answer.status, answer.problem["code"]) == (401, "CALLER_UNKNOWN")
    answer = await call(application, scope_of(certex_caller="DE-ATLAS", certex_member_state="DE"))
    assert (answer.status, answer.problem["code"]) == (404, "NOT_FOUND")
    assert answer.problem["errors"][0]["originalAttributeValue"] == "/v1/checks"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_defect_is_answered_without_its_words() -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise KeyError("secret")

    settings = Settings.load(roles="gateway")
    metrics = Metrics()
    application = Gateway(settings, Access(settings, metrics), GatewayParts(), lambda *_: broken).application
    answer = await call(application, scope_of(certex_caller="DE-ATLAS", certex_member_state="DE"))
    assert (answer.status, answer.problem["code"]) == (500, "INTERNAL")
    assert b"secret" not in answer.body
    assert metrics.gateway_refusals_total.labels("INTERNAL")._value.get() == 1


def test_functions_of_all_groups_come_together_with_the_times_of_the_settings() -> None:
    seen: list[GatewayTimes] = []

    async def work(stop: asyncio.Event) -> None:
        await stop.wait()

    def one(_bridge: Any, times: GatewayTimes) -> GatewayParts:
        seen.append(times)
        return GatewayParts(operations=(cast("Any", "F1"),), tasks={"one": work})

    def other(_bridge: Any, _times: GatewayTimes) -> GatewayParts:
        return GatewayParts(operations=(cast("Any", "F3"), cast("Any", "F4")))

    settings = Settings.load(roles="gateway", gateway_gather_ms=0.5)
    parts = parts_of(cast("Any", SimpleNamespace(settings=settings)), (one, other))
    assert parts.operations == ["F1", "F3", "F4"]
    assert list(parts.tasks) == ["one"]
    assert seen == [GatewayTimes(0.0005, 0.2, 0.05)]


def test_the_server_stops_before_what_calls_in_work_need() -> None:
    names = ("intake", "worker", "relay")
    roles: Any = [SimpleNamespace(name=name) for name in names]
    http: Any = SimpleNamespace(name="http")
    assert [role.name for role in in_stop_order(roles)] == [*names]
    order = [role.name for role in in_stop_order(roles, http, gateway())]
    assert order == ["intake", "worker", "http", "gateway", "relay"]
