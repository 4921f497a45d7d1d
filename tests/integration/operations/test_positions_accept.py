"""What `positions accept` refuses: a word without a reason, and a second word about the same gap."""

from __future__ import annotations

import asyncio

import pytest

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.adapters.positions import PostgresPositions
from certex_bridge.operations.positions_command import run_accept
from certex_bridge.operations.reading import NotFound, connection
from certex_bridge.platform.positions import Gap, LogId
from certex_bridge.platform.settings import Settings

GAP = Gap("customs.declarations.v1", 3, 0, 10, 15)
PLACE = (GAP.topic, GAP.partition, GAP.from_record, GAP.to_record)


@pytest.fixture
def settings(app_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As an operator has them, whose login is a member of certex_app."""
    monkeypatch.setenv("CERTEX_DATABASE_URL", app_database_url)
    return Settings.load()


async def accept(reason: str) -> None:
    await asyncio.to_thread(run_accept, PLACE, "ann", reason, as_json=True)


async def test_a_gap_is_accepted_with_a_reason_and_once(settings: Settings) -> None:
    with pytest.raises(InputError) as refused:
        await accept(" ")
    assert (refused.value.code, refused.value.field) == ("REASON_MISSING", "reason")
    with pytest.raises(NotFound):
        await accept("sent again")
    async with connection(settings, readonly=False) as database:
        positions = PostgresPositions(database)
        await positions.gap(GAP, LogId())
        await positions.accept(GAP, "bob", "sent again")
    with pytest.raises(InputError, match="records 10 to 14 were accepted before") as refused:
        await accept("sent again")
    assert (refused.value.code, refused.value.field) == ("ACCEPTED_BEFORE", "from")
    async with connection(settings) as database:
        assert [(row.accepted_by, row.reason) for row in await PostgresPositions(database).gaps()] == [
            ("bob", "sent again")
        ]
