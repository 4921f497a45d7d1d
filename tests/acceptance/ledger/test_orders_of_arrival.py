"""Whatever the order in which Kafka delivers the messages of a life, it ends alike, or visibly undecided."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.mismatches import InMemoryMismatches
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.model import Dim, Figures
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.mismatches import Asked
from certex_bridge.ledger.ports import Origin
from certex_bridge.operations.composition import decoders_of
from certex_bridge.operations.policies import policy_of
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.settings import Settings
from tests.support.arrivals import how_many, interleavings, sample
from tests.support.invariants import violations
from tests.support.ledger_recorder import Recorder
from tests.support.lives import LIVES, Life, Message

EXHAUSTIVE_MAX = 150
"""Orders up to which all of them are played in the fast suite."""
SAMPLE = 60
ALL_MAX = 3_000
"""The same in the slow suite."""

SENT_AT_MS = 1_772_600_000_000
SETTINGS = Settings.load(enforce_mismatches=["HOLDER"])
DECODERS, POLICY = decoders_of(SETTINGS), policy_of(SETTINGS)


class Ending(NamedTuple):
    """Where a life has come to."""

    balances: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str], ...]
    """Of licences."""
    states: tuple[tuple[str, str], ...]
    """Of declarations that have an MRN."""
    held: tuple[tuple[str, ...], ...]
    """Claims that hold something: which, state, reserved, consumed."""
    refused: tuple[tuple[str, str], ...]
    """Claims that customs accepted or released and that hold nothing: which, state."""
    undecided: tuple[str, ...]


def deliveries(life: Life) -> dict[Message, Delivery]:
    """The messages as they were sent: order of arrival changes neither the place in the log nor its time."""
    found = {}
    for offset, message in enumerate(life.messages):
        key, stamp = message.key.encode(), SENT_AT_MS + 60_000 * offset
        envelope = Envelope(message.topic, 0, offset, key, message.body, message.headers, stamp)
        try:
            (command,) = DECODERS[message.topic](envelope)
        except Poison as poison:
            assert poison.code in life.quarantined
            continue
        assert not isinstance(command, Poison)
        found[message] = Delivery(Origin(message.topic, 0, offset), command, raw=message.body, key=key)
    return found


async def ending(order: Sequence[Delivery], *, wake_at_once: bool) -> Ending:
    """Play one order; the worker follows each message, or comes when all are in."""
    store = InMemoryStore()
    executor = Executor(store, Recorder(), POLICY)
    for delivery in order:
        await executor.apply([delivery])
        while wake_at_once and await executor.wake(100):
            pass
    while await executor.wake(100):
        pass
    assert not violations(store.contents)
    return await _ending(store)


async def _ending(store: InMemoryStore) -> Ending:
    held = store.contents
    known = [state for _, state in sorted(held.licences.items()) if state.known]
    balances = {
        state.licence_id: "/".join(map(format_decimal, (account.reserved, account.consumed, account.available)))
        for state in known
        for (line_no, dim), account in state.accounts.items()
        if line_no == 1 and dim in (Dim.QTY, Dim.VAL)
    }
    claims = [claim for _, claim in sorted(held.claims.items())]
    report = await InMemoryMismatches(store).report(Asked())
    return Ending(
        tuple(sorted(balances.items())),
        tuple((state.licence_id, state.status.value) for state in known),
        tuple((mrn, declaration_state(one.facts)) for mrn, one in sorted(held.declarations.items()) if one.facts.mrn),
        tuple(
            (str(one.key), one.state.value, *map(_text, (one.reserved, one.consumed))) for one in claims if one.holds
        ),
        tuple(
            (str(one.key), one.state.value) for one in claims if one.state.value in ("REFUSED", "UNCOVERED", "WAITING")
        ),
        tuple(one.decl_id for one in report.undecided),
    )


def _text(figures: Figures) -> str:
    return f"{format_decimal(figures.quantity)} {format_decimal(figures.value)}"


async def endings(life: Life, orders: Iterable[Sequence[Message]]) -> dict[Ending, str]:
    """What the orders come to, each with the first one that led there."""
    told = deliveries(life)
    found: dict[Ending, str] = {}
    for number, order in enumerate(orders):
        played = [told[message] for message in order if message in told]
        end = await ending(played, wake_at_once=bool(number % 2))
        found.setdefault(end, " > ".join(message.body.decode()[:90] for message in order))
    return found


def fits(life: Life, end: Ending) -> bool:
    """Whether it is the ending that the life has in its natural order."""
    states = dict(end.states)
    return (
        dict(end.balances) == life.balances
        and all(states[name] == state for name, state in life.states.items() if name in states)
        and not end.refused
        and set(end.undecided) == life.undecided
    )


@pytest.mark.parametrize("name", LIVES)
async def test_a_life_ends_alike_in_every_order_of_arrival(name: str) -> None:
    life = LIVES[name]()
    orders = interleavings(life.queues)
    if how_many(life.queues) > EXHAUSTIVE_MAX:
        seed = secrets.randbelow(1 << 32)
        logging.getLogger(__name__).warning("%d of %d orders, seed %d", SAMPLE, how_many(life.queues), seed)
        orders = sample(life.queues, SAMPLE, seed)
    found = await endings(life, orders)
    assert all(fits(life, end) for end in found), found
    assert len(found) == 1, found


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LIVES if how_many(LIVES[name]().queues) > EXHAUSTIVE_MAX])
async def test_a_long_life_ends_alike_in_all_its_orders(name: str) -> None:
    life = LIVES[name]()
    assert how_many(life.queues) <= ALL_MAX, "play a sample of this one"
    found = await endings(life, interleavings(life.queues))
    assert all(fits(life, end) for end in found), found
    assert len(found) == 1, found


def test_the_orders_of_arrival_are_those_that_keep_each_key_in_order() -> None:
    queues = [["a", "b"], ["x"], []]
    orders = ["".join(order) for order in interleavings(queues)]
    assert sorted(orders) == ["abx", "axb", "xab"]
    assert how_many(queues) == len(orders)
    assert {"".join(order) for order in sample(queues, 100, seed=1)} == set(orders)
