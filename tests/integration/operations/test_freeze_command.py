"""`licence freeze|unfreeze`: what it stops, what it leaves, who did it, and that nobody sets the flag behind its back."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.intake import Intake
from certex_bridge.operations.composition import Bridge, decoders_of, transient
from certex_bridge.operations.freeze_command import run_freeze
from certex_bridge.operations.reading import NotFound
from certex_bridge.operations.verify import verify
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.settings import Settings
from tests.support.wire_feed import declaration, licence, mrn


class World:
    """An opened bridge on a database, fed record by record."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._intake = Intake(bridge.executor, decoders_of(bridge.settings), transient)
        self._offset = 0

    async def take(self, record: Any) -> None:
        self._offset += 1
        await self._intake.on_batch(
            [Envelope(record.topic, 0, self._offset, record.key, record.value, record.headers)], self._commit
        )

    async def _commit(self, _count: int | None = None) -> None:
        """Nothing to move: there is no broker."""

    async def reasons(self, number: int) -> Any:
        return await self.bridge.pool.fetchval("SELECT reasons::text FROM claim WHERE decl_id = $1", mrn(number))

    async def figures(self) -> tuple[int, int]:
        row = await self.bridge.pool.fetchrow("SELECT sum(reserved) AS r, sum(consumed) AS c FROM account")
        return int(row["r"]), int(row["c"])


async def freeze(licence_id: str, reason: str, *, frozen: bool) -> None:
    await asyncio.to_thread(run_freeze, licence_id, reason, frozen=frozen, as_json=True)


async def test_a_frozen_licence_reserves_nothing_new_and_books_what_happened(
    app_database_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    monkeypatch.setenv("CERTEX_DATABASE_ASYNC_COMMIT", "true")  # the tests' server is not durable
    bridge = Bridge(Settings.load())
    await bridge.open()
    try:
        world = World(bridge)
        await world.take(licence("A", "10"))
        await world.take(declaration(1, "accepted", 1, {"A": "4"}))
        with pytest.raises(InputError) as refused:
            await freeze("BE/A", " ", frozen=True)
        assert refused.value.code == "REASON_MISSING"
        with pytest.raises(NotFound):
            await freeze("BE/NOBODY", "a doubt", frozen=True)
        with pytest.raises(InputError) as refused:
            await freeze("BE/A", "a doubt", frozen=False)
        assert refused.value.code == "FROZEN_BEFORE"

        await freeze("BE/A", "the account does not add up", frozen=True)
        await world.take(declaration(2, "accepted", 1, {"A": "1"}))
        assert "STATUS_FROZEN" in await world.reasons(2)
        await world.take(declaration(1, "released", 2, {"A": "4"}))
        assert await world.figures() == (0, 4), "goods that left are a fact"
        assert (await verify(database_url)).ok

        await freeze("BE/A", "it adds up", frozen=False)
        await world.take(declaration(3, "accepted", 1, {"A": "2"}))
        assert await world.figures() == (2, 4)
        trail = await bridge.pool.fetch(
            "SELECT action, subject, before, after, person FROM console_audit ORDER BY audit_no"
        )
        login = app_database_url.partition("://")[2].partition(":")[0]
        assert [tuple(row.values()) for row in trail] == [
            ("licence.frozen", "BE/A", "not frozen", "the account does not add up", f"{login} (database login)"),
            ("licence.unfrozen", "BE/A", "frozen", "it adds up", f"{login} (database login)"),
        ]
        assert (await verify(database_url)).ok
    finally:
        await bridge.close()


async def test_a_flag_that_nobody_asked_for_is_found(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    monkeypatch.setenv("CERTEX_DATABASE_ASYNC_COMMIT", "true")  # the tests' server is not durable
    bridge = Bridge(Settings.load())
    await bridge.open()
    try:
        await World(bridge).take(licence("A", "10"))
    finally:
        await bridge.close()
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute("UPDATE licence SET frozen = true")
        (wrong,) = (await verify(database_url)).failed
        assert wrong.detail == "licence BE/A is frozen, and nobody said so"
    finally:
        await owner.close()
    with pytest.raises(InputError, match="frozen already"):
        await freeze("BE/A", "hide it", frozen=True)
