"""Amendments as United Kingdom declarants send them: the whole declaration with pointers, or changed branches."""

from __future__ import annotations

from itertools import permutations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand
from tests.support.scenario import Scenario
from tests.support.wco_words import (
    INVOICE,
    MRN,
    Doc,
    Goods,
    Place,
    acceptance,
    amendment,
    branches,
    clearance,
    decision,
    goods,
    lodging,
    uk_licence,
)

ONE, TWO, OTHER_LINE = Doc("LIC1-0001", "10"), Doc("LIC2-0001", "5"), Doc("LIC1-0002", "10")
LICENCES = (uk_licence("LIC1", "100 NAR", "100 NAR"), uk_licence("LIC2", "100 NAR"))

Life = list[DeclarationCommand]


def life(before: tuple[Goods, ...], request: DeclarationCommand, status: str = "39") -> Life:
    """Lodged, accepted, an amendment asked for and decided."""
    return [lodging(before), acceptance(), request, decision(status)]


async def held(s: Scenario) -> tuple[str, str, str]:
    """Reserved/consumed/available of the two lines of the first licence and of the second licence."""
    return await s.balance("GB/LIC1"), await s.balance("GB/LIC1", 2), await s.balance("GB/LIC2")


def reserved(first: int, other: int, second: int) -> tuple[str, str, str]:
    """The same in figures that are reserved."""
    one, two, three = (f"{figure}/0/{100 - figure}" for figure in (first, other, second))
    return one, two, three


async def unmerged(s: Scenario) -> list[str]:
    """Places that the last outcome says were not carried out."""
    findings = (await s.messages("outcome", MRN))[-1]["findings"]
    return [finding["field"] for finding in findings if finding["code"] == "AMENDMENT_UNMERGED"]


async def told(s: Scenario, commands: Life) -> None:
    await s.issue(*LICENCES)
    for command in commands:
        await s.tell(command)
    await s.wake()


WHOLE: dict[str, tuple[tuple[Goods, ...], tuple[Goods, ...], tuple[Place, ...], tuple[int, int, int]]] = {
    "removed": (goods([ONE, TWO]), goods([ONE]), ((1, 2),), (10, 0, 0)),
    "exchanged": (goods([INVOICE, ONE]), goods([INVOICE, Doc("LIC2-0001", "10")]), ((1, 2, "D005"),), (0, 0, 10)),
    "removed after others": (goods([INVOICE, ONE, TWO]), goods([INVOICE, ONE]), ((1, 3),), (10, 0, 0)),
    "line exchanged": (goods([INVOICE, ONE]), goods([INVOICE, OTHER_LINE]), ((1, 2, "D005"),), (0, 10, 0)),
    "moved": (goods([ONE, TWO]), goods([TWO, ONE]), ((1, 1), (1, 2)), (10, 0, 5)),
    "moved up": (goods([INVOICE, ONE, TWO]), goods([ONE, TWO]), ((1, 1), (1, 2), (1, 3)), (10, 0, 5)),
    "moved up, only the removed place named": (goods([INVOICE, ONE, TWO]), goods([ONE, TWO]), ((1, 1),), (10, 0, 5)),
    "quantity": (goods([INVOICE, ONE]), goods([INVOICE, Doc("LIC1-0001", "7")]), ((1, 2, "22C.502"),), (7, 0, 0)),
    "added": (goods([ONE]), goods([ONE, TWO]), ((1, 2),), (10, 0, 5)),
    "all removed": (goods([ONE, TWO]), goods([INVOICE]), ((1, 1), (1, 2)), (0, 0, 0)),
    "cited twice": (goods([ONE]), goods([ONE, Doc("LIC1-0001", "4")]), ((1, 2),), (14, 0, 0)),
    "item removed": (goods([ONE], [TWO]), (Goods(2, (TWO,)),), ((1,),), (0, 0, 5)),
    "item removed, numbered anew": (goods([ONE], [TWO], [OTHER_LINE]), goods([TWO], [OTHER_LINE]), ((1,),), (0, 10, 5)),
    "item added": (goods([ONE]), goods([ONE], [TWO]), ((2,),), (10, 0, 5)),
    "nothing pointed at": (goods([ONE, TWO]), goods([TWO]), (), (0, 0, 5)),
}


@pytest.mark.parametrize("how", WHOLE)
async def test_of_a_whole_declaration_the_difference_decides(s: Scenario, how: str) -> None:
    before, after, places, expected = WHOLE[how]
    await told(s, life(before, amendment(after, *places)))
    assert (await held(s), await unmerged(s)) == (reserved(*expected), [])


@pytest.mark.parametrize("how", ["removed", "exchanged", "removed after others", "line exchanged", "item removed"])
async def test_a_whole_declaration_on_postgres(pg: Scenario, how: str) -> None:
    before, after, places, expected = WHOLE[how]
    await told(pg, life(before, amendment(after, *places)))
    assert (await held(pg), await unmerged(pg)) == (reserved(*expected), [])


@pytest.mark.parametrize("how", ["removed", "exchanged", "line exchanged"])
async def test_after_release_the_difference_is_withdrawn_or_consumed(s: Scenario, how: str) -> None:
    before, after, places, expected = WHOLE[how]
    request, granted = amendment(after, *places, minute=40), decision("39", 50)
    await told(s, [lodging(before), acceptance(), clearance(), request, granted])
    one, two, three = (f"0/{figure}/{100 - figure}" for figure in expected)
    assert await held(s) == (one, two, three)


