"""A sender that waits: one answer for ever, whichever store holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from certex_bridge.ledger.answers import DUPLICATE_ID, Answers, read_answer
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from tests.support.ledger_words import licence, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from certex_bridge.ledger.adapters.memory import InMemoryStore
    from certex_bridge.ledger.adapters.postgres import PostgresStore


@pytest.fixture
async def s(store: InMemoryStore | PostgresStore) -> Scenario:
    scenario = Scenario(store)
    await scenario.issue(licence("A", "100 NAR"))
    return scenario


def waiting(command: DeclarationCommand) -> Delivery:
    return Delivery(INTERNAL, replace(command, extensions=(("answer", "always"),)))


async def test_the_document_of_a_call_is_given_and_found_again(s: Scenario, answers: Answers) -> None:
    call = waiting(s.customs.accepted("M1", A=40, event_id="one"))
    first = await s.executor.apply([call])
    made = first.documents["one"]
    assert (made.decl_id, made.dv) == (mrn_of("M1"), 1)
    again = await s.executor.apply([call])
    (answer,) = again.answers
    stored = read_answer(answer.body)
    assert (answer.repeated, again.documents, stored.result) == (True, {}, "APPLIED")
    assert await answers.document(stored.declaration, stored.dv) == made
    assert await answers.document(stored.declaration, 2) is None


async def test_who_does_not_wait_costs_no_document(s: Scenario) -> None:
    applied = await s.executor.apply([Delivery(INTERNAL, s.customs.accepted("M1", A=40))])
    assert applied.documents == {}


async def test_other_content_under_a_known_id_is_told_and_not_put_aside(s: Scenario) -> None:
    await s.executor.apply([waiting(s.customs.accepted("M1", A=40, event_id="one"))])
    (answer,) = (await s.executor.apply([waiting(s.customs.accepted("M1", A=50, event_id="one"))])).answers
    assert (answer.result, answer.repeated) == (DUPLICATE_ID, True)
    assert await s.quarantined() == []


async def test_a_conflicting_version_has_a_document(s: Scenario, answers: Answers) -> None:
    await s.executor.apply([waiting(s.customs.accepted("M1", A=40))])
    other = waiting(s.customs.accepted("M1", A=50, version=1, event_id="two"))
    applied = await s.executor.apply([other])
    (answer,) = applied.answers
    stored = read_answer(answer.body)
    assert stored.result == "CONFLICT"
    assert await answers.document(stored.declaration, stored.dv) == applied.documents["two"]
    assert await s.quarantined() == []


async def test_a_local_number_of_several_exporters_is_told(s: Scenario) -> None:
    first = s.customs.lodged("M1", A=1)
    other = s.customs.lodged("M1", A=1)
    other = replace(other, exporter="DE1", facts=replace(other.facts, exporter="DE1"))
    await s.tell(first, other)
    bare = s.customs.released("M1", event_id="three")
    nameless = replace(bare, mrn="", lrn="L1", facts=replace(bare.facts, mrn="", lrn="L1"))
    applied = await s.executor.apply([waiting(nameless)])
    assert applied.answers[0].result == "CONFLICT"
    assert b"DRAFT_AMBIGUOUS" in applied.documents["three"].body
    assert await s.quarantined() == []


async def test_what_is_only_recorded_has_a_document_that_says_so(s: Scenario) -> None:
    await s.tell(s.customs.lodged("M1", A=1), s.customs.accepted("M1", A=1))
    late = await s.executor.apply([waiting(s.customs.lodged("M1", A=1, event_id="late", at="2026-03-01T09:00"))])
    assert b'"RECORDED"' in late.documents["late"].body
    simplified = replace(
        s.customs.accepted("M2", A=1, lrn="", event_id="half").facts, simplified=(SimplifiedReference(mrn_of("M1")),)
    )
    half = replace(s.customs.accepted("M2", A=1, lrn="", event_id="half"), facts=simplified)
    applied = await s.executor.apply([waiting(half)])
    assert b'"ONE_INSTRUMENT"' in applied.documents["half"].body
    assert await s.wake() == 2


async def test_what_was_presented_is_answered_without_any_order(s: Scenario) -> None:
    shown = s.customs.bare("M1", EventKind.PRESENTED, presented=True, event_id="shown")
    applied = await s.executor.apply([waiting(shown)])
    assert b'"NO_CONTENT_YET"' in applied.documents["shown"].body
