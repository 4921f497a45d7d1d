"""Batches of every size are written whole and in order, however a store writes few rows or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certex_bridge.ledger.commands import INTERNAL
from certex_bridge.ledger.ports import Changes, InboxEntry, OutboxRow
from tests.support.ledger_contents import contents_of

if TYPE_CHECKING:
    from certex_bridge.ledger.adapters.memory import InMemoryStore
    from certex_bridge.ledger.adapters.postgres import PostgresStore

AT = "2026-03-01T10:00:00Z"
TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


@pytest.mark.parametrize("number", [1, 32, 33, 100])
async def test_answers_and_messages_of_a_batch(store: InMemoryStore | PostgresStore, number: int) -> None:
    answers = [(f"e{one:03}", f'{{"dv":{one}}}') for one in range(number)]
    messages = [OutboxRow("balance", f"BE/{number - one:03}", 1, "BE", b"%d" % one, AT, TRACE) for one in range(number)]
    async with store.transaction() as unit:
        await unit.register([InboxEntry(event_id, "sha", "", INTERNAL) for event_id, _ in answers])
        await unit.write(Changes(answers=answers, outbox=messages))
    held = await contents_of(store)
    assert sorted(held.answers.items()) == answers
    assert list(held.outbox.values()) == messages
