"""A simplified declaration and the one that supplements it with the status `already attributed`; the quantity 0."""

from __future__ import annotations

from itertools import permutations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand
from tests.support.scenario import Scenario
from tests.support.wco_words import MRN, Doc, acceptance, amendment, clearance, decision, goods, lodging, uk_licence

SECOND_MRN, SECOND_LRN = "26GB8SM41QWZ30M9S7", "NWT-26-00731-Y"
PART, ATTRIBUTED = Doc("LIC1-0001", "10", "EP"), Doc("LIC1-0001", "10", "EA")


def simplified() -> list[DeclarationCommand]:
    return [lodging(goods([PART]), kind="EXC"), acceptance(), clearance()]


def supplementary(document: Doc = ATTRIBUTED, previous: str = "") -> list[DeclarationCommand]:
    return [
        lodging(goods([document]), kind="EXY", lrn=SECOND_LRN, minute=40, previous=previous),
        acceptance(45, lrn=SECOND_LRN, mrn=SECOND_MRN),
        clearance(50, lrn=SECOND_LRN, mrn=SECOND_MRN),
    ]


async def told(s: Scenario, *commands: DeclarationCommand) -> str:
    await s.issue(uk_licence("LIC1", "100 NAR"))
    for command in commands:
        await s.tell(command)
    await s.wake()
    return await s.balance("GB/LIC1")


async def remarks(s: Scenario, decl_id: str) -> list[str]:
    said = await s.messages("outcome", decl_id)
    return [finding["code"] for message in said for finding in message["findings"]]


@pytest.mark.parametrize("previous", ["", MRN])
async def test_what_the_simplified_declaration_wrote_off_is_not_written_off_again(s: Scenario, previous: str) -> None:
    assert await told(s, *simplified(), *supplementary(previous=previous)) == "0/10/90"
    said = await remarks(s, SECOND_MRN) + await remarks(s, f"GB123456789012/{SECOND_LRN}")
    assert "STATUS_ATTRIBUTED" in said


async def test_the_same_on_postgres(pg: Scenario) -> None:
    assert await told(pg, *simplified(), *supplementary()) == "0/10/90"


@pytest.mark.parametrize("previous", ["", MRN])
async def test_in_whatever_order_the_two_arrive(previous: str) -> None:
    first, second = simplified(), supplementary(previous=previous)
    for order in permutations([first[0], first[2], second[0], second[2]]):
        s = Scenario(InMemoryStore())
        assert await told(s, first[1], *order, second[1]) == "0/10/90"
        await s.finish()


async def test_with_another_status_a_supplementary_declaration_that_names_none_still_books_nothing(s: Scenario) -> None:
    assert await told(s, *simplified(), *supplementary(PART)) == "0/10/90"
    assert "SIMPLIFIED_NOT_NAMED" in await remarks(s, SECOND_MRN)


async def test_with_another_status_and_a_name_it_replaces_what_the_simplified_one_said(s: Scenario) -> None:
    assert await told(s, *simplified(), *supplementary(Doc("LIC1-0001", "8", "EP"), MRN)) == "0/8/92"


async def test_a_supplementary_declaration_may_state_another_licence_beside_an_attributed_one(s: Scenario) -> None:
    await s.issue(uk_licence("LIC2", "100 NAR"))
    second = supplementary(previous=MRN)
    both = lodging(
        goods([ATTRIBUTED, Doc("LIC2-0001", "3", "EP")]), kind="EXY", lrn=SECOND_LRN, minute=40, previous=MRN
    )
    assert await told(s, *simplified(), both, *second[1:]) == "0/10/90"
    assert await s.balance("GB/LIC2") == "0/3/97"


async def test_one_licence_under_two_statuses_is_written_off_once(s: Scenario) -> None:
    documents = [PART, Doc("LIC1-0001", "", "EA")]
    assert await told(s, lodging(goods(documents)), acceptance(), clearance()) == "0/10/90"


@pytest.mark.parametrize("released", [False, True])
async def test_an_amendment_to_the_quantity_0_frees_what_is_held(s: Scenario, released: bool) -> None:
    life = [lodging(goods([PART])), acceptance(), *([clearance()] if released else [])]
    zero = goods([Doc("LIC1-0001", "0", "EP")])
    life += [amendment(zero, (1, 1, "22C.502"), minute=40), decision("39", 50)]
    assert await told(s, *life) == "0/0/100"
    assert await s.status("GB/LIC1") == "Valid"


async def test_goods_declared_with_the_quantity_0_are_released_without_incident(s: Scenario) -> None:
    assert await told(s, lodging(goods([Doc("LIC1-0001", "0", "EP")])), acceptance(), clearance()) == "0/0/100"
    assert "QUANTITY_ZERO" in await remarks(s, MRN) + await remarks(s, "GB123456789012/NWT-26-00731")
    assert await s.notifications("GB/LIC1") == []
