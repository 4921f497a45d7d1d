"""Simplified declarations and their supplementary ones: one instrument (UCC Art. 167(4)), written off once."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.executor import Executor
from tests.support.ledger_words import Goods, cite, item, licence, mrn_of, simplified
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable


def simple(s: Scenario, name: str, *, released: bool = True, **claims: object) -> list[DeclarationCommand]:
    """A simplified declaration, accepted and released."""
    accepted = s.customs.accepted(name, lrn="", about={"additional_type": "C"}, **claims)
    return [accepted, s.customs.released(name)] if released else [accepted]


async def play(s: Scenario, *commands: DeclarationCommand) -> None:
    """Tell one after the other, and let the worker follow."""
    for command in commands:
        await s.tell(command)
        await s.wake()


async def findings(s: Scenario, name: str) -> list[str]:
    """Codes of what customs heard last about a declaration beside its claims."""
    told = await s.messages("outcome", mrn_of(name))
    return [finding["code"] for finding in told[-1]["findings"]] if told else []


async def consumed(s: Scenario, name: str) -> list[str]:
    """What the claims of a declaration consume."""
    return [format_decimal(claim.consumed.quantity) for claim in await s.claims(name) if claim.holds]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Scenario:
    """The catalogue's licences on either store."""
    scenario: Scenario = request.getfixturevalue("s" if request.param == "memory" else "pg")
    return scenario


# -- several simplified declarations


@pytest.mark.row("E088", "R18")
async def test_one_supplementary_declaration_for_two_is_consumed_once(both: Scenario) -> None:
    s = both
    told = [*simple(s, "M1", A=40), *simple(s, "M2", A=20)]
    told += [s.customs.supplementing("M7", item(A=40), item(A=20), of=("M1", "M2")), s.customs.released("M7")]
    await play(s, *told)
    assert await s.balance("A") == "0/60/40"
    assert (await consumed(s, "M1"), await consumed(s, "M2"), await consumed(s, "M7")) == (["40"], ["20"], [])
    assert await s.movements("A") == ["RESERVE +40/0", "CONSUME -40/+40", "RESERVE +20/0", "CONSUME -20/+20"]


@pytest.mark.parametrize("figure", [57, 63], ids=["less", "more"])
async def test_a_difference_of_the_totals_is_carried_in_order_of_the_mrns(both: Scenario, figure: int) -> None:
    s = both
    await play(
        s, *simple(s, "M1", A=40), *simple(s, "M2", A=20), s.customs.supplementing("M7", of=("M1", "M2"), A=figure)
    )
    assert await s.balance("A") == f"0/{figure}/{100 - figure}"
    assert (await consumed(s, "M1"), await consumed(s, "M2")) == (["40"], [str(figure - 40)])
    assert await findings(s, "M2") == ["SUPPLEMENTARY_DIFFERENCE"]


async def test_items_that_name_an_item_change_that_item_and_no_other(both: Scenario) -> None:
    s = both
    first = s.customs.accepted("M1", item(A=10), item(A=30), lrn="")
    last = [item(A=28, about={"simplified": simplified("M1-2")}), item(A=21, about={"simplified": simplified("M2")})]
    await play(s, first, s.customs.released("M1"), *simple(s, "M2", A=20), s.customs.supplementing("M7", *last))
    assert await s.balance("A") == "0/59/41"
    assert (await consumed(s, "M1"), await consumed(s, "M2")) == (["10", "28"], ["21"])


@pytest.mark.parametrize("wrong", ["unit", "licence", "unknown", "half released", "no such item", "no figure"])
async def test_what_cannot_be_allocated_leaves_the_simplified_figures_and_says_so(s: Scenario, wrong: str) -> None:
    told = [*simple(s, "M1", A=40), *simple(s, "M2", A=20, released=wrong != "half released")]
    cited = {"unit": [cite("A", "63 KGM")], "licence": [cite("A", 60), cite("B", 3)], "no figure": [cite("A", "3 EUR")]}
    named = {"unknown": ("M1", "M3"), "no such item": ("M1-9",)}.get(wrong, ("M1", "M2"))
    told.append(s.customs.supplementing("M7", item(*cited.get(wrong, [cite("A", 63)])), of=named))
    await play(s, *told)
    assert await s.balance("A") == ("20/40/40" if wrong == "half released" else "0/60/40")
    assert await findings(s, "M7") == ["SUPPLEMENTARY_UNALLOCATED"]


