"""Which lodging an MRN was: LRNs used again, by two traders, and what nobody can tell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, permutations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.mismatches import InMemoryMismatches, PostgresMismatches
from certex_bridge.ledger.adapters.undecided import UndecidedDeclaration, undecided_declaration
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.requests import Verdict
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.mismatches import Asked, MismatchReport
from certex_bridge.ledger.undecided import candidates_of
from certex_bridge.platform.postgres import load_queries
from tests.acceptance.ledger.test_joining import findings_of, of_lrn
from tests.simulation.events import Declared, at, content_of
from tests.support.ledger_contents import contents_of
from tests.support.ledger_words import HOLDER, draft_of, item, licence, mrn_of
from tests.support.scenario import Scenario

OTHER = "BE0999999999"


def named(command: DeclarationCommand, lrn: str = "L1", exporter: str = "") -> DeclarationCommand:
    """A notification of customs: MRN and LRN, no content, and the exporter only if it is given."""
    facts = replace(command.facts, lrn=lrn, exporter=exporter, payload=None, payload_rank=None)
    return replace(command, lrn=lrn, exporter=exporter, facts=facts)


def lodged(s: Scenario, figure: int, exporter: str = HOLDER, lrn: str = "L1") -> DeclarationCommand:
    """A lodging of this much of licence A."""
    command = s.customs.lodged("M1", A=figure)
    facts = replace(command.facts, lrn=lrn, exporter=exporter)
    return replace(command, lrn=lrn, exporter=exporter, facts=facts)


def accepted(s: Scenario, name: str, exporter: str = "") -> DeclarationCommand:
    return named(s.customs.accepted(name, A=1), exporter=exporter)


def released(s: Scenario, name: str) -> DeclarationCommand:
    return named(s.customs.released(name))


async def play(s: Scenario, life: Sequence[DeclarationCommand]) -> None:
    for command in life:
        await s.tell(command)
        await s.wake()


def orders(life: list[list[DeclarationCommand]]) -> list[list[DeclarationCommand]]:
    """Every order of arrival that keeps the order within each key."""
    flat = [place for place, events in enumerate(life) for _ in events]
    found = []
    for order in sorted(set(permutations(flat))):
        queues = [list(events) for events in life]
        found.append([queues[place].pop(0) for place in order])
    return found


async def fresh() -> Scenario:
    s = Scenario(InMemoryStore())
    s.careful = False
    await s.issue(licence("A", "100 NAR"))
    return s


async def test_an_lrn_used_again_after_clearance(s: Scenario) -> None:
    first, second = [lodged(s, 10), accepted(s, "M1"), released(s, "M1")], []
    await play(s, first)
    second = [lodged(s, 35), accepted(s, "M2"), released(s, "M2")]
    await play(s, second)
    assert await s.balance("A") == "0/45/55"
    assert await s.quarantined() == []


async def test_an_lrn_used_again_after_clearance_in_every_order() -> None:
    """The drafts arrive in order, so do the notifications of each MRN; nothing else is certain."""
    tales = Scenario(InMemoryStore())
    first = [lodged(tales, 10), accepted(tales, "M1"), released(tales, "M1")]
    second = [lodged(tales, 35), accepted(tales, "M2"), released(tales, "M2")]
    for order in orders([[first[0], second[0]], first[1:], second[1:]]):
        s = await fresh()
        await play(s, order)
        assert await s.balance("A") == "0/45/55"


@pytest.mark.parametrize("end", ["invalidated", "rejected"])
async def test_an_lrn_used_again_after_the_first_declaration_ended(end: str) -> None:
    tales = Scenario(InMemoryStore())
    kind = EventKind.INVALIDATED if end == "invalidated" else EventKind.REJECTED
    first = [lodged(tales, 20)]
    first += [accepted(tales, "M1")] if end == "invalidated" else []
    first += [named(tales.customs.bare("M1", kind, **{end: True}))]
    second = [lodged(tales, 50), accepted(tales, "M2")]
    for order in orders([[first[0], second[0]], first[1:], second[1:]]):
        s = await fresh()
        await play(s, order)
        assert await s.balance("A") == "50/0/50"


async def test_the_same_content_under_the_same_lrn_is_another_declaration(s: Scenario) -> None:
    await play(s, [lodged(s, 10), accepted(s, "M1"), released(s, "M1"), lodged(s, 10), accepted(s, "M2")])
    assert await s.balance("A") == "10/10/80"


async def test_a_lodging_that_became_one_mrn_is_never_handed_to_another(s: Scenario) -> None:
    await play(s, [lodged(s, 10), accepted(s, "M1"), accepted(s, "M2"), released(s, "M2")])
    assert await s.balance("A") == "10/0/90"
    assert await findings_of(s, "M2") == ["CONTENT_MISSING"]
    await play(s, [named(s.customs.accepted("M2", A=5), exporter=HOLDER)])
    assert await findings_of(s, "M2") == ["CONTENT_MISSING"]


async def test_two_traders_with_one_lrn_are_undecided_until_a_message_decides() -> None:
    tales = Scenario(InMemoryStore())
    life = [lodged(tales, 10), lodged(tales, 30, OTHER), accepted(tales, "M1"), released(tales, "M1")]
    decision = named(tales.customs.bare("M1", EventKind.NOTED), exporter=OTHER)
    for order in permutations(life):
        s = await fresh()
        await play(s, order)
        assert await s.balance("A") == "0/0/100"
        (finding,) = (await s.messages("outcome", mrn_of("M1")))[-1]["findings"]
        assert finding["code"] == "DRAFT_AMBIGUOUS"
        assert f"{HOLDER}/L1" in finding["value"]
        assert f"{OTHER}/L1" in finding["value"]
        assert "RELEASED_UNDECIDED" in " ".join(await s.notifications("A"))
        await play(s, [decision])
        assert await s.balance("A") == "0/30/70"
        assert await findings_of(s, "M1") == []


async def test_of_two_traders_one_is_out_when_his_lodging_became_another_mrn(s: Scenario) -> None:
    await play(s, [lodged(s, 10), lodged(s, 30, OTHER), accepted(s, "M1")])
    assert await s.balance("A") == "0/0/100"
    await play(s, [accepted(s, "M2", HOLDER)])
    assert await s.balance("A") == "40/0/60"


async def test_a_lodging_told_after_the_acceptance_is_none_of_its_candidates(s: Scenario) -> None:
    await play(s, [lodged(s, 10), accepted(s, "M1"), lodged(s, 30, OTHER)])
    assert await s.balance("A") == "10/0/90"


async def test_an_exporter_whose_number_changed_is_undecided(s: Scenario) -> None:
    """Lodged under the old number, accepted under the new one: customs, not we, know that it is the same trader."""
    await play(s, [lodged(s, 10), accepted(s, "M1", OTHER), released(s, "M1")])
    assert await s.balance("A") == "0/0/100"
    assert await findings_of(s, "M1") == ["DRAFT_AMBIGUOUS"]


async def test_content_told_with_the_acceptance_needs_no_lodging(s: Scenario) -> None:
    await play(s, [lodged(s, 10), lodged(s, 30, OTHER)])
    await s.tell(replace(s.customs.accepted("M1", A=7), exporter="", lrn="L1"))
    assert await s.balance("A") == "7/0/93"


async def test_what_was_booked_for_a_lodging_goes_back_when_another_one_turns_up(s: Scenario) -> None:
    """A second trader's lodging, told before the acceptance, arrives late: it is no longer certain."""
    mine, other = lodged(s, 10), lodged(s, 30, OTHER)
    await play(s, [mine, accepted(s, "M1"), released(s, "M1")])
    assert await s.balance("A") == "0/10/90"
    await play(s, [other])
    assert await s.balance("A") == "0/0/100"
    assert await findings_of(s, "M1") == ["DRAFT_AMBIGUOUS"]


