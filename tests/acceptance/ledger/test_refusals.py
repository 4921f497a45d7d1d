"""What a refusal says, how long it stands, and claims on licences without a limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import LicenceCap, LicenceType
from tests.support.ledger_words import GOODS, HOLDER, cite, draft_of, figures, item, licence, line, mrn_in, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeScenario = Callable[[Policy], Awaitable[Scenario]]


async def told(s: Scenario, name: str = "M1") -> list[dict[str, Any]]:
    """The claims of the outcome published last."""
    return list((await s.messages("outcome", mrn_of(name)))[-1]["claims"])


def in_words(reason: dict[str, str]) -> str:
    return f"{reason['code']} {reason['field']} {reason['declared']} of {reason['available']}"


# -- figures


@pytest.mark.row("E120")
async def test_released_in_another_unit_consumes_what_is_held(s: Scenario) -> None:
    await s.accepted("M1", B="40 KGM")
    await s.released("M1", B="0.04 TNE")
    assert await s.balance("B") == "0/40/10"
    assert await s.verdict("M1") == "UNCOVERED UNCOVERED UNIT_MISMATCH"
    assert await s.notifications("B") == ["INCIDENT UNCOVERED"]
    (claim,) = await told(s)
    assert "UNIT" not in claim["passed"]
    await s.exited("M1")
    assert await s.notifications("B") == ["INCIDENT UNCOVERED"]


@pytest.mark.row("E120")
@pytest.mark.parametrize(("taken", "verdict", "uncovered"), [
    (0, "OK_CONSUMED", "0"), (20, "UNCOVERED UNCOVERED QUANTITY_EXCEEDED", "40"),
])  # fmt: skip
async def test_declared_in_another_unit_and_released_in_the_right_one(
    s: Scenario, taken: int, verdict: str, uncovered: str
) -> None:
    if taken:
        await s.accepted("M2", B=f"{taken} KGM")
    await s.accepted("M1", B="0.04 TNE")
    await s.released("M1", B="40 KGM")
    assert await s.verdict("M1") == verdict
    assert [str(claim.uncovered.quantity) for claim in await s.claims("M1")] == [uncovered]


@pytest.mark.row("E116", "E122")
@pytest.mark.parametrize(("figure", "code"), [("9999999999999999 TNE", "RANGE"), ("0.000001 GRM", "SCALE")])
async def test_an_alias_that_the_format_cannot_hold(with_policy: MakeScenario, figure: str, code: str) -> None:
    s = await with_policy(Policy(unit_aliases=True))
    await s.accepted("M1", B=figure)
    assert await s.verdict("M1") == f"REFUSED {code}"
    await s.finish()


async def test_a_bad_figure_refuses_only_where_it_would_be_written_off(s: Scenario) -> None:
    await s.accepted("M1", A="5 NAR + 100.505 EUR")
    assert await s.verdict("M1") == "OK_RESERVED"
    assert [warned[1]["code"] for warned in (await told(s))[0]["warned"]] == ["SCALE"]
    await s.accepted("M2", V="5 NAR + 100.505 EUR")
    assert await s.verdict("M2") == "REFUSED SCALE"
    await s.accepted("M3", V="0.0000001 NAR + 100.505 EUR")
    assert await s.verdict("M3") == "REFUSED SCALE SCALE"


@pytest.mark.parametrize("known", [True, False])
async def test_a_number_that_cannot_be_is_refused_and_does_not_wait(s: Scenario, known: bool) -> None:
    event = s.customs.accepted("M1", item(cite("A", 40), cite("A" if known else "X", "5 NAR + 1.001 EUR")))
    content = event.facts.payload
    assert content is not None
    good, bad = content.items[0].claims
    bad = replace(bad, findings=(*bad.findings, Finding("LICENCE_NUMBER_INVALID", "reference", "?", "no")))
    content = replace(content, items=(replace(content.items[0], claims=(good, bad)),))
    await s.tell(replace(event, facts=replace(event.facts, payload=content)))
    expected = "LICENCE_NUMBER_INVALID" if not known else "SCALE LICENCE_NUMBER_INVALID"
    assert (await s.verdict("M1")).startswith(f"REFUSED GROUP_REFUSED, REFUSED {expected}")
    assert (await s.sound()).parked == set()


REMARK = Finding("EXCEEDS_MASS", "quantity", "40", "more than the goods weigh (15 kg)", Severity.WARNING)


def remarked(event: DeclarationCommand) -> DeclarationCommand:
    """The event with a remark on its only document."""
    content = event.facts.payload
    assert content is not None
    spec = replace(content.items[0].claims[0], findings=(REMARK,))
    content = replace(content, items=(replace(content.items[0], claims=(spec,)),))
    return replace(event, facts=replace(event.facts, payload=content))


async def test_a_warning_about_a_document_refuses_nothing_and_is_told_at_every_step(s: Scenario) -> None:
    await s.tell(remarked(s.customs.accepted("M1", A=40)))
    assert await s.verdict("M1") == "OK_RESERVED"
    await s.released("M1")
    assert await s.verdict("M1") == "OK_CONSUMED"
    await s.tell(remarked(s.customs.lodged("M2", A=40)))
    assert await s.draft_verdict("M2") == "OK_AVAILABLE"
    for name in (mrn_of("M1"), draft_of("M2")):
        for message in await s.messages("outcome", name):
            (claim,) = message["claims"]
            assert claim["warned"] == [
                ["DECLARED", {"code": "EXCEEDS_MASS", "field": "quantity", "declared": "40", "available": "",
                              "message": "more than the goods weigh (15 kg)"}],
            ]  # fmt: skip
            assert "DECLARED" not in [*claim["passed"], *claim["not_tested"]]


async def test_two_documents_that_exceed_together_are_told_together(s: Scenario) -> None:
    await s.accepted("M1", item(cite("A", 60), cite("A", 60)))
    reasons = [in_words(claim["reasons"][0]) for claim in await told(s)]
    assert reasons == ["QUANTITY_EXCEEDED quantity 120 of 100"] * 2


async def test_a_value_line_names_the_amount(s: Scenario) -> None:
    await s.issue(licence("W", "100.00 EUR"))
    await s.accepted("M1", W="60.00 EUR")
    await s.released("M1")
    await s.amended("M1", W="100.50 EUR")
    assert in_words((await told(s))[0]["reasons"][0]) == "ADJUST_REFUSED amount 100.5 EUR of "
    await s.accepted("M2", W="50.00 EUR")
    await s.released("M2")
    told_m2 = (await told(s, "M2"))[0]["reasons"]
    assert [in_words(reason) for reason in told_m2] == [
        "UNCOVERED amount 50 EUR of ", "VALUE_EXCEEDED amount 50 of 40",
    ]  # fmt: skip


@pytest.mark.row("IR 6(5)")
async def test_the_dimension_that_is_short_is_named(s: Scenario) -> None:
    await s.accepted("M1", V="5 NAR + 30000.00 EUR")
    await s.released("M1", V="6 NAR + 50001.00 EUR")
    reasons = [in_words(reason) for reason in (await told(s))[0]["reasons"]]
    assert reasons == ["UNCOVERED amount 20001 EUR of ", "VALUE_EXCEEDED amount 50001 of 50000"]


async def test_what_others_may_take_is_the_least_of_all_limits(s: Scenario) -> None:
    await s.issue(licence("W", "100 NAR", "100 NAR", cap="70 NAR"))
    await s.accepted("M1", cite("W", 40, line=1))
    assert (await told(s))[0]["available_quantity"] == "30"


# -- how long a refusal stands


async def test_a_standing_refusal_keeps_field_and_figures(s: Scenario) -> None:
    await s.accepted("M2", A=70)
    await s.accepted("M1", A=40)
    await s.invalidated("M2")
    await s.accepted("M3", V="8 NAR + 50000.00 EUR")
    await s.accepted("M4", V="1 NAR + 1.00 EUR")
    await s.invalidated("M3")
    await s.suspend("B")
    await s.accepted("M5", B="1 KGM")
    await s.resume("B")
    for name in ("M1", "M4", "M5"):
        await s.amended(name, version=1, **{"A": 40} if name == "M1" else {})
    words = {}
    for name in ("M1", "M4", "M5"):
        stamp = s.customs.stamp()
        await s.tell(s.customs.event(name, EventKind.NOTED, s.customs.exited(name).facts, stamp))
        settled = await s.messages("outcome", mrn_of(name))
        words[name] = in_words(settled[-1]["claims"][0]["reasons"][0])
    assert words["M1"].startswith("QUANTITY_EXCEEDED quantity 40 of ")
    assert words["M4"].startswith("VALUE_EXCEEDED amount 1 of ")
    assert words["M5"].startswith("STATUS_SUSPENDED status")


async def test_a_refusal_outlives_a_change_of_line(s: Scenario) -> None:
    await s.issue(licence("W", "100 NAR", "100 NAR"))
    await s.accepted("M1", cite("W", 40, line=None))
    assert await s.verdict("M1") == "REFUSED LINE_AMBIGUOUS"
    await s.modify("W", line(1, "100 NAR"), line(2, "100 NAR", commodity_codes=("84581100",)))
    await s.exited("M1")
    assert await s.verdict("M1") == "REFUSED LINE_AMBIGUOUS"
    assert await s.balance("W") == "0/0/100"
    await s.recheck("M1")
    assert await s.balance("W") == "40/0/60"


@pytest.mark.parametrize("released", [False, True])
async def test_an_amendment_to_an_ambiguous_line_keeps_what_is_held(s: Scenario, released: bool) -> None:
    await s.issue(licence("W", line(1, "100 NAR"), line(2, "100 NAR", commodity_codes=("84581100",)),
                          line(3, "100 NAR", commodity_codes=("84581100",))))  # fmt: skip
    await s.accepted("M1", cite("W", 40, line=None))
    if released:
        await s.released("M1")
    await s.amended("M1", item(cite("W", 40, line=None), about={"commodity": "84581100"}))
    assert await s.balance("W", 1) == ("0/40/60" if released else "40/0/60")
    assert "LINE_AMBIGUOUS" in await s.verdict("M1")


async def test_other_goods_move_to_their_own_line(s: Scenario) -> None:
    await s.issue(licence("W", line(1, "100 NAR"), line(2, "100 NAR", commodity_codes=("84581100",))))
    await s.accepted("M1", cite("W", 40, line=None))
    await s.amended("M1", item(cite("W", 40, line=None), about={"commodity": "84581100"}))
    assert (await s.balance("W", 1), await s.balance("W", 2)) == ("0/0/100", "40/0/60")
    await s.amended("M1", item(cite("W", 40, line=None), about={"commodity": "01010101"}))
    assert await s.balance("W", 2) == "40/0/60"  # no line is about these goods: the document stays where it is


async def test_released_while_the_balance_is_under_examination(s: Scenario) -> None:
    assert isinstance(s.store, InMemoryStore)
    await s.accepted("M1", A=40)
    s.store.contents.licences["BE/A"].frozen = True
    await s.released("M1")
    assert (await s.balance("A"), await s.notifications("A")) == ("0/40/60", [])
    s.store.contents.licences["BE/A"].frozen = False


# -- no limit


async def test_what_was_let_through_without_a_limit_stays_so(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.accepted("M1", N="5 NAR")
    await s.suspend("N")
    await s.presented("M1")
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    await s.amended("M1", N="6 NAR")
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await s.resume("N")
    await s.exited("M1")
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await s.recheck("M1")
    await s.released("M1")
    await s.revoke("N")
    await s.exited("M1")
    await s.tell(s.customs.bare("M1", EventKind.NOTED))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    assert "INCIDENT UNCOVERED" not in await s.notifications("N")


async def test_an_uncovered_release_without_a_limit_stays_uncovered(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.suspend("N")
    await s.accepted("M1", N="5 NAR")
    await s.released("M1")
    await s.resume("N")
    await s.exited("M1")
    assert await s.verdict("M1") == "UNCOVERED STATUS_SUSPENDED"


async def test_a_refused_document_without_a_limit_takes_nothing_from_others(with_policy: MakeScenario) -> None:
    s = await with_policy(Policy(settle_group=SettleGroup.DECLARATION))
    await s.issue(licence("N", ""))
    await s.accepted("M1", item(N="5 NAR"), item(A=40))
    await s.suspend("N")
    await s.presented("M1")
    assert await s.verdict("M1") == "OK_NOT_MANAGED, OK_RESERVED"
    await s.amended("M1", item(N="6 NAR"), item(A=40))
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED, OK_RESERVED"
    await s.finish()


# -- the verdict of every rule


@pytest.mark.parametrize("case", [
    cite("A", 40), cite("A", 140), cite("A", "40 KGM"), cite("A", 40, code="X070"), cite("A", 40, code="X069"),
    cite("X", 40), cite("A", 0), cite("A", 40, line=7), cite("A", "5 NAR + 1.001 EUR"), cite("N", ""), cite("V", "5 NAR"),
])  # fmt: skip
@pytest.mark.parametrize("about", [{}, {"destination": "RU", "origin": "US", "commodity": "01010101"}])
async def test_every_rule_has_one_verdict(s: Scenario, case: Any, about: dict[str, str]) -> None:
    await s.issue(licence("N", ""))
    await s.accepted("M1", item(case, about=about))
    (claim,) = await told(s)
    told_rules = [*claim["passed"], *sorted({rule for rule, _ in claim["failed"]}),
                  *sorted({rule for rule, _ in claim["warned"]}), *claim["not_tested"]]  # fmt: skip
    assert sorted(told_rules) == sorted(rule.value for rule in Rule)
    assert "LEVEL" in claim["passed"]


async def test_causes_of_a_good_outcome_are_notes(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.invalidated("M1")
    (claim,) = await told(s)
    assert (claim["outcome"], claim["reasons"]) == ("OK_UNRESERVED", [])
    assert [note["code"] for note in claim["notes"]] == ["INVALIDATED"]
    assert claim["not_tested"] == ["AVAILABILITY"] or "AVAILABILITY" in claim["passed"]


# -- bars, days, countries, splits


@pytest.mark.row("DU 12(7)")
@pytest.mark.parametrize(
    ("day", "verdict"), [(date(2026, 3, 2), "OK_NOT_MANAGED"), (date(2026, 3, 1), "REFUSED BARRED")]
)
async def test_a_bar_counts_from_its_first_day(s: Scenario, day: date, verdict: str) -> None:
    bar = ExporterBar("BE", HOLDER, (), day)
    await s.tell(s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    await s.issue(licence("E", "", type=LicenceType.EU002, document_code="X062"))
    await s.accepted("M1", cite("E", "", code="X062", line=None))
    assert await s.verdict("M1") == verdict
    (claim,) = await told(s)
    assert ("HOLDER" in claim["passed"]) == (verdict == "OK_NOT_MANAGED")


@pytest.mark.parametrize(("zone", "verdict"), [("Europe/Brussels", "REFUSED EXPIRED_AT_ACCEPTANCE"),
                                               ("Atlantic/Azores", "OK_RESERVED")])  # fmt: skip
@pytest.mark.parametrize("named", [True, False])
async def test_the_legal_time_of_a_state_is_a_setting(
    with_policy: MakeScenario, zone: str, verdict: str, named: bool
) -> None:
    state, places = ("PT", {"PT": ZoneInfo(zone)}) if named else ("QU", {})
    s = await with_policy(Policy(calendar_zone=ZoneInfo(zone), calendar_zones=places))
    await s.issue(licence("A", "10 NAR"))
    mrn = mrn_in(state, "M1")
    await s.accepted(mrn, A=1, on="2026-12-31T23:30:00Z")
    assert await s.verdict(mrn) == verdict
    await s.finish()


@pytest.mark.parametrize(("licensed", "declared", "told_of"), [
    ("GB", "XU", []), ("GB", "XI", []), ("XI", "GB", ["DESTINATION_MISMATCH"]), ("ES", "XC", ["DESTINATION_MISMATCH"]),
])  # fmt: skip
async def test_a_part_of_the_licensed_country(s: Scenario, licensed: str, declared: str, told_of: list[str]) -> None:
    await s.issue(licence("W", "10 NAR", destinations=(licensed,)))
    await s.accepted("M1", item(W=1, about={"destination": declared}))
    assert [warned[1]["code"] for warned in (await told(s))[0]["warned"]] == told_of


@pytest.mark.row("E111")
@pytest.mark.parametrize(("part", "part_cap", "verdict"), [
    ("75 NAR", "", "ACCEPTED"), ("76 NAR", "", "REFUSED"), ("150 NAR", "", "REFUSED"),
    ("75 NAR", "75 NAR", "ACCEPTED"), ("", "75 NAR", "ACCEPTED"), ("", "76 NAR", "REFUSED"), ("5 KGM", "", "REFUSED"),
])  # fmt: skip
async def test_a_split_counts_lines_and_whole_apart(s: Scenario, part: str, part_cap: str, verdict: str) -> None:
    await s.issue(licence("G", "100 NAR", cap="100 NAR", type=LicenceType.GLOBAL))
    rest = s.next_version("G", "25 NAR", cap=LicenceCap(*figures("25 NAR")))
    piece = licence("P", part, cap=part_cap, type=LicenceType.GLOBAL)
    (answer,) = await s.tell(s.licence_event(rest, LicenceEventKind.SPLIT, parts=(piece,)))
    assert answer.result == verdict


@pytest.mark.row("E104")
@pytest.mark.parametrize(
    ("changes", "verdict", "cap"),
    [
        ({}, "ACCEPTED", "100 over 0"),
        ({"commodity_codes": (GOODS[:6],)}, "ACCEPTED", "100 over 0"),
        ({"commodity_codes": ()}, "ACCEPTED", "100 over 0"),
        ({"commodity_codes": ("93011000",)}, "REFUSED", "0 over 40"),
        ({"commodity_codes": (), "description": "something else"}, "REFUSED", "0 over 40"),
    ],
)
async def test_a_line_taken_out_in_use_returns_with_the_same_goods(
    stored: Scenario, changes: dict[str, Any], verdict: str, cap: str
) -> None:
    s = stored
    await s.issue(licence("W", "100 NAR", "100 NAR"))
    await s.accepted("M1", cite("W", 40, line=1))
    await s.modify("W", line(2, "100 NAR"))
    await s.modify("W", line(2, "90 NAR"))
    assert await s.cap("W", 1) == "0 over 40"
    await s.accepted("M2", cite("W", 1, line=1))
    assert (await s.verdict("M2")).startswith("REFUSED LINE_NOT_FOUND")
    answer = await s.modify("W", line(1, "100 NAR", **changes), line(2, "100 NAR"))
    assert (answer.result, await s.cap("W", 1)) == (verdict, cap)
    if verdict == "ACCEPTED":
        assert await s.balance("W", 1) == "40/0/60"
        await s.released("M1")
        assert await s.balance("W", 1) == "0/40/60"
        return
    await s.invalidated("M1")
    answer = await s.modify("W", line(1, "100 NAR", **changes), line(2, "100 NAR"), version=5)
    assert (answer.result, await s.cap("W", 1)) == ("ACCEPTED", "100 over 0")
