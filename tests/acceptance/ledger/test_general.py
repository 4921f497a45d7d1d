"""General authorisations: registration, bar, destinations, EU003's initial licence, a value limit per shipment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from certex_bridge.kernel.amounts import Money
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.domain.facts import EventKind, Facts
from certex_bridge.ledger.domain.policy import FigureSource, Policy
from certex_bridge.ledger.domain.requests import Request
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import InitialLicence, Licence, LicenceType, Party
from tests.support.ledger_words import HOLDER, Goods, cite, item, licence, mrn_of
from tests.support.scenario import Scenario

MakeScenario = Callable[[Policy], Awaitable[Scenario]]

FIRST = InitialLicence("BE", "A")
"""Licence A of the fixture: of 1 January 2026, for anybody."""


def repair(name: str = "R", initial: InitialLicence | None = FIRST, **changes: Any) -> Licence:
    """A registration of EU003, valid without end."""
    told = {"valid_to": None, "destinations": (), "initial_licence": initial} | changes
    return licence(name, type=LicenceType.EU003, **told)


async def warnings(s: Scenario, name: str) -> list[str]:
    (claim,) = (await s.messages("outcome", mrn_of(name)))[-1]["claims"]
    return [warned[1]["code"] for warned in claim["warned"]]


# -- registration


@pytest.mark.parametrize(
    ("code", "issuer", "expected"),
    [
        ("X067", "BE", "REFUSED NOT_REGISTERED"),
        ("X068", "BE", "REFUSED NOT_REGISTERED"),
        ("X062", "BE", "OK_NOT_MANAGED"),
        ("X071", "BE", "OK_NOT_MANAGED"),
    ],
)
async def test_a_registration_is_needed_where_the_regulation_says_so(
    s: Scenario, code: str, issuer: str, expected: str
) -> None:
    await s.accepted("M1", item(cite(f"{issuer}/G", 1, code=code), about={"destination": "AR"}))
    assert await s.verdict("M1") == expected
    assert (await s.sound()).parked == set()


async def test_a_state_decides_for_itself(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(registration={"BE": frozenset({"X062"}), "*": frozenset({"X067"})}))
    for name, cited, code in (("M1", "G", "X062"), ("M2", "DE/G", "X062"), ("M3", "G", "X067"), ("M4", "DE/G", "X067")):
        await s.accepted(name, item(cite(cited, 1, code=code), about={"destination": "AR"}))
    needed, free = "REFUSED NOT_REGISTERED", "OK_NOT_MANAGED"
    assert [await s.verdict(f"M{number}") for number in range(1, 5)] == [needed, free, free, needed]
    await s.finish()


async def test_a_registration_is_the_exporters_own(s: Scenario) -> None:
    await s.issue(licence("G", type=LicenceType.EU007), licence("H", type=LicenceType.EU002))
    await s.accepted("M1", cite("G", 1, code="X067"))
    await s.accepted("M2", cite("G", 1, code="X067"), about={"exporter": "BE9999999999"})
    await s.accepted("M3", cite("H", 1, code="X062"), about={"exporter": "BE9999999999"})
    assert [await s.verdict(name) for name in ("M1", "M2")] == ["OK_NOT_MANAGED", "REFUSED NOT_REGISTERED"]
    assert (await s.verdict("M3"), await warnings(s, "M3")) == ("OK_NOT_MANAGED", ["HOLDER_MISMATCH"])


async def test_a_registration_that_comes_later_counts_from_the_next_attempt(s: Scenario) -> None:
    await s.accepted("M1", cite("G", 1, code="X067"))
    await s.issue(licence("G", type=LicenceType.EU007))
    await s.tell(s.customs.bare("M1", EventKind.RECHECK, recheck=True))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"


async def test_the_regulation_holds_without_a_registration_too(s: Scenario) -> None:
    await s.accepted("M1", item(cite("G", 1, code="X061"), about={"destination": "RU"}))
    assert await s.verdict("M1") == "REFUSED DESTINATION_MISMATCH"
    bar = ExporterBar("BE", HOLDER, ("X061",), date(2026, 1, 1))
    await s.tell(s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    await s.accepted("M2", item(cite("G", 1, code="X061"), about={"destination": "JP"}))
    await s.accepted("M3", item(cite("G", 1, code="X061"), about={"destination": ""}), about={"destination": ""})
    assert [await s.verdict("M2"), await s.verdict("M3")] == ["REFUSED BARRED", "REFUSED BARRED"]


# -- EU003


@pytest.mark.row("B31")
@pytest.mark.parametrize("country", ["RS", "XS"])
async def test_serbia_under_either_code(s: Scenario, country: str) -> None:
    await s.issue(repair())
    await s.accepted("M1", item(cite("R", 1, code="X063"), about={"destination": country}))
    await s.accepted("M2", item(cite("R", 1, code="X063"), about={"destination": "US"}))
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["OK_NOT_MANAGED", "REFUSED DESTINATION_MISMATCH"]


@pytest.mark.row("B32")
async def test_nothing_is_written_off(s: Scenario) -> None:
    await s.issue(repair())
    await s.accepted("M1", cite("R", 40, code="X063"))
    await s.released("M1")
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    assert await s.movements("R") == await s.movements("A") == []


@pytest.mark.row("B33")
@pytest.mark.parametrize("end", ["suspend", "revoke", "annul"])
async def test_the_initial_licence_must_be_effective(s: Scenario, end: str) -> None:
    await s.issue(repair())
    await getattr(s, end)("A")
    await s.accepted("M1", cite("R", 1, code="X063"))
    assert await s.verdict("M1") == "REFUSED INITIAL_LICENCE_NOT_EFFECTIVE"


async def test_an_initial_licence_may_have_expired(s: Scenario) -> None:
    await s.issue(repair(), licence("A", "100 NAR", version=2, valid_to=date(2026, 1, 31)))
    await s.validity_passed("A", 2)
    await s.accepted("M1", cite("R", 1, code="X063"))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"


@pytest.mark.parametrize(
    ("day", "expected"), [("2031-01-01", "OK_NOT_MANAGED"), ("2031-01-02", "REFUSED INITIAL_LICENCE_TOO_OLD")]
)
async def test_an_initial_licence_is_at_most_five_years_old(s: Scenario, day: str, expected: str) -> None:
    await s.issue(repair())
    await s.accepted("M1", cite("R", 1, code="X063"), on=day)
    assert await s.verdict("M1") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Somebody", "OK_NOT_MANAGED"), ("the user", "OK_NOT_MANAGED"), ("Nobody", "REFUSED INITIAL_LICENCE_CONSIGNEE")],
)
async def test_the_goods_go_back_to_the_same_consignee(s: Scenario, name: str, expected: str) -> None:
    first = licence("I", "1 NAR", consignees=(Party("Somebody"),), end_users=(Party("The User"),))
    await s.issue(first, repair(initial=InitialLicence("BE", "i")))
    await s.accepted("M1", cite("R", 1, code="X063"), about={"consignee_name": name})
    assert await s.verdict("M1") == expected


async def test_an_initial_licence_must_be_known(s: Scenario) -> None:
    await s.issue(repair(initial=InitialLicence("DE", "A")))
    await s.accepted("M1", cite("R", 1, code="X063"))
    assert await s.verdict("M1") == "REFUSED INITIAL_LICENCE_UNKNOWN"
    assert "DE/A" not in (await s.sound()).licences


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("EU003/BE/A", "OK_NOT_MANAGED"),
        (" eu003/be/a", "OK_NOT_MANAGED"),
        ("EU003/BE/X", "REFUSED INITIAL_LICENCE_UNKNOWN"),
        ("EU003/BE/", "REFUSED INITIAL_LICENCE_MISSING"),
        ("EU003/", "REFUSED INITIAL_LICENCE_MISSING"),
        ("G", "REFUSED INITIAL_LICENCE_MISSING"),
    ],
)
async def test_the_declaration_may_name_it(s: Scenario, reference: str, expected: str) -> None:
    await s.accepted("M1", quoting(reference))
    assert await s.verdict("M1") == expected
    assert await warnings(s, "M1") == ["NOT_REGISTERED"]


def quoting(reference: str) -> Goods:
    """An item whose document X063 has this reference."""
    (spec,) = [cite("G", 1, code="X063").spec(1, 1, "NAR")]
    told = replace(spec, reference=reference, licence_id=licence_key("BE", reference))
    return item(about={"claims": (told,)})


async def test_a_registration_that_names_none(s: Scenario) -> None:
    await s.issue(repair(initial=None))
    await s.accepted("M1", cite("R", 1, code="X063"))
    await s.accepted("M2", cite("R", 1, code="X061"))
    assert [await s.verdict(name) for name in ("M1", "M2")] == [
        "REFUSED INITIAL_LICENCE_MISSING",
        "REFUSED TYPE_MISMATCH",
    ]


async def test_an_amendment_that_is_asked_for_brings_its_initial_licence(s: Scenario) -> None:
    await s.issue(repair())
    await s.accepted("M1", item(cite("R", 1, code="X063")))
    known = (await s.sound()).declarations[mrn_of("M1")].facts.payload
    assert known is not None
    content = replace(known, office="BE000999")
    stamp = s.customs.stamp()
    asked = Request("L1", stamp, content=content)
    await s.tell(s.customs.event("M1", EventKind.REQUESTED, Facts(requests=(asked,)), stamp))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"


async def test_the_initial_licence_on_postgresql(pg: Scenario) -> None:
    await pg.issue(repair(), repair("S", initial=InitialLicence("DE", "A")))
    await pg.accepted("M1", cite("R", 1, code="X063"))
    await pg.accepted("M2", cite("S", 1, code="X063"))
    await pg.revoke("A")
    await pg.accepted("M3", cite("R", 1, code="X063"))
    assert [await pg.verdict(name) for name in ("M1", "M2", "M3")] == [
        "OK_NOT_MANAGED",
        "REFUSED INITIAL_LICENCE_UNKNOWN",
        "REFUSED INITIAL_LICENCE_NOT_EFFECTIVE",
    ]


# -- value per shipment


@pytest.fixture
async def n(s: Scenario) -> Scenario:
    """With N, a national general authorisation for shipments of at most 5,000 euro."""
    await s.issue(national())
    return s


def national() -> Licence:
    return licence("N", type=LicenceType.NGEA, shipment_value_max=Money.parse("5000.00", "EUR"))


def worth(*values: str) -> tuple[Goods, ...]:
    return tuple(item(cite("N", value, code="X071", line=None)) for value in values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["5000.00 EUR"], "OK_NOT_MANAGED"),
        (["5000.01 EUR"], "REFUSED VALUE_ABOVE_THRESHOLD"),
        (["2500.00 EUR", "2500.00 EUR"], "OK_NOT_MANAGED, OK_NOT_MANAGED"),
        (["2500.00 EUR", "2500.01 EUR"], "REFUSED VALUE_ABOVE_THRESHOLD, REFUSED VALUE_ABOVE_THRESHOLD"),
        (["10.00 USD"], "REFUSED CURRENCY_MISMATCH"),
        (["10.00 USD", "10.00 EUR"], "REFUSED CURRENCY_MISMATCH, OK_NOT_MANAGED"),
        ([""], "REFUSED VALUE_MISSING"),
        (["1 NAR + 10.001 EUR"], "REFUSED SCALE VALUE_MISSING"),
    ],
)
async def test_a_shipment_is_worth_no_more_than_the_licence_allows(
    n: Scenario, values: list[str], expected: str
) -> None:
    await n.accepted("M1", *worth(*values))
    assert await n.verdict("M1") == expected
    assert await n.movements("N") == []


async def test_another_licence_of_the_same_declaration_is_another_matter(n: Scenario) -> None:
    await n.accepted("M1", item(cite("N", "5000.00 EUR", code="X071"), cite("V", "1 NAR + 9.00 EUR")))
    assert await n.verdict("M1") == "OK_NOT_MANAGED, OK_RESERVED"


async def test_the_answer_says_what_the_shipment_is_worth(n: Scenario) -> None:
    await n.accepted("M1", *worth("4000.00 EUR", "2000.50 EUR"))
    reason = (await n.messages("outcome", mrn_of("M1")))[-1]["claims"][1]["reasons"][0]
    assert (reason["declared"], reason["available"]) == ("6000.5 EUR", "5000 EUR")


async def test_a_shipment_that_shrinks_is_looked_at_again(n: Scenario) -> None:
    await n.accepted("M1", *worth("4000.00 EUR", "2000.00 EUR"))
    await n.amended("M1", *worth("4000.00 EUR", "1000.00 EUR"))
    assert await n.verdict("M1") == "OK_NOT_MANAGED, OK_NOT_MANAGED"


async def test_the_items_own_amount_counts_where_the_settings_say_so(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(ladder=(FigureSource.DOCUMENT, FigureSource.ITEM_AMOUNT)))
    await s.issue(national())
    for name, amount in (("M1", "5000.00"), ("M2", "5000.01")):
        await s.accepted(name, item(cite("N", "", code="X071"), about={"amount": Money.parse(amount, "EUR")}))
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["OK_NOT_MANAGED", "REFUSED VALUE_ABOVE_THRESHOLD"]
    await s.finish()