async def test_two_lodgings_of_one_trader_before_any_acceptance(s: Scenario) -> None:
    """Nobody knows which of them customs accepted; the draft itself is answered as it was told last."""
    await play(s, [lodged(s, 10), lodged(s, 35)])
    assert await s.quarantined() == []
    await play(s, [accepted(s, "M1")])
    assert await s.balance("A") == "0/0/100"
    assert await findings_of(s, "M1") == ["DRAFT_AMBIGUOUS"]


def identified(s: Scenario, exporter: str, chosen: str = "") -> DeclarationCommand:
    """An officer says whose lodging M1 was."""
    told = named(s.customs.bare("M1", EventKind.IDENTIFIED), exporter=exporter)
    return replace(told, facts=replace(told.facts, exporter=""), chosen_lodging=chosen or exporter)


async def test_an_officer_says_whose_lodging_it_was(s: Scenario) -> None:
    await play(s, [lodged(s, 10), accepted(s, "M1", OTHER), released(s, "M1")])
    await play(s, [identified(s, HOLDER)])
    assert (await s.balance("A"), await findings_of(s, "M1")) == ("0/10/90", [])


async def test_an_officer_says_which_of_two_lodgings_it_was(s: Scenario) -> None:
    first, second = lodged(s, 10), lodged(s, 35)
    await play(s, [first, second, accepted(s, "M1")])
    await play(s, [identified(s, HOLDER, second.event_id)])
    assert (await s.balance("A"), await findings_of(s, "M1")) == ("35/0/65", [])


