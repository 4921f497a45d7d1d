"""The laws of merging facts: any order, any grouping, any repetition gives the same facts (catalogue E032 to E038)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.amounts import Quantity
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import (
    ALL_DOCUMENTS,
    ALL_ITEMS,
    Captured,
    Decision,
    DocumentFigures,
    Facts,
    ItemRelease,
    Override,
)
from certex_bridge.ledger.domain.merge import last_word, merge
from certex_bridge.ledger.domain.override import governing
from certex_bridge.ledger.domain.requests import Changes, Request, RequestDecision, Verdict
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.domain.superseded import contradicts, fingerprint
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff, WriteOffLine, WriteOffSource

EVIDENCE = Evidence("NOTE", "17", "2026-03-01", "BE")

_START = datetime(2026, 3, 1, tzinfo=UTC)

stamps = st.builds(
    lambda minute, event: Stamp(_START + timedelta(minutes=minute), event), st.integers(0, 4), st.sampled_from("abcd")
)


def _payload(supplementary: int, version: int) -> Payload:
    """One version has one content, as the ledger demands (anything else is put aside as a conflict)."""
    claim = ClaimSpec(1, 1, "X060", "BE/A", "A", 1, Quantity.parse(str(10 * supplementary + version), "NAR"), None)
    item = Item(1, "1000", "84571090", "KR", "DE", None, None, None, (), (claim,))
    return Payload("EX", "A", "BE1", "", "", "KR", "BE000123", (item,))


def _released(stamp: Stamp) -> ItemRelease:
    """What one event says about an item follows from the event: its id and instant name the content."""
    number = ord(stamp.event_id) - ord("a")
    figures = (DocumentFigures(1, Quantity.parse(str(number + 1), "NAR"), None),) if number > 1 else None
    return ItemRelease(stamp, number % 2 == 0, figures)


def _request(stamp: Stamp) -> Request:
    """What is asked follows from the event that asks."""
    return Request("L1", stamp, changes=Changes(destination=f"{stamp.event_id}{stamp.occurred_at.minute}"))


def _decision(stamp: Stamp) -> RequestDecision:
    """What is decided follows from the event that says it; events of one letter are one message sent again."""
    verdict = list(Verdict)[ord(stamp.event_id) % len(Verdict)]
    return RequestDecision("L1", stamp, verdict, stamp.event_id)


def _override(place: tuple[int, int], stamp: Stamp) -> Override:
    """What an officer decides on a place follows from the event that says it."""
    number = ord(stamp.event_id) - ord("a") + 10 * stamp.occurred_at.minute
    decision = list(Decision)[number % len(Decision)]
    return Override(*place, stamp, decision, "OFFICER", f"reason {number}", EVIDENCE)


def _captured(licence_id: str, stamp: Stamp) -> Captured:
    number = ord(stamp.event_id) - ord("a") + 10 * stamp.occurred_at.minute
    lines = (WriteOffLine(1, Quantity.parse(str(number + 1), "NAR"), None),)
    return Captured(stamp, WriteOff(licence_id, WriteOffSource.PAPER, "OFFICER", "reason", EVIDENCE, lines))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Facts as one event or many events may tell them."""
    optional = st.none() | stamps
    told: dict[str, Any] = {
        name: draw(optional)
        for name in ("lodged", "presented", "accepted", "invalidated", "rejected", "exited", "not_presented", "recheck")
    }
    if told["accepted"]:
        told["acceptance_day"] = f"2026-03-0{told['accepted'].occurred_at.minute + 1}{told['accepted'].event_id}"
    told["exit_told"] = draw(optional)
    if told["exit_told"]:
        told["exit_day"] = f"2026-02-0{told['exit_told'].occurred_at.minute + 1}{told['exit_told'].event_id}"
    if told["invalidated"]:
        told["invalidation_reason"] = (
            f"reason of {told['invalidated'].event_id}{told['invalidated'].occurred_at.minute}"
        )
    if draw(st.booleans()):
        supplementary, version = draw(st.integers(0, 1)), draw(st.integers(1, 3))
        told["payload"] = _payload(supplementary, version)
        told["payload_rank"] = PayloadRank(supplementary, version, draw(stamps))
    items = draw(st.lists(st.integers(ALL_ITEMS, 2), unique=True, max_size=3))
    told["releases"] = tuple((item, _released(draw(stamps))) for item in sorted(items))
    told["lrn"] = draw(st.sampled_from(["", "L1"]))
    told["requests"] = tuple(_request(stamp) for stamp in sorted(draw(st.sets(stamps, max_size=2))))
    decided = draw(st.lists(stamps, max_size=2, unique_by=lambda stamp: stamp.event_id))
    told["decisions"] = tuple(_decision(stamp) for stamp in sorted(decided))
    told["simplified"] = draw(st.sampled_from(["", "M9"]))
    told["supplements"] = tuple(sorted(draw(st.sets(st.sampled_from("ST")))))
    places = draw(st.sets(st.sampled_from([(ALL_ITEMS, ALL_DOCUMENTS), (1, ALL_DOCUMENTS), (1, 1), (1, 2)])))
    told["overrides"] = tuple(_override(place, draw(stamps)) for place in sorted(places))
    licences = draw(st.sets(st.sampled_from(["BE/A", "BE/B"])))
    told["captured"] = tuple(_captured(licence_id, draw(stamps)) for licence_id in sorted(licences))
    return Facts(**told)


