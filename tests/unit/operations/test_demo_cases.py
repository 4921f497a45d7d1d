"""The demo's own judgement of its hard cases: it says what is not as it must be, and the demo fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.laboratory.cases import Case, make_cases
from certex_bridge.operations.demo_cases import CaseResult, case_results

CASES = make_cases(date(2026, 3, 2))


class Database:
    """Answers the queries as a ledger would in which every case came right; a test changes one row."""

    def __init__(self) -> None:
        expected = [case.expected for case in CASES]
        self.balances = [
            {"licence_id": name, "status": one.statuses.get(name, "Valid"), **held._asdict()}
            for one in expected
            for name, held in one.balances.items()
        ]
        self.claims = [
            {"decl_id": name, "state": "REFUSED", "reasons": f"{reason} MORE"}
            for one in expected
            for name, reason in one.refused.items()
        ]
        self.told = [
            {"agg_id": name, "body": f"<code>{code}</code>"}
            for one in expected
            for name, code in (*one.incidents.items(), *one.findings.items())
        ]
        self.acts = [{"licence_id": name, "act": act} for one in expected for name, act in one.acts.items()]
        self.undecided: list[dict[str, str]] = []

    async def fetch(self, query: str, *_: Any) -> list[dict[str, Any]]:
        tables = {"account": self.balances, "claim": self.claims, "outbox": self.told, "refused": self.acts}
        return next((rows for name, rows in tables.items() if f"FROM {name}" in query), self.undecided)


async def results(database: Database, before: dict[str, str] | None = None) -> list[CaseResult]:
    return list(await case_results(database, CASES, before or {}))


def wrong(found: list[CaseResult]) -> list[str]:
    return [sentence for result in found for sentence in result.wrong]


async def test_what_came_as_it_must_is_right() -> None:
    found = await results(Database())
    assert wrong(found) == []
    assert all(result.ok for result in found)
    two = next(result for result in found if "Two traders" in result.name)
    assert two.seen == ("incident RELEASED_UNDECIDED", "told DRAFT_AMBIGUOUS", "settled by hand")
    assert two.as_document()["balances"]["BE/BE-C-2026-002002"]["consumed"] == 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.partition(":")[0])
async def test_a_figure_that_is_another_is_told(case: Case) -> None:
    database = Database()
    licence = next(iter(case.expected.balances))
    row = next(row for row in database.balances if row["licence_id"] == licence)
    row["consumed"] += Decimal("0.000001")
    assert [one[: len(licence) + 10] for one in wrong(await results(database))] == [f"{licence} must hold"]
    database.balances.remove(row)
    assert f"{licence} must hold" in " ".join(wrong(await results(database)))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("claims", "refused: STATUS_REVOKED"),
        ("acts", "act TAKEN"),
        ("told", "incident RELEASED_AFTER_INVALIDATION"),
        ("told", "told ISSUER_BY_NUMBER"),
    ],
)
async def test_what_was_not_told_is_missed(table: str, said: str) -> None:
    database = Database()
    setattr(database, table, [])
    assert said in wrong(await results(database))


async def test_an_undecided_declaration_and_a_valid_licence_are_seen() -> None:
    database = Database()
    (hand,) = [case.by_hand for case in CASES if case.by_hand is not None]
    database.undecided = [{"decl_id": hand.mrn}]
    revoked = next(row for row in database.balances if row["status"] == "Revoked")
    revoked["status"] = "Valid"
    assert wrong(await results(database)) == ["settled by hand", f"{revoked['licence_id']} is Revoked"]


async def test_what_was_wrong_before_an_officer_came_stays_wrong() -> None:
    name = CASES[1].name
    found = await results(Database(), {name: "it was not undecided"})
    assert [result.ok for result in found] == [result.name != name for result in found]
    assert wrong(found) == ["it was not undecided"]
    assert replace(found[1], wrong=()).ok