async def test_what_nobody_can_tell_is_in_the_report_on_both_stores(s: Scenario, pg: Scenario) -> None:
    for each, reader in ((s, InMemoryMismatches(s.store)), (pg, PostgresMismatches(pg.store._pool))):
        if each is pg:
            await pg.issue(licence("A", "100 NAR"))
        await play(each, [lodged(each, 10), lodged(each, 30, OTHER), accepted(each, "M1"), released(each, "M1")])
        await play(each, [named(each.customs.accepted("M2", A=1), "L2"), named(each.customs.accepted("M3", A=1))])
        report = await reader.report(Asked(member_state="BE"))
        found = [(one.decl_id, one.state, one.code) for one in report.undecided]
        assert found == [
            (mrn_of("M1"), "RELEASED", "DRAFT_AMBIGUOUS"),
            (mrn_of("M2"), "ACCEPTED", "CONTENT_MISSING"),
            (mrn_of("M3"), "ACCEPTED", "DRAFT_AMBIGUOUS"),
        ]
        assert HOLDER in report.undecided[0].candidates
        assert (await reader.report(Asked(member_state="NL"))).undecided in ((), [])


async def test_what_an_undecided_declaration_could_be_and_the_command_that_settles_it(
    s: Scenario, pg: Scenario
) -> None:
    await pg.issue(licence("A", "100 NAR"))
    for each in (s, pg):
        first, second = lodged(each, 10), lodged(each, 30, OTHER)
        await play(each, [first, second, accepted(each, "M1"), released(each, "M1")])
        expected = [(HOLDER, first.event_id, first.occurred_at), (OTHER, second.event_id, second.occurred_at)]
        async with each.store.transaction() as unit:
            anchor = (await unit.lock_anchors(["L1"]))["L1"]
        assert list(candidates_of(anchor, mrn_of("M1"))) == expected
        assert candidates_of(anchor, mrn_of("M9")) == ()
    found = await undecided(pg, "M1")
    assert found is not None
    assert (found.code, found.since) == ("DRAFT_AMBIGUOUS", (await mismatches(pg)).undecided[0].since)
    words = shlex.split(found.command(found.candidates[1]))
    assert words[:4] == ["certex-bridge", "declaration", "identify", mrn_of("M1")]
    told = dict(pairwise(words[4:]))
    assert (told["--lrn"], told["--exporter"], told["--lodged-event"]) == ("L1", OTHER, second.event_id)
    await play(pg, [identified(pg, told["--exporter"], told["--lodged-event"])])
    assert (await pg.balance("A"), await undecided(pg, "M1")) == ("0/30/70", None)
    await play(pg, [named(pg.customs.released("M2"), "L2")])
    missing = await undecided(pg, "M2")
    assert missing is not None
    assert (missing.code, missing.candidates) == ("CONTENT_MISSING", ())


async def undecided(pg: Scenario, name: str) -> UndecidedDeclaration | None:
    queries = load_queries("certex_bridge.ledger.adapters.sql", "mismatches.sql")
    row = await pg.store._pool.fetchrow(queries["undecided_one"], mrn_of(name))
    return undecided_declaration(row) if row else None


async def mismatches(pg: Scenario) -> MismatchReport:
    return await PostgresMismatches(pg.store._pool).report(Asked())


async def test_goods_released_without_any_content_are_told(s: Scenario) -> None:
    await play(s, [accepted(s, "M1")])
    assert await s.messages("outcome", mrn_of("M1")) == []
    await play(s, [released(s, "M1")])
    assert await findings_of(s, "M1") == ["CONTENT_MISSING"]
    await play(s, [lodged(s, 10)])
    assert (await s.balance("A"), await findings_of(s, "M1")) == ("0/10/90", [])


async def test_a_lodging_of_days_later_is_not_that_of_an_earlier_acceptance(s: Scenario) -> None:
    await play(s, [accepted(s, "M1")])
    late = s.customs.lodged("M1", A=10, at="2026-03-07T10:00")
    await play(s, [replace(late, lrn="L1"), released(s, "M1")])
    assert await s.balance("A") == "0/0/100"
    assert await findings_of(s, "M1") == ["CONTENT_MISSING"]


