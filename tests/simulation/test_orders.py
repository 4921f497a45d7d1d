"""The same events in two orders of arrival end in the same holdings, as long as every key keeps its own order.

The licence has room for all of it and no officer refuses, so nothing keeps what it held because something else was refused:
that depends on what came first. What is undecided in one order is undecided in the other.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import Decision, DeclarationCommand, EventKind
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.requests import Verdict
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from tests.simulation.events import at, content_of, in_words, licence_event
from tests.simulation.machine import LODGED, LRNS, declared
from tests.simulation.settings import CAMPAIGN, histories, step_made
from tests.simulation.world import FragileStore, run
from tests.support.invariants import violations
from tests.support.ledger_recorder import Recorder
from tests.support.ledger_words import cite, item, licence
from tests.support.simulation_seed import SEED

NAMES = st.sampled_from(sorted(LRNS))
FIGURES = st.sampled_from(["1", "2", "4", "8", "16", "32"])


@st.composite
def told(draw: st.DrawFn) -> list[DeclarationCommand]:
    """Everything that customs and declarants may tell, in the order of arrival; a version has one content for each."""
    contents: dict[tuple[str, int], Payload] = {}
    lives: list[DeclarationCommand] = []

    def content(name: str, version: int) -> Payload:
        if (name, version) not in contents:
            numbers = draw(st.sampled_from([(1,), (1, 2), (2,)]))
            contents[name, version] = content_of(tuple(item(cite("A", draw(FIGURES)), number=n) for n in numbers))
        return contents[name, version]

    for number in range(draw(st.integers(2, 14))):
        stamp = Stamp(at(draw(st.integers(0, 20))), f"e{number:03}")
        kind = draw(
            st.sampled_from(["lodged", "lodged", "ended", "accepted", "accepted", "stated", "amended", "released",
                             "refused", "requested", "decided", "invalidated", "overridden"])
        )  # fmt: skip
        name = draw(LODGED if kind in {"lodged", "ended"} else NAMES)
        who = declared(name)
        match kind:
            case "lodged":
                version = draw(st.sampled_from([1, 1, 1, 2]))
                shared = draw(st.sampled_from([name, name, f"{name} again"]))
                one = who.with_content(EventKind.LODGED, stamp, content(shared, version), version, draft=True)
            case "ended":
                one = who.bare(draw(st.sampled_from([EventKind.REJECTED, EventKind.INVALIDATED])), stamp, draft=True)
            case "accepted":
                one = who.bare(EventKind.ACCEPTED, stamp)
            case "stated":
                one = who.with_content(EventKind.ACCEPTED, stamp, content(name, 1), 1, day="2026-03-01")
            case "amended":
                version = draw(st.integers(2, 3))
                one = who.with_content(EventKind.AMENDED, stamp, content(name, version), version)
            case "released":
                place = draw(st.sampled_from([0, 0, 1, 2]))
                figures = ((1, draw(FIGURES)),) if place and draw(st.booleans()) else ()
                one = who.released(stamp, place, figures)
            case "refused":
                one = who.not_released(stamp, draw(st.sampled_from([0, 0, 1, 2])))
            case "requested":
                one = who.requested(stamp, "R", draw(st.sampled_from([None, content(f"{name} new {number}", 1)])))
            case "decided":
                one = who.decided(stamp, "R", draw(st.sampled_from([Verdict.GRANTED, Verdict.GRANTED, *Verdict])))
            case "invalidated":
                one = who.bare(EventKind.INVALIDATED, stamp)
            case _:
                one = who.overridden(stamp, draw(st.sampled_from([Decision.ACCEPT, Decision.AMEND])), ((0, 0),), "3")
        lives.append(one)
    return lives


def key_of(command: DeclarationCommand) -> str:
    """What orders it on its topic."""
    return command.mrn or f"{command.exporter}/{command.lrn}"


def after(commands: list[DeclarationCommand]) -> tuple[dict[str, Any], list[str], list[str]]:
    """What every declaration holds, what was put aside, and who is undecided, when all arrived and nobody is woken."""
    store = FragileStore()
    executor = Executor(store, Recorder(), Policy())
    first = licence_event("licence", 0, LicenceEventKind.ISSUED, licence("A", "100000"))
    for one in [first, *commands]:
        run(executor.apply([Delivery(Origin("t", 0, 0), one)]))
        step_made()
        while run(executor.wake(3)):
            pass
    held = store.contents
    assert not violations(held)
    found: dict[str, Any] = defaultdict(list)
    for key, claim in sorted(held.claims.items()):
        if claim.holds:
            found[key.decl_id].append((key.item, claim.reserved.quantity, claim.consumed.quantity))
    undecided = sorted(decl_id for decl_id, one in held.declarations.items() if one.undecided)
    return found, sorted(row.code for row in held.quarantine.values()), undecided


def same_in_every_order(lives: list[DeclarationCommand], data: st.DataObject) -> None:
    """Two interleavings of the keys."""
    places = data.draw(st.permutations([key_of(one) for one in lives]))
    waiting = {key: iter([one for one in lives if key_of(one) == key]) for key in places}
    other = [next(waiting[place]) for place in places]
    one, two = after(lives), after(other)
    assert one == two, "\n".join(["", *map(in_words, lives), "or", *map(in_words, other)])


def play_orders(count: int, seed: int) -> None:
    """So many pairs of orders."""
    given = hypothesis.given(told(), st.data())(same_in_every_order)
    hypothesis.seed(seed)(histories(count)(given))()


@pytest.mark.timeout(600)
@pytest.mark.row("E038")
def test_the_order_of_arrival_does_not_matter() -> None:
    play_orders(100, int(os.environ[SEED]))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_the_order_of_arrival_does_not_matter_for_long() -> None:
    play_orders(20 * (CAMPAIGN or 100), int(os.environ[SEED]))
