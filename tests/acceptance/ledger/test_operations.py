"""Chapter 6.12 of the catalogue, as far as the ledger alone can show it: a licence under examination."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from tests.support.scenario import Scenario


@pytest.mark.row("E188")
async def test_a_licence_under_examination_reserves_nothing_and_records_everything(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    assert isinstance(s.store, InMemoryStore)
    s.store.contents.licences["BE/A"].frozen = True
    await s.accepted("M2", A=1)
    assert await s.verdict("M2") == "REFUSED STATUS_FROZEN"
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"
    s.store.contents.licences["BE/A"].frozen = False
    await s.recheck("M2")
    assert await s.verdict("M2") == "OK_RESERVED"
