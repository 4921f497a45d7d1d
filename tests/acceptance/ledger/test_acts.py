"""Acts that block (revoked, suspended, annulled, barred) count at once, whatever else is wrong with their message."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.commands import Command
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from tests.support.ledger_words import HOLDER, cite, licence, licence_id, line
from tests.support.scenario import Scenario

SUSPENDED, RESUMED, REVOKED, ANNULLED, MODIFIED = (
    LicenceEventKind.SUSPENDED,
    LicenceEventKind.RESUMED,
    LicenceEventKind.REVOKED,
    LicenceEventKind.ANNULLED,
    LicenceEventKind.MODIFIED,
)
STATUS = {SUSPENDED: "Suspended", REVOKED: "Revoked", ANNULLED: "Cancelled"}
WRONG = Finding("UNIT_UNKNOWN", "lines[0].quantity.unit", "pieces", "no unit")
ACTS = pytest.mark.parametrize("kind", STATUS)


def act(
    s: Scenario, name: str, kind: LicenceEventKind, version: int = 2, *, bare: bool = False, wrong: tuple[Finding, ...] = (WRONG,),
    **changes: Any,
) -> LicenceCommand:  # fmt: skip
    """An act as the decoder hands it over when its content is absent (bare) or wrong."""
    made = s.authority.event(None, kind, findings=() if bare else wrong)
    sha = f"{kind}-{version}-{bare}-{made.event_id}"
    told = replace(made, licence_id=licence_id(name), version=version, bare=bare, payload_sha256=sha)
    return replace(told, **changes)


async def tell(s: Scenario, *commands: Command) -> list[tuple[str, list[str]]]:
    """What the authority was answered: verdict and codes."""
    return [(answer.result, await s.acknowledged(answer)) for answer in await s.tell(*commands)]


def snapshot(s: Scenario, kind: LicenceEventKind, content: Licence) -> Command:
    """An event with its content."""
    return s.licence_event(content, kind)


async def refused(s: Scenario, name: str = "M9", licence_name: str = "A") -> bool:
    """Whether a new claim is refused."""
    await s.accepted(name, cite(licence_name, 1))
    return (await s.verdict(name)).startswith("REFUSED STATUS_")


# -- content absent or wrong


@ACTS
@pytest.mark.parametrize("bare", [True, False])
async def test_an_act_counts_without_content_and_with_wrong_content(
    stored: Scenario, kind: LicenceEventKind, bare: bool
) -> None:
    s = stored
    await s.accepted("M1", A=40)
    (answer,) = await tell(s, act(s, "A", kind, bare=bare))
    assert answer == ("ACCEPTED", [] if bare else ["CONTENT_NOT_TAKEN", "UNIT_UNKNOWN"])
    assert (await s.state("A")).version == 2
    assert await s.status("A") == STATUS[kind]
    assert await s.certificates("A") == ["Valid", STATUS[kind]]
    assert await s.balance("A") == "40/0/60"
    assert await s.cap("A") == "100 over 0"
    assert await refused(s)
    assert await s.notifications("A") == [f"STATUS Valid->{STATUS[kind]} {kind.upper()}"]
    assert await s.quarantined() == []


@ACTS
async def test_the_content_in_force_stays(stored: Scenario, kind: LicenceEventKind) -> None:
    s = stored
    await s.modify("A", "80 NAR", valid_to=date(2026, 11, 30))
    await tell(s, act(s, "A", kind, 3, sub_status="by decision"))
    held = (await s.state("A")).licence
    assert held is not None
    assert (held.version, held.valid_to, held.sub_status) == (3, date(2026, 11, 30), "by decision")
    assert await s.cap("A") == "80 over 0"


@ACTS
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (line(1, "100 KGM"), "UNIT_CHANGED_WITH_USE"),
        (line(1, "100 NAR", commodity_codes=("93010000",)), "LINE_REUSED"),
        (line(1, "500.00 EUR"), "CONTROL_CHANGED_WITH_USE"),
    ],
)
async def test_an_act_counts_whose_content_changes_what_is_in_use(
    stored: Scenario, kind: LicenceEventKind, changed: object, code: str
) -> None:
    s = stored
    await s.accepted("M1", A=40)
    status = {SUSPENDED: AuthorityStatus.SUSPENDED, REVOKED: AuthorityStatus.REVOKED}.get(
        kind, AuthorityStatus.CANCELLED
    )
    content = s.next_version("A", changed, status=status)
    assert await tell(s, snapshot(s, kind, content)) == [("ACCEPTED", ["CONTENT_NOT_TAKEN", code])]
    assert await s.status("A") == STATUS[kind]
    assert await s.balance("A") == "40/0/60"
    assert await s.cap("A") == "100 over 0"


async def test_a_line_reused_does_not_keep_a_suspension_away(stored: Scenario) -> None:
    s = stored
    await s.issue(licence("W", "10 NAR", "10 NAR"))
    await s.accepted("M1", cite("W", 4, line=1))
    await s.modify("W", line(2, "10 NAR"))
    content = s.next_version("W", line(1, "10 NAR", commodity_codes=("93010000",)), status=AuthorityStatus.SUSPENDED)
    codes = ["CONTENT_NOT_TAKEN", "LINE_REUSED", "LINE_REMOVED_WITH_USE"]
    assert await tell(s, snapshot(s, SUSPENDED, content)) == [("ACCEPTED", codes)]
    assert await s.status("W") == "Suspended"


async def test_a_suspension_told_as_a_change_counts(stored: Scenario) -> None:
    s = stored
    told = act(s, "A", MODIFIED, stated=AuthorityStatus.SUSPENDED)
    assert await tell(s, told) == [("ACCEPTED", ["CONTENT_NOT_TAKEN", "UNIT_UNKNOWN"])]
    assert await s.status("A") == "Suspended"
    again = act(s, "A", MODIFIED, 3, stated=AuthorityStatus.SUSPENDED)
    assert await tell(s, again) == [("REFUSED", ["UNIT_UNKNOWN"])]
    assert (await s.state("A")).version == 2


async def test_a_changed_content_of_a_suspended_licence_is_no_act(stored: Scenario) -> None:
    s = stored
    await s.suspend("A")
    await s.accepted("M1", A=1)
    suspended = AuthorityStatus.SUSPENDED
    late = s.next_version("A", "70 NAR", version=1, status=suspended)
    other = s.next_version("A", "60 NAR", version=2, status=suspended)
    assert [verdict for verdict, _ in await tell(s, snapshot(s, MODIFIED, late))] == ["SUPERSEDED"]
    assert await tell(s, snapshot(s, MODIFIED, other)) == [("CONFLICT", ["CONFLICTING_DUPLICATE"])]
    assert ((await s.state("A")).version, await s.cap("A")) == (2, "100 over 0")
    assert "LOST" not in {row.act for row in (await s.sound()).refused_licence_events.values()}


async def test_a_change_that_states_an_end_contradicts_itself(stored: Scenario) -> None:
    s = stored
    told = act(s, "A", MODIFIED, stated=AuthorityStatus.REVOKED)
    assert await tell(s, told) == [("REFUSED", ["UNIT_UNKNOWN"])]
    assert await s.status("A") == "Valid"
    assert [row.act for row in (await s.sound()).refused_licence_events.values()] == ["LOST"]


async def test_the_corrected_content_comes_in_a_version_of_its_own(stored: Scenario) -> None:
    s = stored
    await tell(s, act(s, "A", REVOKED))
    corrected = s.next_version("A", "70 NAR", version=3, status=AuthorityStatus.REVOKED)
    assert await tell(s, snapshot(s, REVOKED, corrected)) == [("ACCEPTED", [])]
    assert (await s.status("A"), await s.cap("A")) == ("Revoked", "70 over 0")


# -- versions


@pytest.mark.parametrize("version", [0, 1])
@ACTS
async def test_an_act_without_a_version_of_its_own_gets_the_next(
    stored: Scenario, kind: LicenceEventKind, version: int
) -> None:
    s = stored
    (answer,) = await tell(s, act(s, "A", kind, version))
    assert answer == ("ACCEPTED", ["CONTENT_NOT_TAKEN", "VERSION_ASSIGNED", "UNIT_UNKNOWN"])
    assert ((await s.state("A")).version, await s.status("A")) == (2, STATUS[kind])


@pytest.mark.parametrize("kind", [REVOKED, ANNULLED])
@pytest.mark.parametrize("version", [1, 2, 3, 4])
@pytest.mark.parametrize("bare", [True, False])
async def test_what_is_final_counts_in_every_order(
    stored: Scenario, kind: LicenceEventKind, version: int, bare: bool
) -> None:
    s = stored
    await s.modify("A", "90 NAR")
    await s.modify("A", "80 NAR")
    ((verdict, _),) = await tell(s, act(s, "A", kind, version, bare=bare))
    assert verdict == "ACCEPTED"
    assert ((await s.state("A")).version, await s.status("A")) == (4, STATUS[kind])
    assert await refused(s)


async def test_a_whole_revocation_behind_a_change_counts_too(stored: Scenario) -> None:
    s = stored
    late = s.next_version("A", "70 NAR", status=AuthorityStatus.REVOKED)
    change = s.next_version("A", "80 NAR", version=3)
    await s.tell(s.licence_event(change, MODIFIED))
    told = await tell(s, snapshot(s, REVOKED, late))
    assert told == [("ACCEPTED", ["CONTENT_NOT_TAKEN", "VERSION_ASSIGNED"])]
    assert (await s.status("A"), await s.cap("A")) == ("Revoked", "80 over 0")


async def test_a_suspension_lifted_by_a_later_version_does_not_come_back(stored: Scenario) -> None:
    s = stored
    await s.modify("A", version=3)  # version 2 is on its way
    late = act(s, "A", SUSPENDED, 2)
    assert [verdict for verdict, _ in await tell(s, late)] == ["SUPERSEDED"]
    assert await s.status("A") == "Valid"
    assert (await s.sound()).refused_licence_events == {}


async def test_a_suspension_under_a_number_used_before_is_seen_by_an_operator(stored: Scenario) -> None:
    s = stored
    await s.modify("A", "90 NAR")
    await s.modify("A", "80 NAR")
    ((verdict, codes),) = await tell(s, act(s, "A", SUSPENDED, 2))
    assert (verdict, codes) == ("CONFLICT", ["UNIT_UNKNOWN", "CONFLICTING_DUPLICATE"])
    assert await s.status("A") == "Valid"
    assert await s.quarantined() == ["CONFLICTING_DUPLICATE"]
    assert [row.act for row in (await s.sound()).refused_licence_events.values()] == ["LOST"]


async def test_the_same_act_under_another_id_is_done_once(stored: Scenario) -> None:
    s = stored
    first = act(s, "A", SUSPENDED, 1, bare=True)
    await s.tell(first)
    again = replace(act(s, "A", SUSPENDED, 1, bare=True), payload_sha256=first.payload_sha256)
    assert [verdict for verdict, _ in await tell(s, again)] == ["ALREADY_DONE"]
    await tell(s, act(s, "A", RESUMED, 3, bare=True))
    assert await s.status("A") == "Valid"
    later = replace(act(s, "A", SUSPENDED, 1, bare=True), payload_sha256=first.payload_sha256)
    assert [verdict for verdict, _ in await tell(s, later)] == ["SUPERSEDED"]
    assert await s.status("A") == "Valid"


async def test_a_second_suspension_without_a_version_counts(stored: Scenario) -> None:
    s = stored
    first = act(s, "A", SUSPENDED, 0, bare=True)
    await s.tell(first)
    await tell(s, act(s, "A", RESUMED, 3, bare=True))
    again = replace(act(s, "A", SUSPENDED, 0, bare=True), payload_sha256=first.payload_sha256)
    assert [verdict for verdict, _ in await tell(s, again)] == ["ACCEPTED"]
    assert ((await s.state("A")).version, await s.status("A")) == (4, "Suspended")


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", [SUSPENDED, ANNULLED])
async def test_what_is_final_stays(stored: Scenario, kind: LicenceEventKind, version: int) -> None:
    s = stored
    await s.revoke("A")
    ((verdict, codes),) = await tell(s, act(s, "A", kind, version))
    assert (verdict, codes[-1]) == ("REFUSED", "INVALID_TRANSITION")
    assert await s.status("A") == "Revoked"
    assert [row.act for row in (await s.sound()).refused_licence_events.values()] == [""]
    whole = s.next_version("A", version=5, status=AuthorityStatus.SUSPENDED)
    assert await tell(s, snapshot(s, SUSPENDED, whole)) == [("REFUSED", ["INVALID_TRANSITION"])]


@pytest.mark.parametrize(
    ("version", "verdict"), [(0, "ALREADY_DONE"), (1, "SUPERSEDED"), (2, "CONFLICT"), (3, "ACCEPTED")]
)
async def test_revoked_twice(stored: Scenario, version: int, verdict: str) -> None:
    s = stored
    await s.revoke("A")
    assert [found for found, _ in await tell(s, act(s, "A", REVOKED, version))] == [verdict]
    assert await s.status("A") == "Revoked"
    assert "LOST" not in {row.act for row in (await s.sound()).refused_licence_events.values()}


async def test_a_suspended_licence_is_revoked_by_a_bare_act(stored: Scenario) -> None:
    s = stored
    await s.suspend("A")
    assert await tell(s, act(s, "A", REVOKED, 4, bare=True)) == [("ACCEPTED", ["VERSION_GAP"])]
    assert await s.status("A") == "Revoked"


# -- before the licence is known


@ACTS
@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("together", [True, False])
async def test_an_act_before_the_licence_is_kept_until_it_comes(
    stored: Scenario, kind: LicenceEventKind, bare: bool, together: bool
) -> None:
    s = stored
    early, issued = act(s, "X", kind, bare=bare), s.licence_event(licence("X", "10 NAR"), LicenceEventKind.ISSUED)
    await s.accepted("M1", X=1)
    if together:
        first, second = await tell(s, early, issued)
    else:
        ((first,), (second,)) = await tell(s, early), await tell(s, issued)
    assert first == ("KEPT", ["LICENCE_UNKNOWN"] if bare else ["UNIT_UNKNOWN", "LICENCE_UNKNOWN"])
    assert second == ("ACCEPTED", [])
    assert await s.quarantined() == ["LICENCE_UNKNOWN"]
    assert ((await s.state("X")).version, await s.status("X")) == (2, STATUS[kind])
    assert await s.certificates("X") == ["Valid", STATUS[kind]]
    await s.wake()
    assert (await s.verdict("M1")).startswith(f"REFUSED STATUS_{STATUS[kind].upper()}")
    assert await s.balance("X") == "0/0/10"


@pytest.mark.parametrize(
    ("kind", "version", "first", "status"),
    [
        (SUSPENDED, 2, 3, "Valid"),  # lifted by what came later
        (SUSPENDED, 3, 3, "Suspended"),
        (SUSPENDED, 0, 3, "Suspended"),
        (REVOKED, 2, 3, "Revoked"),
        (ANNULLED, 4, 3, "Cancelled"),
    ],
)
async def test_a_kept_act_beside_a_later_content(
    stored: Scenario, kind: LicenceEventKind, version: int, first: int, status: str
) -> None:
    s = stored
    await tell(s, act(s, "X", kind, version))
    await tell(s, s.licence_event(licence("X", "10 NAR", version=first), LicenceEventKind.ISSUED))
    assert await s.status("X") == status


async def test_kept_acts_apply_in_the_order_of_their_versions(stored: Scenario) -> None:
    s = stored
    await tell(s, act(s, "X", REVOKED, 3, bare=True), act(s, "X", SUSPENDED, 2, bare=True))
    await tell(s, s.licence_event(licence("X", "10 NAR"), LicenceEventKind.ISSUED))
    assert await s.certificates("X") == ["Valid", "Suspended", "Revoked"]


async def test_an_act_before_a_part_of_a_split(stored: Scenario) -> None:
    s = stored
    await tell(s, act(s, "G1", REVOKED, bare=True))
    await s.issue(licence("G", "100 NAR", type="GLOBAL"))
    parts = (licence("G1", "20 NAR", type="GLOBAL"), licence("G2", "20 NAR", type="GLOBAL"))
    event = s.licence_event(s.next_version("G", "60 NAR"), LicenceEventKind.SPLIT, parts=parts)
    assert [verdict for verdict, _ in await tell(s, event)] == ["ACCEPTED"]
    assert [await s.status(name) for name in ("G", "G1", "G2")] == ["Valid", "Revoked", "Valid"]


async def test_a_whole_act_is_the_first_content(stored: Scenario) -> None:
    s = stored
    whole = licence("X", "10 NAR", version=2, status=AuthorityStatus.REVOKED)
    assert await tell(s, s.licence_event(whole, REVOKED)) == [("ACCEPTED", [])]
    late = s.licence_event(licence("X", "10 NAR"), LicenceEventKind.ISSUED)
    assert [verdict for verdict, _ in await tell(s, late)] == ["SUPERSEDED"]
    assert await s.status("X") == "Revoked"


# -- acts that give freedom back


async def test_a_bare_resumption_lifts_a_suspension(stored: Scenario) -> None:
    s = stored
    await tell(s, act(s, "A", SUSPENDED, 2, bare=True))
    assert await tell(s, act(s, "A", RESUMED, 3, bare=True)) == [("ACCEPTED", [])]
    assert await s.status("A") == "Valid"
    await s.accepted("M1", A=40)
    assert await s.verdict("M1") == "OK_RESERVED"


async def test_a_resumption_with_wrong_content_is_refused(stored: Scenario) -> None:
    s = stored
    await s.suspend("A")
    assert await tell(s, act(s, "A", RESUMED, 3)) == [("REFUSED", ["UNIT_UNKNOWN"])]
    wrong = replace(act(s, "A", RESUMED, 3, bare=True), findings=(WRONG,))
    assert await tell(s, wrong) == [("REFUSED", ["UNIT_UNKNOWN"])]
    assert await s.status("A") == "Suspended"
    assert {row.act for row in (await s.sound()).refused_licence_events.values()} == {""}


async def test_a_bare_resumption_where_content_is_missing_is_refused(stored: Scenario) -> None:
    s = stored
    await tell(s, act(s, "A", SUSPENDED, 2))  # its content was wrong
    assert await tell(s, act(s, "A", RESUMED, 3, bare=True)) == [("REFUSED", ["CONTENT_MISSING"])]
    whole = s.next_version("A", "70 NAR", version=3, status=AuthorityStatus.VALID)
    assert await tell(s, snapshot(s, RESUMED, whole)) == [("ACCEPTED", [])]
    await tell(s, act(s, "A", SUSPENDED, 5, bare=True))  # version 4 never came
    assert await tell(s, act(s, "A", RESUMED, 6, bare=True)) == [("REFUSED", ["CONTENT_MISSING"])]
    assert await tell(s, act(s, "A", RESUMED, 7, bare=True)) == [("REFUSED", ["CONTENT_MISSING"])]
    assert await s.status("A") == "Suspended"


async def test_a_bare_resumption_behind_a_version_that_never_came_is_refused(stored: Scenario) -> None:
    """Version 3 may have said something else than what is in force, however whole that is."""
    s = stored
    await s.suspend("A")
    assert await tell(s, act(s, "A", RESUMED, 4, bare=True)) == [("REFUSED", ["CONTENT_MISSING"])]
    assert await s.status("A") == "Suspended"


async def test_a_bare_resumption_out_of_turn(stored: Scenario) -> None:
    s = stored
    assert await tell(s, act(s, "X", RESUMED, 3, bare=True)) == [("REFUSED", ["LICENCE_UNKNOWN"])]
    await s.suspend("A")
    assert await tell(s, act(s, "A", RESUMED, 1, bare=True)) == [("SUPERSEDED", [])]
    assert await tell(s, act(s, "A", RESUMED, 2, bare=True)) == [("CONFLICT", ["CONFLICTING_DUPLICATE"])]
    done = act(s, "A", RESUMED, 3, bare=True)
    await s.tell(done)
    again = replace(act(s, "A", RESUMED, 3, bare=True), payload_sha256=done.payload_sha256)
    assert await tell(s, again) == [("ALREADY_DONE", [])]
    await tell(s, act(s, "A", REVOKED, 4, bare=True))
    assert await tell(s, act(s, "A", RESUMED, 5, bare=True)) == [("REFUSED", ["INVALID_TRANSITION"])]
    assert await s.status("A") == "Revoked"


# -- bars


async def test_a_bar_with_mistakes_counts(stored: Scenario) -> None:
    s = stored
    bar = ExporterBar("BE", HOLDER, ("X061",), date(2026, 1, 1))
    taken = Finding("CONTENT_NOT_TAKEN", "", "", "left out", Severity.WARNING)
    wrong = Finding("DOCUMENT_CODE_TYPE", "documentCodes[1]", "X060", "no")
    told = s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar, findings=(taken, wrong))
    assert await tell(s, told) == [("ACCEPTED", ["CONTENT_NOT_TAKEN", "DOCUMENT_CODE_TYPE"])]
    assert {(one.eori, one.document_code) for one in (await s.sound()).bars} == {(HOLDER, "X061")}
    nobody = replace(
        s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, findings=(wrong,)), licence_id="BE/bar:?"
    )
    assert await tell(s, nobody) == [("REFUSED", ["DOCUMENT_CODE_TYPE"])]
    assert [row.act for row in (await s.sound()).refused_licence_events.values()] == ["TAKEN", "LOST"]
