"""What counts of an instrument: the corners that no story of the ledger meets."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.ledger.domain.content import Item
from certex_bridge.ledger.domain.facts import DocumentFigures, Facts
from certex_bridge.ledger.domain.instrument import Counted
from certex_bridge.ledger.domain.requests import Request
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.substituting import ADDED_ITEM
from certex_bridge.ledger.domain.supplementing import emptied, names_of, supplemented
from tests.support.ledger_words import Customs, Goods, cite, item, mrn_of, payload, simplified

M1, M2, S, T = map(mrn_of, ("M1", "M2", "N7", "N8"))


class Told:
    """Facts of declarations, each told a minute after the one before."""

    def __init__(self) -> None:
        self.customs = Customs()
        self.facts: dict[str, Facts] = {}

    def simple(self, name: str, *goods: Goods) -> None:
        """A simplified declaration."""
        command = self.customs.accepted(name, *goods, lrn="")
        self.facts[mrn_of(name)] = command.facts

    def supplementing(self, name: str, *goods: Goods, of: tuple[str, ...] = ("M1",)) -> None:
        """A supplementary one."""
        self.facts[mrn_of(name)] = self.customs.supplementing(name, *goods, of=of).facts

    def released(self, name: str, *goods: Goods) -> None:
        """Released, in the order in which it is told."""
        told = self.customs.released(name, *goods).facts.releases
        known = dict(self.facts[mrn_of(name)].releases) | dict(told)
        self.facts[mrn_of(name)] = replace(self.facts[mrn_of(name)], releases=tuple(sorted(known.items())))

    def counted(self, decl_id: str = M1) -> Counted:
        """What counts of one of them."""
        return supplemented(self.facts)[decl_id]

    def items(self, decl_id: str = M1) -> list[tuple[int, list[str]]]:
        """Items with their figures."""
        content = self.counted(decl_id).facts.payload
        assert content is not None
        return [(one.number, [_figures(one, seq) for seq in range(len(one.claims))]) for one in content.items]

    def codes(self, decl_id: str = S) -> list[str]:
        """Codes of what is told about one of them."""
        return [finding.code for finding in self.counted(decl_id).findings]


def _figures(one: Item, place: int) -> str:
    claim = one.claims[place]
    return " + ".join(str(figure) for figure in (claim.quantity, claim.value) if figure is not None)


@pytest.fixture
def told() -> Told:
    """Nothing yet."""
    return Told()


def test_items_of_the_same_goods_are_added_up_with_their_measures(told: Told) -> None:
    about: dict[str, Any] = {"net_mass": Money.parse("5", "EUR").amount, "amount": Money.parse("7", "EUR")}
    told.simple("M1", item(A=9))
    told.supplementing("N7", item(cite("A", "2 NAR + 3 EUR"), cite("B", 1), about=about))
    more = [cite("A", "4 NAR + 5 EUR"), cite("A", "6 KGM"), cite("V", "8 EUR")]
    told.supplementing("N8", item(*more, about=about))
    assert told.items() == [(1, ["6 NAR + 8 EUR", "1 NAR", "6 KGM", "8 EUR"])]
    content = told.counted().facts.payload
    assert content is not None
    assert (content.items[0].net_mass, str(content.items[0].amount)) == (10, "14 EUR")
    assert [claim.doc_seq for claim in content.items[0].claims] == [1, 2, 3, 4]


def test_amounts_in_two_currencies_are_not_added(told: Told) -> None:
    told.simple("M1", item(A=9))
    told.supplementing("N7", item(A=2, about={"amount": Money.parse("7", "EUR")}))
    told.supplementing("N8", item(A=2, about={"amount": Money.parse("7", "USD")}))
    content = told.counted().facts.payload
    assert content is not None
    assert (content.items[0].amount, content.items[0].net_mass) == (None, None)


def test_other_goods_are_released_with_those_they_came_from(told: Told) -> None:
    told.simple("M1", item(A=9))
    told.released("M1", item(A=9))
    told.supplementing("N7", item(A=2))
    told.supplementing("N8", item(A=3, about={"origin": "FR"}))
    assert told.items() == [(1, ["2 NAR"]), (ADDED_ITEM, ["3 NAR"])]
    words = dict(told.counted().facts.releases)
    assert (words[ADDED_ITEM].released, words[ADDED_ITEM].figures) == (True, None)


def test_other_goods_of_an_unreleased_item_wait_like_it(told: Told) -> None:
    told.simple("M1", item(A=9))
    told.supplementing("N7", item(A=2))
    told.supplementing("N8", item(A=3, about={"origin": "FR"}))
    assert told.items() == [(1, ["2 NAR"]), (ADDED_ITEM, ["3 NAR"])]
    assert told.counted().facts.releases == ()


def test_an_item_under_a_new_number_is_released_when_all_of_the_others_are(told: Told) -> None:
    told.simple("M1", item(A=9), item(A=9))
    told.released("M1", item(A=9, number=1))
    told.supplementing("N7", item(A=2), item(A=3, number=5))
    assert told.items() == [(1, ["9 NAR"]), (2, ["9 NAR"])]
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]
    told.released("M1", item(A=9, number=2))
    assert told.items() == [(1, ["2 NAR"]), (5, ["3 NAR"])]
    assert dict(told.counted().facts.releases)[5].released


def test_a_release_of_an_unknown_item_says_nothing_about_new_numbers(told: Told) -> None:
    told.simple("M1", item(A=9))
    told.released("M1", item(A=9, number=8))
    told.supplementing("N7", item(A=3, number=5))
    assert told.items() == [(5, ["3 NAR"])]


def test_an_item_without_licence_keeps_the_item_of_its_number(told: Told) -> None:
    told.simple("M1", item(A=9), item(A=8))
    told.supplementing("N7", item(A=7), item(number=2))
    assert told.items() == [(1, ["7 NAR"]), (2, ["8 NAR"])]
    told.supplementing("N8", item(A=1, number=2, about={"origin": "FR"}))
    assert told.items() == [(1, ["7 NAR"]), (2, ["8 NAR"]), (ADDED_ITEM, ["1 NAR"])]


def test_what_was_not_used_of_a_released_item_is_not_kept(told: Told) -> None:
    told.simple("M1", item(cite("A", 9), cite("B", 9), cite("V", 9)), item(A=8))
    told.released("M1", item(cite("A", 4), number=1))
    ((number, word),) = told.facts[M1].releases
    assert word.figures is not None
    nothing = DocumentFigures(2, Quantity(Decimal(0), "NAR"), None)
    used = replace(word, figures=(*word.figures, nothing))
    told.facts[M1] = replace(told.facts[M1], releases=((number, used),))
    told.supplementing("N7", item(A=7), of=("M1-2",))
    assert told.items() == [(1, ["4 NAR"]), (2, ["7 NAR"])]


def test_totals_in_two_dimensions_are_carried_in_each(told: Told) -> None:
    told.simple("M1", item(V="4 NAR + 40 EUR"))
    told.simple("M2", item(V="6 NAR + 60 EUR"))
    told.supplementing("N7", item(V="9 NAR + 95 EUR"), of=("M1", "M2"))
    assert (told.items(), told.items(M2)) == ([(1, ["4 NAR + 40 EUR"])], [(1, ["5 NAR + 55 EUR"])])
    assert told.codes(M2) == ["SUPPLEMENTARY_DIFFERENCE"]


def test_nothing_is_left_for_the_last(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.simple("M2", item(A=6), item(B=1))
    told.supplementing("N7", item(A=3), item(B=1), of=("M1", "M2"))
    assert (told.items(), told.items(M2)) == ([(1, ["3 NAR"])], [(1, []), (2, ["1 NAR"])])


@pytest.mark.parametrize(
    "stated", ["4 NAR + 100 EUR", "10 NAR", "10 KGM + 100 EUR"], ids=["apart", "one dimension", "another unit"]
)
def test_totals_that_cannot_be_carried_leave_everything(told: Told, stated: str) -> None:
    told.simple("M1", item(V="4 NAR + 40 EUR"))
    told.simple("M2", item(V="6 NAR + 60 EUR"))
    told.supplementing("N7", item(V=stated), of=("M1", "M2"))
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]
    assert (told.items(), told.items(M2)) == ([(1, ["4 NAR + 40 EUR"])], [(1, ["6 NAR + 60 EUR"])])


def test_a_dimension_that_only_the_supplementary_one_states_is_left(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.simple("M2", item(A=6))
    told.supplementing("N7", item(A="10 NAR + 100 EUR"), of=("M1", "M2"))
    assert (told.codes(), told.items()) == ([], [(1, ["4 NAR"])])


def test_figures_that_nobody_states_cannot_be_compared(told: Told) -> None:
    for name in ("M1", "M2", "N7"):
        goods = item(cite("A", "x"))
        (told.simple(name, goods) if name != "N7" else told.supplementing(name, goods, of=("M1", "M2")))
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]


def test_a_line_that_is_left_out_is_the_only_one_that_is_stated(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.simple("M2", item(cite("A", 6, line=None)))
    told.supplementing("N7", item(cite("A", 9, line=None)), of=("M1", "M2"))
    assert told.items(M2) == [(1, ["5 NAR"])]
    told.simple("M2", item(cite("A", 6, line=2)))
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]


@pytest.mark.parametrize("ended", ["invalidated", "not released", "released later", "one released"])
def test_a_difference_is_not_carried_by_what_has_ended(told: Told, ended: str) -> None:
    told.simple("M1", item(A=4))
    told.simple("M2", item(A=6))
    told.supplementing("N7", item(A=9), of=("M1", "M2"))
    if ended == "invalidated":
        told.facts[M2] = replace(told.facts[M2], invalidated=told.customs.stamp())
    elif ended == "not released":
        told.facts[M2] = replace(told.facts[M2], releases=told.customs.not_released("M2").facts.releases)
    else:
        for name in ("M1", "M2") if ended == "released later" else ():
            told.released(name, item(A=3))
    if ended == "one released":
        told.released("M1")
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]


def test_items_without_licence_for_several_say_nothing(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.simple("M2", item())
    told.supplementing("N7", item(), of=("M1", "M2"))
    assert (told.codes(), told.items()) == ([], [(1, ["4 NAR"])])


def test_items_of_a_pool_that_are_not_named_keep_their_figures(told: Told) -> None:
    told.simple("M1", item(A=4), item(A=50))
    told.simple("M2", item(A=6))
    told.supplementing("N7", item(A=9), of=("M1-1", "M2"))
    assert (told.items(), told.items(M2)) == ([(1, ["4 NAR"]), (2, ["50 NAR"])], [(1, ["5 NAR"])])


def test_an_item_that_names_nothing_is_told(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item(A=3, about={"simplified": simplified("M1")}), item(A=1), of=())
    assert (told.codes(), told.items(), told.items(S)) == (["SIMPLIFIED_NOT_NAMED"], [(1, ["3 NAR"])], [])


def test_one_without_a_number_or_content_has_no_effect_yet(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item(A=3))
    told.facts[S] = replace(told.facts[S], mrn="")
    assert told.items() == [(1, ["4 NAR"])]
    told.facts[S] = replace(told.facts[S], payload=None, payload_rank=None)
    assert told.items() == [(1, ["4 NAR"])]
    assert emptied(told.facts[S]) is told.facts[S]


def test_names_of_undecided_amendments_are_locked_too() -> None:
    asked = payload((item(A=1, about={"simplified": simplified("M2")}),), {}, {})
    requests = (
        Request("R", Stamp(Customs().stamp().occurred_at, "e"), content=asked),
        Request("Q", Stamp(Customs().stamp().occurred_at, "f")),
    )
    assert names_of(Facts(simplified=simplified("M1"), requests=requests)) == {M1, M2}


def test_an_item_that_the_simplified_one_has_not_changes_nothing(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item(A=3), of=("M1-9",))
    assert (told.codes(), told.items()) == (["SUPPLEMENTARY_UNALLOCATED"], [(1, ["4 NAR"])])


def test_the_same_is_said_once(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.facts[M2] = Facts()
    told.supplementing("N7", item(A=3), item(A=3), of=("M1", "M2"))
    assert told.codes() == ["SUPPLEMENTARY_UNALLOCATED"]


def test_an_item_without_licence_alone_changes_nothing(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item())
    assert (told.codes(), told.items()) == ([], [(1, ["4 NAR"])])


def test_one_that_names_none_and_one_that_names_a_supplementary_one(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item(A=3), of=())
    told.supplementing("N8", item(A=3), of=("N7",))
    assert (told.codes(), told.codes(T)) == (["SIMPLIFIED_NOT_NAMED"], ["SUPPLEMENTARY_UNALLOCATED"])
    assert (told.items(S), told.items(T)) == ([], [])


def test_one_that_stands_alone_holds_its_own(told: Told) -> None:
    told.supplementing("N7", item(A=3))
    told.facts[M1] = Facts()
    assert told.items(S) == [(1, ["3 NAR"])]


def test_one_that_is_not_released_corrects_nothing(told: Told) -> None:
    told.simple("M1", item(A=4))
    told.supplementing("N7", item(A=3))
    told.facts[S] = replace(told.facts[S], releases=told.customs.not_released("N7").facts.releases)
    assert (told.codes(), told.items()) == (["SUPPLEMENTARY_NOT_RELEASED"], [(1, ["4 NAR"])])