async def test_on_postgresql_too(pg: Scenario) -> None:
    await pg.issue(licence("A", "100 NAR"))
    await play(pg, [lodged(pg, 10), accepted(pg, "M1"), released(pg, "M1")])
    await play(pg, [lodged(pg, 35), accepted(pg, "M2"), released(pg, "M2")])
    await play(
        pg, [lodged(pg, 1, lrn="L9"), lodged(pg, 2, OTHER, lrn="L9"), named(pg.customs.accepted("M3", A=1), "L9")]
    )
    assert await pg.balance("A") == "0/45/55"
    assert await findings_of(pg, "M3") == ["DRAFT_AMBIGUOUS"]
    held = await pg.sound()
    assert held.declarations[mrn_of("M2")].lodging is not None
    assert held.declarations[draft_of("M1")].joined


async def test_one_trader_who_uses_one_lrn_for_everything(s: Scenario) -> None:
    """Old lodgings that became an MRN are no longer matched, and a late word on them finds its declaration."""
    s.careful = False
    names = [f"N{number}" for number in range(30)]
    for name in names:
        await play(s, [lodged(s, 1), accepted(s, name)])
    assert await s.balance("A") == "30/0/70"
    anchor = (await s.sound()).anchors["L1"]
    assert len(anchor.lodgings) == len(anchor.mrns) <= 21
    await play(s, [released(s, "N0"), accepted(s, "N0")])
    assert await s.balance("A") == "29/1/70"


async def test_an_lrn_lodged_again_and_again_is_put_aside(s: Scenario) -> None:
    s.careful = False
    for number in range(202):
        await s.tell(lodged(s, 1 + number % 2))
    assert await s.quarantined() == ["LRN_EXHAUSTED"]


async def test_a_request_told_of_the_lrn_alone_is_about_the_lodging_before_it(s: Scenario) -> None:
    await play(s, [lodged(s, 10)])
    await s.tell(of_lrn(s.customs.invalidated("M1")))
    await play(s, [lodged(s, 20), accepted(s, "M2")])
    assert await s.balance("A") == "20/0/80"


async def test_the_same_content_again_is_another_lodging_whenever_the_mrn_between_is_heard_of() -> None:
    tales = Scenario(InMemoryStore())
    first, second = [lodged(tales, 10), accepted(tales, "M1")], [lodged(tales, 10), accepted(tales, "M2")]
    for order in orders([[first[0]], [second[0]], first[1:], second[1:]]):
        s = await fresh()
        await play(s, order)
        assert await s.balance("A") == "20/0/80"


async def test_a_lodging_that_is_heard_of_in_parts_goes_on_being_matched(s: Scenario) -> None:
    told = [s.customs.lodged("M1", A=figure, version=version) for version, figure in enumerate((10, 20, 30), 1)]
    await play(s, [told[1], accepted(s, "M1", exporter=HOLDER), told[0], told[2]])
    assert await s.balance("A") == "30/0/70"


async def test_what_customs_state_counts_again_when_its_lodging_is_no_longer_certain(both: Scenario) -> None:
    """The acceptance states another licence, in an older version than the lodging: it is read then, too."""
    s = both
    late = lodged(s, 20)
    life = [s.customs.lodged("M1", A=10, version=2), s.customs.accepted("M1", version=1, B=5)]
    await play(s, life)
    assert (await s.balance("A"), await s.balance("B")) == ("10/0/90", "0/0/50")
    await play(s, [replace(late, facts=replace(late.facts, payload_rank=rank_of(late, 3)))])
    assert (await s.balance("A"), await s.balance("B")) == ("0/0/100", "5/0/45")


async def test_advice_on_a_content_that_is_no_longer_certain_is_taken_back(s: Scenario) -> None:
    late, first = lodged(s, 20, OTHER), lodged(s, 10)
    presented = named(s.customs.bare("M1", EventKind.PRESENTED, presented=True))
    await play(s, [first, presented])
    assert await s.verdict("M1") == "OK_AVAILABLE"
    await play(s, [late])
    assert await findings_of(s, "M1") == ["DRAFT_AMBIGUOUS"]
    assert await s.verdict("M1") == "CLOSED"


async def test_advice_on_a_lodging_does_not_bind_the_next_one(s: Scenario) -> None:
    await play(s, [s.customs.accepted("M9", A=90, lrn="")])
    await play(s, [lodged(s, 20)])
    assert await s.draft_verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    await play(s, [accepted(s, "M1"), s.customs.invalidated("M9"), lodged(s, 20)])
    assert await s.draft_verdict("M1") == "OK_AVAILABLE"