@pytest.mark.row("E088", "R18")
async def test_one_for_a_period_that_names_one_of_two_is_not_allocated(both: Scenario) -> None:
    """It states the goods of both: whose the second item is nobody can tell, and it is written off already."""
    s = both
    told = s.customs.supplementing("M7", item(A=30), item(A=12), of=["M1"])
    await play(s, *simple(s, "M1", A=30), *simple(s, "M2", A=12), told, s.customs.released("M7"))
    assert await s.balance("A") == "0/42/58"
    assert await findings(s, "M7") == ["SUPPLEMENTARY_UNALLOCATED"]
    assert (await consumed(s, "M1"), await consumed(s, "M2")) == (["30"], ["12"])


@pytest.mark.parametrize(
    ("type_", "items", "balance", "told"),
    [
        ("Y", (item(A=18), item(A=12)), "0/30/70", []),
        ("Z", (item(A=18), item(A=13)), "0/30/70", ["SUPPLEMENTARY_UNALLOCATED"]),
        ("X", (item(A=18), item(A=13)), "0/31/69", []),
        ("Y", (item(A=31),), "0/31/69", []),
        ("U", (item(A=30), item(B="2 KGM")), "0/30/70", ["SUPPLEMENTARY_UNALLOCATED"]),
        ("V", (item(A=18), item(cite("A", "0.5 EUR"))), "0/30/70", ["SUPPLEMENTARY_UNALLOCATED"]),
        ("Y", (item(A=18), item(A=13, about={"simplified": simplified("M1-1")})), "0/31/69", []),
    ],
    ids=[
        "shared out",
        "more in all",
        "for one",
        "one item",
        "another licence",
        "another measure",
        "named item by item",
    ],
)
async def test_goods_that_the_named_one_does_not_have_are_its_own_within_its_figures(
    s: Scenario, type_: str, items: tuple[Goods, ...], balance: str, told: list[str]
) -> None:
    await play(s, *simple(s, "M1", A=30), s.customs.supplementing("M7", *items, of=["M1"], type_=type_))
    assert (await s.balance("A"), await findings(s, "M7")) == (balance, told)


async def test_a_supplementary_declaration_for_many(s: Scenario) -> None:
    """Each wake of the instrument locks all of it; what does not change is not written."""
    names = [f"M{number}" for number in range(1, 41)]
    for name in names:
        await s.tell(*simple(s, name, A=1))
    await play(s, s.customs.supplementing("N1", of=names, A=40), s.customs.released("M7"))
    assert await s.balance("A") == "0/40/60"
    assert await s.dv("M8") == 2


# -- several supplementary declarations


async def test_two_supplementary_declarations_share_a_simplified_one(both: Scenario) -> None:
    s = both
    await play(s, *simple(s, "M1", A=50), s.customs.supplementing("M7", of=["M1"], A=25))
    assert await s.balance("A") == "0/25/75"
    await play(s, s.customs.supplementing("M8", of=["M1"], A=15))
    assert await s.balance("A") == "0/40/60"
    assert await consumed(s, "M1") == ["40"]


async def test_one_that_an_amendment_names_no_more_has_its_own_figure_again(both: Scenario) -> None:
    s = both
    first = [item(A=30), item(A=25, about={"simplified": simplified("M2")})]
    await play(s, *simple(s, "M1", A=30), *simple(s, "M2", A=12), s.customs.supplementing("M7", *first, of=["M1"]))
    assert await s.balance("A") == "0/55/45"
    await play(s, s.customs.amended("M7", A=29, about={"additional_type": "Y"}))
    assert (await s.balance("A"), await consumed(s, "M2")) == ("0/41/59", ["12"])


