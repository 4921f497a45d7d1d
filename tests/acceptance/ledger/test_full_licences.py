"""Rearranging what a declaration holds on a licence that has no room left: the net effect is the difference."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from certex_bridge.ledger.domain.facts import EventKind, Facts, ItemRelease
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from tests.support.ledger_words import cite, item, licence
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeScenario = Callable[[Policy], Awaitable[Scenario]]


@pytest.mark.row("E085")
@pytest.mark.parametrize("released", [False, True])
async def test_two_items_share_a_full_licence_otherwise(s: Scenario, released: bool) -> None:
    await s.accepted("M1", item(A=40), item(A=60))
    if released:
        await s.released("M1")
    await s.amended("M1", item(A=50), item(A=50))
    assert await s.balance("A") == ("0/100/0" if released else "100/0/0")
    assert await s.verdict("M1") == "OK_ADJUSTED, OK_ADJUSTED"


@pytest.mark.row("E085")
@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 2)])
async def test_an_item_of_a_full_licence_gets_another_number(s: Scenario, old: int, new: int, released: bool) -> None:
    await s.accepted("M1", item(A=100, number=old))
    if released:
        await s.released("M1")
    await s.amended("M1", item(A=100, number=new))
    assert await s.balance("A") == ("0/100/0" if released else "100/0/0")
    assert "INCIDENT POST_RELEASE_INCREASE" not in await s.notifications("A")


async def test_a_renumbered_item_without_room_leaves_the_old_one_as_it_is(s: Scenario) -> None:
    await s.accepted("M1", item(A=40, number=1))
    await s.released("M1")
    await s.amended("M1", item(A=145, number=2))
    assert await s.balance("A") == "0/40/60"
    assert await s.verdict("M1") == "OK_CONSUMED GROUP_REFUSED, REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED"


async def test_items_of_two_licences_get_other_numbers(s: Scenario) -> None:
    await s.accepted("M1", item(A=100, number=1), item(B="50 KGM", number=2), item(V="1 NAR + 1.00 EUR", number=3))
    await s.amended("M1", item(B="50 KGM", number=5), item(A=100, number=6), item(V="1 NAR + 1.00 EUR", number=3))
    assert (await s.balance("A"), await s.balance("B"), await s.balance("V")) == ("100/0/0", "50/0/0", "1/0/9")


async def test_a_claim_moves_between_lines_under_a_full_cap(s: Scenario) -> None:
    await s.issue(licence("W", "60 NAR", "60 NAR", cap="60 NAR"))
    await s.accepted("M1", cite("W", 60, line=2))
    await s.amended("M1", cite("W", 60, line=1))
    assert (await s.balance("W", 0), await s.balance("W", 1), await s.balance("W", 2)) == ("60/0/0", "60/0/0", "0/0/60")


@pytest.mark.row("E091")
@pytest.mark.parametrize("apart", [False, True])
async def test_a_shift_inside_an_over_used_licence(s: Scenario, apart: bool) -> None:
    old, new = (cite("A", 10), cite("A", 30)), (cite("A", 20), cite("A", 20))
    await s.accepted("M1", *(map(item, old) if apart else [item(*old)]))
    await s.modify("A", "30 NAR")
    await s.amended("M1", *(map(item, new) if apart else [item(*new)]))
    assert (await s.balance("A"), await s.cap("A")) == ("40/0/0", "30 over 10")
    await s.amended("M1", item(A=35))
    assert (await s.balance("A"), await s.cap("A")) == ("35/0/0", "30 over 5")
    await s.amended("M1", item(A=36))
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"


@pytest.mark.parametrize("group", list(SettleGroup))
async def test_more_of_one_item_and_nothing_of_the_other_is_released(
    with_policy: MakeScenario, group: SettleGroup
) -> None:
    s = await with_policy(Policy(settle_group=group))
    await s.accepted("M1", item(A=60), item(A=40))
    more = s.customs.released("M1", item(A=65)).facts.releases
    stamp = more[0][1].stamp
    facts = Facts(releases=(*more, (2, ItemRelease(stamp, released=False))))
    await s.tell(s.customs.event("M1", EventKind.RELEASED, facts, stamp))
    assert await s.balance("A") == "0/65/35"
    await s.finish()


@pytest.mark.parametrize("figures", [(45, 55), (55, 45)])
async def test_two_documents_of_one_item_are_released_otherwise(s: Scenario, figures: tuple[int, int]) -> None:
    await s.accepted("M1", item(cite("A", 40), cite("A", 60)))
    first, second = (cite("A", figure, seq=seq) for seq, figure in enumerate(figures, start=1))
    await s.released("M1", item(first, second))
    assert await s.balance("A") == "0/100/0"
    assert await s.verdict("M1") == "OK_CONSUMED, OK_CONSUMED"


async def test_the_value_rises_after_the_quantity_is_used_up(s: Scenario) -> None:
    await s.accepted("M1", V="10 NAR + 20000.00 EUR")
    await s.released("M1")
    assert await s.status("V") == "Exhausted"
    await s.amended("M1", V="10 NAR + 20001.00 EUR")
    assert await s.values("V") == "0/20001/29999"
    await s.accepted("M2", V="1 NAR + 1.00 EUR")
    assert await s.verdict("M2") == "REFUSED STATUS_EXHAUSTED QUANTITY_EXCEEDED"


# -- the citation moves


@pytest.mark.row("E079")
async def test_a_move_after_release_without_room_changes_nothing(s: Scenario) -> None:
    await s.issue(licence("C", "10 NAR"))
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.amended("M1", C=40)
    assert (await s.balance("A"), await s.balance("C")) == ("0/40/60", "0/0/10")
    assert await s.verdict("M1") == "OK_CONSUMED GROUP_REFUSED, REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED"
    assert await s.notifications("C") == ["INCIDENT OVER_USE"]


@pytest.mark.row("E079")
async def test_a_move_after_release_with_room_is_one_change(s: Scenario) -> None:
    await s.issue(licence("C", "50 NAR"))
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.amended("M1", C=40)
    assert (await s.balance("A"), await s.balance("C")) == ("0/0/100", "0/40/10")
    assert await s.verdict("M1") == "OK_WITHDRAWN, OK_ADJUSTED"


async def test_goods_released_after_a_refused_move_left_on_the_old_licence(s: Scenario) -> None:
    await s.issue(licence("C", "10 NAR"))
    await s.accepted("M1", A=40)
    await s.amended("M1", C=40)
    await s.released("M1")
    assert (await s.balance("A"), await s.balance("C")) == ("0/40/60", "0/0/10")
    assert await s.verdict("M1") == "OK_CONSUMED GROUP_REFUSED, UNCOVERED UNCOVERED QUANTITY_EXCEEDED"
    await s.exited("M1")
    assert await s.balance("A") == "0/40/60"
    await s.invalidated("M1")
    assert await s.balance("A") == "0/0/100"


async def test_a_refused_move_that_fits_at_release_is_made(s: Scenario) -> None:
    await s.issue(licence("C", "50 NAR"))
    await s.accepted("M2", C=20)
    await s.accepted("M1", A=40)
    await s.amended("M1", C=40)
    await s.not_released("M2")
    await s.released("M1")
    assert (await s.balance("A"), await s.balance("C")) == ("0/0/100", "0/40/10")


async def test_an_item_added_after_release_without_room_is_refused(s: Scenario) -> None:
    await s.accepted("M1", item(A=100))
    await s.released("M1")
    await s.amended("M1", item(A=100), item(A=5))
    assert await s.balance("A") == "0/100/0"
    assert await s.verdict("M1") == "OK_CONSUMED, REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED"
    before = await s.notifications("A")
    await s.exited("M1")
    assert await s.notifications("A") == before
    assert await s.verdict("M1") == "OK_CONSUMED, REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED"


@pytest.mark.row("E028")
async def test_content_first_told_after_a_partial_release_is_no_amendment(s: Scenario) -> None:
    told = s.customs.accepted("M1", A=40, at="2026-03-01T12:00")
    await s.tell(s.customs.released("M1", A=30))
    await s.tell(told)
    assert await s.balance("A") == "0/30/70"
    assert await s.verdict("M1") == "OK_CONSUMED"


# -- waiting


@pytest.mark.row("E025")
async def test_an_unknown_licence_holds_up_neither_release_nor_refusal(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", A=40, X=1)
    assert await s.balance("A") == "40/0/60"
    await s.released("M1")
    assert (await s.balance("A"), await s.verdict("M1")) == ("0/40/60", "OK_CONSUMED, WAITING NOT_FOUND")
    await s.issue(licence("X", "10 NAR"))
    await s.wake()
    assert await s.balance("X") == "0/1/9"
    await s.amended("M1", A=40, X=1, Y=1)
    await s.not_released("M1", 1)
    assert (await s.balance("A"), await s.balance("X")) == ("0/0/100", "0/0/10")
    assert (await s.sound()).parked == set()


async def test_goods_released_on_a_licence_not_known_yet_are_counted_on_the_one_they_left(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", X=40)
    await s.released("M1")
    assert (await s.balance("A"), await s.verdict("M1")) == ("0/40/60", "OK_CONSUMED GROUP_REFUSED, WAITING NOT_FOUND")
    await s.issue(licence("X", "50 NAR"))
    await s.wake()
    assert (await s.balance("A"), await s.balance("X")) == ("0/0/100", "0/40/10")


async def test_an_item_released_among_others_that_wait(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(settle_group=SettleGroup.DECLARATION))
    await s.accepted("M1", item(A=40))
    await s.amended("M1", item(A=40), item(X=1))
    await s.not_released("M1", 1)
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M1") == "OK_UNRESERVED NOT_RELEASED, WAITING NOT_FOUND"
    await s.finish()


async def test_released_and_asking_items_with_a_dropped_document(with_policy: MakeScenario) -> None:
    """What the released item frees is given back only when nothing of the declaration is left uncovered."""
    s = await with_policy(Policy(settle_group=SettleGroup.DECLARATION))
    await s.issue(licence("C", "10 NAR"))
    await s.accepted("M1", item(A=40), item(A=20))
    await s.amended("M1", item(C=40), item(A=20))
    await s.released("M1", item(cite("C", 40)))
    assert await s.balance("A") == "20/40/40"
    assert (await s.verdict("M1")).startswith("OK_CONSUMED GROUP_REFUSED, UNCOVERED UNCOVERED QUANTITY_EXCEEDED, ")
    await s.amended("M1", item(C=10), item(A=20))
    assert (await s.balance("A"), await s.balance("C")) == ("20/0/80", "0/10/0")
    await s.finish()


async def test_a_claim_that_can_never_be_granted_waits_for_nobody(s: Scenario) -> None:
    await s.accepted("M1", cite("X", 5, code="X069"))
    assert await s.verdict("M1") == "REFUSED UNKNOWN_DOC_TYPE NOT_FOUND"
    await s.accepted("M2", item(X=5, A=0))
    assert await s.verdict("M2") == "REFUSED GROUP_REFUSED, REFUSED INVALID_QUANTITY"
    assert (await s.sound()).parked == set()


async def test_a_code_of_an_issuers_own_may_wait(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(further_codes=frozenset({"9999"})))
    await s.accepted("M1", cite("X", 5, code="9999"))
    assert await s.verdict("M1") == "WAITING NOT_FOUND"
    await s.issue(licence("X", "10 NAR", document_code="9999", valid_to=date(2026, 12, 31)))
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED"
    await s.finish()


# -- what was released stays a matter of record


@pytest.mark.parametrize("first", ["accepted", "released"])
async def test_an_amendment_that_waits_leaves_what_was_released_without_limit(s: Scenario, first: str) -> None:
    """Looked at again, it says the same: no new outcome, and the licence without limit stays as it was recorded."""
    await s.issue(licence("N", ""))
    accepted = s.customs.accepted("M1", N=1)
    steps = [accepted, s.customs.released("M1")]
    for command in steps if first == "accepted" else reversed(steps):
        await s.tell(command)
    await s.amended("M1", N=1, X=1)
    seen = []
    for _ in range(3):
        await s.tell(s.customs.bare("M1", EventKind.NOTED))
        seen.append((await s.dv("M1"), [(claim.state, claim.outcome) for claim in await s.claims("M1")]))
    assert seen[0] == seen[1] == seen[2]
    assert [state for state, _ in seen[0][1]] == ["CONSUMED", "WAITING"]
    await s.issue(licence("X", "10 NAR"))
    await s.wake()
    assert await s.balance("X") == "0/1/9"


@pytest.mark.parametrize("late", [False, True], ids=["acceptance first", "acceptance last"])
async def test_goods_that_left_without_cover_are_never_told_refused(s: Scenario, late: bool) -> None:
    """An amendment of them, and an acceptance told late, leave them what they are: recorded, and partly uncovered."""
    await s.modify("A", "6 NAR")
    accepted = s.customs.accepted("M2", A=5, version=1, at="2026-03-01T09:00", on="2027-02-01")
    steps = [
        s.customs.released("M2"),
        s.customs.amended("M2", item(cite("A", 5), cite("A", 5)), version=2),
        s.customs.amended("M2", A=10, version=4),
        s.customs.released("M2"),
        s.customs.amended("M2", A=10, version=6),
    ]
    for command in [*steps, accepted] if late else [accepted, *steps]:
        await s.tell(command)
    seen = []
    for _ in range(2):
        await s.tell(s.customs.bare("M2", EventKind.NOTED))
        seen.append((await s.dv("M2"), await s.verdict("M2")))
    assert seen[0] == seen[1]
    assert seen[0][1].startswith("UNCOVERED")
