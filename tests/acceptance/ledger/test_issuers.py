"""Which licence a document cites that does not say who issued it, or whose reference can be read in two ways.

D.E. 12 03 names no issuing state, and a licence is valid in the whole customs territory (Regulation (EU) 2021/821
Art. 12(1)).
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.checking import Depth, check
from certex_bridge.ledger.domain.citations import sought_by
from certex_bridge.ledger.domain.issuers import cited
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence, LicenceType, Party
from tests.support.ledger_words import HOLDER, Cite, cite, item, licence
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.ledger.domain.facts import DeclarationCommand

OTHER = "FR99988877766"
ROUNDS = 25
_ISSUED, _BARRED = LicenceEventKind.ISSUED, LicenceEventKind.EXPORTER_BARRED


def mrn(name: str, state: str = "DE") -> str:
    stem = f"26{state}{name.rjust(13, '0')}"
    return stem + mrn_check_digit(stem)


def told(number: str, figure: object, **changes: Any) -> Cite:
    """A citation without issuer in a German declaration; "GB/N" of a British one."""
    name = number if "/" in number else f"DE/{number}"
    return cite(name, figure, issuer_from="MRN", **changes)


def suffixed(number: str, line: int, figure: object) -> Cite:
    return Cite(f"GB/{number}", figure, line, issuer_from="MRN", suffix=line)


def held(name: str, holder: str, limit: str = "100 NAR", **changes: Any) -> Licence:
    return licence(name, limit, holder=Party("Holder", holder, country="BE"), **changes)


@pytest.fixture
async def s() -> AsyncIterator[Scenario]:
    scenario = Scenario(InMemoryStore())
    yield scenario
    await scenario.finish()


async def reasons(s: Scenario, name: str) -> list[str]:
    return [code for claim in await s.claims(name) for code in claim.reasons]


async def remarks(s: Scenario, name: str) -> list[str]:
    """Codes of the last outcome's remarks about the licence, with what they name."""
    outcome = (await s.messages("outcome", name))[-1]
    return [
        f"{reason['code']} {reason['available']}"
        for claim in outcome["claims"]
        for rule, reason in claim["warned"]
        if rule == "LICENCE"
    ]


# -- issuers


async def test_a_licence_of_another_state_is_found_by_its_number(s: Scenario) -> None:
    await s.issue(licence("N", "100 NAR"))
    await s.accepted(mrn("1"), told("N", 40))
    assert await s.balance("N") == "40/0/60"
    assert await remarks(s, mrn("1")) == ["ISSUER_BY_NUMBER BE/N"]
    await s.released(mrn("1"))
    assert await s.balance("N") == "0/40/60"
    await s.invalidated(mrn("1"))
    assert await s.balance("N") == "0/0/100"


async def test_the_declaring_states_licence_comes_first(s: Scenario) -> None:
    await s.issue(licence("N", "100 NAR"), held("DE/N", OTHER))
    await s.accepted(mrn("1"), told("N", 40))
    assert (await s.balance("N"), await s.balance("DE/N")) == ("0/0/100", "40/0/60")
    assert await remarks(s, mrn("1")) == []


async def test_of_several_states_the_one_whose_licence_the_exporter_holds(s: Scenario) -> None:
    await s.issue(held("FR/N", OTHER), licence("N", "100 NAR"))
    await s.accepted(mrn("1"), told("N", 40))
    assert await s.balance("N") == "40/0/60"
    assert await remarks(s, mrn("1")) == ["ISSUER_BY_HOLDER BE/N"]


async def test_several_states_left_are_told_and_none_is_taken(s: Scenario) -> None:
    await s.issue(held("FR/N", OTHER), held("N", OTHER))
    await s.accepted(mrn("1"), told("N", 40))
    assert await s.verdict(mrn("1")) == "WAITING ISSUER_AMBIGUOUS"
    outcome = (await s.messages("outcome", mrn("1")))[-1]
    assert [reason["available"] for reason in outcome["claims"][0]["reasons"]] == ["BE/N, FR/N"]
    await s.released(mrn("1"))
    assert (await s.verdict(mrn("1")), await s.balance("N"), await s.balance("FR/N")) == (
        "WAITING ISSUER_AMBIGUOUS", "0/0/100", "0/0/100",
    )  # fmt: skip


