"""The real core beside the model: deliver to both, break the first at a chosen point, compare after every step."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, TypeVar

from certex_bridge.ledger.adapters.memory import Contents, InMemoryStore, InMemoryUnit
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.domain.model import Figures
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Changes, Origin
from tests.simulation.model import Model
from tests.support.invariants import shrunk, violations
from tests.support.ledger_recorder import Recorder

T = TypeVar("T")

POINTS = ("before_begin", "after_inbox", "after_locks", "before_write", "after_write", "commit_unknown")
"""Where a process may die; in the last the commit happened and nobody was told."""

_NO_EFFECT = frozenset({"CONFLICT", "SUPERSEDED", "ALREADY_DONE"})


class Died(Exception):
    """The process is gone."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that waits for nothing outside, on an event loop of its own."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


class FragileUnit(InMemoryUnit):
    """A transaction that can die between any two effects."""

    def __init__(self, contents: Contents, point: str) -> None:
        super().__init__(contents)
        self._point = point

    def _pass(self, point: str) -> None:
        if self._point == point:
            raise Died(point)

    async def register(self, entries: Sequence[Any]) -> Any:
        known = await super().register(entries)
        self._pass("after_inbox")
        return known

    async def lock_licences(self, licence_ids: Any) -> Any:
        locked = await super().lock_licences(licence_ids)
        self._pass("after_locks")
        return locked

    async def write(self, changes: Changes) -> None:
        self._pass("before_write")
        await super().write(changes)
        self._pass("after_write")


class FragileStore(InMemoryStore):
    """The store in memory; rows are copied when they are locked, so a transaction copies the tables only."""

    point = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryUnit]:
        if self.point == "before_begin":
            raise Died(self.point)
        draft = table_copy(self.contents)
        yield FragileUnit(draft, self.point)
        self.contents = draft
        if self.point == "commit_unknown":
            raise Died(self.point)


def table_copy(contents: Contents) -> Contents:
    """The same rows in tables of their own."""
    return Contents(**{field.name: copy.copy(getattr(contents, field.name)) for field in fields(contents)})


class World:
    """One history, told to both."""

    def __init__(self, group: SettleGroup = SettleGroup.ITEM) -> None:
        self.store = FragileStore()
        self.model = Model(whole=group is SettleGroup.DECLARATION)
        self.executor = Executor(self.store, Recorder(), Policy(settle_group=group))
        self.answers: dict[str, str] = {}
        self.told: list[Command] = []
        """Everything ever delivered, in order."""

    def deliver(self, batch: Sequence[Command], point: str = "") -> bool:
        """One batch; returns whether it had its effect. Raises AssertionError when core and model differ."""
        before = table_copy(self.store.contents)
        self.store.point = point
        answers = []
        try:
            answers = run(
                self.executor.apply([Delivery(Origin("t", 0, i), one) for i, one in enumerate(batch)])
            ).answers
        except Died:
            if point != "commit_unknown":
                assert self.store.contents == before, "a transaction that died left something"
                return False
        finally:
            self.store.point = ""
        for answer in answers:
            assert self.answers.setdefault(answer.event_id, answer.body) == answer.body, "I13: another answer"
        fresh = {one.event_id: one for one in batch if one.event_id not in self.model.seen}
        for command in fresh.values():
            self.model.deliver(command)
        self.told += fresh.values()
        if answers and all(answer.result in _NO_EFFECT or answer.repeated for answer in answers):
            assert self.store.contents.movements == before.movements, "I11: a refused command moved something"
        self.compare(before)
        return True

    def wake(self, limit: int, point: str = "") -> int:
        """Settle what was woken; returns how many."""
        before = table_copy(self.store.contents)
        self.store.point = point
        woken = min(limit, len(before.wakes))
        try:
            assert run(self.executor.wake(limit)) == woken
        except Died:
            if point != "commit_unknown":
                return 0
        finally:
            self.store.point = ""
        for _ in range(woken):
            self.model.wake()
        self.compare(before)
        return woken

    def drain(self) -> None:
        """Until nobody is woken any more."""
        while self.wake(3):
            pass

    def compare(self, before: Contents) -> None:
        """Balances, statuses, claims and who waits, beside the model; and the invariants."""
        held = self.store.contents
        assert balances(held) == self.expected_balances()
        found, expected = self._of_interest(claims(held)), self._of_interest(self.expected_claims())
        assert found == expected, sorted(set(found.items()) ^ set(expected.items()), key=str)
        waiting = {decl_id: set(d.waiting_for) for decl_id, d in held.declarations.items() if d.waiting_for}
        assert waiting == {decl_id: waits for decl_id, waits in self.model.waiting.items() if waits}
        assert [wake.decl_id for _, wake in sorted(held.wakes.items())] == self.model.wakes
        broken = violations(held) + shrunk(before, held)
        assert not broken, broken

    def expected_claims(self) -> dict[Any, Any]:
        """Every claim as the rules say."""
        return {key: claim.shown for key, claim in self.model.claims.items()}

    def _of_interest(self, found: dict[Any, Any]) -> dict[Any, Any]:
        """All but what a draft looked like before it was taken over: that depends on which record came first."""
        taken = {self.model.draft_of(decl_id) for decl_id in self.model.taken_over}
        return {key: shown for key, shown in found.items() if key[0] not in taken}

    def expected_balances(self) -> dict[str, Any]:
        """Status and accounts of every licence as the rules say."""
        model = self.model
        return {
            licence_id: (
                model.status(licence_id),
                {
                    (line, dim): (limit, *model.balance(licence_id, line, dim))
                    for (line, dim), limit in licence.limits.items()
                },
            )
            for licence_id, licence in model.licences.items()
            if licence.content is not None
        }


def balances(held: Contents) -> dict[str, Any]:
    """Status and accounts of every licence as the core holds them."""
    return {
        licence_id: (
            state.derived_status().value,
            {(line, dim.value): (a.cap, a.reserved, a.consumed) for (line, dim), a in state.accounts.items()},
        )
        for licence_id, state in held.licences.items()
        if state.known
    }


def claims(held: Contents) -> dict[Any, Any]:
    """Every claim as the core holds it, in the model's words."""
    return {
        tuple(key): (str(c.state), str(c.outcome), _pair(c.reserved), _pair(c.consumed), _pair(c.uncovered))
        for key, c in held.claims.items()
    }


def _pair(figures: Figures) -> tuple[Any, Any]:
    return (figures.quantity, figures.value)
