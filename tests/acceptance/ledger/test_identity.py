"""Chapter 6.3 of the catalogue: the same thing told twice, and two things that look like one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.facts import DeclarationCommand
from tests.support.ledger_words import cite, item, licence, mrn_of
from tests.support.scenario import Scenario


@pytest.mark.row("E043", "E044", "E045")
@pytest.mark.parametrize("topic", ["customs", "another-topic"])
@pytest.mark.parametrize("batch", ["same", "next"])
async def test_the_same_event_again(s: Scenario, topic: str, batch: str) -> None:
    command = s.customs.accepted("M1", A=40)
    first, again = s.delivery(command), s.delivery(command, topic)
    if batch == "same":
        answers = await s.deliver(first, again)
    else:
        answers = [*await s.deliver(first), *await s.deliver(again)]
    assert [answer.repeated for answer in answers] == [False, True]
    if batch == "next":
        assert answers[0].body == answers[1].body
    assert await s.movements("A") == ["RESERVE +40/0"]
    assert await s.dv("M1") == 1


@pytest.mark.row("E046")
@pytest.mark.parametrize("batch", ["same", "next"])
async def test_the_same_event_id_with_other_content(s: Scenario, batch: str) -> None:
    first = s.customs.accepted("M1", A=40, event_id="E")
    other = s.customs.accepted("M1", A=41, event_id="E")
    if batch == "same":
        answers = await s.tell(first, other)
    else:
        answers = [*await s.tell(first), *await s.tell(other)]
    assert [answer.result for answer in answers] == ["APPLIED", "CONFLICT"]
    row = await s.put_aside()
    assert (row.code, row.field, row.value) == ("CONFLICTING_DUPLICATE", "ce_id", "E")
    for told in ("E", first.payload_sha256[:16], other.payload_sha256[:16]):
        assert told in row.message
    assert await s.balance("A") == "40/0/60"


@pytest.mark.row("E047")
async def test_the_same_content_under_a_new_event_id(s: Scenario) -> None:
    await s.accepted("M1", A=40, at="2026-03-01T10:00Z", on="2026-03-01T10:00Z")
    answer = await s.accepted("M1", A=40, at="2026-03-01T10:00Z", on="2026-03-01T10:00Z")
    assert answer.result == "ALREADY_DONE"
    assert await s.movements("A") == ["RESERVE +40/0"]


@pytest.mark.row("E048")
async def test_released_twice_with_the_same_figures(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1", A=40)
    await s.released("M1", A=40)
    assert await s.movements("A") == ["RESERVE +40/0", "CONSUME -40/+40"]


@pytest.mark.row("E049")
async def test_released_again_with_less(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.released("M1", A=40)
    await s.released("M1", A=30)
    assert await s.balance("A") == "0/30/70"
    assert (await s.movements("A"))[-1] == "ADJUST 0/-10"


@pytest.mark.row("E050")
async def test_two_contents_for_one_declaration(s: Scenario) -> None:
    await s.accepted("M1", A=40, version=1)
    earlier = await s.accepted("M1", A=50, version=2)
    assert await s.balance("A") == "50/0/50"
    (answer,) = await s.tell(s.customs.accepted("M1", A=60, version=2))
    assert answer.result == "CONFLICT"
    row, body = await s.put_aside(), json.loads(answer.body)
    assert (row.code, row.field, row.value) == (
        "CONFLICTING_DUPLICATE", "items[1].documents[1].quantity", "60 NAR",
    )  # fmt: skip
    assert row.message == (
        f"Declaration {mrn_of('M1')}: version 2 arrived before with other content, in event {earlier.event_id}; "
        "that one counts. items[1].documents[1].quantity was 50 NAR, is now 60 NAR."
    )
    assert (body["code"], body["field"], body["value"], body["detail"]) == (row.code, row.field, row.value, row.message)
    assert (await s.messages("outcome", mrn_of("M1")))[-1]["findings"][0]["message"] == row.message
    assert await s.balance("A") == "50/0/50"


@pytest.mark.row("E051")
async def test_one_lrn_and_two_mrns_are_two_declarations(s: Scenario) -> None:
    await s.lodged("M1", A=40)
    await s.accepted("M1", lrn="L1")
    await s.accepted("M2", A=40, lrn="L1")
    assert await s.balance("A") == "80/0/20"
    await s.released("M1")
    await s.released("M2")
    await s.invalidated("M2")
    assert await s.balance("A") == "0/40/60"


@pytest.mark.row("E053")
async def test_two_mrns_that_differ_in_their_format_are_two_declarations(s: Scenario) -> None:
    old, new = mrn_of("M1"), "26BE000000000M1AB0"
    await s.accepted(old, A=1, lrn="")
    await s.accepted(new, A=1, lrn="")
    assert await s.balance("A") == "2/0/98"


@pytest.mark.row("E054")
async def test_one_number_from_two_issuers_is_two_licences(s: Scenario) -> None:
    await s.issue(licence("DE/A", "7 NAR"))
    await s.accepted("M1", cite("DE/A", 7))
    assert await s.balance("DE/A") == "7/0/0"
    assert await s.balance("A") == "0/0/100"


@pytest.mark.row("E058")
async def test_one_item_cites_one_line_twice(s: Scenario) -> None:
    await s.accepted("M1", cite("A", 40), cite("A", 60))
    assert await s.balance("A") == "100/0/0"
    assert len(await s.claims("M1")) == 2
    await s.invalidated("M1")
    await s.accepted("M2", cite("A", 40), cite("A", 61))
    assert await s.balance("A") == "0/0/100"
    assert await s.verdict("M2") == "REFUSED QUANTITY_EXCEEDED, REFUSED QUANTITY_EXCEEDED"


async def _eventful(s: Scenario) -> None:
    await s.accepted("M1", A=40)
    await s.accepted("M2", A=61)
    await s.lodged("M3", item(B="10 KGM"), item(X=3))
    await s.accepted("M3")
    await s.released("M1", A=30)
    await s.issue(licence("X", "5 NAR"))
    await s.wake()
    await s.modify("A", "90 NAR")
    await s.amended("M3", item(B="12 KGM"), item(X=2))
    await s.recheck("M2")
    await s.invalidated("M1")
    await s.suspend("A")


@pytest.mark.row("E059")
async def test_a_full_replay_changes_nothing(s: Scenario) -> None:
    await _eventful(s)
    await s.finish()


@pytest.mark.row("E060")
async def test_a_replay_after_the_inbox_was_pruned_moves_nothing() -> None:
    s = Scenario(InMemoryStore())
    await s.issue(licence("A", "100 NAR"), licence("B", "50 KGM"))
    await _eventful(s)
    s.careful = False  # without its inbox no ledger can prove what asked for its movements
    held = s.store.contents  # type: ignore[union-attr]  # in memory
    figures = [(m.licence_id, m.lv, m.kind) for m in held.movements]
    held.inbox.clear()
    held.answers.clear()
    for key in [key for key in held.outbox if key[0] == "acknowledgement"]:
        del held.outbox[key]
    told = [delivery for delivery in s.told if isinstance(delivery.command, DeclarationCommand)]
    rest = [delivery for delivery in s.told if delivery not in told]
    for delivery in [*rest, *told]:
        await s.deliver(replace(delivery, raw=b"again"))
    await s.wake()
    assert [(m.licence_id, m.lv, m.kind) for m in s.store.contents.movements] == figures  # type: ignore[union-attr]


async def test_a_refusal_that_is_read_again_was_told_before_whatever_was_released_first() -> None:
    """Customs may refuse an item that they had released; told again, this refusal is no older word than that release."""
    s = Scenario(InMemoryStore())
    s.careful = False  # as above
    await s.issue(licence("A", "100 NAR"))
    await s.accepted("M1", A=40)
    release, refusal = s.customs.released("M1", item(A=40)), s.customs.not_released("M1", 1)
    await s.tell(release)
    await s.tell(refusal)
    s.store.contents.inbox.clear()  # type: ignore[union-attr]  # in memory
    s.store.contents.answers.clear()  # type: ignore[union-attr]
    assert [answer.result for answer in (*await s.tell(release), *await s.tell(refusal))] == ["ALREADY_DONE"] * 2
