"""Chapter 6.7 of the catalogue: exact figures, units, money, tolerance; and the worked table of the domain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from certex_bridge.kernel.amounts import Money
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.model import Account, Claim, ClaimKey, ClaimState, Dim, Figures, Kind, LicenceState
from certex_bridge.ledger.domain.policy import FigureSource, Policy
from certex_bridge.ledger.domain.steps import Step
from tests.support.ledger_words import cite, item, licence, line, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeScenario = Callable[[Policy], Awaitable[Scenario]]


@pytest.mark.row("E113")
async def test_ten_tenths_are_one(s: Scenario) -> None:
    await s.issue(licence("T", "1 KGM"))
    for number in range(10):
        await s.accepted(f"M{number}", T="0.1")
    assert await s.balance("T") == "1/0/0"


@pytest.mark.row("E114", "E115", "E116")
@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        ("0.000001", "OK_RESERVED"),
        ("0.0000001", "REFUSED SCALE"),
        ("1.0000005", "REFUSED SCALE"),
        ("9999999999.999999", "OK_RESERVED"),
        ("10000000000.000001", "REFUSED RANGE"),
    ],
)
async def test_smallest_and_largest_figures(s: Scenario, figure: str, verdict: str) -> None:
    await s.issue(licence("T", "9999999999.999999 KGM"))
    await s.accepted("M1", T=figure)
    assert await s.verdict("M1") == verdict


@pytest.mark.row("E116")
async def test_the_largest_figures_are_stored_exactly(pg: Scenario) -> None:
    await pg.issue(licence("T", "9999999999.999999 KGM"))
    await pg.accepted("M1", T="9999999999.999999")
    await pg.released("M1")
    assert await pg.balance("T") == "0/9999999999.999999/0"


@pytest.mark.row("E117")
@pytest.mark.parametrize(
    "figure", ["1e3", "1E+3", "+5", "05", "5.", ".5", "1,5", "١٢", "0x10", "NaN", "Infinity", "-0"]
)
async def test_figures_in_another_form_are_refused(s: Scenario, figure: str) -> None:
    await s.accepted("M1", A=f"{figure} NAR".replace("+5", "+5 NAR") if "+" not in figure else "5. NAR")
    assert (await s.verdict("M1")).startswith("REFUSED")
    assert await s.movements("A") == []


@pytest.mark.row("E119")
async def test_trailing_zeros_are_the_same_figure(s: Scenario) -> None:
    await s.accepted("M1", A="40")
    (answer,) = await s.tell(s.customs.amended("M1", A="40.000000"))
    assert answer.result == "APPLIED"
    assert await s.movements("A") == ["RESERVE +40/0"]


@pytest.mark.row("E120", "E121", "E123", "E124")
@pytest.mark.parametrize(
    ("licensed", "declared", "aliases", "verdict"),
    [
        ("100 NAR", "40 KGM", True, "REFUSED UNIT_MISMATCH"),
        ("50 KGM", "0.05 TNE", False, "REFUSED UNIT_MISMATCH"),
        ("50 KGM", "0.05 TNE", True, "OK_RESERVED"),
        ("50 KGM", "0.050001 TNE", True, "REFUSED QUANTITY_EXCEEDED"),
        ("50 KGM", "5 LTR", True, "REFUSED UNIT_MISMATCH"),
        ("50 KGM", "5 KGMG", True, "REFUSED UNIT_MISMATCH"),
    ],
)
async def test_units_are_never_guessed(
    with_policy: MakeScenario, licensed: str, declared: str, aliases: bool, verdict: str
) -> None:
    s = await with_policy(Policy(unit_aliases=aliases))
    await s.issue(licence("T", licensed))
    await s.accepted("M1", T=declared)
    assert await s.verdict("M1") == verdict
    if verdict == "OK_RESERVED":
        assert await s.balance("T") == "50/0/0"
        assert [claim.source for claim in await s.claims("M1")] == ["TNEx1000"]
    await s.finish()


@pytest.mark.row("E122")
async def test_a_factor_that_gives_too_many_decimals(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(unit_aliases=True))
    await s.accepted("M1", B="0.0001 GRM")
    assert await s.verdict("M1") == "REFUSED SCALE"
    await s.finish()


@pytest.mark.row("E125")
@pytest.mark.parametrize("allowed", [True, False])
async def test_the_net_mass_instead_of_a_missing_quantity(with_policy: MakeScenario, allowed: bool) -> None:
    ladder = (FigureSource.DOCUMENT, FigureSource.NET_MASS) if allowed else (FigureSource.DOCUMENT,)
    s = await with_policy(Policy(ladder=ladder))
    await s.accepted("M1", item(cite("B"), about={"net_mass": Decimal("12.5")}))
    assert await s.verdict("M1") == ("OK_RESERVED" if allowed else "REFUSED QUANTITY_MISSING")
    assert [claim.source for claim in await s.claims("M1")] == (["NET_MASS"] if allowed else [""])
    await s.finish()


@pytest.mark.row("E126", "E127", "E128", "E129", "E131")
@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        ("5 NAR + 30000.00 EUR", "OK_RESERVED"),
        ("5 NAR + 50000.01 EUR", "REFUSED VALUE_EXCEEDED"),
        ("5 NAR", "REFUSED VALUE_MISSING"),
        ("30000.00 EUR", "REFUSED QUANTITY_MISSING"),
        ("5 NAR + 30000.00 USD", "REFUSED CURRENCY_MISMATCH"),
        ("5 NAR + 30000.00 RON", "REFUSED CURRENCY_MISMATCH"),
    ],
)
async def test_quantity_and_value_together(s: Scenario, declared: str, verdict: str) -> None:
    await s.accepted("M1", V=declared)
    assert await s.verdict("M1") == verdict
    booked = verdict == "OK_RESERVED"
    assert await s.balance("V") == ("5/0/5" if booked else "0/0/10")
    assert await s.values("V") == ("30000/0/20000" if booked else "0/0/50000")


@pytest.mark.row("E130")
async def test_a_currency_without_decimals(s: Scenario) -> None:
    await s.issue(licence("J", "10000 JPY"))
    await s.accepted("M1", J="100.50 JPY")
    assert await s.verdict("M1") == "REFUSED SCALE"
    await s.accepted("M2", J="100 JPY")
    assert await s.values("J") == "100/0/9900"


@pytest.mark.row("E132")
async def test_a_tolerance_is_part_of_the_cap(s: Scenario) -> None:
    await s.issue(licence("T", line(1, "100 NAR", tolerance_percent="5")))
    assert await s.cap("T") == "105 over 0"
    await s.accepted("M1", T="105.000001")
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    await s.accepted("M2", T=105)
    assert await s.verdict("M2") == "OK_RESERVED"


@pytest.mark.row("E133")
@pytest.mark.slow
def test_a_million_movements_add_up_exactly() -> None:
    state = LicenceState("BE/A")
    state.accounts[1, Dim.QTY] = account = Account(1, Dim.QTY, "KGM", Decimal(10**7))
    claim = Claim(ClaimKey("M", 1, 1, "BE/A", 1), ClaimState.RESERVED)
    total = Decimal(0)
    for number in range(1_000_000):
        step = Figures(Decimal(number % 9 + 1).scaleb(-(number % 7)))
        entry = Entry(state, f"e{number}", "2026-03-01T00:00:00Z")
        entry.book([(claim, (Step(Kind.RESERVE, step, Figures()),))])
        total += entry.rows[0].d_reserved
    assert account.reserved == total
    assert state.lv == 1_000_000


async def test_the_item_amount_instead_of_a_missing_value(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(ladder=(FigureSource.DOCUMENT, FigureSource.ITEM_AMOUNT)))
    await s.accepted("M1", item(cite("V", "1 NAR"), about={"amount": Money(Decimal(700), "EUR")}))
    assert await s.values("V") == "700/0/49300"
    await s.finish()


async def test_a_limit_on_quantity_ignores_the_value_and_the_other_way_round(s: Scenario) -> None:
    await s.issue(licence("E", "500.00 EUR"))
    await s.accepted("M1", A="1 NAR + 999999.00 USD")
    await s.accepted("M2", E="500.00 EUR")
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["OK_RESERVED", "OK_RESERVED"]


async def test_the_worked_table(s: Scenario) -> None:
    """One line of 100 NAR and 50 000 EUR, both limited, through nine steps."""
    await s.issue(licence("L", "100 NAR + 50000.00 EUR"))

    async def stands(quantity: str, value: str, status: str = "Valid") -> None:
        assert (await s.balance("L"), await s.values("L"), await s.status("L")) == (quantity, value, status)

    await s.accepted("MA", L="40 NAR + 20000.00 EUR")
    await stands("40/0/60", "20000/0/30000")
    await s.accepted("MB", L="60 NAR + 30000.01 EUR")
    assert await s.verdict("MB") == "REFUSED VALUE_EXCEEDED"
    await stands("40/0/60", "20000/0/30000")
    await s.amended("MB", L="60 NAR + 30000.00 EUR")
    await stands("100/0/0", "50000/0/0")
    await s.released("MA")
    await stands("60/40/0", "30000/20000/0")
    await s.not_released("MB")
    await stands("0/40/60", "0/20000/30000")
    await s.accepted("MC", L="60 NAR + 1000.00 EUR")
    await s.released("MC")
    await stands("0/100/0", "0/21000/29000", "Exhausted")
    await s.amended("MA", L="30 NAR + 15000.00 EUR")
    await stands("0/90/10", "0/16000/34000")
    await s.invalidated("MC")
    await stands("0/30/70", "0/15000/35000")
    await s.amended("MA", L="101 NAR + 15000.00 EUR")
    assert await s.verdict("MA") == "REFUSED ADJUST_REFUSED QUANTITY_EXCEEDED"
    await stands("0/30/70", "0/15000/35000")


async def test_a_sum_without_binary_fractions(s: Scenario) -> None:
    await s.issue(licence("T", "0.3 KGM"))
    await s.accepted("M1", T="0.1")
    await s.accepted("M2", T="0.2")
    assert await s.balance("T") == "0.3/0/0"


async def test_shipment_level_citations_cannot_be_attributed(s: Scenario) -> None:
    told = s.customs.accepted("M1", item(A=1), item(B="1 KGM"))
    content = told.facts.payload
    assert content is not None
    header = replace(content.items[0].claims[0], item=0, doc_seq=9)
    await s.tell(replace(told, facts=replace(told.facts, payload=replace(content, header_claims=(header,)))))
    assert (await s.verdict("M1")).split(", ")[0] == "REFUSED LEVEL_NOT_SUPPORTED"
    assert mrn_of("M1") in (await s.sound()).declarations