@pytest.mark.parametrize("how", ["removed", "exchanged", "line exchanged"])
@pytest.mark.parametrize("status", ["39", "41"])
async def test_every_order_has_one_end(how: str, status: str) -> None:
    before, after, places, expected = WHOLE[how]
    asked = (10, 0, 5 if how == "removed" else 0)
    for order in permutations(life(before, amendment(after, *places), status)):
        s = Scenario(InMemoryStore())
        await told(s, list(order))
        assert await held(s) == reserved(*(expected if status == "39" else asked))
        await s.finish()


UNNAMED: dict[str, tuple[tuple[Goods, ...], tuple[Goods, ...], tuple[Place, ...], tuple[int, int, int], list[str]]] = {
    "a licence left out": (
        goods([ONE, TWO]), goods([Doc("LIC2-0001", "7")]), ((1, 2),), (10, 0, 7), ["items[1].documents[1]"],
    ),
    "documents left out": (goods([ONE, TWO]), goods([]), ((1, "23A.128"),), (10, 0, 5),
                           ["items[1].documents[1]", "items[1].documents[2]"]),
    "an item left out": (goods([TWO], [ONE]), (Goods(2, (Doc("LIC1-0001", "7"),)),), ((2, 1),), (7, 0, 5), ["items[1]"]),
    "an item that is nowhere": (goods([ONE]), goods([Doc("LIC1-0001", "7")]), ((1, 1), (9,)), (7, 0, 0), ["items[9]"]),
    "an item without licence left out": (goods([INVOICE], [ONE]), (Goods(2, (TWO,)),), ((2, 1),), (0, 0, 5), []),
}  # fmt: skip


@pytest.mark.parametrize("how", UNNAMED)
async def test_what_is_missing_from_a_whole_declaration_and_no_pointer_names_stays(s: Scenario, how: str) -> None:
    before, after, places, expected, findings = UNNAMED[how]
    await told(s, life(before, amendment(after, *places)))
    assert (await held(s), await unmerged(s)) == (reserved(*expected), findings)


BRANCHES: dict[str, tuple[tuple[Goods, ...], tuple[Goods, ...], tuple[Place, ...], tuple[int, int, int], list[str]]] = {
    "a figure": (goods([ONE, TWO]), branches([Doc("", "7", code="")]), ((1, 2, "22C.502"),), (10, 0, 7), []),
    "exchanged": (goods([INVOICE, ONE]), branches([TWO]), ((1, 2),), (0, 0, 5), []),
    "taken out": (goods([ONE, TWO]), (), ((1, 2),), (10, 0, 0), []),
    "taken out by the quantity 0": (
        goods([ONE, TWO]), branches([Doc("", "0", code="")]), ((1, 2, "22C.502"),), (10, 0, 0), [],
    ),
    "added": (goods([ONE]), branches([TWO]), ((1, 2),), (10, 0, 5), []),
    "exchanged by each other": (goods([ONE, TWO]), branches([TWO, ONE]), ((1, 1), (1, 2)), (10, 0, 5), []),
    "added under its item": (goods([ONE]), branches([TWO]), ((1,),), (10, 0, 5), []),
    "what is left after a removal": (
        goods([ONE, TWO]), branches([ONE]), ((1, 2),), (10, 0, 5), ["items[1].documents[2]"],
    ),
    "the same licence at a new place": (
        goods([ONE]), branches([Doc("LIC1-0001", "4")]), ((1, 2),), (10, 0, 0), ["items[1].documents[2]"],
    ),
    "the same line, spelt otherwise": (
        goods([ONE]), branches([Doc("LIC1-00001", "4")]), ((1, 2),), (10, 0, 0), ["items[1].documents[2]"],
    ),
    "documents that are no licences": (
        goods([INVOICE, ONE]), branches([INVOICE, INVOICE]), ((1, 1),), (10, 0, 0), [],
    ),
    "more documents than places": (
        goods([INVOICE, ONE, TWO]), branches([INVOICE, ONE]), ((1, 3),), (10, 0, 5), ["items[1].documents[3]"],
    ),
    "fewer documents than places": (
        goods([ONE, TWO]), branches([OTHER_LINE]), ((1, 1), (1, 2)), (10, 0, 5),
        ["items[1].documents[1]", "items[1].documents[2]", "items[1].documents[1]"],
    ),
    "unnamed, another figure": (
        goods([ONE]), branches([Doc("LIC1-0001", "7")]), ((1, "23A.128"),), (10, 0, 0), ["items[1].documents[1]"],
    ),
    "unnamed, as it is": (goods([ONE]), branches([ONE]), ((1, "23A.128"),), (10, 0, 0), []),
    "unnamed and new": (goods([ONE]), branches([TWO]), ((1, "23A.128"),), (10, 0, 0), ["items[1].documents[1]"]),
    "without pointers": (goods([ONE]), branches([Doc("LIC1-0001", "7")]), (), (7, 0, 0), []),
    "without pointers, new": (goods([ONE]), branches([TWO]), (), (10, 0, 0), ["items[1].documents[1]"]),
    "a licence that is none any more": (
        goods([ONE]), branches([Doc("LIC1-0001", status="XX")]), ((1, 1),), (10, 0, 0), ["items[1].documents[1]"],
    ),
    "the quantity 0 without place": (
        goods([ONE]), branches([Doc("LIC1-0001", "0")]), ((1,),), (10, 0, 0), ["items[1].documents[1]"],
    ),
    "an item that is nowhere": (goods([ONE]), (), ((9,),), (10, 0, 0), ["items[9]"]),
}  # fmt: skip


@pytest.mark.parametrize("how", BRANCHES)
async def test_of_branches_only_what_fits_without_doubt_is_carried_out(s: Scenario, how: str) -> None:
    before, after, places, expected, findings = BRANCHES[how]
    await told(s, life(before, amendment(after, *places)))
    assert (await held(s), await unmerged(s)) == (reserved(*expected), findings)