@given(facts(), facts())
def test_the_order_of_two_does_not_matter(a: Facts, b: Facts) -> None:
    assert merge(a, b) == merge(b, a)


@given(facts(), facts(), facts())
def test_the_grouping_of_three_does_not_matter(a: Facts, b: Facts, c: Facts) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(facts(), facts())
def test_telling_again_changes_nothing(a: Facts, b: Facts) -> None:
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)
    assert merge(merge(a, b), a) == merge(a, b)


@given(facts())
def test_nothing_adds_nothing(a: Facts) -> None:
    assert merge(a, Facts()) == a == merge(Facts(), a)


@given(facts(), facts())
def test_facts_only_grow(a: Facts, b: Facts) -> None:
    """Invariant I7: what was known is still part of what is known."""
    both = merge(a, b)
    assert (both.invalidated is None) == (a.invalidated is None and b.invalidated is None)
    assert {one.place for one in both.overrides} == {one.place for one in (*a.overrides, *b.overrides)}
    assert {item for item, _ in both.releases} == {item for item, _ in (*a.releases, *b.releases)}
    ranks = [one.payload_rank.order for one in (a, b) if one.payload_rank]
    assert (both.payload_rank.order if both.payload_rank else None) == (max(ranks) if ranks else None)
    assert _versions(both) == _versions(a) | _versions(b)


def _versions(told: Facts) -> dict[tuple[int, int], str]:
    newest = {told.payload_rank.order: fingerprint(told.payload)} if told.payload_rank and told.payload else {}
    return {one.rank.order: one.fingerprint for one in told.superseded} | newest


def _told(version: int, amount: str) -> Facts:
    claim = ClaimSpec(1, 1, "X060", "BE/A", "A", 1, Quantity.parse(amount, "NAR"), None)
    item = Item(1, "1000", "84571090", "KR", "DE", None, None, None, (), (claim,))
    stamp = Stamp(_START, f"{version} {amount}")
    content = Payload("EX", "A", "BE1", "", "", "KR", "BE000123", (item,))
    return Facts(payload=content, payload_rank=PayloadRank(0, version, stamp))


def test_contents_contradict_in_any_version_that_both_tell() -> None:
    one, same, other, next_one = _told(1, "10"), _told(1, "10.0"), _told(1, "11"), _told(2, "12")
    assert contradicts(one, other)
    assert not contradicts(one, same)
    assert not contradicts(one, next_one)
    assert contradicts(merge(one, next_one), other)
    assert contradicts(one, merge(other, next_one))
    assert contradicts(merge(one, _told(3, "9")), merge(other, next_one))
    assert not contradicts(merge(one, next_one), same)
    assert not contradicts(merge(one, next_one), Facts())


@given(st.lists(facts(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_of_many(told: list[Facts], chance: Any) -> None:
    shuffled = [*told, *told]
    chance.shuffle(shuffled)
    assert reduce(merge, shuffled) == reduce(merge, told)


def _life() -> list[Facts]:
    at = [Stamp(_START + timedelta(minutes=minute), f"e{minute}") for minute in range(6)]
    return [
        Facts(lodged=at[0], payload=_payload(0, 1), payload_rank=PayloadRank(0, 1, at[0])),
        Facts(
            accepted=at[1], acceptance_day="2026-03-01", payload=_payload(0, 1), payload_rank=PayloadRank(0, 1, at[1])
        ),
        Facts(payload=_payload(0, 2), payload_rank=PayloadRank(0, 2, at[2])),
        Facts(releases=((ALL_ITEMS, ItemRelease(at[3], released=True)),)),
        Facts(releases=((1, ItemRelease(at[4], released=False)),)),
        Facts(invalidated=at[5]),
        Facts(decisions=(RequestDecision("R", at[4], Verdict.REJECTED),)),
        Facts(requests=(Request("R", asked=at[2], changes=Changes(destination="JP")),)),
    ]


@given(st.lists(facts(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_same_decision_governs_in_any_order(told: list[Facts], chance: Any) -> None:
    shuffled = [*told, *told]
    chance.shuffle(shuffled)
    one, other = reduce(merge, told), reduce(merge, shuffled)
    for place in ((1, 1), (1, 2), (2, 1)):
        found = governing(one, *place)
        assert found == governing(other, *place)
        assert found is None or all(
            o.stamp <= found.stamp for o in one.overrides if o.item in (0, place[0]) and o.doc_seq in (0, place[1])
        )


@pytest.mark.row("E037")
def test_all_orders_of_one_life() -> None:
    ends = [reduce(merge, order, Facts()) for order in permutations(_life())]
    assert all(end == ends[0] for end in ends)
    assert ends[0].payload == _payload(0, 2)


@pytest.mark.row("E032")
@given(st.permutations(_life()[3:5]))
def test_the_last_word_on_an_item(order: list[Facts]) -> None:
    both = reduce(merge, order, Facts())
    one, two = last_word(both, 1), last_word(both, 2)
    assert one is not None
    assert two is not None
    assert (one.released, two.released) == (False, True)
    assert last_word(replace(both, releases=()), 1) is None
