"""Every call of a day again, shuffled, twice and in both forms: the first answers to the byte, and nothing has moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import pytest

from certex_bridge.laboratory.customs_channel import Account, Form
from certex_bridge.laboratory.customs_client import Manner
from certex_bridge.laboratory.customs_day import Setting, play_day
from certex_bridge.singlewindow.http.answers import Answers
from certex_bridge.singlewindow.messages.listing import ListRequest
from tests.support.gateway_world import OFFICE, GatewayWorld, gateway_world
from tests.support.ledger_contents import contents_of
from tests.support.ledger_words import HOLDER
from tests.support.push_receiver import receiver
from tests.support.wire_feed import until

if TYPE_CHECKING:
    from aiohttp import web

    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.operation import Call, Operation, Reply

_VOLATILE = frozenset({"interest"})
"""A check is noted with its moment; everything else must stay as it is."""
_TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN (
    SELECT relname FROM pg_class JOIN pg_inherits ON pg_inherits.inhrelid = pg_class.oid
) ORDER BY 1
"""


@dataclass(frozen=True)
class Recorded:
    """One answered call."""

    account: Account
    operation: Operation
    request: Message
    answers: dict[Form, bytes]

    @property
    def has_effect(self) -> bool:
        """Whether its answer is kept: checks and lists asked for once are reads."""
        if isinstance(self.request, ListRequest):
            return self.request.action == "PERIODIC"
        return self.operation.name != "checkAvailability"


class Recording:
    """Hears every call at the gateway's hook; of a repeated one the first answer counts."""

    def __init__(self, sender: str) -> None:
        self.calls: dict[str, Recorded] = {}
        self._answers = Answers(sender)

    def __call__(self, call: Call, operation: Operation, request: Message, reply: Reply) -> None:
        answers = {
            form: self._answers.message(reply, operation.response, form.value).body for form in (Form.JSON, Form.XML)
        }
        account = Account(call.caller.name, call.caller.member_state)
        self.calls.setdefault(call.call_id(request), Recorded(account, operation, request, answers))


async def everything(world: GatewayWorld) -> dict[str, list[str]]:
    """All rows of all tables."""
    names = [row[0] for row in await world.rows(_TABLES)]
    return {
        name: [row[0] for row in await world.rows(f'SELECT to_jsonb(t)::text FROM "{name}" t ORDER BY 1')]
        for name in names
        if name not in _VOLATILE
    }


async def thanks(_request: web.Request) -> web.Response:
    from aiohttp import web

    return web.Response(status=204)


@pytest.mark.parametrize(("seed", "declarations"), [(4, 20), pytest.param(2145, 60, marks=pytest.mark.slow)])
async def test_a_day_replayed_changes_nothing_and_answers_the_same(
    database_url: str, seed: int, declarations: int
) -> None:
    recording = Recording("CERTEX-BRIDGE")
    async with (
        receiver(thanks) as callback,
        gateway_world(database_url, recorder=recording, message_sender="CERTEX-BRIDGE") as world,
    ):
        for number, limits in {"A": {"quantity": "100", "value": "50000.00"}, "B": {"quantity": "300"}}.items():
            await world.issue(number, **limits)
        customs = world.customs(seed=seed)
        await customs.subscribe(callback, "ALL")
        await play_day(customs, Setting(("A", "B"), HOLDER, OFFICE), declarations=declarations, seed=seed)
        await correct(world)
        await until(lambda: notices_told(world), what="every notice on its way to the subscriber")
        before, ledger = await everything(world), await contents_of(world.bridge.store)
        again = await replay(world, list(recording.calls.values()), Random(seed))
        assert again["F3-F6"] > 10 * declarations
        assert {"F1", "F2", "F7", "F8", "F9", "F10"} <= set(again)
        assert await contents_of(world.bridge.store) == ledger
        after = await everything(world)
        assert {name for name in before if after[name] != before[name]} == set()
        assert before["call_answer"]
        assert before["inbox"]
        await world.sound()


async def notices_told(world: GatewayWorld) -> bool:
    return not await world.rows("SELECT FROM notice WHERE told_version < version")


async def correct(world: GatewayWorld) -> None:
    """The licensing side captures a write-off made on paper, and corrects it."""
    customs = world.customs("LICENSING.BE")
    await world.issue("P", quantity="10")
    evidence = {"type": "FORM", "referenceNumber": "P-1", "issuingDate": "2026-02-20"}
    for source, quantity, manner in (("paper", "4", Manner.TWICE), ("correction", "3", Manner.CHANGED)):
        line = {"documentLineItemNumber": 1, "quantity": quantity, "measurementUnitAndQualifier": "NAR"}
        answer = await customs.correct(
            "BE/P", [line], evidence, officer="OFFICER-9", reason="made on paper", source=source, manner=manner
        )
        assert answer.verdict == "ACCEPTED"


async def replay(world: GatewayWorld, calls: list[Recorded], random: Random) -> Counter[str]:
    """All calls twice in both forms, in an order of chance; counts by function."""
    program = [(call, form) for call in calls for form in (Form.JSON, Form.XML) for _ in range(2)]
    random.shuffle(program)
    for call, form in program:
        operation = call.operation
        answered = await world.channel.send(call.account, operation.path, call.request, operation.response, form)
        assert answered.status == 200, answered.body
        if call.has_effect:
            assert answered.body == call.answers[form], (operation.name, call.request.message_identification)
            assert answered.repeated
    return Counter(call.operation.function for call, _ in program)
