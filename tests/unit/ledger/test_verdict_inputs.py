"""Where every verdict comes from: what must be read for some facts, when a call counts, and its words as advice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certex_bridge.ledger.domain.advice import advised
from certex_bridge.ledger.domain.arrival import after, arriving
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import Facts, ItemRelease
from certex_bridge.ledger.domain.inputs import inputs_of
from certex_bridge.ledger.domain.members import ClaimResult
from certex_bridge.ledger.domain.model import Claim, ClaimKey, ClaimState, Figures, LicenceState
from certex_bridge.ledger.domain.phases import changed_after, release_stands
from certex_bridge.ledger.domain.reasons import Outcome, Reason
from certex_bridge.ledger.domain.requests import Changes, Request
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.licensing.domain.licence import InitialLicence, LicenceType
from tests.support.ledger_words import amount, licence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def stamp(second: int, event_id: str = "e") -> Stamp:
    return Stamp(NOON + timedelta(seconds=second), event_id)


def content(code: str = "X060", cited: str = "BE/A", exporter: str = "BE1") -> Payload:
    spec = ClaimSpec(1, 1, code, cited, cited.partition("/")[2], None, None, None)
    goods = Item(1, "1000", "", "", "", None, None, None, (), (spec,))
    return Payload("EX", "A", exporter, "", "", "KR", "", (goods,))


def rank(version: int, at: Stamp, supplementary: int = 0) -> PayloadRank:
    return PayloadRank(supplementary, version, at)


# -- inputs


def test_what_is_cited_is_read_and_bars_only_for_general_authorisations() -> None:
    assert inputs_of([Facts(), Facts(payload=content())], {}) == (
        frozenset({"BE/A"}),
        frozenset(),
        frozenset(),
        frozenset(),
    )
    general = inputs_of([Facts(payload=content("X061", "BE/G"))], {})
    assert (general.licences, general.exporters) == ({"BE/G"}, {"BE1"})


def test_an_amendment_and_the_content_it_changes_are_read_together() -> None:
    """The request names the general authorisation, the content names the exporter, in whatever event they come."""
    whole = Request("R1", stamp(1), content=content("X061", "BE/G", exporter="BE2"))
    part = Request("R2", stamp(2), changes=Changes(exporter="BE3"))
    silent = Request("R3", stamp(3))
    told = inputs_of([Facts(payload=content()), Facts(requests=(whole, part, silent))], {})
    assert (told.cited, told.exporters) == ({"BE/A", "BE/G"}, {"BE1", "BE2", "BE3"})


def test_initial_licences_are_those_named_by_references_and_by_registrations() -> None:
    named = inputs_of([Facts(payload=content("X063", "BE/EU003/DE/1"))], {})
    assert (named.initial, named.licences) == ({"DE/1"}, {"BE/EU003/DE/1", "DE/1"})
    registration = licence("R", type=LicenceType.EU003, initial_licence=InitialLicence("FR", "7"))
    read = {"BE/R": LicenceState("BE/R", 1, registration), "BE/X": LicenceState("BE/X")}
    assert inputs_of([Facts(payload=content("X063", "BE/R"))], read).initial == {"FR/7"}


# -- arrival


def test_a_call_that_is_later_by_its_own_time_is_left_as_it_is() -> None:
    told = Facts(payload=content(), payload_rank=rank(2, stamp(6)))
    assert arriving(told, Facts(accepted=stamp(5)), stamp(6)) is told
    assert arriving(told, Facts(), stamp(6)) is told


@pytest.mark.parametrize("second", [0, 5])
def test_a_call_counts_after_all_that_is_known(second: int) -> None:
    """Every stamp of its own moves; one that is older than the call stays."""
    own, old = stamp(second, "call"), stamp(-9, "old")
    moved = Stamp(NOON + timedelta(seconds=5) + TICK, "call")
    told = Facts(
        payload=content(), payload_rank=rank(2, own), accepted=own, lodged=old, releases=((1, ItemRelease(own, True)),)
    )
    counts = arriving(told, Facts(invalidated=stamp(5, "known")), own)
    assert counts == replace(
        told, payload_rank=rank(2, moved), accepted=moved, releases=((1, ItemRelease(moved, True)),)
    )
    assert arriving(Facts(recheck=own), Facts(accepted=stamp(5)), own) == Facts(recheck=moved)
    kept = Facts(payload=content(), payload_rank=rank(1, old), invalidated=own)
    assert arriving(kept, Facts(accepted=stamp(5)), own) == replace(kept, invalidated=moved)


def test_the_end_of_time_has_no_later_instant() -> None:
    end = Stamp(datetime.max.replace(tzinfo=UTC), "known")
    assert after(stamp(0, "call"), end) == Stamp(end.occurred_at, "call")


# -- content and release


@pytest.mark.parametrize(
    ("version", "supplementary", "second", "changed"),
    [(1, 0, 5, False), (2, 0, 5, True), (1, 1, 5, True), (2, 0, 4, False), (1, 0, 6, True), (2, 0, 6, True)],
)
def test_of_one_instant_the_later_version_is_the_later_word(
    version: int, supplementary: int, second: int, changed: bool
) -> None:
    for event_id in ("a", "z"):
        facts = Facts(payload=content(), payload_rank=rank(version, stamp(second, event_id), supplementary))
        assert changed_after(facts, stamp(5, "m")) is changed
    assert not changed_after(Facts(), stamp(5))
    first = stamp(second)
    assert not changed_after(Facts(payload_rank=rank(version, first), accepted=first), stamp(5))


def test_figures_of_a_release_that_stand_against_a_later_version() -> None:
    release = ItemRelease(stamp(5), True, ())
    known = Facts(payload=content(), payload_rank=rank(1, stamp(0)), releases=((1, release),))
    told = Facts(payload=content(), payload_rank=rank(2, stamp(3)))
    counted = replace(known, payload_rank=told.payload_rank)
    assert release_stands(told, known, counted)
    assert not release_stands(known, known, known)
    assert not release_stands(Facts(), known, known)
    assert not release_stands(told, Facts(), counted)
    assert not release_stands(told, known, replace(counted, payload_rank=None))
    assert not release_stands(told, known, replace(counted, payload_rank=rank(3, stamp(3))))
    later = Facts(payload=content(), payload_rank=rank(2, stamp(6)))
    assert not release_stands(later, known, replace(known, payload_rank=later.payload_rank))
    for other in (ItemRelease(stamp(5), False), ItemRelease(stamp(5), True)):
        assert not release_stands(told, replace(known, releases=((1, other),)), counted)


# -- advice


@pytest.mark.parametrize(
    ("outcome", "reasons", "notes", "told", "codes"),
    [
        (Outcome.OK_RESERVED, (), (), "OK_AVAILABLE", ()),
        (Outcome.OK_CONSUMED, (), (), "OK_AVAILABLE", ()),
        (Outcome.OK_NOT_MANAGED, (), (), "OK_NOT_MANAGED", ()),
        (Outcome.WAITING, (Reason("NOT_FOUND"),), (), "REFUSED", ("NOT_FOUND",)),
        (Outcome.WAITING, (), (), "REFUSED", ("GROUP_REFUSED",)),
        (Outcome.CLOSED, (), (Reason("INVALIDATED"),), "REFUSED", ("INVALIDATED",)),
        (Outcome.UNCOVERED, (Reason("UNCOVERED"),), (), "REFUSED", ("UNCOVERED",)),
    ],
)
def test_advice_says_what_would_be_decided_and_holds_nothing(
    outcome: Outcome, reasons: tuple[Reason, ...], notes: tuple[Reason, ...], told: str, codes: tuple[str, ...]
) -> None:
    one = Figures(amount("1"))
    claim = Claim(ClaimKey("M", 1, 1, "BE/A", 1), ClaimState.RESERVED, one, one, outcome=outcome)
    result = advised(ClaimResult(claim, None, reasons, notes=notes))
    assert (result.claim.outcome, result.claim.reasons, result.claim.state) == (told, codes, ClaimState.CHECKED)
    assert (result.claim.requested, result.claim.holds, result.steps) == (one, False, ())


def test_what_is_not_applicable_stays_so() -> None:
    claim = Claim(ClaimKey("M", 1, 1, "BE/A", 1), ClaimState.NOT_APPLICABLE, outcome=Outcome.OK_NOT_APPLICABLE)
    assert advised(ClaimResult(claim, None)).claim == claim