@pytest.mark.parametrize("then", ["home", "holder", "named", "stated"])
async def test_what_was_undecided_is_decided_by_what_comes_later(s: Scenario, then: str) -> None:
    await s.issue(held("FR/N", OTHER), held("N", OTHER))
    await s.accepted(mrn("1"), told("N", 40))
    if then == "home":
        await s.issue(licence("DE/N", "100 NAR"))
        await s.wake()
    elif then == "holder":
        await s.modify("N", "100 NAR", holder=Party("New", HOLDER))
        await s.wake()
    elif then == "named":
        await s.modify("N", "100 NAR", holder=Party("Other", OTHER), authority=Party("Office of Brussels"))
        await s.amended(mrn("1"), told("N", 40, authority=" office of  BRUSSELS"))
    else:
        await s.amended(mrn("1"), cite("N", 40))
    taken = "DE/N" if then == "home" else "N"
    assert await s.balance(taken) == "40/0/60"


async def test_an_authoritys_name_goes_before_the_declaring_state(s: Scenario) -> None:
    await s.issue(licence("DE/N", "100 NAR"), held("N", OTHER, authority=Party("Office of Brussels")))
    await s.accepted(mrn("1"), told("N", 40, authority="Office of Brussels"))
    await s.accepted(mrn("2"), told("N", 30, authority="Nobody's name"))
    assert (await s.balance("N"), await s.balance("DE/N")) == ("40/0/60", "30/0/70")
    assert await remarks(s, mrn("1")) == ["ISSUER_BY_AUTHORITY BE/N"]


async def test_a_reference_that_names_its_issuer(s: Scenario) -> None:
    await s.issue(held("FR/N", OTHER), held("N", OTHER))
    spec = told("N", 40)
    command = _with_reference(s.customs.accepted(mrn("1"), spec), "be/N", "DE/BE/N")
    await s.tell(command)
    assert await s.balance("N") == "40/0/60"


def _with_reference(command: DeclarationCommand, reference: str, licence_id: str) -> DeclarationCommand:
    payload = command.facts.payload
    assert payload is not None
    items = tuple(
        replace(
            one,
            claims=tuple(replace(claim, reference=reference, licence_id=licence_id.upper()) for claim in one.claims),
        )
        for one in payload.items
    )
    return replace(command, facts=replace(command.facts, payload=replace(payload, items=items)))


async def test_a_claim_does_not_move_when_another_licence_is_issued(s: Scenario) -> None:
    await s.issue(licence("N", "100 NAR"))
    await s.accepted(mrn("1"), told("N", 40))
    await s.issue(licence("DE/N", "100 NAR"), licence("FR/N", "100 NAR"))
    await s.wake()
    await s.amended(mrn("1"), told("N", 50))
    assert (await s.balance("N"), await s.balance("DE/N")) == ("50/0/50", "0/0/100")
    assert await remarks(s, mrn("1")) == ["ISSUER_BY_CLAIM BE/N"]
    await s.released(mrn("1"))
    await s.accepted(mrn("2"), told("N", 10))
    assert (await s.balance("N"), await s.balance("DE/N")) == ("0/50/50", "10/0/90")


async def test_a_refusal_does_not_move_either(s: Scenario) -> None:
    await s.issue(licence("N", "30 NAR"))
    await s.accepted(mrn("1"), told("N", 40))
    await s.issue(licence("DE/N", "100 NAR"))
    await s.wake()
    await s.recheck(mrn("1"))
    assert (await s.verdict(mrn("1")), await s.balance("DE/N")) == ("REFUSED QUANTITY_EXCEEDED", "0/0/100")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_licence_of_any_state_wakes_who_waits_for_the_number(s: Scenario, order: tuple[int, ...]) -> None:
    commands = [
        s.customs.accepted(mrn("1"), told("N", 40)),
        s.customs.released(mrn("1")),
        s.licence_event(licence("N", "100 NAR"), _ISSUED),
    ]
    for number in order:
        await s.tell(commands[number])
        await s.wake()
    assert await s.balance("N") == "0/40/60"


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
async def test_in_one_batch_too(s: Scenario, order: tuple[int, ...]) -> None:
    commands = [s.customs.accepted(mrn("1"), told("N", 40)), s.licence_event(licence("N", "100 NAR"), _ISSUED)]
    await s.tell(*[commands[number] for number in order])
    await s.wake()
    assert await s.balance("N") == "40/0/60"


async def test_a_stated_issuer_is_not_exchanged(s: Scenario) -> None:
    await s.accepted(mrn("1"), cite("DE/N", 40))
    await s.issue(licence("N", "100 NAR"))
    await s.wake()
    assert (await s.verdict(mrn("1")), await s.balance("N")) == ("WAITING NOT_FOUND", "0/0/100")


