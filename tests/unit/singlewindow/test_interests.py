"""Interests: noted at once, written later, each once, never more than fit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from certex_bridge.singlewindow import interests
from certex_bridge.singlewindow.adapters.interests import InMemoryInterests
from certex_bridge.singlewindow.interests import BufferedInterests, Interest

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def interest(licence: str = "BE/A", seconds: int = 0) -> Interest:
    return Interest(licence, "NSWE-C.BE", "M1", "BE", AT + timedelta(seconds=seconds))


class Telling(InMemoryInterests):
    """Tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    async def keep(self, interests: Sequence[Interest]) -> None:
        await super().keep(interests)
        self.written.set()


class Failing(InMemoryInterests):
    """Fails until told otherwise."""

    error: Exception | None = ConnectionError("away")

    async def keep(self, interests: Sequence[Interest]) -> None:
        if self.error is not None:
            raise self.error
        await super().keep(interests)


def transient(error: BaseException) -> str | None:
    return "connection" if isinstance(error, ConnectionError) else None


async def test_each_is_written_once_with_its_last_time() -> None:
    store = InMemoryInterests()
    buffer = BufferedInterests(store, transient)
    buffer.note(interest())
    buffer.note(interest(seconds=5))
    buffer.note(interest("BE/B"))
    assert store.kept == {}
    await buffer.flush()
    assert [(one.licence_id, one.asked_at) for one in store.kept.values()] == [
        ("BE/A", AT + timedelta(seconds=5)),
        ("BE/B", AT),
    ]


async def test_what_cannot_be_written_now_is_written_later() -> None:
    store = Failing()
    buffer = BufferedInterests(store, transient)
    buffer.note(interest())
    await buffer.flush()
    assert store.kept == {}
    store.error = None
    await buffer.flush()
    assert len(store.kept) == 1


async def test_a_failure_that_cannot_pass_is_raised() -> None:
    store = Failing()
    store.error = KeyError("a defect")
    buffer = BufferedInterests(store, transient)
    buffer.note(interest())
    with pytest.raises(KeyError):
        await buffer.flush()


async def test_the_oldest_go_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interests, "KEPT", 2)
    store = InMemoryInterests()
    buffer = BufferedInterests(store, transient)
    for name in ("BE/A", "BE/B", "BE/A", "BE/C"):
        buffer.note(interest(name))
    assert buffer.dropped == 1
    await buffer.flush()
    assert {one.licence_id for one in store.kept.values()} == {"BE/A", "BE/C"}


async def test_it_runs_until_told_to_stop_and_writes_the_rest() -> None:
    store = Telling()
    buffer = BufferedInterests(store, transient, every_seconds=0.001)
    stop = asyncio.Event()
    running = asyncio.create_task(buffer.run(stop))
    buffer.note(interest())
    await store.written.wait()
    buffer.note(interest("BE/B"))
    stop.set()
    await running
    assert len(store.kept) == 2
