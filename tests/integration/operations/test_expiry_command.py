"""`licence undo-expiry`: only what a wrong clock did is taken back, once, and the journal says by whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.commands import INTERNAL, Delivery, ValidityPassed
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.expiry_command import run_undo_expiry
from certex_bridge.operations.reading import NotFound
from certex_bridge.platform.settings import Settings
from tests.integration.operations.test_freeze_command import World
from tests.support.wire_feed import licence


async def undo(licence_id: str, reason: str) -> None:
    await asyncio.to_thread(run_undo_expiry, licence_id, reason, as_json=True)


async def test_a_licence_that_a_wrong_clock_let_expire_is_valid_again(
    app_database_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    monkeypatch.setenv("CERTEX_DATABASE_ASYNC_COMMIT", "true")  # the tests' server is not durable
    bridge = Bridge(Settings.load())
    await bridge.open()

    async def row() -> tuple[str, str]:
        found = await bridge.pool.fetchrow(
            "SELECT status, (SELECT detail FROM movement ORDER BY lv DESC, seq DESC LIMIT 1) AS detail FROM licence"
        )
        return found["status"], found["detail"]

    async def refusal(reason: str) -> str:
        with pytest.raises(InputError) as refused:
            await undo("BE/A", reason)
        return refused.value.code

    try:
        await World(bridge).take(licence("A", "10"))
        with pytest.raises(NotFound):
            await undo("BE/NOBODY", "clock")
        assert await refusal(" ") == "REASON_MISSING"
        assert await refusal("clock") == "NOT_EXPIRED"
        far = await bridge.pool.fetchval("SELECT greatest(valid_to, current_date + 30) FROM licence")
        await bridge.pool.execute("UPDATE licence SET valid_to = $1", far)
        (due,) = await bridge.calendar.expiring(datetime(far.year + 1, 1, 1, tzinfo=UTC), 10)
        now = datetime.now(UTC)
        await bridge.executor.apply([Delivery(INTERNAL, ValidityPassed(due.licence_id, due.version, now, due.change))])
        assert (await row())[0] == "Expired"
        await undo("BE/A", "the clock was two days ahead")
        login = app_database_url.partition("://")[2].partition(":")[0]
        sentence = f"Expired->Valid; expiry undone by {login} (database login): the clock was two days ahead"
        assert await row() == ("Valid", sentence)
        (again,) = await bridge.calendar.expiring(datetime(far.year + 1, 1, 1, tzinfo=UTC), 10)
        assert again.change > due.change, "its day will come as a timer of its own"
    finally:
        await bridge.close()


async def test_a_validity_that_is_over_stays_over(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    monkeypatch.setenv("CERTEX_DATABASE_ASYNC_COMMIT", "true")  # the tests' server is not durable
    bridge = Bridge(Settings.load())
    await bridge.open()
    try:
        await World(bridge).take(licence("A", "10"))
        await bridge.pool.execute("UPDATE licence SET valid_to = current_date - 3, expired_version = version")
        with pytest.raises(InputError) as refused:
            await undo("BE/A", "clock")
        assert refused.value.code == "VALIDITY_OVER"
    finally:
        await bridge.close()