async def test_another_certificate_type_and_another_territory_are_not_meant(s: Scenario) -> None:
    await s.issue(licence("GB/N", "100 NAR"))
    await s.accepted(mrn("1"), told("N", 40))
    assert await s.verdict(mrn("1")) == "WAITING NOT_FOUND"
    await s.accepted(mrn("2"), cite("GB/N", 40))
    assert (await s.balance("GB/N"), await remarks(s, mrn("2"))) == ("40/0/60", ["ISSUER_NOT_OF_TERRITORY GB/N"])
    await s.issue(licence("N", "100 NAR"))
    await s.wake()
    assert await s.balance("N") == "40/0/60"


async def test_northern_ireland_uses_licences_of_both(s: Scenario) -> None:
    await s.issue(licence("GB/N", "100 NAR"), licence("M", "100 NAR"))
    await s.accepted(mrn("1", "XI"), cite("GB/N", 40, issuer_from="MRN"))
    await s.accepted(mrn("2", "XI"), cite("GB/M", 30, issuer_from="MRN"))
    assert (await s.balance("GB/N"), await s.balance("M")) == ("40/0/60", "30/0/70")
    assert await remarks(s, mrn("1", "XI")) == []


async def test_a_registration_of_another_trader_is_not_meant(s: Scenario) -> None:
    general = {"type": LicenceType.EU001, "destinations": ("US",)}
    await s.issue(held("FR/EU001", OTHER, "", **general), held("EU001", HOLDER, "", **general))
    about = {"destination": "US"}
    await s.accepted(mrn("1"), item(told("EU001", "", code="X061", line=None), about=about))
    assert [str(claim.key.licence_id) for claim in await s.claims(mrn("1"))] == ["BE/EU001"]
    await s.accepted(mrn("2"), item(told("EU001", "", code="X061", line=None), about=about), about={"exporter": "IT1"})
    assert await s.verdict(mrn("2")) == "OK_NOT_MANAGED"
    assert await remarks(s, mrn("2")) == ["NOT_REGISTERED "]


@pytest.mark.parametrize("depth", [Depth.ALL, Depth.REFERENCE, Depth.REHEARSAL])
@pytest.mark.parametrize(("known", "found"), [
    (("BE/N",), "BE/N OK_AVAILABLE"), (("BE/N", "DE/N"), "DE/N OK_AVAILABLE"), ((), "DE/N REFUSED NOT_FOUND"),
    (("FR/N", "ES/N"), "DE/N REFUSED ISSUER_AMBIGUOUS"),
])  # fmt: skip
async def test_a_check_finds_what_a_reservation_finds(known: tuple[str, ...], found: str, depth: Depth) -> None:
    s = Scenario(InMemoryStore())
    await s.issue(*[held(name, OTHER) for name in known])
    command = s.customs.accepted(mrn("1"), told("N", 40))
    facts = (
        command.facts
        if depth is Depth.REHEARSAL
        else replace(command.facts, accepted=None, lodged=command.facts.accepted)
    )
    numbers = {number for one in sought_by(facts) for number in one.numbers}
    picture = await InMemoryReader(s.store).picture(cited(facts), mrn("1"), "", numbers)  # type: ignore[arg-type]
    (answer,) = check(facts, picture, Policy(), depth)
    outcome = answer.outcome
    said = " ".join([outcome.key.licence_id, outcome.outcome, *[reason.code for reason in outcome.reasons[:1]]])
    expected = found.replace("OK_AVAILABLE", "OK_RESERVED") if depth is Depth.REHEARSAL else found
    expected = expected.replace("REFUSED", "WAITING") if depth is Depth.REHEARSAL else expected
    assert said == expected


# -- numbers that end like a line


@pytest.mark.parametrize("known", [("GB/OGE-0007",), ("GB/OGE",), ()])
async def test_a_reference_that_ends_like_a_line(s: Scenario, known: tuple[str, ...]) -> None:
    lines = ["10 NAR"] * 7
    await s.issue(*[licence(name, *lines) if name == "GB/OGE" else licence(name, "100 NAR") for name in known])
    await s.accepted(mrn("1", "GB"), suffixed("OGE", 7, 5))
    if known == ("GB/OGE",):
        assert await s.balance("GB/OGE", 7) == "5/0/5"
    elif known:
        assert await s.balance("GB/OGE-0007") == "5/0/95"
    else:
        assert await s.verdict(mrn("1", "GB")) == "WAITING NOT_FOUND"
        await s.issue(licence("GB/OGE-0007", "100 NAR"))
        await s.wake()
        assert await s.balance("GB/OGE-0007") == "5/0/95"


async def test_of_number_and_line_the_one_with_such_a_line(s: Scenario) -> None:
    await s.issue(licence("GB/OGE", "100 NAR"), licence("GB/OGE-0007", "100 NAR"))
    await s.accepted(mrn("1", "GB"), suffixed("OGE", 7, 5))
    await s.accepted(mrn("2", "GB"), suffixed("OGE", 1, 8))
    assert (await s.balance("GB/OGE-0007"), await s.balance("GB/OGE")) == ("5/0/95", "8/0/92")


