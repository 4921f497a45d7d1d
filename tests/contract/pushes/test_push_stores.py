"""What every store of pushes promises: the same tests for the one in memory and the one on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from certex_bridge.singlewindow.messages.subscription import SubscriptionResponse
from certex_bridge.singlewindow.pushes.model import Paused, Push, PushKind, Scope, Subscription
from tests.support.ledger_words import licence, mrn_of
from tests.support.push_world import NOON, PushWorld, subscription

MESSAGE = SubscriptionResponse(
    message_sender="CERTEX-BRIDGE", message_recipient="NSW.BE", preparation_date_and_time="2026-03-02T12:00:00Z",
    message_identification="A1", type_of_message="CBSUBR", action="LIST",
)  # fmt: skip


def push(number: int, name: str = "nsw.be") -> Push:
    return Push(name, number, PushKind.STATUS, "BE/A", "application/json", b"{}", NOON)


async def held(world: PushWorld) -> list[Subscription]:
    async with world.pushes.transaction() as unit:
        return await unit.of_caller("NSW.BE")


# -- subscriptions


async def test_a_caller_subscribes_one_after_the_other(world: PushWorld) -> None:
    async def add(number: int) -> None:
        async with world.pushes.transaction() as unit:
            await unit.alone("NSW.BE")
            if len(await unit.of_caller("NSW.BE")) < 2:
                await unit.add(subscription("NSW.BE", subscription_id=f"s{number}"))

    await asyncio.gather(*map(add, range(5)))
    assert len(await held(world)) == 2


async def test_subscriptions_come_back_as_they_were(world: PushWorld) -> None:
    one = subscription(
        scope=Scope.LICENCE, licence_id="BE/A", valid_to=NOON + timedelta(days=1), declarations_shown=False
    )
    other = subscription("NSW.BE", Scope.ISSUER, subscription_id="later", issuer="DE", created_at=NOON)
    await world.subscribe(other, one, subscription("NSW.DE"))
    assert await held(world) == [one, other]


async def test_one_that_ended_is_gone_for_its_caller_and_owed_nothing(world: PushWorld) -> None:
    await world.subscribe(subscription(), subscription(subscription_id="other"))
    async with world.pushes.transaction() as unit:
        await unit.end("nsw.be", NOON)
        await unit.end("nsw.be", NOON + timedelta(days=1))
    assert [one.subscription_id for one in await held(world)] == ["other"]
    async with world.pushes.fan_out() as fan_out:
        assert fan_out is not None
        assert [one.subscription_id for one in await fan_out.lock_subscriptions(NOON)] == ["other"]


async def test_after_its_end_nothing_new_is_owed(world: PushWorld) -> None:
    await world.subscribe(subscription(valid_to=NOON))
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        assert len(await unit.lock_subscriptions(NOON - timedelta(seconds=1))) == 1
        assert await unit.lock_subscriptions(NOON) == []


# -- answers


async def test_an_answer_is_kept_for_ever(world: PushWorld) -> None:
    async with world.pushes.transaction() as unit:
        assert await unit.answered("c1") is None
        await unit.keep_answer("c1", "sha", b"answer", NOON)
    async with world.pushes.transaction() as unit:
        assert await unit.answered("c1") == ("sha", b"answer")
    with pytest.raises((AssertionError, asyncpg.UniqueViolationError)):
        async with world.pushes.transaction() as unit:
            await unit.keep_answer("c1", "sha", b"other", NOON)


async def test_a_call_of_the_same_id_waits_for_the_answer(world: PushWorld) -> None:
    async def call() -> str:
        async with world.pushes.transaction() as unit:
            known = await unit.answered("c1")
            if known is None:
                await asyncio.sleep(0.02)
                await unit.keep_answer("c1", "sha", b"answer", NOON)
            return "found" if known else "made"

    assert sorted(await asyncio.gather(call(), call(), call())) == ["found", "found", "made"]


async def test_a_failed_transaction_leaves_nothing(world: PushWorld) -> None:
    with pytest.raises(RuntimeError, match="on purpose"):
        async with world.pushes.transaction() as unit:
            await unit.add(subscription())
            await unit.keep_answer("c1", "sha", b"answer", NOON)
            raise RuntimeError("on purpose")
    assert await held(world) == []
    async with world.pushes.transaction() as unit:
        assert await unit.answered("c1") is None


# -- fan-out


async def test_changes_are_handed_out_once_and_come_back_when_that_fails(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"), licence("B", "10 NAR"))
    await world.ledger.suspend("A")
    assert await world.pushes.waiting()
    with pytest.raises(RuntimeError, match="on purpose"):
        async with world.pushes.fan_out() as unit:
            assert unit is not None
            assert len(await unit.changes(2)) == 2
            raise RuntimeError("on purpose")
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        taken = [*await unit.changes(2), *await unit.changes(2)]
    assert [(one.licence_id, one.change_no, one.old, one.new) for one in taken] == [
        ("BE/A", 1, "Unknown", "Valid"), ("BE/B", 1, "Unknown", "Valid"), ("BE/A", 2, "Valid", "Suspended"),
    ]  # fmt: skip
    assert not await world.pushes.waiting()


async def test_two_at_once_hand_out_each_change_once(world: PushWorld) -> None:
    await world.subscribe(subscription(scope=Scope.ALL))
    await world.ledger.issue(*(licence(f"A{number}", "10 NAR") for number in range(150)))
    made = await asyncio.gather(*(world.fan_out.hand_out_all() for _ in range(3)))
    assert sum(made) == 150
    assert [one.number for one in await world.owed()] == list(range(1, 151))


async def test_numbers_are_dense_and_used_once(world: PushWorld) -> None:
    await world.subscribe(subscription(), subscription("NSW.DE"))
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        await unit.append([push(1), push(1, "nsw.de"), push(2)])
    assert {one.subscription_id: one.last_number for one in await held(world)} == {"nsw.be": 2}
    with pytest.raises((AssertionError, asyncpg.UniqueViolationError)):
        async with world.pushes.fan_out() as unit:
            assert unit is not None
            await unit.append([push(2)])


async def test_interests_end_with_their_declaration_and_with_time(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"))
    await world.ledger.accepted("M1", A=1)
    await world.ledger.accepted("M2", A=1)
    await world.ledger.released("M2")
    for name in ("M1", "M2", "M3"):
        await world.checked("BE/A", "NSW.BE", mrn_of(name))
    await world.checked("BE/A", "NSW.BE", mrn_of("M4"), days_ago=40)
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        found = await unit.interests({"BE/A", "BE/B"}, NOON - timedelta(days=30))
        assert {one.declaration for one in found} == {mrn_of("M1"), mrn_of("M3")}
        assert await unit.interests({"BE/B"}, NOON - timedelta(days=30)) == []


# -- what other functions owe


async def test_a_message_goes_to_the_callers_oldest_subscription(world: PushWorld) -> None:
    newer = subscription(subscription_id="newer", created_at=NOON)
    await world.subscribe(newer, subscription())
    async with world.pushes.transaction() as unit:
        transaction = getattr(unit, "_connection", unit)
        assert await world.pushes.enqueue(transaction, "NSW.BE", PushKind.NOTICE, "n1", MESSAGE) == "nsw.be/1"
        assert await world.pushes.enqueue(transaction, "NSW.BE", PushKind.LIST, "l1", MESSAGE) == "nsw.be/2"
        assert await world.pushes.enqueue(transaction, "NSW.FR", PushKind.LIST, "l1", MESSAGE) == ""
    notice, listed = await world.owed()
    assert (notice.kind, notice.subject, listed.kind) == (PushKind.NOTICE, "n1", PushKind.LIST)
    assert b'"messageIdentification":"A1"' in notice.body


# -- delivery


async def test_pushes_come_in_order_until_one_fails(world: PushWorld) -> None:
    await world.subscribe(subscription(), subscription("NSW.DE"))
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        await unit.append([push(1), push(2), push(3)])
    async with world.pushes.leadership() as lead:
        assert lead is not None
        assert [one.subscription_id for one in await lead.due(NOON)] == ["nsw.be"]
        assert [one.number for one in await lead.owed("nsw.be", NOON, 2)] == [1, 2]
        await lead.delivered(push(1), NOON)
        later = NOON + timedelta(seconds=9)
        await lead.failed(push(2), "HTTP 500", NOON, later, Paused.NO)
        assert await lead.due(NOON) == []
        assert await lead.owed("nsw.be", NOON, 9) == []
        assert (await held(world))[0].failing_since == NOON
        (due,) = await lead.due(later)
        assert due.failing_since == NOON
        assert [(one.number, one.attempts) for one in await lead.owed("nsw.be", later, 9)] == [(2, 1), (3, 0)]
        await lead.failed(push(2), "HTTP 500", later, later, Paused.NO)
        assert (await held(world))[0].failing_since == NOON
        await lead.delivered(push(2), later)
        assert (await held(world))[0].failing_since is None
        assert [one.number for one in await lead.owed("nsw.be", later, 9)] == [3]


async def test_one_that_is_paused_or_ended_gets_nothing(world: PushWorld) -> None:
    await world.subscribe(subscription(), subscription("NSW.DE"))
    async with world.pushes.fan_out() as unit:
        assert unit is not None
        await unit.append([push(1), push(1, "nsw.de")])
    async with world.pushes.leadership() as lead:
        assert lead is not None
        await lead.failed(push(1), "HTTP 410", NOON, NOON, Paused.GONE)
        assert (await held(world))[0].paused is Paused.GONE
        async with world.pushes.transaction() as subscriptions:
            await subscriptions.end("nsw.de", NOON)
        assert await lead.due(NOON + timedelta(days=1)) == []
        assert await lead.owed("nsw.be", NOON, 9) == []
        assert await lead.owed("nsw.de", NOON, 9) == []


async def test_one_leads_at_a_time(world: PushWorld) -> None:
    async with world.pushes.leadership() as first:
        assert first is not None
        async with world.pushes.leadership() as second:
            assert second is None
    async with world.pushes.leadership() as third:
        assert third is not None
