"""Simplified, supplementary, recapitulative and replaced declarations beside their own model, in any order, with crashes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from certex_bridge.ledger.adapters.memory import Contents
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from tests.simulation.events import Declared, at, content_of, in_words, licence_event
from tests.simulation.instruments import ZERO, expected
from tests.simulation.settings import CAMPAIGN, step_made
from tests.simulation.test_state_machine import play
from tests.simulation.world import POINTS, Died, FragileStore, run
from tests.support.invariants import violations
from tests.support.ledger_recorder import Recorder
from tests.support.ledger_words import Goods, cite, item, licence, simplified

SIMPLIFIED = st.sampled_from(["M1", "M2", "M3"])
SUPPLEMENTARY = st.sampled_from(["N1", "N2", "N3"])
FIGURES = st.sampled_from(["10", "20", "20", "30", "45"])
NAMED = st.sampled_from([("M1",), ("M1",), ("M1", "M2"), ("M1", "M2", "M3"), ("M2-1",), ("M1-2", "M3-1"), ("M3",)])
MINUTES = st.integers(0, 9)
POINT = st.sampled_from(["", "", "", *POINTS])
SELDOM = st.integers(0, 4).map(lambda number: number == 0)


class InstrumentMachine(RuleBasedStateMachine):
    """Everything that customs may tell of an instrument."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FragileStore()
        self.executor = Executor(self.store, Recorder(), Policy())
        self.count = 0
        self.pool: list[DeclarationCommand] = []
        self.told: dict[str, DeclarationCommand] = {}
        self.contents: dict[tuple[str, int], tuple[Goods, ...]] = {}
        self.links: dict[str, tuple[str, ...]] = {}
        self.apply([licence_event("licence", 0, LicenceEventKind.ISSUED, licence("A", "100000"))])

    def apply(self, commands: list[Command], point: str = "") -> bool:
        self.store.point = point
        try:
            run(self.executor.apply([Delivery(Origin("t", 0, n), one) for n, one in enumerate(commands)]))
        except Died:
            if point != "commit_unknown":
                return False
        finally:
            self.store.point = ""
        assert not violations(self.store.contents)
        return True

    def tell(self, command: DeclarationCommand, hold: bool, point: str = "") -> None:
        self.pool.append(command)
        if not hold:
            self.deliver_some([command], point)

    def deliver_some(self, commands: list[DeclarationCommand], point: str = "") -> None:
        if self.apply(list(commands), point):
            self.told |= {one.event_id: one for one in commands}
            self.pool = [one for one in self.pool if one not in commands]

    def stamp(self, minute: int) -> Stamp:
        self.count += 1
        return Stamp(at(minute), f"e{self.count:03}")

    def content(self, data: st.DataObject, name: str, version: int) -> tuple[Goods, ...]:
        """The same version says the same; one item or two."""
        if (name, version) not in self.contents:
            numbers = data.draw(st.sampled_from([(1,), (1, 2), (1, 2), (2,)]))
            goods = []
            for number in numbers:
                names = data.draw(st.none() | NAMED) if name.startswith("N") else None
                about = {"simplified": simplified(*names)} if names else {}
                goods.append(item(cite("A", data.draw(FIGURES)), number=number, about=about))
            self.contents[name, version] = tuple(goods)
        return self.contents[name, version]

    @initialize(
        data=st.data(), released=st.lists(st.booleans(), min_size=3, max_size=3), links=NAMED, late=st.booleans()
    )
    def begin(self, data: st.DataObject, released: list[bool], links: tuple[str, ...], late: bool) -> None:
        """In every history three simplified declarations and one that supplements some of them, in time or before."""
        self.links["N1"] = links
        if late:
            self.supplements(data, "N1", 1, 5, False, "")
        for name, gone in zip(("M1", "M2", "M3"), released, strict=True):
            self.simple(data, name, 1, 0, False, "")
            if gone or not late:
                self.tell(Declared(name).released(self.stamp(1), ALL_ITEMS), False)
        if not late:
            self.supplements(data, "N1", 1, 5, False, "")

    @rule(data=st.data(), name=SIMPLIFIED, version=st.sampled_from([1, 1, 1, 2]), minute=MINUTES, hold=SELDOM,
          point=POINT)  # fmt: skip
    def simple(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool, point: str) -> None:
        """A simplified declaration is accepted, or amended."""
        content, stamp = content_of(self.content(data, name, version)), self.stamp(minute)
        if version == 1:
            self.tell(Declared(name).with_content(EventKind.ACCEPTED, stamp, content, 1, day="2026-03-01"), hold, point)
        else:
            self.tell(Declared(name).with_content(EventKind.AMENDED, stamp, content, version), hold, point)

    @rule(data=st.data(), name=SUPPLEMENTARY, version=st.sampled_from([1, 1, 2]), minute=MINUTES, hold=SELDOM,
          point=POINT)  # fmt: skip
    def supplements(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool, point: str) -> None:
        """A supplementary declaration for one, several, or items of them; or its amendment."""
        links = self.links.setdefault(name, data.draw(NAMED))
        stamp = self.stamp(minute)
        content = replace(content_of(self.content(data, name, version)), additional_type="Y")
        told = Declared(name).with_content(EventKind.SUPPLEMENTARY, stamp, content, version)
        facts = replace(told.facts, accepted=stamp, simplified=simplified(*links))
        self.tell(replace(told, facts=facts), hold, point)

    @rule(data=st.data(), name=SIMPLIFIED | SUPPLEMENTARY, minute=MINUTES, hold=SELDOM, point=POINT)
    def released(self, data: st.DataObject, name: str, minute: int, hold: bool, point: str) -> None:
        """Released: all of it, or one item with the figure that really left."""
        number = data.draw(st.sampled_from([0, 0, 0, 1, 2])) if name.startswith("M") else 0
        stated = ((1, data.draw(FIGURES) + " NAR"),) if number and data.draw(st.booleans()) else ()
        self.tell(Declared(name).released(self.stamp(minute), number, stated), hold, point)

    @rule(name=SIMPLIFIED | SUPPLEMENTARY, minute=MINUTES, hold=SELDOM, refused=st.booleans(), seldom=SELDOM)
    def ended(self, name: str, minute: int, hold: bool, refused: bool, seldom: bool) -> None:
        """Invalidated, or not released: supplementary declarations more often than simplified ones."""
        if not seldom and name.startswith("M"):
            return
        if refused:
            self.tell(Declared(name).not_released(self.stamp(minute), ALL_ITEMS), hold)
        else:
            self.tell(Declared(name).bare(EventKind.INVALIDATED, self.stamp(minute)), hold)

    @rule(data=st.data(), point=POINT)
    def deliver(self, data: st.DataObject, point: str) -> None:
        """Anything told and held back, or delivered before, in any order."""
        known = self.pool + list(self.told.values())[-6:]
        if known:
            self.deliver_some(data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique_by=id)), point)

    @rule(limit=st.integers(1, 3), point=POINT)
    def wake(self, limit: int, point: str) -> None:
        """The worker runs."""
        self.store.point = point if self.store.contents.wakes else ""
        try:
            run(self.executor.wake(limit))
        except Died:
            pass
        finally:
            self.store.point = ""
        assert not violations(self.store.contents)

    @rule()
    def settled(self) -> None:
        """Nobody waits for the worker: then both agree, declaration by declaration."""
        while run(self.executor.wake(3)):
            pass
        held = self.store.contents
        assert not violations(held)
        wanted = expected(self.told.values())
        history = "\n".join(map(in_words, self.told.values()))
        assert holdings(held, wanted.keys()) == wanted, f"{holdings(held, wanted.keys())}\n{wanted}\n{history}"

    def check_invariants(self, *around: Any) -> None:
        """Called after every step."""
        super().check_invariants(*around)
        step_made()

    def teardown(self) -> None:
        """Everything arrives, and everything again."""
        while self.pool:
            self.deliver_some(self.pool[:3])
        self.settled()
        movements = list(self.store.contents.movements)
        self.deliver_some(list(self.told.values()))
        self.settled()
        assert self.store.contents.movements == movements


def holdings(held: Contents, mrns: object) -> dict[str, tuple[Decimal, Decimal]]:
    """What each declaration's claims hold."""
    found = dict.fromkeys(mrns, (ZERO, ZERO))  # type: ignore[call-overload]
    for key, claim in held.claims.items():
        reserved, consumed = found[key.decl_id]
        found[key.decl_id] = (reserved + claim.reserved.quantity, consumed + claim.consumed.quantity)
    return found  # type: ignore[no-any-return]


@pytest.mark.timeout(600)
@pytest.mark.row("E088", "R18")
def test_instruments_and_their_model_agree() -> None:
    play(InstrumentMachine, 60)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_instruments_and_their_model_agree_for_long() -> None:
    play(InstrumentMachine, CAMPAIGN or 100, steps=40)
