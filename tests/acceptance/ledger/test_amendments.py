"""Chapter 6.5 of the catalogue: declarations that are amended before and after release."""

from __future__ import annotations

import pytest

from tests.support.ledger_words import cite, item, licence
from tests.support.scenario import Scenario


@pytest.mark.row("UCC 173(1)")
@pytest.mark.row("E075", "E076", "E077")
@pytest.mark.parametrize(
    ("figure", "balance", "verdict", "last"),
    [
        (50, "50/0/50", "OK_ADJUSTED", "ADJUST +10/0"),
        (150, "40/0/60", "REFUSED QUANTITY_EXCEEDED", "RESERVE +40/0"),
        (10, "10/0/90", "OK_ADJUSTED", "ADJUST -30/0"),
    ],
)
async def test_amended_before_release(s: Scenario, figure: int, balance: str, verdict: str, last: str) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", A=figure)
    assert await s.balance("A") == balance
    assert await s.verdict("M1") == verdict
    assert (await s.movements("A"))[-1] == last


async def test_what_a_refused_amendment_kept_is_still_released(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", A=150)
    await s.released("M1", A=40)
    assert await s.balance("A") == "0/40/60"


@pytest.mark.row("E078")
async def test_the_citation_is_taken_out(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", item())
    assert await s.balance("A") == "0/0/100"
    assert (await s.movements("A"))[-1] == "UNRESERVE -40/0"
    assert await s.verdict("M1") == "OK_UNRESERVED"


@pytest.mark.row("E079")
@pytest.mark.parametrize(
    ("figure", "balances", "verdict"),
    [
        ("40 KGM", ("0/0/100", "40/0/10"), "OK_UNRESERVED, OK_RESERVED"),
        ("40 NAR", ("40/0/60", "0/0/50"), "OK_RESERVED GROUP_REFUSED, REFUSED UNIT_MISMATCH"),
    ],
)
async def test_moved_to_another_licence(s: Scenario, figure: str, balances: tuple[str, str], verdict: str) -> None:
    await s.accepted("M1", cite("A", 40))
    await s.amended("M1", cite("B", figure))
    assert (await s.balance("A"), await s.balance("B")) == balances
    assert await s.verdict("M1") == verdict


@pytest.mark.row("E080")
async def test_amended_before_acceptance(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.amended("M1", A=50)
    assert await s.balance("A") == "0/0/100"
    await s.accepted("M1", A=50, version=2)
    assert await s.balance("A") == "50/0/50"


@pytest.mark.row("UCC 173(3)")
@pytest.mark.row("E081", "E082", "E083", "IR 7")
@pytest.mark.parametrize(
    ("figure", "balance", "verdict", "incidents"),
    [
        (30, "0/30/70", "OK_ADJUSTED", []),
        (45, "0/45/55", "OK_ADJUSTED", ["INCIDENT POST_RELEASE_INCREASE"]),
        (145, "0/40/60", "REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED", ["INCIDENT OVER_USE"]),
    ],
)
async def test_amended_after_release(
    s: Scenario, figure: int, balance: str, verdict: str, incidents: list[str]
) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.amended("M1", A=figure)
    assert await s.balance("A") == balance
    assert await s.verdict("M1") == verdict
    assert await s.notifications("A") == incidents


@pytest.mark.row("E084")
@pytest.mark.parametrize(("figure", "verdict"), [(60, "OK_RESERVED, OK_RESERVED"),
                                                 (61, "OK_RESERVED, REFUSED QUANTITY_EXCEEDED")])  # fmt: skip
async def test_an_item_is_added(s: Scenario, figure: int, verdict: str) -> None:
    await s.accepted("M1", item(A=40))
    await s.amended("M1", item(A=40), item(A=figure))
    assert await s.verdict("M1") == verdict


@pytest.mark.row("E085")
async def test_items_are_numbered_anew(s: Scenario) -> None:
    await s.accepted("M1", item(A=60), item(A=40))
    await s.amended("M1", item(A=30, number=3), item(A=60, number=4))
    assert await s.balance("A") == "90/0/10"
    assert len({m.lv for m in (await s.sound()).movements if m.licence_id == "BE/A"}) == 3  # issue, reserve, amend


@pytest.mark.row("E086")
async def test_amended_to_the_same(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.amended("M1", A=40)
    assert await s.movements("A") == ["RESERVE +40/0"]
    assert await s.dv("M1") == 2
    (answer,) = await s.tell(s.customs.amended("M1", A=40, version=2))
    assert answer.result == "ALREADY_DONE"
    assert await s.dv("M1") == 2


@pytest.mark.row("E087")
@pytest.mark.parametrize("released", [False, True])
async def test_amended_to_nothing(s: Scenario, released: bool) -> None:
    await s.accepted("M1", item(A=40), item(B="10 KGM"))
    if released:
        await s.released("M1")
    await s.amended("M1", about={"items": ()})
    assert (await s.balance("A"), await s.balance("B")) == ("0/0/100", "0/0/50")
    expected = "OK_WITHDRAWN" if released else "OK_UNRESERVED"
    assert await s.verdict("M1") == f"{expected}, {expected}"


@pytest.mark.row("UCC 167(4)")
@pytest.mark.row("E088")
@pytest.mark.parametrize("released", [False, True])
async def test_a_supplementary_declaration_adjusts_the_same_claim(s: Scenario, released: bool) -> None:
    await s.accepted("M1", A=40)
    if released:
        await s.released("M1")
    await s.tell(s.customs.supplementary("M1", A=35))
    assert await s.balance("A") == ("0/35/65" if released else "35/0/65")
    assert len(await s.claims("M1")) == 1


async def test_an_amendment_may_use_what_it_frees(s: Scenario) -> None:
    """Item 1 gives back what item 2 takes, although neither fits beside the old figures."""
    await s.accepted("M1", item(A=90), item(A=10))
    await s.amended("M1", item(A=10), item(A=90))
    assert await s.balance("A") == "100/0/0"
    assert await s.verdict("M1") == "OK_ADJUSTED, OK_ADJUSTED"


async def test_from_one_line_to_another_of_the_same_licence(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.accepted("M1", cite("W", 8, line=1))
    await s.amended("M1", cite("W", 8, line=2))
    assert (await s.balance("W", 1), await s.balance("W", 2)) == ("0/0/10", "8/0/2")


async def test_line_caps_stay_right_when_a_citation_moves_under_one_cap(s: Scenario) -> None:
    """The cap over all lines has room for the difference only."""
    await s.issue(licence("W", "10 NAR", "10 NAR", cap="10 NAR"))
    await s.accepted("M1", cite("W", 8, line=1))
    await s.amended("M1", cite("W", 9, line=2))
    assert (await s.balance("W", 1), await s.balance("W", 2), await s.balance("W", 0)) == ("0/0/10", "9/0/1", "9/0/1")