async def test_what_another_content_booked_goes_back_even_when_its_own_is_refused(s: Scenario) -> None:
    await play(s, [s.customs.lodged("M1", B=5), accepted(s, "M1", exporter=HOLDER)])
    assert await s.balance("B") == "5/0/45"
    await play(s, [s.customs.accepted("M1", version=1, A=150)])
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED, OK_UNRESERVED"
    assert (await s.balance("A"), await s.balance("B")) == ("0/0/100", "0/0/50")


async def test_a_lodging_that_contradicts_an_amended_version_is_another_declaration() -> None:
    """The acceptance states 5, and the amendment 7; what is lodged with 10 is that of the MRN that states nothing."""
    tales = Scenario(InMemoryStore())
    draft = lodged(tales, 10)
    first = [tales.customs.accepted("M1", version=1, A=5), tales.customs.amended("M1", version=2, A=7)]
    for order in orders([[draft], first, [accepted(tales, "M2")]]):
        s = await fresh()
        await play(s, order)
        assert await s.balance("A") == "17/0/83"


async def test_a_lodging_contradicts_no_longer_when_its_second_version_is_that_of_another_lodging() -> None:
    """The version belongs to the lodging that it follows, whenever that one is heard of."""
    tales = Scenario(InMemoryStore())
    first, second = lodged(tales, 10), lodged(tales, 20)
    later = tales.customs.lodged("M1", version=2, A=30)
    stated = tales.customs.accepted("M1", version=2, B=40)
    for order in orders([[first], [second], [later], [stated]]):
        s = await fresh()
        await s.issue(licence("B", "50 NAR"))
        await play(s, order)
        assert (await s.balance("A"), await s.balance("B")) == ("0/0/100", "40/0/10")
        assert await findings_of(s, "M1") == []  # the first lodging says nothing else than the acceptance


def rank_of(command: DeclarationCommand, version: int) -> PayloadRank:
    return PayloadRank(0, version, command.stamp)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Scenario:
    """The catalogue's licences on either store."""
    scenario: Scenario = request.getfixturevalue("s" if request.param == "memory" else "pg")
    return scenario


async def test_a_draft_that_an_older_event_parts_from_its_declaration_is_looked_at_again(s: Scenario) -> None:
    """What came late belongs to the lodging that became the MRN; the newer one is a draft of its own again."""
    draft, noon, later = Declared("M1", "L1"), Stamp(at(0), "e2"), Stamp(at(1), "e1")
    newer = draft.with_content(EventKind.LODGED, later, content_of((item(A=1),)), 2, draft=True)
    older = draft.with_content(EventKind.LODGED, noon, content_of(()), 1, draft=True)
    accepted_then = draft.decided(Stamp(at(0), "e0"), "", Verdict.GRANTED)
    parts = draft.with_content(EventKind.LODGED, Stamp(at(0), "e3"), content_of(()), 2, draft=True)
    await play(s, [newer, older, accepted_then])
    assert [claim.state for claim in await s.claims("M1")] == ["CHECKED"]
    await play(s, [parts])
    assert [claim.state for claim in await s.claims("M1")] == ["CLOSED"]
    held = (await contents_of(s.store)).claims
    assert [claim.state for key, claim in held.items() if key.decl_id == f"{HOLDER}/L1"] == ["CHECKED"]


async def test_what_another_declaration_cannot_have_been_is_not_counted_as_taken_by_it(both: Scenario) -> None:
    """M9 states 5, so it was neither lodging; M1 may have been either, and holds nothing from the first moment on."""
    s = both
    late = lodged(s, 20)
    stated = replace(s.customs.accepted("M9", A=5), exporter="")
    stated = replace(stated, lrn="L1", facts=replace(stated.facts, lrn="L1", exporter=""))
    await play(s, [lodged(s, 10), accepted(s, "M1", exporter=HOLDER), stated])
    assert await s.verdict("M1") == "OK_RESERVED"
    await s.tell(late)
    placements = (await contents_of(s.store)).anchors["L1"].placements()
    assert placements[mrn_of("M1")].lodging is None
    assert placements[mrn_of("M9")].lodging is None
    await s.wake()
    assert await findings_of(s, "M1") == ["DRAFT_AMBIGUOUS"]
    assert await s.balance("A") == "5/0/95"
