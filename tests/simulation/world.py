"""The real core beside the model: deliver to both, break the first at a chosen point, compare after every step."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from certex_bridge.ledger.adapters.memory import Contents, InMemoryStore, InMemoryUnit
from certex_bridge.ledger.commands import Command, Delivery
from certex_bridge.ledger.domain.model import Figures
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Changes, Origin
from tests.simulation.events import in_words
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


Method = TypeVar("Method", bound=Callable[..., Any])


def noted(method: Method) -> Method:
    """What was told until something went wrong is said with it."""

    @wraps(method)
    def wrapped(self: World, *args: Any) -> Any:
        try:
            return method(self, *args)
        except Exception as error:
            doing = [in_words(one) for one in args[0]] if isinstance(args[0], list) else ["wake"]
            error.add_note("What was told:\n" + "\n".join([*self.history, "now:", *doing]))
            raise

    return wrapped  # type: ignore[return-value]


class World:
    """One history, told to both."""

    def __init__(self, group: SettleGroup = SettleGroup.ITEM) -> None:
        self.store = FragileStore()
        self.model = Model(whole=group is SettleGroup.DECLARATION)
        self.executor = Executor(self.store, Recorder(), Policy(settle_group=group))
        self.answers: dict[str, str] = {}
        self.told: list[Command] = []
        """Everything ever delivered, in order."""
        self.history: list[str] = []
        """The same in few words, with who was woken."""

    @noted
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
            self.history.append(in_words(command))
            self.model.deliver(command)
        self.told += fresh.values()
        if answers and all(answer.result in _NO_EFFECT or answer.repeated for answer in answers):
            assert self.store.contents.movements == before.movements, "I11: a refused command moved something"
        self.compare(before)
        return True

    @noted
    def wake(self, limit: int, point: str = "") -> int:
        """Settle what was woken; returns how many."""
        before = table_copy(self.store.contents)
        self.store.point = point
        rows = [wake for _, wake in sorted(before.wakes.items())][:limit]
        woken = len(rows)
        try:
            assert run(self.executor.wake(limit)) == woken
        except Died:
            if point != "commit_unknown":
                return 0
        finally:
            self.store.point = ""
        for wake in rows:
            self.history.append(f"woken {wake.decl_id}")
            self.model.wake(wake.decl_id, datetime.fromisoformat(wake.at))
        self.compare(before)
        return woken

    def drain(self) -> None:
        """Until nobody is woken any more."""
        while self.wake(3):
            pass

    def compare(self, before: Contents) -> None:
        """Balances, statuses, claims and who waits, beside the model; and the invariants."""
        held = self.store.contents
        stand, should = balances(held), self.expected_balances()
        assert stand == should, [
            (one, stand.get(one), should.get(one)) for one in should if stand.get(one) != should[one]
        ]
        found, expected = self._of_interest(claims(held)), self._of_interest(self.expected_claims())
        assert found == expected, difference(found, expected)
        waiting = {decl_id: set(d.waiting_for) for decl_id, d in held.declarations.items() if d.waiting_for}
        assert waiting == {decl_id: waits for decl_id, waits in self.model.waiting.items() if waits}
        broken = violations(held) + shrunk(before, held)
        assert not broken, broken

    def expected_claims(self) -> dict[Any, Any]:
        """Every claim as the rules say."""
        return {key: claim.shown for key, claim in self.model.claims.items()}

    def _of_interest(self, found: dict[Any, Any]) -> dict[Any, Any]:
        """All but the advice on a draft that was taken over, or will be looked at again: it depends on what came first."""
        woken = {wake.decl_id for wake in self.store.contents.wakes.values() if "/" in wake.decl_id}
        taken = woken | {draft for draft in {key[0] for key in found} if self.model.is_taken_over(draft)}
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


def difference(found: dict[Any, Any], expected: dict[Any, Any]) -> str:
    """Every claim that core and model do not agree about."""
    keys = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
    return "".join(f"\n{key}\n  core  {_told(found.get(key))}\n  model {_told(expected.get(key))}" for key in keys)


def _told(shown: Any) -> str:
    return "-" if shown is None else f"{shown[0]} {shown[1]} " + " ".join(f"{a[0]}/{a[1]}" for a in shown[2:])


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