async def test_number_and_line_that_are_both_possible_are_told(s: Scenario) -> None:
    await s.issue(licence("GB/OGE", "100 NAR"), licence("GB/OGE-0001", "100 NAR"))
    await s.accepted(mrn("1", "GB"), suffixed("OGE", 1, 5))
    assert await s.verdict(mrn("1", "GB")) == "REFUSED LICENCE_AMBIGUOUS"
    await s.released(mrn("1", "GB"))
    assert (await s.verdict(mrn("1", "GB"))).startswith("UNCOVERED UNCOVERED LICENCE_AMBIGUOUS")
    assert (await s.balance("GB/OGE"), await s.balance("GB/OGE-0001")) == ("0/0/100", "0/0/100")
    await s.amended(mrn("1", "GB"), cite("GB/OGE-0001", 5))
    assert (await s.balance("GB/OGE"), await s.balance("GB/OGE-0001")) == ("0/0/100", "0/5/95")


async def test_a_claim_keeps_its_reading(s: Scenario) -> None:
    await s.issue(licence("GB/OGE", "100 NAR"))
    await s.accepted(mrn("1", "GB"), suffixed("OGE", 1, 5))
    await s.issue(licence("GB/OGE-0001", "100 NAR"))
    await s.wake()
    await s.amended(mrn("1", "GB"), suffixed("OGE", 1, 6))
    assert (await s.balance("GB/OGE"), await s.balance("GB/OGE-0001")) == ("6/0/94", "0/0/100")


# -- one trader, two numbers


@pytest.mark.parametrize(("exporter", "verdict"), [
    ("XI555666777000", "OK_RESERVED"), ("GB555666777000", "OK_RESERVED"), ("XI555666777001", "REFUSED HOLDER_MISMATCH"),
    ("DE555666777000", "REFUSED HOLDER_MISMATCH"),
])  # fmt: skip
async def test_the_xi_number_is_the_gb_trader(exporter: str, verdict: str) -> None:
    s = Scenario(InMemoryStore(), Policy(enforced=frozenset({Rule.HOLDER})))
    await s.issue(held("GB/N", "GB555666777000"))
    await s.accepted(mrn("1", "GB"), cite("GB/N", 4), about={"exporter": exporter}, lrn="")
    assert await s.verdict(mrn("1", "GB")) == verdict
    await s.finish()


async def test_a_bar_reaches_both_numbers(s: Scenario) -> None:
    bar = ExporterBar("DE", "GB555666777000", ("X061",), date(2026, 1, 1), "reason")
    await s.tell(s.authority.event(None, _BARRED, bar=bar))
    goods = item(told("EU001", "", code="X061", line=None), about={"destination": "US"})
    await s.accepted(mrn("1"), goods, about={"exporter": "XI555666777000"})
    assert await reasons(s, mrn("1")) == ["BARRED"]


# -- numbers that are compared as the same


async def test_two_licences_with_numbers_compared_as_the_same(s: Scenario) -> None:
    await s.issue(licence("GB/N1", "100 NAR", number="N 1"))
    command = s.licence_event(licence("GB/N1", "50 NAR", version=2, number="N1"), _ISSUED)
    (answer,) = await s.tell(command)
    assert answer.result == "REFUSED"
    assert "LICENCE_NUMBER_COLLISION" in await s.acknowledged(answer)
    await s.accepted(mrn("1", "GB"), cite("GB/n 1", 4, issuer_from="MRN"))
    assert await s.balance("GB/N1") == "4/0/96"


# -- at the same time


async def test_no_claim_is_stuck_when_a_foreign_licence_comes_meanwhile(pg: Scenario) -> None:
    for number in range(ROUNDS):
        name = f"W{number}"
        claims = [pg.delivery(pg.customs.accepted(mrn(f"{number}A{each}"), told(name, 10))) for each in range(3)]
        issued = [
            pg.delivery(pg.licence_event(licence(f"{state}/{name}", "100 NAR"), _ISSUED), "licensing")
            for state in ("BE", "FR")[: 1 + number % 2]
        ]
        batches = [*claims, *issued]
        if number % 3 == 0:
            batches.reverse()
        await asyncio.gather(*[pg.executor.apply([one]) for one in batches])
        while await pg.executor.wake(10):
            pass
        booked = await pg.balance(f"BE/{name}")
        if len(issued) == 1:
            assert booked == "30/0/70"
        for each in range(3):
            assert await pg.verdict(mrn(f"{number}A{each}")) in ("OK_RESERVED", "WAITING ISSUER_AMBIGUOUS")
