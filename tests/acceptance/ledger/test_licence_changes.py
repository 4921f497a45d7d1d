"""Chapter 6.6 of the catalogue: licences that change while they are in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, LicenceCap, LicenceType
from tests.support.ledger_words import GOODS, cite, licence, licence_id, line, mrn_of
from tests.support.scenario import Scenario

MODIFIED, REVOKED, RESUMED = LicenceEventKind.MODIFIED, LicenceEventKind.REVOKED, LicenceEventKind.RESUMED


async def in_use(s: Scenario) -> None:
    """A with 40 reserved and 20 consumed, 15 of them by M3."""
    await s.accepted("M1", A=40)
    await s.accepted("M2", A=5)
    await s.accepted("M3", A=15)
    await s.released("M2")
    await s.released("M3")


@pytest.mark.row("E089")
async def test_a_raised_cap(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.modify("A", "200 NAR")
    assert await s.balance("A") == "0/40/160"
    assert [claim.state for claim in await s.claims("M1")] == ["CONSUMED"]


@pytest.mark.row("E090")
async def test_a_cap_lowered_to_exactly_what_is_in_use(s: Scenario) -> None:
    await in_use(s)
    answer = await s.modify("A", "60 NAR")
    assert await s.balance("A") == "40/20/0"
    assert await s.cap("A") == "60 over 0"
    assert await s.acknowledged(answer) == []


@pytest.mark.row("E091", "E092", "E093", "E094")
async def test_a_cap_lowered_below_use(s: Scenario) -> None:
    await in_use(s)
    answer = await s.modify("A", "50 NAR")
    assert answer.result == "ACCEPTED"
    assert await s.cap("A") == "50 over 10"
    assert await s.balance("A") == "40/20/0"
    assert await s.acknowledged(answer) == ["CAP_BELOW_USE"]
    assert await s.notifications("A") == ["INCIDENT CAP_BELOW_USE"]
    await s.released("M1")
    assert await s.balance("A") == "0/60/0"
    assert await s.cap("A") == "50 over 10"
    await s.accepted("M4", A=1)
    assert await s.verdict("M4") == "REFUSED STATUS_EXHAUSTED QUANTITY_EXCEEDED"
    await s.invalidated("M3")
    assert await s.cap("A") == "50 over 0"
    assert await s.balance("A") == "0/45/5"


@pytest.mark.row("E093")
async def test_nothing_new_on_an_over_used_licence(s: Scenario) -> None:
    await in_use(s)
    await s.modify("A", "50 NAR")
    await s.accepted("M4", A=1)
    assert await s.verdict("M4") == "REFUSED QUANTITY_EXCEEDED"


@pytest.mark.row("DU 16(1)")
@pytest.mark.row("E095", "E096")
async def test_a_licence_revoked_with_an_open_reservation(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.revoke("A")
    assert await s.balance("A") == "40/0/60"
    (push,) = await s.messages("notification", licence_id("A"))
    assert (push["text"], push["for"], push["interested"]) == ("STATUS Valid->Revoked REVOKED", "BE", [mrn_of("M1")])
    await s.presented("M1")
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert claim["at_risk"] is True
    await s.accepted("M2", A=1)
    assert await s.verdict("M2") == "REFUSED STATUS_REVOKED"
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"
    assert (await s.notifications("A"))[-1] == "INCIDENT RELEASED_ON_BLOCKED"


@pytest.mark.row("DU 16(1)")
@pytest.mark.row("E097")
async def test_suspended_and_resumed(s: Scenario) -> None:
    await s.suspend("A")
    await s.accepted("M1", A=1)
    assert await s.verdict("M1") == "REFUSED STATUS_SUSPENDED"
    await s.resume("A")
    assert await s.notifications("A") == ["STATUS Suspended->Valid RESUMED"]
    assert await s.balance("A") == "0/0/100"
    await s.amended("M1", A=1)
    assert await s.verdict("M1") == "OK_RESERVED"


@pytest.mark.row("E098", "E099", "E100")
@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("2026-12-31", "OK_RESERVED"),
        ("2027-01-01", "REFUSED EXPIRED_AT_ACCEPTANCE"),
        ("2025-12-31", "REFUSED NOT_YET_VALID"),
        ("2026-01-01", "OK_RESERVED"),
    ],
)
async def test_the_day_of_acceptance_decides(s: Scenario, on: str, verdict: str) -> None:
    await s.accepted("M1", A=40, on=on)
    assert await s.verdict("M1") == verdict
    await s.validity_passed("A")
    await s.released("M1")
    if verdict == "OK_RESERVED":
        assert await s.balance("A") == "0/40/60"
        (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
        assert "VALIDITY" in claim["passed"]
        assert claim["licence_status"] == "Expired"


@pytest.mark.row("E101")
async def test_validity_is_shortened_behind_an_open_reservation(s: Scenario) -> None:
    await s.accepted("M1", A=40, on="2026-03-01")
    await s.modify("A", valid_to=date(2026, 2, 28))
    assert await s.balance("A") == "40/0/60"
    assert await s.notifications("A") == ["STATUS Valid->Valid VALIDITY_SHORTENED"]
    await s.presented("M1")
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert claim["at_risk"] is True
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"


@pytest.mark.row("E102")
async def test_a_line_is_taken_out_while_in_use(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.accepted("M1", cite("W", 8, line=2))
    await s.released("M1")
    answer = await s.modify("W", "10 NAR")
    assert await s.balance("W", 2) == "0/8/0"
    account = (await s.state("W")).accounts[2, "QTY"]  # type: ignore[index]  # a StrEnum equals its text
    assert (str(account.cap), str(account.over)) == ("0", "8")
    assert "LINE_REMOVED_WITH_USE" in await s.acknowledged(answer)
    await s.accepted("M2", cite("W", 1, line=2))
    assert (await s.verdict("M2")).startswith("REFUSED LINE_NOT_FOUND")
    await s.invalidated("M1")
    assert await s.balance("W", 2) == "0/0/0"


@pytest.mark.row("E103", "E104")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (line(1, "100 KGM"), "UNIT_CHANGED_WITH_USE"),
        (line(1, "100 NAR", commodity_codes=("93010000",)), "LINE_REUSED"),
        (line(1, "500.00 EUR"), "CONTROL_CHANGED_WITH_USE"),
        (line(1, "100 NAR + 500.00 EUR"), "CONTROL_CHANGED_WITH_USE"),
    ],
)
async def test_a_line_in_use_keeps_its_meaning(s: Scenario, changed: object, code: str) -> None:
    await s.accepted("M1", A=1)
    answer = await s.modify("A", changed)
    assert answer.result == "REFUSED"
    assert await s.acknowledged(answer) == [code]
    assert await s.quarantined() == [code]
    assert (await s.state("A")).version == 1
    assert await s.balance("A") == "1/0/99"


@pytest.mark.row("E103", "E104")
@pytest.mark.parametrize("figure", ["100 KGM", "100.00 EUR", "100 NAR + 5.00 EUR"])
async def test_a_line_not_in_use_may_change(s: Scenario, figure: str) -> None:
    assert (await s.modify("A", line(1, figure))).result == "ACCEPTED"
    await s.accepted("M1", A=figure)
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_a_cap_over_all_lines_is_taken_out(s: Scenario) -> None:
    await s.issue(licence("W", "10 NAR", cap="5 NAR"))
    await s.modify("W", cap=LicenceCap())
    assert await s.status("W") == "Valid"
    await s.accepted("M1", W=10)
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_an_unlimited_line_is_limited_again(s: Scenario) -> None:
    await s.modify("A", "")
    await s.accepted("M1", A="500 NAR")
    assert await s.verdict("M1") == "OK_NOT_MANAGED"
    await s.modify("A", "100 NAR")
    await s.accepted("M2", A="101 NAR")
    assert await s.verdict("M2") == "REFUSED QUANTITY_EXCEEDED"


@pytest.mark.parametrize(("changes", "status"), [({"application_number": "7"}, "Expired"),
                                                 ({"valid_to": date(2027, 6, 30)}, "Valid")])  # fmt: skip
async def test_only_a_later_last_day_leads_out_of_expired(s: Scenario, changes: dict[str, Any], status: str) -> None:
    await s.validity_passed("A")
    await s.modify("A", **changes)
    assert await s.status("A") == status


@pytest.mark.row("E105")
async def test_one_version_with_two_contents(s: Scenario) -> None:
    one, other = s.next_version("A", "90 NAR"), s.next_version("A", "80 NAR")
    (first,) = await s.tell(s.licence_event(one, MODIFIED))
    (again,) = await s.tell(s.licence_event(one, MODIFIED))
    (second,) = await s.tell(s.licence_event(other, MODIFIED))
    assert [first.result, again.result, second.result] == ["ACCEPTED", "ALREADY_DONE", "CONFLICT"]
    row = await s.put_aside()
    assert (row.code, row.field, row.value) == ("CONFLICTING_DUPLICATE", "version", "2")
    assert row.message.startswith("Licence BE/A: The same licence version arrived before with other content")
    assert row.message.endswith("lines[1].quantity was 90 NAR, is now 80 NAR.")
    assert await s.cap("A") == "90 over 0"


async def test_one_version_with_two_spellings_of_one_content_names_no_field(s: Scenario) -> None:
    event = s.licence_event(s.next_version("A", "90 NAR"), MODIFIED)
    await s.tell(event)
    (second,) = await s.tell(replace(event, event_id="again", payload_sha256="0" * 64))
    assert (second.result, (await s.put_aside()).message.count(" was ")) == ("CONFLICT", 0)


@pytest.mark.row("E106")
async def test_versions_in_between_never_came(s: Scenario) -> None:
    (answer,) = await s.tell(s.licence_event(s.next_version("A", "90 NAR", version=4), MODIFIED))
    assert answer.result == "ACCEPTED"
    assert await s.acknowledged(answer) == ["VERSION_GAP"]
    (late,) = await s.tell(s.licence_event(s.next_version("A", "80 NAR", version=3), MODIFIED))
    assert late.result == "SUPERSEDED"
    assert await s.cap("A") == "90 over 0"


@pytest.mark.row("E107", "E108")
async def test_revoked_is_final(s: Scenario) -> None:
    await s.tell(s.licence_event(s.next_version("A", status=AuthorityStatus.REVOKED, version=3), REVOKED))
    late = s.next_version("A", "200 NAR", status=AuthorityStatus.VALID, version=2)
    (answer,) = await s.tell(s.licence_event(late, MODIFIED))
    assert answer.result == "SUPERSEDED"
    resumed = s.next_version("A", status=AuthorityStatus.VALID, version=4)
    (answer,) = await s.tell(s.licence_event(resumed, RESUMED))
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", ["INVALID_TRANSITION"])
    assert await s.quarantined() == ["INVALID_TRANSITION"]
    assert await s.status("A") == "Revoked"


@pytest.mark.row("E109")
async def test_five_hundred_declarations_wait_for_one_licence(pg: Scenario) -> None:
    names = [f"M{number:03}" for number in range(500)]
    await pg.tell(*(pg.customs.accepted(name, X=1, lrn="") for name in names))
    await pg.issue(licence("X", "300 NAR"))
    wakes = (await pg.sound()).wakes
    assert len(wakes) == 500
    order = [wakes[key].decl_id for key in sorted(wakes)]
    for done in range(3):  # each in a transaction of its own
        assert await pg.executor.wake(1) == 1
        assert await pg.balance("X") == f"{done + 1}/0/{299 - done}"
    await pg.wake(50)
    held = await pg.sound()
    granted = [key.decl_id for key, claim in held.claims.items() if claim.outcome == "OK_RESERVED"]
    assert sorted(granted) == sorted(order[:300])


@pytest.mark.row("E110")
async def test_a_replacement_takes_nothing_over(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.issue(licence("A2", "60 NAR", replaces="A"))
    await s.annul("A")
    assert await s.balance("A") == "40/0/60"
    assert await s.balance("A2") == "0/0/60"


async def split(s: Scenario, rest: str, *parts: str) -> str:
    """Split G into its rest and parts; returns the verdict."""
    made = tuple(licence(f"G{number}", limit, type=LicenceType.GLOBAL) for number, limit in enumerate(parts, start=1))
    event = s.licence_event(s.next_version("G", rest), LicenceEventKind.SPLIT, parts=made)
    return (await s.tell(event))[0].result


@pytest.mark.row("DU 12(4)")
@pytest.mark.row("E111")
@pytest.mark.parametrize(
    ("rest", "parts", "expected"),
    [
        ("60 NAR", ("20 NAR", "20 NAR"), "ACCEPTED"),
        ("40 NAR", ("30 NAR", "30 NAR"), "ACCEPTED"),
        ("40 NAR", ("30 NAR", "31 NAR"), "REFUSED"),
        ("61 NAR", ("20 NAR", "20 NAR"), "REFUSED"),
    ],
)
async def test_a_global_licence_is_split(s: Scenario, rest: str, parts: tuple[str, ...], expected: str) -> None:
    await s.issue(licence("G", "100 NAR", type=LicenceType.GLOBAL))
    await s.accepted("M1", cite("G", 40, code="X070"))
    assert await split(s, rest, *parts) == expected
    if expected == "ACCEPTED":
        assert (await s.state("G")).accounts[1, "QTY"].over == 0  # type: ignore[index]  # a StrEnum equals its text
        assert await s.balance("G2") == f"0/0/{parts[1].split()[0]}"
    else:
        assert await s.balance("G") == "40/0/60"
        assert "BE/G1" not in {key for key, state in (await s.sound()).licences.items() if state.known}


@pytest.mark.row("E111")
async def test_an_unknown_original_or_a_known_part_is_no_split(s: Scenario) -> None:
    unknown = licence("U", "10 NAR", type=LicenceType.GLOBAL)
    (answer,) = await s.tell(s.licence_event(unknown, LicenceEventKind.SPLIT, parts=(licence("U1", "1 NAR"),)))
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", ["SPLIT_EXCEEDS_REMAINDER"])
    await s.issue(licence("G", "100 NAR", type=LicenceType.GLOBAL), licence("G1", "5 NAR", type=LicenceType.GLOBAL))
    assert await split(s, "80 NAR", "20 NAR") == "REFUSED"
    assert await s.balance("G1") == "0/0/5"


@pytest.mark.row("E111")
async def test_a_split_wakes_who_waited_for_a_part(s: Scenario) -> None:
    await s.issue(licence("G", "100 NAR", type=LicenceType.GLOBAL))
    await s.accepted("M1", cite("G1", 5, code="X070"))
    assert await split(s, "80 NAR", "20 NAR") == "ACCEPTED"
    await s.wake()
    assert await s.balance("G1") == "5/0/15"


@pytest.mark.row("DU 16(1)")
@pytest.mark.row("E112")
async def test_cancelled_from_the_start_with_use(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1")
    await s.annul("A")
    assert (await s.state("A")).accounts[1, "QTY"].consumed == 40  # type: ignore[index]  # a StrEnum equals its text
    assert await s.status("A") == "Cancelled"
    assert "INCIDENT CANCELLED_WITH_USE" in await s.notifications("A")
    await s.accepted("M2", A=1)
    assert (await s.verdict("M2")).startswith("REFUSED STATUS_CANCELLED")


async def test_the_same_line_may_name_its_goods_more_exactly(s: Scenario) -> None:
    await s.issue(replace(licence("W", "10 NAR"), lines=(line(1, "10 NAR", commodity_codes=(GOODS[:6],)),)))
    await s.accepted("M1", W=1)
    assert (await s.modify("W", line(1, "10 NAR", commodity_codes=(GOODS,)))).result == "ACCEPTED"
