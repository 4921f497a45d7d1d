"""Delivery on both stores: in order, for ever, and no subscriber delays another; hours pass on a clock of the test."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import asyncpg
import pytest

from certex_bridge.singlewindow.pushes.delivery import Delivery
from certex_bridge.singlewindow.pushes.model import LONGEST_PAUSE_SECONDS, Paused, Push, PushKind, Scope
from tests.support.ledger_words import licence
from tests.support.push_world import NOON, PushWorld, Receivers, subscription
from tests.support.wire_feed import until as until_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from certex_bridge.singlewindow.pushes.ports import DeliveryLead

SECOND = 1.0


class Metered:
    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.retries: list[str] = []

    def pushed(self, result: str) -> None:
        self.results[result] = self.results.get(result, 0) + 1

    def retry(self, cause: str) -> None:
        self.retries.append(cause)


class Post:
    """Delivery driven by hand: a turn, and everything that was begun is done."""

    def __init__(self, world: PushWorld) -> None:
        self.world = world
        self.receivers = Receivers()
        self.meter = Metered()
        self.delivery = Delivery(
            world.pushes, self.receivers, clock=world.clock, chance=lambda: 0.5, poll_seconds=0.01, meter=self.meter,
            transient=lambda error: "connection" if isinstance(error, OSError) else None,
        )  # fmt: skip

    async def turn(self, lead: DeliveryLead) -> None:
        await self.world.fan_out.hand_out_all()
        await self.delivery.turn(lead)
        await self.delivery.settle()


async def owed(world: PushWorld, name: str, *numbers: int) -> None:
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        await unit.append([Push(name, n, PushKind.STATUS, "BE/A", "text/plain", b"", NOON) for n in numbers])


async def until(done: Callable[[], bool]) -> None:
    """Wait for something that tasks in the background bring about."""

    async def yes() -> bool:
        return done()

    await until_async(yes, what="what the test waits for")


@pytest.mark.row("IR 5(2)")
async def test_one_that_fails_for_an_hour_delays_nobody_and_gets_everything_once(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"))
    await world.subscribe(*(subscription(name, Scope.ALL) for name in ("FR", "BE", "DE")))
    post = Post(world)
    post.receivers.answers["be"] = 500
    changes = 0
    async with world.pushes.leadership() as lead:
        assert lead is not None
        for minute in range(60):
            await (world.ledger.suspend("A") if changes % 2 == 0 else world.ledger.resume("A"))
            changes += 1
            await post.turn(lead)
            assert post.receivers.got["de"][-1] == post.receivers.got["fr"][-1] == (changes, world.clock.now), minute
            for _ in range(12):
                world.clock.move(5)
                await post.turn(lead)
        assert post.receivers.got["be"] == []
        attempts = list(post.receivers.attempts["be"])
        pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(attempts)]
        assert pauses[0] <= 5 * SECOND
        assert max(pauses) <= LONGEST_PAUSE_SECONDS + 5
        assert len(attempts) < 40, "a dead receiver is not hammered"
        async with world.pushes.transaction() as unit:
            assert (await unit.of_caller("BE"))[0].failing_since == attempts[0]
        del post.receivers.answers["be"]
        for _ in range(61):
            world.clock.move(5)
            await post.turn(lead)
        async with world.pushes.transaction() as unit:
            assert (await unit.of_caller("BE"))[0].failing_since is None
    everything = list(range(1, changes + 1))
    assert post.receivers.numbers("be") == post.receivers.numbers("de") == post.receivers.numbers("fr") == everything
    assert post.meter.results == {"delivered": 3 * changes, "failed": len(attempts)}


async def test_one_that_does_not_answer_delays_nobody(world: PushWorld) -> None:
    await world.subscribe(subscription("BE"), subscription("DE"))
    post = Post(world)
    post.receivers.silent["be"] = asyncio.Event()
    await owed(world, "be", 1, 2)
    await owed(world, "de", 1, 2)
    async with world.pushes.leadership() as lead:
        assert lead is not None
        await post.delivery.turn(lead)
        await until(lambda: post.receivers.numbers("de") == [1, 2])
        await post.delivery.turn(lead)  # the one in work is not begun a second time
        assert post.receivers.numbers("be") == []
        assert len(post.receivers.attempts["be"]) == 1
        post.receivers.silent.pop("be").set()
        await post.delivery.settle()
    assert post.receivers.numbers("be") == [1, 2]


async def test_one_that_is_gone_is_left_alone(world: PushWorld) -> None:
    await world.subscribe(subscription("BE"))
    post = Post(world)
    post.receivers.answers["be"] = 410
    await owed(world, "be", 1)
    async with world.pushes.leadership() as lead:
        assert lead is not None
        await post.turn(lead)
        world.clock.move(86_400)
        await post.turn(lead)
        await owed(world, "be", 2)
        await post.turn(lead)
    assert len(post.receivers.attempts["be"]) == 1
    assert post.meter.results == {"gone": 1}
    async with world.pushes.transaction() as unit:
        assert (await unit.of_caller("BE"))[0].paused is Paused.GONE


async def test_what_was_sent_and_not_written_down_is_sent_again_under_its_number(world: PushWorld) -> None:
    await world.subscribe(subscription("BE"))
    post = Post(world)
    await owed(world, "be", 1, 2)
    async with world.pushes.leadership() as lead:
        assert lead is not None

        async def crash(_push: Push, _at: object) -> None:
            raise ConnectionResetError

        written, lead.delivered = lead.delivered, crash  # type: ignore[method-assign]  # stands in for a store that fails
        await post.turn(lead)
        with pytest.raises(ConnectionResetError):
            await post.delivery.turn(lead)
        lead.delivered = written  # type: ignore[method-assign]  # stands in for a store that fails
        await post.turn(lead)
    assert post.receivers.numbers("be") == [1, 1, 2]


async def test_it_runs_until_it_is_stopped_and_finishes_what_it_began(world: PushWorld) -> None:
    await world.subscribe(subscription("BE"))
    post = Post(world)
    silent = post.receivers.silent["be"] = asyncio.Event()
    await owed(world, "be", 1, 2)
    stop = asyncio.Event()
    running = asyncio.create_task(post.delivery.run(stop))
    await until(lambda: bool(post.receivers.attempts["be"]))
    stop.set()
    await until(lambda: post.delivery._stopping)
    silent.set()
    await running
    assert post.receivers.numbers("be") == [1], "the second waits for the next process"
    async with world.pushes.leadership() as lead:
        assert lead is not None
        assert [one.number for one in await lead.owed("be", world.clock.now, 9)] == [2]


async def test_a_lead_that_is_lost_is_taken_again(world: PushWorld) -> None:
    await world.subscribe(subscription("BE"))
    post = Post(world)
    lost = iter([ConnectionResetError(), ConnectionResetError()])
    await owed(world, "be", 1)
    whole = world.pushes.leadership

    def leadership() -> object:
        error = next(lost, None)
        if error is not None:
            raise error
        return whole()

    world.pushes.leadership = leadership  # type: ignore[method-assign,assignment]  # stands in for a store that fails
    stop = asyncio.Event()
    running = asyncio.create_task(post.delivery.run(stop))
    await until(lambda: post.receivers.numbers("be") == [1])
    stop.set()
    await running
    assert post.meter.retries == ["connection", "connection"]


async def test_a_defect_ends_it(world: PushWorld) -> None:
    post = Post(world)

    def leadership() -> object:
        raise RuntimeError("a defect")

    world.pushes.leadership = leadership  # type: ignore[method-assign,assignment]  # stands in for a store that fails
    with pytest.raises(RuntimeError, match="a defect"):
        await post.delivery.run(asyncio.Event())


async def test_who_has_lost_the_lock_writes_nothing_down(database_url: str) -> None:
    """The server ends the leader's connection: its next word fails, and another leads."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        world = PushWorld(pool)
        await world.subscribe(subscription("BE"))
        await owed(world, "be", 1)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)):
            async with world.pushes.leadership() as lead:
                assert lead is not None
                pid = lead._connection.get_server_pid()  # type: ignore[union-attr]  # only PostgreSQL's lead has a connection
                await pool.execute("SELECT pg_terminate_backend($1)", pid)
                await lead.delivered((await lead.owed("be", NOON, 1))[0], NOON)
        async with world.pushes.leadership() as another:
            assert another is not None
            assert [one.number for one in await another.owed("be", NOON + timedelta(seconds=1), 9)] == [1]
