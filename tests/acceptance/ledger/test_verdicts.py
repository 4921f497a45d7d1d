"""The tests of a claim in decision order, and what the outcome says about each (domain chapters 6 and 11, Appendix B)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Direction, LicenceType, Party
from tests.support.ledger_words import GOODS, HOLDER, cite, item, licence, line, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    MakeScenario = Callable[[Policy], Awaitable[Scenario]]


@pytest.mark.row("B4")
@pytest.mark.parametrize("procedure", ["1000", "1100", "2100", "2200", "2300", "3151", "3171"])
async def test_the_export_procedures(s: Scenario, procedure: str) -> None:
    await s.accepted("M1", item(A=1, about={"procedure": procedure}))
    assert await s.verdict("M1") == "OK_RESERVED"


@pytest.mark.row("B3")
@pytest.mark.parametrize("procedure", ["4000", "7100", "7600", ""])
async def test_other_procedures(s: Scenario, procedure: str) -> None:
    await s.accepted("M1", item(A=1, about={"procedure": procedure}))
    assert await s.verdict("M1") == "OK_NOT_APPLICABLE"


async def test_dispatch_to_a_fiscal_territory_is_no_export(s: Scenario) -> None:
    await s.accepted("M1", item(A=1, about={"additional_procedures": ("F75",)}))
    assert await s.verdict("M1") == "OK_NOT_APPLICABLE"


@pytest.mark.row("B5")
@pytest.mark.parametrize("kind", ["T1", "T2", "T2F", "T2SM", "T", "TIR"])
async def test_an_export_licence_in_transit(s: Scenario, kind: str) -> None:
    await s.accepted("M1", A=1, about={"declaration_type": kind})
    assert await s.verdict("M1") == "REFUSED WRONG_DIRECTION"


async def test_a_transit_licence(s: Scenario) -> None:
    await s.issue(licence("T", "10 NAR", type=LicenceType.TRANSIT, direction=Direction.TRANSIT))
    await s.accepted("M1", cite("T", 1, code="X072"), about={"declaration_type": "T1"})
    await s.accepted("M2", cite("T", 1, code="X072"))
    assert [await s.verdict("M1"), await s.verdict("M2")] == ["OK_RESERVED", "REFUSED WRONG_DIRECTION"]


@pytest.mark.row("B6")
async def test_a_code_of_another_licence_type(s: Scenario) -> None:
    await s.accepted("M1", cite("A", 1, code="X070"))
    assert await s.verdict("M1") == "REFUSED TYPE_MISMATCH"


async def test_a_check_on_a_suspended_licence_and_the_push_after_its_return(s: Scenario) -> None:
    await s.suspend("A")
    await s.lodged("M1", A=1)
    assert await s.draft_verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await s.resume("A")
    assert await s.notifications("A") == ["STATUS Suspended->Valid RESUMED"]
    await s.accepted("M1")
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_an_unknown_number_leaves_no_trace_in_the_ledger(s: Scenario) -> None:
    await s.lodged("M1", X=1)
    assert await s.draft_verdict("M1") == "REFUSED NOT_FOUND"
    assert await s.movements("X") == []
    assert (await s.sound()).parked == set()


async def test_the_line_is_found_by_its_goods(s: Scenario) -> None:
    other = "90132000"
    await s.issue(licence("W", line(1, "10 NAR"), line(2, "10 NAR", commodity_codes=(other,))))
    await s.accepted("M1", item(cite("W", 1, line=None), about={"commodity": other[:6]}))
    assert await s.balance("W", 2) == "1/0/9"
    await s.accepted("M2", item(cite("W", 1, line=None), about={"commodity": "01010101"}))
    assert (await s.verdict("M2")).startswith("REFUSED LINE_NOT_FOUND")
    await s.accepted("M3", item(cite("W", 1, line=3)))
    assert (await s.verdict("M3")).startswith("REFUSED LINE_NOT_FOUND")


async def test_two_lines_of_the_same_goods_are_ambiguous(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.accepted("M1", cite("W", 1, line=None))
    assert (await s.verdict("M1")).startswith("REFUSED LINE_AMBIGUOUS")
    await s.accepted("M2", cite("W", 1, line=2))
    await s.amended("M2", cite("W", 2, line=None))  # its document holds line 2
    assert await s.balance("W", 2) == "2/0/8"


MISMATCHES: list[tuple[Rule, str, dict[str, Any], dict[str, Any]]] = [
    (Rule.PROCEDURE, "PROCEDURE_MISMATCH", {}, {"procedure": "2100"}),
    (Rule.HOLDER, "HOLDER_MISMATCH", {"exporter": "DE1"}, {}),
    (Rule.CONSIGNEE, "CONSIGNEE_MISMATCH", {"consignee_name": "Nobody"}, {}),
    (Rule.DESTINATION, "DESTINATION_MISMATCH", {}, {"destination": "RU"}),
    (Rule.COMMODITY, "COMMODITY_MISMATCH", {}, {"commodity": "93010000"}),
    (Rule.ORIGIN, "ORIGIN_MISMATCH", {}, {"origin": "US"}),
]


@pytest.mark.row("CR 8(3)(c)")
@pytest.mark.parametrize(("rule", "code", "about", "goods"), MISMATCHES)
@pytest.mark.parametrize("enforced", [False, True])
async def test_comparisons_are_reported_or_enforced(
    with_policy: MakeScenario, rule: Rule, code: str, about: dict[str, Any], goods: dict[str, Any], enforced: bool
) -> None:
    s = await with_policy(Policy(enforced=frozenset({rule}) if enforced else frozenset()))
    named = line(1, "10 NAR", origin="DE", commodity_codes=(GOODS,))
    await s.issue(licence("W", named, consignees=(Party("Somebody", "KR1"),), procedures=("10", "2300")))
    await s.accepted("M1", item(W=1, about=goods), about=about)
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert await s.verdict("M1") == (f"REFUSED {code}" if enforced else "OK_RESERVED")
    assert [warned[1]["code"] for warned in claim["warned"]] == ([] if enforced else [code])
    await s.finish()


@pytest.mark.parametrize(
    ("named", "declared", "agrees"),
    [
        (("1000", "2300"), "2300", True),
        (("1000", "2300"), "2100", False),
        (("1000",), "1051", False),
        (("10",), "1051", True),
        (("31", "1000"), "3151", True),
        ((), "2100", True),
    ],
)
async def test_a_licence_is_for_the_procedures_it_names(
    s: Scenario, named: tuple[str, ...], declared: str, agrees: bool
) -> None:
    """Form box 21; the requested procedure alone goes with every previous one."""
    await s.issue(licence("W", "10 NAR", procedures=named))
    await s.accepted("M1", item(W=1, about={"procedure": declared}))
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert await s.verdict("M1") == "OK_RESERVED"
    assert ("PROCEDURE" in claim["passed"]) is agrees
    told = [(warned[1]["code"], warned[1]["declared"], warned[1]["available"]) for warned in claim["warned"]]
    assert told == ([] if agrees else [("PROCEDURE_MISMATCH", declared, ",".join(named))])


@pytest.mark.parametrize(("declared", "agrees"), [("T1", True), ("T2", False)])
async def test_a_transit_licence_names_transit_types(s: Scenario, declared: str, agrees: bool) -> None:
    transit = licence("T", "9 NAR", type=LicenceType.TRANSIT, direction=Direction.TRANSIT, procedures=("T1", "TIR"))
    await s.issue(transit)
    await s.accepted(
        "M1", item(cite("T", 1, code="X072"), about={"procedure": ""}), about={"declaration_type": declared}
    )
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert [warned[1]["code"] for warned in claim["warned"]] == ([] if agrees else ["PROCEDURE_MISMATCH"])


@pytest.mark.parametrize(("name", "number"), [("SOMEBODY ", ""), ("", "KR1"), ("", "")])
async def test_the_consignee_is_found_by_name_or_number(s: Scenario, name: str, number: str) -> None:
    await s.issue(licence("W", "10 NAR", consignees=(Party("Somebody", "KR1"),)))
    await s.accepted("M1", W=1, about={"consignee_name": name, "consignee_id": number})
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert "CONSIGNEE" in claim["passed"]


async def test_serbia_under_its_customs_code(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", destinations=("RS",)))
    await s.accepted("M1", item(W=1, about={"destination": "XS"}))
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert "DESTINATION" in claim["passed"]


@pytest.mark.parametrize("declared", ["XU", "XI", "GB"])
async def test_the_parts_of_the_united_kingdom_lie_within_it(s: Scenario, declared: str) -> None:
    await s.issue(licence("W", "10 NAR", destinations=("GB",)))
    await s.accepted("M1", item(W=1, about={"destination": declared}))
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert "DESTINATION" in claim["passed"]


async def test_a_union_general_authorisation_has_no_ledger(s: Scenario) -> None:
    await s.issue(licence("E", "10 NAR", type=LicenceType.EU002))
    await s.accepted("M1", cite("E", 40, code="X062"))
    assert await s.verdict("M1") == "OK_NOT_MANAGED"


async def test_a_general_authorisation_without_registration_is_told_not_parked(s: Scenario) -> None:
    await s.accepted("M1", cite("G", 1, code="X061"))
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert [warned[1]["code"] for warned in claim["warned"]] == ["NOT_REGISTERED"]
    assert (await s.sound()).parked == set()


@pytest.mark.parametrize("codes", [(), ("X062",)])
async def test_a_barred_exporter(s: Scenario, codes: tuple[str, ...]) -> None:
    await s.issue(licence("E", "", type=LicenceType.EU002))
    bar = ExporterBar("BE", HOLDER, codes, date(2026, 1, 1))
    await s.tell(s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    await s.accepted("M1", cite("E", 1, code="X062"))
    assert await s.verdict("M1") == "REFUSED BARRED"
    await s.released("M1")
    assert await s.notifications("E") == ["INCIDENT UNCOVERED"]


async def test_a_suspended_licence_without_limit_refuses_too(s: Scenario) -> None:
    await s.issue(licence("N", ""))
    await s.suspend("N")
    await s.accepted("M1", N="1 NAR")
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"


async def test_a_retrospective_declaration(s: Scenario) -> None:
    """Accepted long after departure, judged by the day of acceptance that customs state."""
    await s.validity_passed("A")
    told = s.customs.accepted("M1", A=40, on="2026-11-01", at="2027-03-01T10:00Z")
    await s.tell(told, s.customs.released("M1", at="2027-03-01T10:05Z"))
    assert await s.balance("A") == "0/40/60"
    assert await s.status("A") == "Expired"


async def test_findings_on_a_licence_event_refuse_it(s: Scenario) -> None:
    from certex_bridge.kernel.errors import Finding

    snapshot = s.next_version("A", "5 NAR")
    event = s.authority.event(snapshot, findings=(Finding("UNIT_UNKNOWN", "lines[1]", "XXX", "no such unit"),))
    (answer,) = await s.tell(event)
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", ["UNIT_UNKNOWN"])
    assert (await s.state("A")).version == 1


async def test_the_first_version_may_be_a_revoked_one(s: Scenario) -> None:
    await s.issue(licence("R", "5 NAR", status=AuthorityStatus.REVOKED))
    assert await s.status("R") == "Revoked"
