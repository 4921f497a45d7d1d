"""Chapter 6.12 of the catalogue: write-offs made outside the bridge are captured, corrected and taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, ClaimState
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOffSource
from tests.support.by_hand import PAPER_FORM, captured, write_off
from tests.support.ledger_words import licence, licence_id
from tests.support.scenario import Scenario


async def details(s: Scenario, name: str) -> list[dict[str, object]]:
    journal = (await s.sound()).movements
    return [json.loads(m.detail) for m in journal if m.licence_id == licence_id(name) and m.kind == "CORRECT"]


@pytest.mark.row("E184", "IR 11(2)")
async def test_a_paper_write_off_is_captured_with_its_evidence(s: Scenario) -> None:
    (answer,) = await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"})))
    assert (answer.result, await s.acknowledged(answer)) == ("ACCEPTED", [])
    assert await s.balance("A") == "0/20/80"
    assert await s.movements("A") == ["CORRECT 0/+20"]
    (told,) = await details(s, "A")
    assert told == {
        "evidence": {"type": "C651", "number": "LIC-FORM-17", "date": "2026-02-20", "memberState": "BE"},
        "officer": "BE-LIC-2",
        "reason": "The form came back from customs",
        "source": "paper",
    }
    balance = (await s.messages("balance", licence_id("A")))[-1]
    assert balance["cause"]["kind"] == "CORRECT"
    assert balance["cause"]["declaration"] == PAPER_FORM.write_off_id


@pytest.mark.row("E185")
async def test_a_correction_of_a_correction_is_a_further_entry(s: Scenario) -> None:
    for total in ("20 NAR", "15 NAR", "0 NAR"):
        await s.tell(captured(s.authority, write_off("A", {1: total})))
    assert await s.movements("A") == ["CORRECT 0/+20", "CORRECT 0/-5", "CORRECT 0/-15"]
    assert await s.balance("A") == "0/0/100"
    held = await s.sound()
    assert [claim.state for claim in held.claims.values()] == [ClaimState.WITHDRAWN]


async def test_the_latest_total_counts_whatever_the_order(s: Scenario) -> None:
    first = captured(s.authority, write_off("A", {1: "20 NAR"}))
    await s.tell(captured(s.authority, write_off("A", {1: "15 NAR"})))
    assert (await s.tell(first))[0].result == "SUPERSEDED"
    assert await s.balance("A") == "0/15/85"


async def test_another_evidence_is_another_write_off(s: Scenario) -> None:
    await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"})))
    await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"}, replace(PAPER_FORM, number="LIC-FORM-18"))))
    assert await s.balance("A") == "0/40/60"
    same = replace(PAPER_FORM, number="lic-form-18")
    await s.tell(captured(s.authority, write_off("A", {1: "10 NAR"}, same)))
    assert await s.balance("A") == "0/30/70"


async def test_one_form_can_be_for_several_licences(s: Scenario) -> None:
    await s.tell(
        captured(s.authority, write_off("A", {1: "20 NAR"})), captured(s.authority, write_off("B", {None: "5 KGM"}))
    )
    await s.tell(captured(s.authority, write_off("A", {1: "10 NAR"})))
    assert (await s.balance("A"), await s.balance("B")) == ("0/10/90", "0/5/45")


async def test_goods_that_left_are_recorded_whatever_the_licence_says_by_now(s: Scenario) -> None:
    await s.validity_passed("A")
    await s.suspend("B")
    await s.tell(
        captured(s.authority, write_off("A", {1: "20 NAR"})), captured(s.authority, write_off("B", {1: "5 KGM"}))
    )
    assert (await s.balance("A"), await s.balance("B")) == ("0/20/80", "0/5/45")


async def test_what_does_not_fit_is_uncovered_and_no_overdraft(s: Scenario) -> None:
    await s.accepted("M1", A=90)
    (answer,) = await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"})))
    assert (answer.result, await s.acknowledged(answer)) == ("ACCEPTED", ["UNCOVERED"])
    assert await s.balance("A") == "90/0/10"
    (incident,) = await s.messages("incident", licence_id("A"))
    assert (incident["text"], incident["by"][0]) == ("INCIDENT UNCOVERED", "BE-LIC-2")
    await s.invalidated("M1")
    assert await s.balance("A") == "0/0/100"
    await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"})))
    assert await s.balance("A") == "0/20/80"


async def test_more_than_fits_keeps_what_was_booked_before(s: Scenario) -> None:
    await s.tell(captured(s.authority, write_off("A", {1: "20 NAR"})))
    await s.accepted("M1", A=80)
    await s.tell(captured(s.authority, write_off("A", {1: "25 NAR"})))
    assert await s.balance("A") == "80/20/0"
    (claim,) = [one for one in (await s.sound()).claims.values() if one.key.decl_id == PAPER_FORM.write_off_id]
    assert (claim.state, claim.uncovered.quantity) == (ClaimState.UNCOVERED, 5)


async def test_lines_share_a_limit_and_decreases_come_first(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR", cap="12 NAR"))
    await s.tell(captured(s.authority, write_off("W", {1: "10 NAR", 2: "2 NAR"})))
    await s.tell(captured(s.authority, write_off("W", {1: "3 NAR", 2: "9 NAR"})))
    assert (await s.balance("W", 1), await s.balance("W", 2)) == ("0/3/7", "0/9/1")
    assert await s.balance("W", WHOLE_LICENCE) == "0/12/0"
    await s.tell(captured(s.authority, write_off("W", {2: "9 NAR"})))
    assert (await s.balance("W", 1), await s.balance("W", WHOLE_LICENCE)) == ("0/0/10", "0/9/3")


@pytest.mark.parametrize(
    ("name", "lines", "code"),
    [
        ("A", {1: "20 KGM"}, "UNIT_MISMATCH"),
        ("A", {1: "20.00 EUR"}, "QUANTITY_MISSING"),
        ("V", {1: "2 NAR"}, "VALUE_MISSING"),
        ("V", {1: "2 NAR + 5.00 USD"}, "CURRENCY_MISMATCH"),
        ("A", {7: "20 NAR"}, "LINE_NOT_FOUND"),
        ("W", {None: "2 NAR"}, "LINE_AMBIGUOUS"),
        ("C", {1: "2 NAR", 2: "3 NAR"}, "LINE_AMBIGUOUS"),
    ],
)
async def test_what_cannot_be_booked_is_refused_by_name(
    s: Scenario, name: str, lines: dict[int | None, str], code: str
) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR"), licence("C", cap="10 NAR"))
    (answer,) = await s.tell(captured(s.authority, write_off(name, lines)))
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", [code])
    assert PAPER_FORM.write_off_id not in {d for d, one in (await s.sound()).declarations.items() if one.facts.captured}


async def test_an_event_that_could_not_be_read_is_answered(s: Scenario) -> None:
    told = replace(
        captured(
            s.authority, write_off("A", {1: "20 NAR"}), findings=(Finding("FIELD_MISSING", "officer", "", "needed"),)
        ),
        write_off=None,
    )
    (answer,) = await s.tell(told)
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", ["FIELD_MISSING"])


@pytest.mark.parametrize(("limit", "balance"), [("100 NAR", "0/20/80"), ("15 NAR", "0/0/15"), ("9 KGM", "0/0/9")])
async def test_a_licence_that_is_not_known_is_waited_for(s: Scenario, limit: str, balance: str) -> None:
    (answer,) = await s.tell(captured(s.authority, write_off("X", {None: "20 NAR"})))
    assert (answer.result, await s.acknowledged(answer)) == ("ACCEPTED", ["NOT_FOUND"])
    await s.issue(licence("X", limit))
    await s.wake()
    assert await s.balance("X") == balance
    assert (await s.sound()).parked == set()


async def test_a_licence_without_limits_has_nothing_to_write_off(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    (answer,) = await s.tell(captured(s.authority, write_off("N", {1: "20 NAR"})))
    assert (answer.result, await s.acknowledged(answer)) == ("ACCEPTED", ["NOT_MANAGED"])
    assert await s.movements("N") == []


async def test_a_line_taken_out_while_in_use_can_still_be_corrected(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.tell(captured(s.authority, write_off("W", {2: "4 NAR"})))
    await s.modify("W", "10 NAR")
    await s.tell(captured(s.authority, write_off("W", {2: "0 NAR"})))
    assert await s.movements("W") == ["CORRECT 0/+4", "CORRECT 0/-4"]


@pytest.mark.row("E187", "IR 11(2)")
async def test_what_happened_while_the_bridge_was_away_is_told_late(s: Scenario) -> None:
    accepted = s.customs.accepted("M1", A=40)
    released = s.customs.released("M1")
    await s.suspend("A")
    await s.tell(accepted, released)
    assert await s.balance("A") == "0/0/100"
    assert (await s.verdict("M1")).startswith("UNCOVERED")
    mrn_form = Evidence("MRN", accepted.mrn, "2026-03-01", "BE")
    late = captured(s.authority, write_off("A", {1: "40 NAR"}, mrn_form, WriteOffSource.CONTINGENCY))
    earlier = captured(s.authority, write_off("A", {1: "35 NAR"}, mrn_form, WriteOffSource.CONTINGENCY))
    await s.tell(late, replace(earlier, occurred_at=late.occurred_at - timedelta(days=1)))
    assert await s.balance("A") == "0/40/60"
    assert [told["source"] for told in await details(s, "A")] == ["contingency"]


@pytest.mark.row("E184")
async def test_write_offs_on_the_real_database(pg: Scenario) -> None:
    await pg.tell(
        captured(pg.authority, write_off("A", {1: "20 NAR"})), captured(pg.authority, write_off("X", {1: "20 NAR"}))
    )
    await pg.issue(licence("X", "100 NAR"))
    await pg.wake()
    await pg.tell(captured(pg.authority, write_off("A", {1: "15 NAR"})))
    assert (await pg.balance("A"), await pg.balance("X")) == ("0/15/85", "0/20/80")
