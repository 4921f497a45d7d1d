"""Connections that are kept between two reads: used again, given back when nobody reads, never one that is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from certex_bridge.platform.leases import KEPT_MAX, Leases


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

    async def acquire(self, *, timeout: float) -> Connection:  # noqa: ASYNC109  # asyncpg's signature
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
    await leases.keep(first)
    assert await leases.take() is first
    assert pool.out == [first]


async def test_what_nobody_uses_goes_back_by_itself(leases: Leases, pool: Pool) -> None:
    await leases.keep(await leases.take())
    await pool.back.wait()
    assert pool.out == []
    fresh = await leases.take()
    assert pool.out == [fresh]


async def test_what_was_used_meanwhile_stays(leases: Leases, pool: Pool) -> None:
    one, other = await leases.take(), await leases.take()
    await leases.keep(one)
    await leases.keep(other)
    leases._look()  # both were used
    assert await leases.take() is other
    await leases.keep(other)
    leases._look()
    await pool.back.wait()
    assert pool.out == [other]


async def test_most_of_a_crowd_goes_back_at_once(leases: Leases, pool: Pool) -> None:
    crowd = [await leases.take() for _ in range(KEPT_MAX + 3)]
    for connection in crowd:
        await leases.keep(connection)
    assert pool.out == crowd[:KEPT_MAX]


async def test_a_closed_one_is_given_back_and_not_used(leases: Leases, pool: Pool) -> None:
    first = await leases.take()
    await leases.keep(first)
    first.closed = True
    assert await leases.take() is not first
    assert first not in pool.out
