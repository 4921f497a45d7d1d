"""What was released against the verdict, read the same from both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.mismatches import InMemoryMismatches, PostgresMismatches
from certex_bridge.ledger.domain.mismatch import member_state
from certex_bridge.ledger.mismatches import Asked, Mismatches
from tests.support.clearance import Desk, caller, goods
from tests.support.ledger_words import HOLDER, item, licence, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from certex_bridge.ledger.adapters.postgres import PostgresStore


@pytest.fixture
async def s(store: InMemoryStore | PostgresStore) -> Scenario:
    scenario = Scenario(store)
    await scenario.issue(licence("A", "100 NAR"), licence("DE/D", "1 NAR"))
    return scenario


@pytest.fixture
def mismatches(store: InMemoryStore | PostgresStore) -> Mismatches:
    return InMemoryMismatches(store) if isinstance(store, InMemoryStore) else PostgresMismatches(store._pool)


async def test_refused_and_waiting_goods_that_left_are_told_per_sender(s: Scenario, mismatches: Mismatches) -> None:
    shadow = Desk(s.store, caller=caller("SHADOW", mode="shadow"))
    for name, told in (("M1", {"A": "101"}), ("M2", {"X": "1"}), ("M3", {"A": "1"})):
        await shadow.move("RESERVE", name, **told)
        await shadow.move("CONSUME", name)
    block = Desk(s.store, caller=caller("BLOCK"))
    await block.move("RESERVE", "M4", A="101")
    await block.move("CONSUME", "M4")
    await s.accepted("M5", A=101)
    await s.released("M5")
    found = await mismatches.report(Asked())
    assert [tuple(total) for total in found.totals] == [
        ("", "BE", "REFUSED", 1),
        ("urn:certex-bridge:caller:BLOCK", "BE", "REFUSED", 1),
        ("urn:certex-bridge:caller:SHADOW", "BE", "REFUSED", 1),
        ("urn:certex-bridge:caller:SHADOW", "BE", "WAITING", 1),
    ]
    told = {one.key.decl_id: one for one in found.listed}
    assert (told[mrn_of("M1")].reasons, told[mrn_of("M1")].recorded) == (("QUANTITY_EXCEEDED",), True)
    assert not told[mrn_of("M4")].recorded
    assert found.listed[0].at >= found.listed[-1].at


@pytest.mark.parametrize("told", [["released"], ["exited"], ["released", "exited"]], ids=" and ".join)
async def test_goods_that_leave_after_the_invalidation_are_told(
    s: Scenario, mismatches: Mismatches, told: list[str]
) -> None:
    await s.accepted("M1", item(A=3), item(X=1))
    await s.invalidated("M1")
    for what in told:
        await getattr(s, what)("M1")
    assert await s.quarantined() == []
    found = await mismatches.report(Asked())
    assert [tuple(total) for total in found.totals] == [("", "BE", "INVALIDATED", 2)]
    assert sorted(one.key.item for one in found.listed) == [1, 2]


async def test_a_refused_call_that_lets_goods_go_after_the_end_is_told(s: Scenario, mismatches: Mismatches) -> None:
    block = Desk(s.store, caller=caller("BLOCK"))
    await block.move("RESERVE", "M2", A="10")
    await block.move("WITHDRAW", "M2")
    await block.move("CONSUME", "M2")
    (listed,) = (await mismatches.report(Asked())).listed
    assert (listed.key.decl_id, listed.verdict, listed.recorded) == (mrn_of("M2"), "INVALIDATED", False)


async def test_the_first_telling_of_a_claim_counts(s: Scenario, mismatches: Mismatches) -> None:
    desk = Desk(s.store)
    await desk.move("RESERVE", "M1", A="101")
    for _ in range(3):
        await desk.move("CONSUME", "M1")
    found = await mismatches.report(Asked())
    assert [total.claims for total in found.totals] == [1]
    assert len(found.listed) == 1


async def test_only_items_that_are_released(s: Scenario, mismatches: Mismatches) -> None:
    await s.accepted("M1", item(A=101), item(A=102), item(A=1))
    await s.released("M1", item(number=2), item(number=3))
    assert [one.key.item for one in (await mismatches.report(Asked())).listed] == [2]
    await s.not_released("M1", 1)
    await s.released("M1", item(number=2))
    assert len((await mismatches.report(Asked())).listed) == 1


async def test_what_is_asked_for(s: Scenario, mismatches: Mismatches) -> None:
    desk = Desk(s.store)
    message = desk.message("RESERVE", "M1", goods(1, A="101"), goods(2, D="2"))
    message["GoodsItem"][1]["SupportingDocument"][0]["issuingCountry"] = "DE"
    await desk.send(message)
    await desk.move("CONSUME", "M1")
    at = datetime(2026, 3, 1, 10, 0, 2, tzinfo=UTC)

    async def items(asked: Asked) -> list[int]:
        return sorted(one.key.item for one in (await mismatches.report(asked)).listed)

    assert await items(Asked(member_state="BE")) == [1, 2]
    assert await items(Asked(member_state="FR")) == []
    assert await items(Asked(issuer="DE")) == [2]
    assert await items(Asked(member_state="FR", issuer="DE")) == [2]
    assert await items(Asked(source="urn:certex-bridge:caller:NSW.BE")) == [1, 2]
    assert await items(Asked(source="elsewhere")) == []
    assert await items(Asked(since=at, until=at + timedelta(seconds=1))) == [1, 2]
    assert await items(Asked(until=at)) == await items(Asked(since=at + timedelta(seconds=1))) == []


async def test_a_reservation_whose_increase_was_refused(s: Scenario, mismatches: Mismatches) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", A=101)
    await s.released("M1")
    (one,) = (await mismatches.report(Asked())).listed
    assert one.verdict == "REFUSED"


async def test_a_draft_is_counted_where_it_was_declared(s: Scenario, mismatches: Mismatches) -> None:
    await s.lodged("M1", A=101)
    event = s.customs.released("M1")
    named = {"mrn": "", "lrn": "L1", "exporter": HOLDER}
    await s.tell(replace(event, facts=replace(event.facts, **named), **named))
    found = await mismatches.report(Asked())
    assert [total.member_state for total in found.totals] == ["BE"]
    assert found.listed[0].key.decl_id == f"{HOLDER}/L1"


@pytest.mark.parametrize(
    ("decl_id", "office", "state"),
    [
        (mrn_of("M1"), "FR000001", "BE"),
        ("BE0123456789/26DE-1", "FR000001", "FR"),
        ("BE0123456789/26DE-1", "", "BE"),
        ("/L1", "", ""),
    ],
)
def test_the_state_of_a_declaration(decl_id: str, office: str, state: str) -> None:
    assert member_state(decl_id, office) == state
