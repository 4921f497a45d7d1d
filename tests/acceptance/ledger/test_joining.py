"""Where an event belongs: LRN and MRN, answers without MRN, lodging anew, issuers, simplified and supplementary."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from tests.support.ledger_words import HOLDER, cite, draft_of, licence, mrn_of
from tests.support.scenario import Scenario


async def findings_of(s: Scenario, name: str) -> list[str]:
    """Codes of the findings in the last outcome of a declaration."""
    return [finding["code"] for finding in (await s.messages("outcome", mrn_of(name)))[-1]["findings"]]


def of_lrn(command: DeclarationCommand, exporter: str = "", lrn: str = "L1") -> DeclarationCommand:
    """The event as one that names an LRN (and perhaps the exporter), and no MRN."""
    told = replace(command.facts, mrn="", lrn=lrn, exporter=exporter)
    return replace(command, facts=told, mrn="", lrn=lrn, exporter=exporter)


@pytest.mark.parametrize("first", ["draft", "answer"])
async def test_an_answer_without_mrn_finds_the_only_draft(s: Scenario, first: str) -> None:
    answer = of_lrn(s.customs.invalidated("M1"))
    steps = [s.customs.lodged("M1", A=40), answer]
    for command in steps if first == "draft" else reversed(steps):
        await s.tell(command)
    await s.wake()
    assert await s.draft_verdict("M1") == "CLOSED INVALIDATED"
    assert (await s.sound()).anchors["L1"].exporters == (HOLDER,)


async def test_an_answer_without_mrn_does_not_break_the_join(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.tell(of_lrn(s.customs.bare("M1", EventKind.NOTED)))
    bare = replace(s.customs.accepted("M1"), exporter="")
    await s.tell(replace(bare, facts=replace(bare.facts, exporter="", payload=None, payload_rank=None)))
    assert await s.balance("A") == "40/0/60"


async def test_an_answer_that_several_drafts_could_mean_is_put_aside(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.tell(of_lrn(s.customs.lodged("M2", A=50), "FR1"))
    (answer,) = await s.tell(of_lrn(s.customs.invalidated("M1")))
    row = await s.put_aside()
    assert (answer.result, row.code, row.field, row.value) == ("CONFLICT", "DRAFT_AMBIGUOUS", "lrn", "L1")
    assert "2 exporters used this LRN" in row.message


async def test_lodged_again_after_a_rejection_is_a_new_declaration(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.tell(of_lrn(s.customs.bare("M1", EventKind.REJECTED, rejected=True), HOLDER))
    assert await s.draft_verdict("M1") == "CLOSED REJECTED"
    await s.lodged("M1", A=20)
    assert await s.draft_verdict("M1") == "OK_AVAILABLE"
    await s.tell(of_lrn(s.customs.bare("M1", EventKind.PRESENTED, presented=True), HOLDER))
    await s.accepted("M1")
    assert await s.balance("A") == "20/0/80"


async def test_a_rejected_mrn_leaves_its_lrn_to_the_next(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    rejected = s.customs.bare("M1", EventKind.REJECTED, rejected=True)
    await s.tell(replace(rejected, lrn="L1", facts=replace(rejected.facts, lrn="L1")))
    await s.lodged("M1", A=20)
    accepted = s.customs.accepted("M2", A=20, lrn="L1")
    await s.tell(replace(accepted, facts=replace(accepted.facts, payload=None, payload_rank=None)))
    await s.wake()
    assert await s.balance("A") == "20/0/80"
    assert await s.verdict("M1") == "CLOSED REJECTED"


@pytest.mark.parametrize("about", [{"office": "BE000999"}, {"office": ""}, {"exporter": ""}])
async def test_office_and_exporter_do_not_make_another_content(s: Scenario, about: dict[str, Any]) -> None:
    await s.lodged("M1", A=40)
    await s.accepted("M1", A=40, about=about)
    await s.released("M1")
    assert await s.balance("A") == "0/40/60"
    assert (await s.messages("outcome", mrn_of("M1")))[-1]["office"] in ("BE000123", "BE000999")


@pytest.mark.parametrize("first", ["lodged", "accepted"])
async def test_what_was_accepted_counts_against_another_lodged_content(s: Scenario, first: str) -> None:
    """The content told under the MRN is certainly its own; the lodging is another one, and customs hear of it."""
    steps = [s.customs.lodged("M1", A=40), s.customs.accepted("M1", A=50, version=1)]
    for command in steps if first == "lodged" else reversed(steps):
        await s.tell(command)
    await s.wake()
    assert await s.balance("A") == "50/0/50"
    assert await findings_of(s, "M1") == ["CLAIM_CONFLICT"]
    assert not (await s.sound()).declarations[draft_of("M1")].joined


def _assumed(command: DeclarationCommand) -> DeclarationCommand:
    """The same content with issuers taken from the exporter's number."""
    payload = command.facts.payload
    assert payload is not None
    items = tuple(
        replace(one, claims=tuple(replace(claim, issuer_from="EXPORTER") for claim in one.claims))
        for one in payload.items
    )
    return replace(command, facts=replace(command.facts, payload=replace(payload, items=items)))


