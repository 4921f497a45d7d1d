"""Requests of traders and the decisions on them: rejections, amendments that wait, one end for every order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.content import ClaimSpec
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.requests import (
    Changes,
    DocumentChange,
    ItemChange,
    Request,
    RequestDecision,
    RequestKind,
    Verdict,
)
from certex_bridge.ledger.domain.stamps import LogPosition, Stamp
from tests.support.ledger_words import Cite, cite, item, licence, mrn_of
from tests.support.scenario import Scenario

LOGGED_AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def changed(cited: Cite, seq: int = 1, number: int = 1, **about: object) -> Changes:
    """An amendment of one document of one item."""
    told = cited.spec(number, seq, "NAR")
    return Changes(items=(ItemChange(number, documents=(DocumentChange(seq, told),), **about),))  # type: ignore[arg-type]


def asked(
    s: Scenario,
    changes: Changes | None,
    reference: str = "L1",
    name: str = "M1",
    *,
    kind: RequestKind = RequestKind.AMENDMENT,
    stamp: Stamp | None = None,
) -> DeclarationCommand:
    """The declarant asks; the reference is that of the declaration unless another one is given."""
    stamp = stamp or s.customs.stamp()
    request = Request(reference, stamp, kind, changes, sha256=f"{kind}{changes}")
    return s.customs.bare(name, EventKind.REQUESTED, event_id=stamp.event_id, requests=(request,))


def decided(
    s: Scenario, what: str, reference: str = "L1", name: str = "M1", *, stamp: Stamp | None = None
) -> DeclarationCommand:
    """Customs decide: `granted`, `refused` or `rejected`."""
    stamp = stamp or s.customs.stamp()
    kind = EventKind.REJECTED if what == "rejected" else EventKind.DECIDED
    decision = RequestDecision(reference, stamp, Verdict(what.upper()), stamp.event_id)
    return s.customs.bare(name, kind, event_id=stamp.event_id, decisions=(decision,))


async def told(s: Scenario, name: str = "M1") -> list[str]:
    """Codes of the findings in the last outcome."""
    return [finding["code"] for finding in (await s.messages("outcome", mrn_of(name)))[-1]["findings"]]


@pytest.mark.parametrize("how", ["plain", "named"])
@pytest.mark.parametrize("released", [False, True])
async def test_a_rejection_after_acceptance_ends_nothing(s: Scenario, how: str, released: bool) -> None:
    await s.accepted("M1", A=40)
    if released:
        await s.released("M1")
    plain = s.customs.bare("M1", EventKind.REJECTED, rejected=True)
    await s.tell(plain if how == "plain" else decided(s, "rejected"))
    assert await s.balance("A") == ("0/40/60" if released else "40/0/60")


@pytest.mark.row("E037")
@pytest.mark.parametrize("reference", ["R1", "L1"])
async def test_a_rejection_beside_an_acceptance_ends_nothing_in_any_order(reference: str) -> None:
    tales = Scenario(InMemoryStore())
    life = [
        tales.customs.lodged("M1", A=40),
        tales.customs.accepted("M1"),
        decided(tales, "rejected", reference),
        tales.customs.released("M1"),
    ]
    for order in permutations(life):
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", "100 NAR"))
        for command in order:
            await s.tell(command)
        await s.wake()
        assert await s.balance("A") == "0/40/60"


async def test_before_acceptance_a_rejection_ends_the_declaration_but_not_if_it_was_of_a_request(s: Scenario) -> None:
    lodged = replace(s.customs.accepted("M1", A=40), kind=EventKind.LODGED)
    lodged = replace(lodged, facts=replace(lodged.facts, accepted=None, lodged=lodged.facts.accepted))
    request = asked(s, None)
    await s.tell(lodged)
    await s.tell(decided(s, "rejected"))
    assert await s.verdict("M1") == "CLOSED REJECTED"
    await s.tell(request)
    assert await s.verdict("M1") == "OK_AVAILABLE"


@pytest.mark.row("E037")
@pytest.mark.parametrize(
    ("what", "expected"), [("granted", "0/30/70"), ("refused", "0/40/60"), ("rejected", "0/40/60")]
)
async def test_an_amendment_waits_for_its_decision_in_every_order(what: str, expected: str) -> None:
    tales = Scenario(InMemoryStore())
    life = [
        tales.customs.accepted("M1", A=40, lrn=""),
        asked(tales, changed(cite("A", 30))),
        decided(tales, what),
        tales.customs.released("M1"),
    ]
    for order in permutations(life):
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", "100 NAR"))
        for command in order:
            await s.tell(command)
        assert await s.balance("A") == expected


async def test_a_pending_amendment_is_told_and_moves_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.tell(asked(s, changed(cite("A", 30))))
    assert (await s.balance("A"), await told(s)) == ("40/0/60", ["AMENDMENT_PENDING"])
    await s.tell(decided(s, "granted"))
    assert (await s.balance("A"), await told(s)) == ("30/0/70", [])
    assert await s.verdict("M1") == "OK_ADJUSTED"


async def test_granted_amendments_apply_in_the_order_of_their_decisions(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    first, second = asked(s, changed(cite("A", 30)), "R1"), asked(s, changed(cite("A", 20)), "R2")
    grant_second, grant_first = decided(s, "granted", "R2"), decided(s, "granted", "R1")
    await s.tell(first)
    await s.tell(second)
    await s.tell(grant_first)
    await s.tell(grant_second)
    assert await s.balance("A") == "30/0/70"


async def test_an_amendment_drops_no_claim_it_does_not_mention(s: Scenario) -> None:
    await s.accepted("M1", item(A=40, B="10 KGM"), item(A=5))
    await s.tell(asked(s, changed(cite("A", 30))), decided(s, "granted"))
    assert (await s.balance("A"), await s.balance("B")) == ("35/0/65", "10/0/40")


async def test_what_is_taken_out_by_name_is_given_back(s: Scenario) -> None:
    await s.accepted("M1", item(A=40, B="10 KGM"), item(A=5))
    gone = Changes(items=(ItemChange(1, documents=(DocumentChange(2, None),)), ItemChange(2, deleted=True)))
    await s.tell(asked(s, gone), decided(s, "granted"))
    assert (await s.balance("A"), await s.balance("B")) == ("40/0/60", "0/0/50")


async def test_a_document_without_place_is_found_by_code_and_reference_or_added(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    spec = cite("A", 30).spec(1, 1, "NAR")
    other = cite("B", "4 KGM").spec(1, 1, "KGM")
    found = Changes(items=(ItemChange(1, documents=(DocumentChange(0, spec), DocumentChange(0, other))),))
    await s.tell(asked(s, found), decided(s, "granted"))
    assert (await s.balance("A"), await s.balance("B")) == ("30/0/70", "4/0/46")


async def test_a_licence_that_an_amendment_names_first_is_waited_for(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.tell(asked(s, changed(cite("X", 3))))
    await s.tell(decided(s, "granted"))
    await s.issue(licence("X", "5 NAR"))
    await s.wake()
    assert (await s.balance("A"), await s.balance("X")) == ("0/0/100", "3/0/2")


def _unmerged() -> list[Changes]:
    unstated = ClaimSpec(1, 7, "", "", "", None, cite("A", 9).spec(1, 1, "NAR").quantity, None)
    other = replace(unstated, document_code="Y920", quantity=None)
    return [
        changed(cite("A", 30), number=9),
        Changes(items=(ItemChange(1, documents=(DocumentChange(7, unstated),)),)),
        Changes(items=(ItemChange(1, documents=(DocumentChange(1, other, ours=False),)),)),
    ]


@pytest.mark.parametrize("changes", _unmerged())
async def test_what_cannot_be_merged_is_told_and_moves_nothing(s: Scenario, changes: Changes) -> None:
    await s.accepted("M1", A=40)
    await s.tell(asked(s, changes), decided(s, "granted"))
    assert (await s.balance("A"), await told(s)) == ("40/0/60", ["AMENDMENT_UNMERGED"])


async def test_a_document_that_cites_no_licence_changes_nothing(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    invoice = ClaimSpec(1, 7, "N935", "", "5521", None, None, None)
    documents = (DocumentChange(7, invoice, ours=False), DocumentChange(8, replace(invoice, document_code="")))
    await s.tell(asked(s, Changes(items=(ItemChange(1, documents=documents),))), decided(s, "granted"))
    assert (await s.balance("A"), await told(s)) == ("40/0/60", [])


async def test_an_item_that_is_whole_is_added(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    added = changed(cite("A", 5), number=2, procedure="1000", commodity="84571090", destination="KR")
    await s.tell(asked(s, added), decided(s, "granted"))
    assert await s.balance("A") == "45/0/55"


async def test_a_whole_content_replaces_and_a_later_telling_by_customs_includes_it(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    content = replace(s.customs.amended("M1", A=25).facts.payload, declaration_type="")  # type: ignore[type-var]
    stamp = s.customs.stamp()
    request = Request("L1", stamp, content=content)
    await s.tell(s.customs.bare("M1", EventKind.REQUESTED, event_id=stamp.event_id, requests=(request,)))
    await s.tell(decided(s, "granted"))
    assert await s.balance("A") == "25/0/75"
    await s.amended("M1", A=10, version=2)
    assert await s.balance("A") == "10/0/90"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["ask 12", "granted", "ask 15", "granted"], "15/0/85"),
        (["ask 12", "rejected", "ask 15", "granted"], "15/0/85"),
        (["ask 12", "refused", "ask 15", "granted"], "15/0/85"),
        (["ask 12", "granted", "ask 15", "refused"], "12/0/88"),
        (["ask 12", "granted", "ask 15", "rejected"], "12/0/88"),
        (["present", "ask 12", "granted"], "12/0/88"),
        (["present", "rejected", "ask 12", "granted"], "12/0/88"),
        (["invalidate", "refused", "ask 12", "granted"], "12/0/88"),
        (["ask 12", "ask 12", "granted"], "12/0/88"),
        (["ask 12", "rejected", "ask 12", "granted"], "12/0/88"),
        (["granted", "ask 12"], "10/0/90"),
        (["rejected", "ask 12", "granted"], "12/0/88"),
    ],
    ids=" ".join,
)
async def test_requests_that_repeat_the_declarations_reference(steps: list[str], expected: str) -> None:
    """Declarants repeat the LRN on every request; whatever comes first, the decision meets the request before it."""
    tales = Scenario(InMemoryStore())
    life = [tales.customs.accepted("M1", A=10, lrn="")]
    for step in steps:
        what, _, figure = step.partition(" ")
        if what == "ask":
            life.append(asked(tales, changed(cite("A", figure))))
        elif what in ("present", "invalidate"):
            kind = RequestKind.PRESENTATION if what == "present" else RequestKind.INVALIDATION
            life.append(asked(tales, None, kind=kind))
        else:
            life.append(decided(tales, what))
    for order in permutations(life):
        s = Scenario(InMemoryStore())
        s.careful = False
        await s.issue(licence("A", "100 NAR"))
        for command in order:
            await s.tell(command)
        assert await s.balance("A") == expected
    assert await s.quarantined() == []


async def test_a_correction_after_release_under_the_same_reference(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.tell(asked(s, changed(cite("A", 12))), decided(s, "granted"))
    await s.released("M1")
    await s.tell(asked(s, changed(cite("A", 9))), decided(s, "granted"))
    assert await s.balance("A") == "0/9/91"


async def test_a_decision_on_a_request_nobody_made_is_told(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.tell(decided(s, "granted"))
    assert (await s.balance("A"), await told(s)) == ("10/0/90", ["DECISION_UNASKED"])


async def test_a_decision_between_two_open_requests_counts_for_the_newest_and_says_so(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    await s.tell(asked(s, changed(cite("A", 12))), asked(s, changed(cite("A", 15))), decided(s, "granted"))
    assert await s.balance("A") == "15/0/85"
    assert await told(s) == ["AMENDMENT_PENDING", "DECISION_AMBIGUOUS"]


async def test_a_decision_sent_twice_grants_one_request(s: Scenario) -> None:
    await s.accepted("M1", A=10)
    first = asked(s, changed(cite("A", 12)))
    granted = decided(s, "granted")
    second = asked(s, changed(cite("A", 15)))
    again = decided(s, "granted")
    (decision,) = again.facts.decisions
    known = granted.facts.decisions[0].sha256
    again = replace(again, facts=replace(again.facts, decisions=(replace(decision, sha256=known),)))
    await s.tell(first, granted, second, again)
    assert (await s.balance("A"), await told(s)) == ("12/0/88", ["AMENDMENT_PENDING"])


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_a_request_without_time_has_its_place_in_the_log(order: tuple[int, ...]) -> None:
    """The request states no time, its record came to the log between two decisions whose times are long past."""
    s = Scenario(InMemoryStore())
    await s.issue(licence("A", "100 NAR"))
    await s.accepted("M1", A=10)

    def logged(second: int, stated: bool) -> Stamp:
        happened = s.customs.stamp().occurred_at if stated else LOGGED_AT + timedelta(seconds=second)
        position = LogPosition(int(LOGGED_AT.timestamp() * 1000) + 1000 * second, second, stated)
        return Stamp(happened, f"event {second}", position)

    life = [
        asked(s, changed(cite("A", 12)), stamp=logged(1, stated=False)),
        decided(s, "rejected", stamp=logged(2, stated=True)),
        asked(s, changed(cite("A", 15)), stamp=logged(3, stated=False)),
        decided(s, "granted", stamp=logged(4, stated=True)),
    ]
    for place in order:
        await s.tell(life[place])
    assert await s.balance("A") == "15/0/85"


async def test_a_finding_on_a_figure_goes_with_the_figure(s: Scenario) -> None:
    await s.accepted("M1", cite("A", 0))
    assert (await s.verdict("M1")).startswith("REFUSED INVALID_QUANTITY")
    await s.tell(asked(s, changed(cite("A", 30))), decided(s, "granted"))
    assert await s.balance("A") == "30/0/70"
