"""What goes out: certificates that follow the status, pushes to whoever waits, an answer to every question."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import LicenceType
from tests.support.ledger_words import HOLDER, cite, draft_of, item, licence, licence_id, mrn_of
from tests.support.scenario import Scenario


async def last(s: Scenario, name: str) -> Any:
    """The last outcome of a declaration."""
    return (await s.messages("outcome", mrn_of(name)))[-1]


def codes(claim: Any) -> list[str]:
    return [reason["code"] for reason in claim["reasons"]]


# -- certificates


async def test_the_certificate_follows_every_change_of_status(s: Scenario) -> None:
    await s.accepted("M1", A=100)
    await s.released("M1")
    assert await s.certificates("A") == ["Valid", "Exhausted"]
    await s.invalidated("M1")
    await s.validity_passed("A")
    assert await s.certificates("A") == ["Valid", "Exhausted", "Valid", "Expired"]
    await s.modify("A", valid_to=date(2027, 12, 31))
    assert (await s.certificates("A"))[-1] == "Valid"
    held = await s.sound()
    assert sorted(version for _, version in held.versions if _ == licence_id("A")) == [1, 2]
    assert held.licences[licence_id("A")].cv == 5


async def test_the_certificate_includes_the_figures_that_led_to_its_status(s: Scenario) -> None:
    await s.accepted("M1", A=100)
    await s.released("M1")
    newest = (await s.messages("certificate", licence_id("A")))[-1]
    assert newest["lv"] == (await s.state("A")).lv


async def test_a_limit_reached_and_restored_in_one_batch_leaves_both_certificates(s: Scenario) -> None:
    await s.accepted("M1", A=100)
    await s.tell(s.customs.released("M1"), s.customs.invalidated("M1"))
    assert await s.certificates("A") == ["Valid", "Exhausted", "Valid"]
    assert await s.notifications("A") == []


# -- who hears of a status


async def test_a_claim_without_limits_hears_until_it_is_released(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.accepted("M1", N="1 NAR")
    await s.accepted("M2", N="1 NAR")
    await s.released("M2")
    await s.suspend("N")
    (push,) = await s.messages("notification", licence_id("N"))
    assert push["interested"] == [mrn_of("M1")]
    assert await s.verdict("M2") == "OK_NOT_MANAGED"


async def test_a_released_claim_without_limits_can_still_be_invalidated(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.accepted("M1", N="1 NAR")
    await s.released("M1")
    await s.invalidated("M1")
    (claim,) = await s.claims("M1")
    assert claim.state == "CLOSED"


async def test_every_member_state_gets_its_own_push(s: Scenario) -> None:
    await s.accepted("M1", A=1)
    await s.accepted("26NL0000000000A2B8", A=1)
    await s.lodged("M3", A=1)
    await s.suspend("A")
    pushes = await s.messages("notification", licence_id("A"))
    told = {push["for"]: push["interested"] for push in pushes}
    assert told == {"BE": [draft_of("M3"), mrn_of("M1")], "NL": ["26NL0000000000A2B8"]} or told == {
        "BE": [mrn_of("M1"), draft_of("M3")],
        "NL": ["26NL0000000000A2B8"],
    }
    assert {push["cause"] for push in pushes} == {s.told[-1].command.event_id}  # type: ignore[union-attr]


def bar(s: Scenario, *document_codes: str, eori: str = HOLDER) -> Command:
    told = ExporterBar("BE", eori, document_codes, date(2026, 1, 1))
    return s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=told)


async def test_a_bar_is_pushed_to_the_exporters_open_claims_only(s: Scenario) -> None:
    await s.issue(licence("E", "", type=LicenceType.EU002), licence("F", "", type=LicenceType.EU001))
    await s.accepted("M1", cite("E", 1, code="X062"))
    await s.accepted("M2", item(cite("E", 1, code="X062")), about={"exporter": "BE9999999999"})
    await s.accepted("M3", cite("F", 1, code="X061"))
    await s.accepted("M4", A=1)
    await s.tell(bar(s, "X062"))
    (push,) = await s.messages("notification", licence_id("E"))
    assert (push["text"], push["interested"]) == ("STATUS Valid->Valid EXPORTER_BARRED", [mrn_of("M1")])
    assert await s.notifications("F") == await s.notifications("A") == []


async def test_a_bar_on_an_exporter_without_open_claims_is_pushed_to_nobody(s: Scenario) -> None:
    await s.issue(licence("E", "", type=LicenceType.EU002))
    await s.accepted("M1", cite("E", 1, code="X062"))
    await s.released("M1")
    await s.tell(bar(s))
    assert await s.notifications("E") == []


@pytest.mark.parametrize(
    ("first_day", "expected"), [(date(2026, 4, 1), "OK_NOT_MANAGED"), (date(2026, 3, 1), "REFUSED BARRED")]
)
async def test_a_bar_begins_on_its_day(s: Scenario, first_day: date, expected: str) -> None:
    await s.issue(licence("E", "", type=LicenceType.EU002))
    told = ExporterBar("BE", HOLDER, (), first_day)
    await s.tell(s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=told))
    await s.accepted("M1", cite("E", 1, code="X062"), on="2026-03-01")
    assert await s.verdict("M1") == expected


async def test_an_incident_has_a_version_of_its_own(s: Scenario) -> None:
    await s.accepted("M1", A=100)
    await s.suspend("A")
    await s.released("M1")
    held = await s.sound()
    state = held.licences[licence_id("A")]
    assert (state.nv, state.iv) == (1, 1)


# -- every question is answered


async def test_an_amendment_that_comes_too_late_is_answered(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.amended("M1", A=30, at="2030-01-01T00:00Z")
    said = await last(s, "M1")
    (claim,) = said["claims"]
    assert (claim["outcome"], claim["state"], claim["consumed"][0]) == ("REFUSED", "CONSUMED", "40")
    assert codes(claim) == ["ADJUST_REFUSED", "TOO_LATE"]
    assert said["event_id"] == s.told[-1].command.event_id  # type: ignore[union-attr]
    assert [finding["code"] for finding in said["findings"]] == ["TOO_LATE"]
    await s.exited("M1")
    assert await s.dv("M1") == 3


async def test_the_years_count_from_the_day_that_customs_state(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2026-03-01", at="2026-03-03T10:00Z")
    await s.released("M1")
    assert (await s.amended("M1", A=30, at="2029-03-01T22:30Z")).result == "APPLIED"  # 23:30 in Brussels
    assert (await s.amended("M1", A=20, at="2029-03-01T23:30Z")).result == "REFUSED"


async def test_an_acceptance_told_as_an_instant_is_its_day_in_the_member_state(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2026-02-28T23:30Z")
    assert (await s.amended("M1", A=30, at="2029-03-01T12:00Z")).result == "APPLIED"
    assert (await s.amended("M1", A=20, at="2029-03-02T12:00Z")).result == "REFUSED"


async def test_years_from_a_leap_day_end_with_february(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2028-02-29", at="2028-02-29T10:00Z")
    assert (await s.amended("M1", A=30, at="2031-02-28T10:00Z")).result == "APPLIED"
    assert (await s.amended("M1", A=20, at="2031-03-01T10:00Z")).result == "REFUSED"


async def test_a_supplementary_declaration_comes_too_late_like_any_other(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2020-03-01", at="2020-03-01T10:00Z")
    (answer,) = await s.tell(s.customs.supplementary("M1", A=50))
    assert answer.result == "REFUSED"
    assert codes((await last(s, "M1"))["claims"][0]) == ["ADJUST_REFUSED", "TOO_LATE"]


async def test_a_second_content_of_one_version_is_answered(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.tell(s.customs.accepted("M1", A=60, version=1))
    said = await last(s, "M1")
    (claim,) = said["claims"]
    assert (claim["outcome"], claim["reserved"][0], codes(claim)) == ("REFUSED", "40", ["CLAIM_CONFLICT"])
    assert [(one["code"], one["field"], one["value"]) for one in said["findings"]] == [
        ("CLAIM_CONFLICT", "version", "1")
    ]
    assert await s.balance("A") == "40/0/60"


async def test_a_citation_taken_away_after_its_refusal_is_answered(s: Scenario) -> None:
    await s.accepted("M1", A=101)
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    await s.amended("M1", item())
    assert await s.verdict("M1") == "CLOSED"
    assert await s.dv("M1") == 2
    await s.exited("M1")
    assert await s.dv("M1") == 2


async def test_a_claim_that_goes_on_under_its_line_is_told_once(s: Scenario) -> None:
    await s.accepted("M1", cite("X", 1, line=None))
    await s.issue(licence("X", "10 NAR"))
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED"


@pytest.mark.parametrize("kind", ["lodged", "accepted"])
async def test_the_same_told_again_under_a_new_id_is_answered_again(s: Scenario, kind: str) -> None:
    at = "2026-03-01T10:00Z"
    tell = s.lodged if kind == "lodged" else s.accepted
    await tell("M1", A=40, at=at)
    answer = await tell("M1", A=40, at=at)
    decl_id = draft_of("M1") if kind == "lodged" else mrn_of("M1")
    said = await s.messages("outcome", decl_id)
    assert [one["event_id"] for one in said] == ["customs-1", "customs-2"]
    assert answer.result == "ALREADY_DONE"


# -- answers that a licence event sets free


async def test_an_answer_after_a_wake_belongs_to_the_declarations_own_event(s: Scenario) -> None:
    await s.accepted("M1", X=40)
    await s.issue(licence("X", "100 NAR"))
    await s.wake()
    said = await last(s, "M1")
    assert said["claims"][0]["outcome"] == "OK_RESERVED"
    assert (said["event_id"], said["cause_id"], said["event_kind"]) == ("customs-1", "licensing-4", "wake")
    assert said["occurred_at"] == "2026-03-01T10:01:00Z"  # the licence event's own time is in January


async def test_an_answer_is_dated_by_the_later_of_the_two(s: Scenario) -> None:
    told = s.customs.accepted("M1", X=40, at="2025-12-01T10:00Z")
    await s.tell(told)
    await s.issue(licence("X", "100 NAR"))
    await s.wake()
    assert (await last(s, "M1"))["occurred_at"].startswith("2026-01-01")


async def test_the_timer_is_no_event_that_customs_could_match(s: Scenario) -> None:
    await s.lodged("M1", X=40)
    facts = (await s.sound()).declarations[draft_of("M1")].facts
    from dataclasses import replace

    from certex_bridge.ledger.domain.correlation import last_told
    from certex_bridge.ledger.domain.facts import Facts
    from certex_bridge.ledger.domain.stamps import Stamp

    assert facts.lodged is not None
    timer = Stamp(facts.lodged.occurred_at.replace(year=2030), "timer:NOT_PRESENTED:x")
    assert last_told(replace(facts, not_presented=timer)) == facts.lodged
    assert last_told(Facts()) is None


async def test_a_bare_event_of_an_unknown_declaration_needs_no_outcome(s: Scenario) -> None:
    answer = await s._tell_one(s.customs.bare("M9", EventKind.EXIT_CONFIRMED, exited=True))
    assert json.loads(answer.body)["state"] == "NO_CONTENT_YET"
