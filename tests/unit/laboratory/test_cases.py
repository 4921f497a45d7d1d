"""The hard cases on the ledger: what is written down for each of them comes of it, in whatever order it is taken in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.laboratory.cases import Case, make_cases, sent_of
from certex_bridge.laboratory.day import WAVES, Day, Wave, with_records
from certex_bridge.laboratory.messages import Message, cloudevent
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.undecided import candidates_of
from certex_bridge.platform.envelope import Envelope
from tests.support.scenario import Scenario
from tests.unit.laboratory.test_day import decode

DAY = date(2026, 3, 2)
CASES = make_cases(DAY)


def waves_of(case: Case) -> Iterator[list[Message]]:
    """The records of one case, wave after wave."""
    whole = with_records(Day(DAY, tuple(Wave(name, ()) for name in WAVES)), case.sent)
    for wave in whole.waves:
        yield list(wave.messages)


def shuffled(messages: list[Message], random: Random) -> Iterator[Message]:
    """As partitions give them: in order for each key and topic, in any order between them."""
    queues: dict[tuple[str, bytes | None], list[Message]] = {}
    for message in messages:
        queues.setdefault((message.topic, message.key), []).append(message)
    while queues:
        place = random.choice(sorted(queues, key=str))
        yield queues[place].pop(0)
        if not queues[place]:
            del queues[place]


def identified(case: Case) -> Any:
    """What the command `declaration identify` publishes."""
    assert case.by_hand is not None
    told = case.by_hand
    data = {"mrn": told.mrn, "lrn": lrn_of(case), "exporter": told.exporter, "officer": "O-1", "reason": "a letter"}
    at = datetime.combine(DAY + timedelta(days=1), time(9), UTC)
    message = cloudevent("customs.declaration.identified.v1", data, at, "")
    return decode_declaration_event(Envelope(message.topic, 0, 0, message.key, message.value, message.headers))


def lrn_of(case: Case) -> str:
    return next(one.lrn for one in map(decode, [sent.message for sent in case.sent]) if getattr(one, "lrn", ""))


async def played(case: Case, seed: int) -> Scenario:
    s = Scenario(InMemoryStore())
    s.careful = False
    random = Random(seed)
    for messages in waves_of(case):
        for message in shuffled(messages, random):
            await s.tell(decode(message))
        await s.wake()
    return s


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_written_down_comes_of_every_case(case: Case, seed: int) -> None:
    s = await played(case, seed)
    held = s.store.contents
    if case.by_hand is not None:
        assert held.declarations[case.by_hand.mrn].undecided
        found = candidates_of(held.anchors[lrn_of(case)], case.by_hand.mrn)
        assert tuple(one.exporter for one in found) == case.by_hand.candidates
        assert all([await s.balance(licence) == "0/0/100" for licence in case.expected.balances])
        await s.tell(identified(case))
        await s.wake()
    held, expected = s.store.contents, case.expected
    for licence, balance in expected.balances.items():
        assert await s.balance(licence) == "/".join(map(str, balance))
        assert await s.status(licence) == expected.statuses.get(licence, "Valid")
    for declaration, reason in expected.refused.items():
        claims = [claim for key, claim in held.claims.items() if key.decl_id == declaration]
        assert [reason in claim.reasons for claim in claims] == [True]
    for licence, code in expected.incidents.items():
        assert code in str(await s.messages("incident", licence))
    for declaration, code in expected.findings.items():
        assert code in str(await s.messages("outcome", declaration))
    acts = {one.licence_id: one.act for one in held.refused_licence_events.values()}
    assert acts == expected.acts
    assert not [one for one in held.declarations.values() if one.undecided]
    assert await s.quarantined() == []


def test_every_case_has_licences_and_declarations_of_its_own() -> None:
    licences = [licence for case in CASES for licence in case.expected.balances]
    assert len(licences) == len(set(licences)) >= len(CASES)
    keys = [{sent.message.key for sent in case.sent} for case in CASES]
    assert sum(map(len, keys)) == len(set().union(*keys))
    assert make_cases(DAY) == CASES
    assert len(list(sent_of(CASES))) == sum(len(case.sent) for case in CASES)
