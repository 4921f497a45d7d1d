"""Group commit: shared transactions, own answers, and failures that hurt nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from certex_bridge.ledger import gathering as module
from certex_bridge.ledger.answers import DUPLICATE_ID, Answer, OutcomeDocument
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.executor import Applied
from certex_bridge.ledger.gathering import Gathering, Unavailable
from certex_bridge.platform.database_errors import retry_cause
from tests.support.ledger_words import Customs

CUSTOMS = Customs()


def event(name: str, sha: str = "") -> Delivery:
    made = CUSTOMS.released(name, event_id=name)
    return Delivery(INTERNAL, replace(made, payload_sha256=sha or name))


class Ledger:
    """An executor that does what the test says."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.committed: dict[str, str] = {}
        self.failures: list[Callable[[Sequence[str]], Exception | None]] = []
        """Each looks at one transaction, in turn."""
        self.always: Callable[[Sequence[str]], Exception | None] = lambda _: None
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Semaphore(0)
        """One for every transaction that began."""
        self.running = 0
        self.most = 0

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        commands = [one.command for one in deliveries]
        ids = [command.event_id for command in commands if command is not None]
        self.batches.append(ids)
        self.running += 1
        self.begun.release()
        self.most = max(self.most, self.running)
        await self.open.wait()
        await asyncio.sleep(0)
        self.running -= 1
        error = (self.failures.pop(0) if self.failures else self.always)(ids)
        if error is not None:
            raise error
        answers, documents = [], {}
        for command in commands:
            assert command is not None
            name, sha = command.event_id, command.payload_sha256
            body = f'{{"result":"APPLIED","declaration":"{name}","dv":1}}'
            if name not in self.committed:
                self.committed[name] = sha
                answers.append(Answer(name, "APPLIED", body))
                documents[name] = OutcomeDocument(name, 1, b"made")
            elif self.committed[name] == sha:
                answers.append(Answer(name, "APPLIED", body, repeated=True))
            else:
                answers.append(Answer(name, DUPLICATE_ID, '{"result":"DUPLICATE_ID"}', repeated=True))
        return Applied(answers, {"claim:OK_RESERVED:": len(ids)}, documents)

    async def document(self, decl_id: str, dv: int) -> OutcomeDocument | None:
        return OutcomeDocument(decl_id, dv, b"stored")


