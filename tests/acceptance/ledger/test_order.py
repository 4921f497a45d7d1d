"""Chapter 6.2 of the catalogue: events that come late, early, or in the wrong order."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.ledger.domain.model import Dim
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus
from tests.support.ledger_words import cite, licence, licence_id, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from certex_bridge.ledger.commands import Command

LATE = "2026-03-01T09:00+01:00"
LATER = "2026-03-01T10:00+01:00"


@pytest.mark.row("E021")
async def test_an_unknown_licence_makes_the_declaration_wait(s: Scenario) -> None:
    await s.accepted("M1", X=5)
    assert await s.verdict("M1") == "WAITING NOT_FOUND"
    held = await s.sound()
    assert held.parked == {(licence_id("X"), mrn_of("M1"))}
    assert (await s.state("X")).version == 0


@pytest.mark.row("E022")
async def test_the_licence_comes_and_the_declaration_is_settled(s: Scenario) -> None:
    await s.accepted("M1", X=5)
    await s.issue(licence("X", "10 NAR"))
    assert await s.balance("X") == "0/0/10"
    assert await s.wake() == 1
    assert await s.balance("X") == "5/0/5"
    assert await s.verdict("M1") == "OK_RESERVED"
    assert await s.dv("M1") == 2


@pytest.mark.row("E023")
@pytest.mark.slow
async def test_declaration_and_licence_at_the_same_moment(pg: Scenario) -> None:
    for number in range(1000):
        name = f"X{number}"
        pair = [pg.delivery(pg.customs.accepted(f"M{number}", cite(name, 5))),
                pg.delivery(pg.licence_event(licence(name, "10 NAR"), LicenceEventKind.ISSUED))]  # fmt: skip
        if number % 2:
            pair.reverse()
        await asyncio.gather(*(pg.executor.apply([one]) for one in pair), pg.executor.wake(10))
    await pg.wake()
    assert (await pg.sound()).parked == set()
    accounts = [state.accounts[1, Dim.QTY] for state in (await pg.sound()).licences.values() if "X" in state.licence_id]
    assert [(int(account.reserved), int(account.available)) for account in accounts] == [(5, 5)] * 1000


@pytest.mark.row("E024")
async def test_issued_and_revoked_in_one_batch(s: Scenario) -> None:
    await s.accepted("M1", X=5)
    revoked = licence("X", "10 NAR", version=2, status=AuthorityStatus.REVOKED)
    await s.tell(
        s.licence_event(licence("X", "10 NAR"), LicenceEventKind.ISSUED),
        s.licence_event(revoked, LicenceEventKind.REVOKED),
    )
    await s.wake()
    assert await s.verdict("M1") == "REFUSED STATUS_REVOKED"
    assert await s.dv("M1") == 2


@pytest.mark.row("E025")
@pytest.mark.parametrize(("limit", "expected"), [("10 NAR", ("5/0/95", "5/0/5")), ("4 NAR", ("0/0/100", "0/0/4"))])
async def test_an_item_waits_as_a_whole(s: Scenario, limit: str, expected: tuple[str, str]) -> None:
    await s.accepted("M1", A=5, X=5)
    assert await s.balance("A") == "0/0/100"
    await s.issue(licence("X", limit))
    await s.wake()
    assert (await s.balance("A"), await s.balance("X")) == expected


@pytest.mark.row("E026")
async def test_waiting_for_two_licences(s: Scenario) -> None:
    await s.accepted("M1", X=5, Y=5)
    await s.issue(licence("X", "10 NAR"))
    await s.wake()
    assert (await s.verdict("M1")).startswith("WAITING")
    assert (await s.sound()).parked == {(licence_id("Y"), mrn_of("M1"))}
    await s.issue(licence("Y", "10 NAR"))
    await s.wake()
    assert await s.verdict("M1") == "OK_RESERVED, OK_RESERVED"
    assert await s.balance("X") == "5/0/5"


@pytest.mark.row("E027")
async def test_a_licence_that_never_comes_refuses_nothing(s: Scenario) -> None:
    await s.accepted("M1", X=5)
    for _ in range(3):
        assert await s.wake() == 0
    assert (await s.claims("M1"))[0].state == "WAITING"


@pytest.mark.row("E028")
@pytest.mark.parametrize(
    ("taken", "on", "verdict"),
    [
        (0, "", "OK_CONSUMED"),
        (61, "", "UNCOVERED UNCOVERED QUANTITY_EXCEEDED"),
        (0, "2025-12-31", "UNCOVERED UNCOVERED NOT_YET_VALID"),
    ],
)
async def test_released_before_anything_was_known(s: Scenario, taken: int, on: str, verdict: str) -> None:
    await s.released("M1")
    assert (await s.answer_of_last()) == "RECORDED"
    if taken:
        await s.accepted("M2", A=taken)
    await s.accepted("M1", A=40, on=on)
    assert await s.verdict("M1") == verdict
    assert await s.balance("A") == ("0/40/60" if verdict == "OK_CONSUMED" else f"{taken}/0/{100 - taken}")


@pytest.mark.row("E029")
async def test_invalidated_before_anything_was_known(s: Scenario) -> None:
    await s.invalidated("M1")
    await s.accepted("M1", A=40)
    assert await s.verdict("M1") == "CLOSED INVALIDATED"
    assert await s.movements("A") == []


@pytest.mark.row("E030", "E031")
@pytest.mark.parametrize("in_order", [True, False])
async def test_the_last_word_on_release_counts(s: Scenario, in_order: bool) -> None:
    await s.accepted("M1", A=40, at="2026-03-01T08:00+01:00")
    words = [s.customs.not_released("M1", 1, at=LATE), s.customs.released("M1", A=40, at=LATER)]
    for word in words if in_order else reversed(words):
        await s.tell(word)
    assert await s.balance("A") == "0/40/60"
    assert await s.verdict("M1") == "OK_CONSUMED"


@pytest.mark.row("E032")
@pytest.mark.parametrize("first", [0, 1])
async def test_equal_instants_are_ordered_by_event_id(s: Scenario, first: int) -> None:
    await s.accepted("M1", A=40, at="2026-03-01T08:00+01:00")
    words = [
        s.customs.released("M1", A=30, at=LATE, event_id="b"),
        s.customs.released("M1", A=20, at=LATE, event_id="a"),
    ]
    await s.tell(words[first])
    await s.tell(words[1 - first])
    assert await s.balance("A") == "0/30/70"


@pytest.mark.row("E033")
async def test_an_older_amendment_after_a_newer_one(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    older = s.customs.amended("M1", A=50, version=2)
    await s.amended("M1", A=60, version=3)
    (answer,) = await s.tell(older)
    assert answer.result == "SUPERSEDED"
    assert await s.balance("A") == "60/0/40"


@pytest.mark.row("E034")
async def test_an_amendment_before_the_lodging(s: Scenario) -> None:
    lodged = s.customs.lodged("M1", A=40)
    await s.amended("M1", A=60, version=2)
    await s.tell(lodged)
    await s.tell(s.customs.bare("M1", EventKind.PRESENTED, presented=True))
    accepted = s.customs.accepted("M1", A=40, version=1)
    await s.tell(accepted)
    assert await s.balance("A") == "60/0/40"


@pytest.mark.row("E035")
async def test_an_amendment_after_invalidation_does_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.invalidated("M1")
    await s.amended("M1", A=50)
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M1") == "OK_UNRESERVED INVALIDATED"
    assert await s.movements("A") == ["RESERVE +40/0", "UNRESERVE -40/0"]


@pytest.mark.row("E036")
async def test_the_acceptance_comes_after_the_release(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.released("M1")
    accepted = s.customs.accepted("M1", at="2026-03-01T08:00+01:00")
    await s.tell(accepted)
    assert await s.verdict("M1") == "OK_CONSUMED"
    before = await s.movements("A")
    again = s.customs.accepted("M1", at="2026-03-01T07:30+01:00")
    await s.tell(again)
    assert await s.movements("A") == before == ["CONSUME 0/+40"]


def _life(s: Scenario, name: str, figure: int) -> list[Command]:
    """Every kind of event of one declaration, in their natural order."""
    return [
        s.customs.lodged(name, A=figure),
        s.customs.accepted(name),
        s.customs.amended(name, A=figure + 10),
        s.customs.released(name),
        s.customs.invalidated(name),
    ]


async def _final(orders: list[tuple[Command, ...]], cap: str) -> set[tuple[str, ...]]:
    found = set()
    for order in orders:
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", cap))
        for command in order:
            await s.tell(command)
        await s.wake()
        states = tuple(f"{claim.state} {claim.outcome}" for claim in await s.claims("M1"))
        found.add((await s.balance("A"), *states))
    return found


@pytest.mark.row("E037")
@pytest.mark.parametrize("without_invalidation", [True, False])
async def test_every_order_of_one_life_has_one_end(without_invalidation: bool) -> None:
    life = _life(Scenario(InMemoryStore()), "M1", 40)
    balances = await _final(list(permutations(life[:-1] if without_invalidation else life)), "1000 NAR")
    assert len({found[0] for found in balances}) == 1, balances
    assert {found[0] for found in balances} == {"0/50/950" if without_invalidation else "0/0/1000"}


@pytest.mark.row("E038")
async def test_every_order_of_two_rivals_ends_like_a_serial_one() -> None:
    tales = Scenario(InMemoryStore())
    one = [tales.customs.accepted("M1", A=40), tales.customs.amended("M1", A=50), tales.customs.released("M1")]
    other = tales.customs.accepted("M2", A=70)
    ends = set()
    for order in permutations([*one, other]):
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", "100 NAR"))
        for command in order:
            await s.tell(command)
        ends.add(await s.balance("A"))
    # M1 alone (consumed 50), or M2 alone (70 reserved): never both, never neither. When M1 had reserved 40 before its
    # amendment was refused, what was reserved is consumed on release.
    assert ends <= {"0/50/50", "70/0/30"}, ends
    assert len(ends) == 2


async def test_an_event_from_the_future_is_applied_and_remarked(s: Scenario) -> None:
    """The decoder finds the clock ahead; the ledger applies, customs read the remark, and versions decide the order."""
    told = s.customs.accepted("M1", A=40, at="2026-03-03T10:00Z")
    ahead = Finding("CLOCK_AHEAD", "ce_time", "2026-03-03T10:00Z", "two days ahead", Severity.WARNING)
    await s.tell(replace(told, findings=(ahead,)))
    (said,) = await s.messages("outcome", mrn_of("M1"))
    assert [finding["code"] for finding in said["findings"]] == ["CLOCK_AHEAD"]
    await s.amended("M1", A=50, at="2026-03-01T10:00Z")
    assert await s.balance("A") == "50/0/50"


@pytest.mark.row("E040", "E041")
@pytest.mark.parametrize(("at", "expected"), [("2029-02-28T10:00Z", "APPLIED"), ("2029-03-02T10:00Z", "REFUSED")])
async def test_amendments_are_possible_for_three_years(s: Scenario, at: str, expected: str) -> None:
    await s.accepted("M1", A=40, at="2026-03-01T10:00Z")
    await s.released("M1", at="2026-03-01T11:00Z")
    await s.validity_passed("A")
    answer = await s.amended("M1", A=30, at=at)
    assert answer.result == expected
    if expected == "APPLIED":
        assert await s.balance("A") == "0/30/70"
        assert await s.status("A") == "Expired"
    else:
        assert "TOO_LATE" in answer.body
        assert await s.balance("A") == "0/40/60"


@pytest.mark.row("E042")
async def test_a_new_version_while_declarations_are_under_way(s: Scenario) -> None:
    await s.accepted("M1", cite("A", 40))
    await s.tell(
        s.customs.accepted("M2", A=30),
        s.licence_event(s.next_version("A", "80 NAR"), LicenceEventKind.MODIFIED),
        s.customs.accepted("M3", A=11),
    )
    assert await s.balance("A") == "70/0/10"
    assert await s.verdict("M3") == "REFUSED QUANTITY_EXCEEDED"