async def test_goods_of_other_kinds_keep_items_of_their_own(s: Scenario) -> None:
    other = {"commodity": "84571010"}
    await s.issue(licence("C", "90 NAR", version=1))
    await play(s, *simple(s, "M1", A=50), s.customs.supplementing("M7", of=["M1"], A=25))
    await play(s, s.customs.supplementing("M8", item(cite("A", 5, line=None), cite("C", 9), about=other), of=["M1"]))
    assert [claim.key.item for claim in await s.claims("M1") if claim.holds] == [1]
    assert {claim.key.item for claim in await s.claims("M1")} == {1, 10_000}


@pytest.mark.row("R18")
async def test_an_invalidated_supplementary_declaration_loses_its_effect_and_another_counts(both: Scenario) -> None:
    s = both
    await play(s, *simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30))
    assert await s.balance("A") == "0/30/70"
    await play(s, s.customs.invalidated("M7"))
    assert await s.balance("A") == "0/40/60"
    await play(s, s.customs.supplementing("M8", of=["M1"], A=39))
    assert await s.balance("A") == "0/39/61"
    declared = (await s.sound()).declarations[mrn_of("M1")].facts.payload
    assert declared is not None
    assert str(declared.items[0].claims[0].quantity) == "40 NAR", "what customs told of the simplified one stays"


async def test_an_amendment_that_names_another_simplified_declaration_lets_the_first_one_go(both: Scenario) -> None:
    s = both
    told = [item(A=25, about={"simplified": simplified("M2")}), item(A=26, about={"simplified": simplified("M1")})]
    await play(s, *simple(s, "M1", A=10), *simple(s, "M2", A=20), s.customs.supplementing("M7", told[0]))
    assert (await consumed(s, "M1"), await consumed(s, "M2")) == (["10"], ["25"])
    await play(s, s.customs.supplementing("M7", told[1], version=2))
    assert (await consumed(s, "M1"), await consumed(s, "M2")) == (["26"], ["20"])
    assert await s.balance("A") == "0/46/54"


async def test_one_that_names_none_is_told_and_books_nothing(both: Scenario) -> None:
    s = both
    await play(s, *simple(s, "M1", A=40))
    for type_ in "UVXYZ":
        await play(s, s.customs.accepted(f"M7{type_}", lrn="", about={"additional_type": type_}, A=40))
        assert await findings(s, f"M7{type_}") == ["SIMPLIFIED_NOT_NAMED"]
    assert await s.balance("A") == "0/40/60"


async def test_one_that_customs_do_not_release_corrects_nothing(s: Scenario) -> None:
    await play(s, *simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30), s.customs.not_released("M7"))
    assert await s.balance("A") == "0/40/60"
    assert await findings(s, "M7") == ["SUPPLEMENTARY_NOT_RELEASED"]
    await play(s, s.customs.released("M7"))
    assert await s.balance("A") == "0/30/70"


async def test_an_item_that_cites_no_licence_says_nothing_about_one(s: Scenario) -> None:
    """The licence was attributed with the simplified declaration and is not repeated."""
    await play(s, *simple(s, "M1", A=40), s.customs.supplementing("M7", item(), of=["M1"]), s.customs.released("M7"))
    assert await s.balance("A") == "0/40/60"


async def test_a_supplementary_declaration_of_a_supplementary_one_moves_nothing(s: Scenario) -> None:
    await play(s, *simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30))
    await play(s, s.customs.supplementing("M8", of=["M7"], A=35), s.customs.released("M8"))
    assert await s.balance("A") == "0/30/70"
    assert await findings(s, "M8") == ["SUPPLEMENTARY_UNALLOCATED"]