class Counting:
    """A meter."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def count(self, counts: Any) -> None:
        self.calls.append(f"count {sum(counts.values())}")

    def retry(self, cause: str) -> None:
        self.calls.append(f"retry {cause}")

    def failed(self, error: BaseException) -> None:
        self.calls.append(f"failed {type(error).__name__}")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def gathering(ledger: Ledger, **more: Any) -> Gathering:
    more.setdefault("gather_seconds", 0.0)
    return Gathering(ledger, ledger, retry_cause, **more)  # type: ignore[arg-type]  # the executor's one method


async def submit_all(it: Gathering, *deliveries: Delivery, seconds: float = 60) -> list[Any]:
    return await asyncio.gather(*(it.submit(one, seconds) for one in deliveries), return_exceptions=True)


async def test_what_arrives_together_shares_a_transaction_and_each_has_its_own_answer(ledger: Ledger) -> None:
    given = await submit_all(gathering(ledger), *(event(f"M{number}") for number in range(5)))
    assert [one.answer.event_id for one in given] == [f"M{number}" for number in range(5)]
    assert {one.document.body for one in given} == {b"made"}
    assert len(ledger.batches) == 1


async def test_while_two_transactions_run_the_next_batch_gathers(ledger: Ledger) -> None:
    it = gathering(ledger, batch_max=3)
    ledger.open.clear()
    waiting = [asyncio.create_task(it.submit(event(f"M{number}"), 60)) for number in range(9)]
    await ledger.begun.acquire()
    await ledger.begun.acquire()
    late = asyncio.create_task(it.submit(event("M9"), 60))
    for _ in range(10):
        await asyncio.sleep(0)
    assert [len(batch) for batch in ledger.batches] == [3, 3]
    ledger.open.set()
    await asyncio.gather(*waiting, late)
    assert [len(batch) for batch in ledger.batches] == [3, 3, 3, 1]
    assert ledger.most == 2


async def test_the_same_call_at_once_is_one_event_and_later_the_stored_answer(ledger: Ledger) -> None:
    it = gathering(ledger)
    given = await submit_all(it, event("M1", "a"), event("M1", "a"))
    assert given[0] == given[1]
    assert ledger.batches == [["M1"]]
    again = await it.submit(event("M1", "a"), 60)
    assert (again.answer.repeated, again.document) == (True, OutcomeDocument("M1", 1, b"stored"))


async def test_one_id_with_two_contents_is_answered_one_after_the_other(ledger: Ledger) -> None:
    it = gathering(ledger)
    given = await submit_all(it, event("M1", "a"), event("M1", "b"), event("M2"))
    assert [one.answer.result for one in given] == ["APPLIED", DUPLICATE_ID, "APPLIED"]
    assert given[1].document is None
    assert ledger.batches == [["M1", "M2"], ["M1"]]


async def test_one_bad_call_hurts_no_other(ledger: Ledger) -> None:
    ledger.always = lambda ids: ValueError("bad") if "M1" in ids else None
    meter = Counting()
    given = await submit_all(gathering(ledger, meter=meter), *(event(f"M{number}") for number in range(3)))
    assert [type(one).__name__ for one in given] == ["Given", "ValueError", "Given"]
    assert ledger.batches == [["M0", "M1", "M2"], ["M0"], ["M1"], ["M2"]]
    assert meter.calls == ["count 1", "failed ValueError", "count 1"]


async def test_a_transaction_in_the_way_of_another_is_tried_again(ledger: Ledger) -> None:
    ledger.failures = [lambda _: asyncpg.DeadlockDetectedError("deadlock"), lambda _: None]
    meter = Counting()
    given = await submit_all(gathering(ledger, meter=meter), event("M1"), event("M2"))
    assert [one.answer.result for one in given] == ["APPLIED", "APPLIED"]
    assert meter.calls == ["retry deadlock", "count 2"]


async def test_a_batch_too_slow_for_the_database_is_taken_apart(ledger: Ledger) -> None:
    ledger.failures = [lambda _: asyncpg.QueryCanceledError("statement timeout")]
    await submit_all(gathering(ledger), event("M1"), event("M2"))
    assert ledger.batches == [["M1", "M2"], ["M1"], ["M2"]]


async def test_retrying_ends_with_the_caller_s_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 10.0)
    ledger.always = lambda _: asyncpg.SerializationError("again")
    (given,) = await submit_all(gathering(ledger), event("M1"), seconds=0.5)
    assert isinstance(given, Unavailable)
    assert "too busy (serialization)" in given.message


@pytest.mark.parametrize("alone", [True, False])
async def test_a_database_that_is_away_is_told_at_once(ledger: Ledger, alone: bool) -> None:
    ledger.failures = [] if alone else [lambda _: ValueError("bad")]
    ledger.always = lambda _: ConnectionRefusedError()
    calls = [event("M1")] if alone else [event("M1"), event("M2"), event("M3")]
    given = await submit_all(gathering(ledger), *calls)
    assert [type(one) for one in given] == [Unavailable] * len(calls)
    assert given[0].message == "the ledger is away (connection)"
    assert len(ledger.batches) == (1 if alone else 2)


async def test_a_caller_that_goes_away_stops_no_transaction(ledger: Ledger) -> None:
    it = gathering(ledger)
    ledger.open.clear()
    gone = asyncio.create_task(it.submit(event("M1"), 60))
    stays = asyncio.create_task(it.submit(event("M2"), 60))
    await ledger.begun.acquire()
    gone.cancel()
    ledger.open.set()
    assert (await stays).answer.result == "APPLIED"
    assert ledger.committed.keys() == {"M1", "M2"}
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_no_answer_in_time_is_unavailable_and_the_same_call_learns_the_result(ledger: Ledger) -> None:
    it = gathering(ledger)
    ledger.open.clear()
    (given,) = await submit_all(it, event("M1", "a"), seconds=0.02)
    assert isinstance(given, Unavailable)
    ledger.open.set()
    assert (await it.submit(event("M1", "a"), 60)).answer.result == "APPLIED"


async def test_an_orderly_stop_ends_what_was_taken_and_takes_no_more(ledger: Ledger) -> None:
    it = gathering(ledger, batch_max=1)
    ledger.open.clear()
    waiting = [asyncio.create_task(it.submit(event(f"M{number}"), 60)) for number in range(4)]
    await ledger.begun.acquire()
    stopping = asyncio.create_task(it.stop())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await it.submit(event("M9"), 60)
    ledger.open.set()
    await stopping
    assert ledger.committed.keys() == {f"M{number}" for number in range(4)}
    assert [one.answer.result for one in await asyncio.gather(*waiting)] == ["APPLIED"] * 4


async def test_a_process_that_is_torn_down_tells_those_who_wait(ledger: Ledger) -> None:
    it = gathering(ledger)
    ledger.open.clear()
    waiting = asyncio.create_task(it.submit(event("M1"), 60))
    await ledger.begun.acquire()
    for runner in it._runners:
        runner.cancel()
    with pytest.raises(Unavailable, match="stops"):
        await waiting