@pytest.mark.parametrize("batch", ["same", "next"])
async def test_an_assumed_issuer_is_what_the_mrn_says(s: Scenario, batch: str) -> None:
    lodged = _assumed(s.customs.lodged("M1", cite("DE/A", 40)))
    accepted = s.customs.accepted("M1")
    accepted = replace(accepted, facts=replace(accepted.facts, payload=None, payload_rank=None))
    if batch == "same":
        await s.tell(lodged, accepted)
    else:
        await s.tell(lodged)
        await s.tell(accepted)
    assert await s.balance("A") == "40/0/60"


def _supplementary(s: Scenario, figure: int) -> list[DeclarationCommand]:
    """A life of its own, linked to M1."""
    accepted, released = s.customs.accepted("M2", A=figure, lrn=""), s.customs.released("M2")
    linked = replace(
        accepted,
        kind=EventKind.SUPPLEMENTARY,
        facts=replace(accepted.facts, simplified=(SimplifiedReference(mrn_of("M1")),)),
    )
    return [linked, released]


@pytest.mark.row("R18")
async def test_a_supplementary_without_its_simplified_one_books_by_its_own_life(s: Scenario) -> None:
    for command in _supplementary(s, 35):
        await s.tell(command)
        await s.wake()
    assert await s.balance("A") == "0/35/65"
    assert await s.verdict("M2") == "OK_CONSUMED"


@pytest.mark.row("E088", "R18")
@pytest.mark.parametrize("woken", ["always", "at the end"])
async def test_simplified_and_supplementary_are_consumed_once_in_every_order(woken: str) -> None:
    tales = Scenario(InMemoryStore())
    life = [
        tales.customs.accepted("M1", A=40, lrn=""),
        tales.customs.released("M1"),
        *_supplementary(tales, 35),
    ]
    for order in permutations(life):
        s = Scenario(InMemoryStore())
        await s.issue(licence("A", "60 NAR"))
        for command in order:
            await s.tell(command)
            if woken == "always":
                await s.wake()
            held = (await s.state("A")).accounts
            assert all(account.reserved + account.consumed <= 40 for account in held.values())
        await s.wake()
        assert await s.balance("A") == "0/35/25"


@pytest.mark.row("R18")
async def test_a_simplified_one_without_claims_leaves_the_booking_to_the_supplementary(s: Scenario) -> None:
    await s.tell(s.customs.accepted("M1", about={"items": ()}, lrn=""))
    for command in _supplementary(s, 35):
        await s.tell(command)
    await s.wake()
    assert await s.balance("A") == "0/35/65"


@pytest.mark.parametrize("known", [True, False], ids=["licence known", "licence comes later"])
async def test_a_draft_holds_nothing_whatever_is_told_of_it(s: Scenario, known: bool) -> None:
    """A release told by LRN waits for the MRN: booked on the draft it would be booked a second time."""
    if not known:
        s = Scenario(InMemoryStore())
    await s.lodged("M1", A=40)
    await s.tell(of_lrn(s.customs.released("M1"), HOLDER))
    if not known:
        await s.issue(licence("A", "100 NAR"))
        await s.wake()
    assert await s.balance("A") == "0/0/100"
    await s.accepted("M1", A=40)
    await s.wake()
    assert await s.balance("A") == "0/40/60"
    await s.sound()


async def test_lodging_and_acceptance_at_the_same_moment(pg: Scenario) -> None:
    """The acceptance names neither exporter nor content: whoever is second must find the other."""
    for number in range(60):
        lodged = pg.customs.lodged(f"M{number}", A=1)
        accepted = replace(pg.customs.accepted(f"M{number}"), exporter="")
        bare = replace(accepted, facts=replace(accepted.facts, exporter="", payload=None, payload_rank=None))
        pair = [pg.delivery(lodged), pg.delivery(bare)]
        if number % 2:
            pair.reverse()
        await asyncio.gather(*(pg.executor.apply([one]) for one in pair))
    await pg.wake()
    assert await pg.balance("A") == "60/0/40"
    await pg.sound()


async def test_a_draft_that_comes_late_does_not_replace_what_was_accepted(s: Scenario) -> None:
    await s.accepted("M1", A=40, version=1)
    await s.lodged("M1", A=50, version=1, at="2026-02-28T10:00")
    await s.wake()
    assert await s.balance("A") == "40/0/60"
    told = (await s.messages("outcome", mrn_of("M1")))[-1]
    assert [finding["code"] for finding in told["findings"]] == ["CLAIM_CONFLICT"]
