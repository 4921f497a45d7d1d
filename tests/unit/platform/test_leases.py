"""Connections that are kept between two reads: used again, given back when nobody reads, never one that is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from certex_bridge.platform.leases import LEASED_MAX, Leases


class Connection:
    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed


class Pool:
    """Counts what is out."""

    def __init__(self) -> None:
        self.out: list[Connection] = []
        self.back = asyncio.Event()
        self.fails = False

    async def acquire(self, *, timeout: float) -> Connection:  # noqa: ASYNC109  # asyncpg's signature
        if self.fails:
            raise OSError("away")
        assert timeout == 1.5
        self.out.append(Connection())
        return self.out[-1]

    async def release(self, connection: Connection) -> None:
        self.out.remove(connection)
        self.back.set()


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def leases(pool: Pool) -> Leases:
    untyped: Any = pool
    return Leases(untyped, 1.5)


async def test_the_next_read_has_the_connection_of_the_last(leases: Leases, pool: Pool) -> None:
    first = await leases.take()
    leases.keep(first)
    assert await leases.take() is first
    assert pool.out == [first]


async def test_what_nobody_uses_goes_back_by_itself(leases: Leases, pool: Pool) -> None:
    leases.keep(await leases.take())
    await pool.back.wait()
    assert pool.out == []
    fresh = await leases.take()
    assert pool.out == [fresh]


async def test_what_was_used_meanwhile_stays(leases: Leases, pool: Pool) -> None:
    one, other = await leases.take(), await leases.take()
    leases.keep(one)
    leases.keep(other)
    leases._look()  # both were used
    assert await leases.take() is other
    leases.keep(other)
    leases._look()
    await pool.back.wait()
    assert pool.out == [other]


async def test_a_crowd_is_served_in_the_order_in_which_it_came(leases: Leases, pool: Pool) -> None:
    first = [await leases.take() for _ in range(LEASED_MAX)]
    served: list[int] = []

    async def read(number: int) -> None:
        connection = await leases.take()
        served.append(number)
        await asyncio.sleep(0)
        leases.keep(connection)

    reads = []
    for number in range(20):
        reads.append(asyncio.ensure_future(read(number)))
        await asyncio.sleep(0)
    assert not served
    for connection in first:
        leases.keep(connection)
    late = asyncio.ensure_future(read(20))
    await asyncio.gather(*reads, late)
    assert served == list(range(21))
    assert pool.out == first


async def test_who_waits_too_long_is_told_and_takes_nothing_away(leases: Leases, pool: Pool) -> None:
    busy = [await leases.take() for _ in range(LEASED_MAX)]
    leases._wait_seconds = 0.01
    with pytest.raises(TimeoutError):
        await leases.take()
    leases.keep(busy[0])
    assert await leases.take() is busy[0]
    assert pool.out == busy


@pytest.mark.parametrize("given", ["connection", "place"])
async def test_what_comes_at_the_moment_of_giving_up_goes_to_the_next(leases: Leases, pool: Pool, given: str) -> None:
    busy = [await leases.take() for _ in range(LEASED_MAX)]
    one, other = asyncio.ensure_future(leases.take()), asyncio.ensure_future(leases.take())
    await asyncio.sleep(0)
    if given == "connection":
        leases.keep(busy[0])
    else:
        await leases.give_back(busy[0])
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    found = await other
    assert (found is busy[0]) == (given == "connection")
    assert len(pool.out) == LEASED_MAX


async def test_a_pool_that_fails_keeps_no_place(leases: Leases, pool: Pool) -> None:
    pool.fails = True
    for _ in range(LEASED_MAX + 1):
        with pytest.raises(OSError, match="away"):
            await leases.take()
    pool.fails = False
    assert await leases.take() in pool.out


async def test_a_closed_one_is_given_back_and_not_used(leases: Leases, pool: Pool) -> None:
    first = await leases.take()
    leases.keep(first)
    first.closed = True
    assert await leases.take() is not first
    assert first not in pool.out