async def test_what_was_released_of_an_item_that_is_not_named_stays(s: Scenario) -> None:
    """Item 1 left with 35 of 40; the supplementary declaration is about item 2 only."""
    first = s.customs.accepted("M1", item(A=40), item(A=20), lrn="")
    await play(s, first, s.customs.released("M1", item(A=35), item(A=20)))
    await play(s, s.customs.supplementing("M7", item(A=19), of=["M1-2"]))
    assert await s.balance("A") == "0/54/46"


# -- orders


def _both_sides(s: Scenario) -> list[DeclarationCommand]:
    told = [*simple(s, "M1", A=40), *simple(s, "M2", A=20)]
    return [*told, s.customs.supplementing("M7", item(A=38), item(A=21), of=("M1", "M2"))]


def _replaced(s: Scenario) -> list[DeclarationCommand]:
    told = [*simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30)]
    return [*told, s.customs.invalidated("M7"), s.customs.supplementing("M8", of=["M1"], A=39)]


def _one_named_of_two(s: Scenario) -> list[DeclarationCommand]:
    told = [*simple(s, "M1", A=30), *simple(s, "M2", A=12)]
    return [*told, s.customs.supplementing("M7", item(A=30), item(A=12), of=["M1"])]


def _simplified_invalidated(s: Scenario) -> list[DeclarationCommand]:
    told = [*simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30), s.customs.released("M7")]
    return [*told, s.customs.invalidated("M1")]


def _amended(s: Scenario) -> list[DeclarationCommand]:
    told = [*simple(s, "M1", A=40), s.customs.supplementing("M7", of=["M1"], A=30)]
    return [*told, s.customs.amended("M7", A=33, about={"additional_type": "Y"}), s.customs.amended("M1", A=44)]


def _by_item(s: Scenario) -> list[DeclarationCommand]:
    first = s.customs.accepted("M1", item(A=10), item(A=30), lrn="")
    last = item(A=28, about={"simplified": simplified("M1-2")})
    return [first, s.customs.released("M1"), s.customs.supplementing("M7", last), s.customs.released("M7")]


@pytest.mark.row("E088", "R18")
@pytest.mark.parametrize(
    ("story", "balance"),
    [
        (_both_sides, "0/59/1"),
        (_one_named_of_two, "0/42/18"),
        (_replaced, "0/39/21"),
        (_simplified_invalidated, "0/0/60"),
        (_amended, "0/33/27"),
        (_by_item, "0/38/22"),
    ],
    ids=["two for one", "one named of two", "replaced", "simplified one invalidated", "amended", "by item"],
)
async def test_every_order_ends_in_the_same_balance(
    story: Callable[[Scenario], list[DeclarationCommand]], balance: str
) -> None:
    tales = Scenario(InMemoryStore())
    for number, order in enumerate(permutations(story(tales))):
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", "60 NAR"))
        for command in order:
            await s.tell(command)
            if number % 2:
                await s.wake()
        await s.wake()
        assert await s.balance("A") == balance, [command.event_id for command in order]


# -- the worker


async def test_workers_and_events_on_one_instrument_do_not_stand_in_each_other_s_way(pg: Scenario) -> None:
    names = [f"M{number}" for number in range(1, 13)]
    for name in names:
        await pg.tell(*simple(pg, name, A=2))
    others = [pg.customs.supplementing(f"N{n}", of=names[n : n + 4], A=8) for n in (0, 4, 8)]
    others.append(pg.customs.supplementing("N9", of=names, A=24))
    others += [pg.customs.exited(name) for name in reversed(names)]
    workers = [Executor(pg.store, pg.executor._documents, pg.executor._declarations._policy) for _ in range(3)]

    async def work(worker: Executor) -> None:
        while await worker.wake(2):
            pass

    for start in range(0, len(others), 4):
        batch = [pg.executor.apply([pg.delivery(one)]) for one in others[start : start + 4]]
        await asyncio.gather(*batch, *[work(worker) for worker in workers])
    await pg.wake()
    await pg.sound()
    assert not (await pg.sound()).wakes
