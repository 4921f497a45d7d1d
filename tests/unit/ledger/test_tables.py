"""The verdict of Annex I on a licence, and claims on licences of another certificate type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.evaluation import Circumstances
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.model import LicenceState, Status
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.rules import evaluate
from certex_bridge.ledger.domain.tables import TableVerdict, status_on, verdict_of
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.dual_use import DUAL_USE, DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceType
from tests.support.another_type import BOTH, MADE_UP
from tests.support.ledger_words import Customs, cite, item, licence, licence_id, mrn_of
from tests.support.scenario import Scenario

DAY = date(2026, 3, 1)
LATER = date(2027, 1, 1)
INDIVIDUAL = licence("A", "100 NAR")
SLIP = licence("EU/S", "100 NAR", type="SLIP", document_code="E999")
BLOCKED = (Status.CANCELLED, Status.EXHAUSTED, Status.SUSPENDED, Status.REVOKED)


def ask(one: Licence, status: Status = Status.VALID, procedure: str = "1000", **changes: Any) -> TableVerdict:
    asked = {"declaration_type": "EX", "day": DAY} | changes
    return verdict_of(BOTH, one, status, procedure=procedure, **asked)


# -- the verdict alone


def test_a_valid_licence_opens_the_export_procedures() -> None:
    for procedure in ("1000", "11", "2100", "2200", "2300", "3151"):
        expected = TableVerdict(True, True, True, True, "Valid", "dues-export.v1/1")  # in order
        assert ask(INDIVIDUAL, procedure=procedure) == expected


@pytest.mark.parametrize("procedure", ["4000", "7100", "76", ""])
def test_what_no_table_names_is_not_applicable(procedure: str) -> None:
    assert ask(INDIVIDUAL, procedure=procedure) == TableVerdict(applicable=False)


@pytest.mark.parametrize("status", BLOCKED)
def test_a_blocked_licence_opens_nothing_on_any_day(status: Status) -> None:
    verdict = ask(INDIVIDUAL, status)
    assert (verdict.applicable, verdict.allowed, verdict.status) == (True, False, status.value)
    assert verdict.rule == f"dues-export.v1/{2 + [*BLOCKED[:2], Status.EXPIRED, *BLOCKED[2:]].index(status)}"


def test_validity_is_that_of_the_day() -> None:
    assert ask(INDIVIDUAL, Status.EXPIRED).allowed
    assert (ask(INDIVIDUAL, day=LATER).status, ask(INDIVIDUAL, day=LATER).allowed) == ("Expired", False)
    early = ask(INDIVIDUAL, day=date(2025, 12, 31))
    assert (early.status, early.allowed) == ("Valid", False)


def test_the_status_as_it_stands() -> None:
    assert ask(INDIVIDUAL, Status.EXPIRED, day=None).status == "Expired"
    assert ask(INDIVIDUAL, day=None).allowed
    assert ask(SLIP, procedure="2100", day=None).rule == "made-up.v2/1"
    assert not ask(INDIVIDUAL, Status.EXPIRED, day=None, reserved_while_valid=True).allowed


def test_a_licence_of_the_other_direction_opens_nothing() -> None:
    verdict = ask(INDIVIDUAL, declaration_type="T1")
    assert (verdict.applicable, verdict.allowed, verdict.rule) == (True, False, "dues-transit.v1/1")
    transit = licence("T", type=LicenceType.TRANSIT, direction=Direction.TRANSIT)
    assert ask(transit, procedure="", declaration_type="TIR").allowed


def test_another_type_in_its_own_words() -> None:
    assert ask(SLIP) == TableVerdict(True, True, True, True, "Open", "made-up.v1/1")  # in order
    assert ask(SLIP, procedure="2100").quantity_management is False
    assert [ask(SLIP, procedure="2100", day=day).allowed for day in (DAY, date(2026, 6, 1))] == [False, True]
    assert ask(SLIP, day=date(2025, 12, 31)).status == "Announced"
    assert ask(SLIP, Status.SUSPENDED, "2100").allowed
    assert ask(SLIP, procedure="1100") == TableVerdict(applicable=False)


def test_the_condition_of_an_expired_licence() -> None:
    free, held = ask(SLIP, day=LATER), ask(SLIP, day=LATER, reserved_while_valid=True)
    assert (free.allowed, held.allowed) == (False, True)
    assert free.condition == held.condition == "If the quantity was reserved while Open."
    assert free.rule == "made-up.v2/2"


def test_a_status_without_a_row_has_no_rule() -> None:
    bare = replace(MADE_UP, tables=tuple(replace(table, rows=table.rows[:1]) for table in MADE_UP.tables))
    types = CertificateTypes((DUAL_USE, bare))
    verdict = verdict_of(types, SLIP, Status.REVOKED, procedure="1000", declaration_type="EX", day=DAY)
    assert (verdict.allowed, verdict.rule, verdict.status) == (False, "", "Gone")


def test_the_status_of_a_day() -> None:
    found = [status_on(INDIVIDUAL, Status.VALID, day) for day in (date(2025, 1, 1), DAY, LATER)]
    assert found == ["Not yet valid", "Valid", "Expired"]
    assert status_on(INDIVIDUAL, Status.REVOKED, LATER) == "Revoked"
    assert DUAL_USE_TYPES.all == (DUAL_USE,)


# -- claims


@pytest.fixture
async def s() -> Any:
    scenario = Scenario(InMemoryStore(), Policy(types=BOTH))
    await scenario.issue(INDIVIDUAL, SLIP)
    yield scenario
    await scenario.finish()


def slip(figure: object = 1, **about: Any) -> Any:
    return item(cite("EU/S", figure, code="E999"), about=about)


async def test_claims_of_two_types_in_one_declaration(s: Scenario) -> None:
    await s.accepted("M1", item(A=1), slip(2))
    assert await s.verdict("M1") == "OK_RESERVED, OK_RESERVED"
    claims = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert len(claims) == 2


async def test_a_code_of_one_type_on_a_licence_of_the_other(s: Scenario) -> None:
    await s.accepted("M1", item(cite("A", 1, code="E999")), item(cite("EU/S", 1)), item(cite("EU/S", 1, code="E997")))
    assert await s.verdict("M1") == "REFUSED TYPE_MISMATCH, REFUSED TYPE_MISMATCH, REFUSED UNKNOWN_DOC_TYPE"


@pytest.mark.parametrize(
    ("procedure", "kind", "verdict"),
    [
        ("1100", "EX", "OK_NOT_APPLICABLE"),
        ("1000", "T1", "OK_NOT_APPLICABLE"),
        ("2100", "EX", "REFUSED PROCEDURE_NOT_ALLOWED"),
    ],
)
async def test_the_tables_of_the_type_decide(s: Scenario, procedure: str, kind: str, verdict: str) -> None:
    await s.accepted("M1", slip(procedure=procedure), about={"declaration_type": kind})
    assert await s.verdict("M1") == verdict


async def test_a_procedure_without_quantity_management_books_nothing(s: Scenario) -> None:
    await s.accepted("M1", slip(procedure="2100"), on="2026-06-01")
    assert (await s.verdict("M1"), await s.balance("EU/S")) == ("OK_NOT_MANAGED", "0/0/100")


async def test_a_status_that_opens_one_procedure_closes_another(s: Scenario) -> None:
    await s.suspend("EU/S")
    await s.accepted("M1", slip(procedure="2100"))
    await s.accepted("M2", slip())
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["OK_NOT_MANAGED", "REFUSED STATUS_SUSPENDED"]


async def test_an_unknown_licence_waits_under_its_own_type(s: Scenario) -> None:
    await s.accepted("M1", item(cite("EU/Z", 1, code="E999"), about={"procedure": "1000"}))
    await s.accepted("M2", item(cite("EU/Z", 1, code="E999"), about={"procedure": "3100"}))
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["WAITING NOT_FOUND", "OK_NOT_APPLICABLE"]
    await s.issue(replace(SLIP, number="Z"))
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_licences_of_a_type_that_is_not_written_off() -> None:
    types = CertificateTypes((DUAL_USE, replace(MADE_UP, quantities=False)))
    s = Scenario(InMemoryStore(), Policy(types=types))
    await s.issue(SLIP)
    await s.accepted("M1", slip(1000))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    await s.finish()


async def test_what_is_held_survives_a_shorter_validity(s: Scenario) -> None:
    await s.accepted("M1", item(A=5), slip(5))
    for name, one in (("A", INDIVIDUAL), ("EU/S", SLIP)):
        await s.modify(name, "100 NAR", valid_to=date(2026, 2, 1), type=one.type, document_code=one.document_code)
    await s.amended("M1", item(A=6), slip(6))
    assert await s.verdict("M1") == "REFUSED EXPIRED_AT_ACCEPTANCE, OK_ADJUSTED"
    await s.accepted("M2", slip(1))
    assert await s.verdict("M2") == "REFUSED EXPIRED_AT_ACCEPTANCE"


def test_the_evaluation_names_its_table() -> None:
    told = Customs().accepted("M1", item(A=1), slip()).facts
    assert told.payload is not None
    around = Circumstances(told.payload, told, Policy(types=BOTH))
    found = list(evaluated(told, around))
    assert found == ["dues-export.v1", "made-up.v1"]


def evaluated(told: Facts, around: Circumstances) -> Iterator[str]:
    states = {one.licence_id: LicenceState(one.licence_id, 1, one, status=Status.VALID) for one in (INDIVIDUAL, SLIP)}
    assert licence_id("A") in states
    for goods in around.payload.items:
        for spec in goods.claims:
            yield evaluate(spec, goods, states[spec.licence_id], around, 0).rules_table
