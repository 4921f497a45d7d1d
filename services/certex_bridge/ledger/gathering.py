"""Group commit: calls that arrive together share one transaction, each with its own answer.

    submit -> gather a moment -> Executor.apply -> everybody's own answer

While transactions run, the next batch gathers; so batches grow with the load and nobody waits longer than for the
transactions before. One call can hurt no other: a batch that fails is tried one by one. Once a call is in a
transaction, that runs to its end, whoever still waits. An answer is given after the commit only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.ledger.answers import Answer, Answers, Given, OutcomeDocument, read_answer
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.executor import Applied, Executor
from certex_bridge.platform.database_errors import OUTAGES, STATEMENT_TIMEOUT
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import within

LOG = get_logger("certex_bridge.gathering")

BATCH_MAX = 200
"""Calls in one transaction."""
TRANSACTIONS_MAX = 2
"""Transactions in flight: while one waits for the disk or a lock, the other is decided."""
RETRY_SECONDS = 0.005
"""Pause before a transaction that stood in another's way is tried again; doubled each time."""
RETRY_LONGEST_SECONDS = 0.2


class Unavailable(BridgeError):
    """The ledger cannot answer now; whether the call had an effect, the same call asked again will tell."""

    code = "NOT_AVAILABLE"


class Meter(Protocol):
    """Who counts what the transactions do."""

    def count(self, counts: Mapping[str, int]) -> None:
        """One transaction is committed."""

    def retry(self, cause: str) -> None:
        """A transaction is tried again."""

    def failed(self, error: BaseException) -> None:
        """A call failed for a reason that cannot pass."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """One event on its way, and everybody who waits for it."""

    delivery: Delivery
    event_id: str
    sha256: str
    deadline: float
    done: asyncio.Future[tuple[Answer, OutcomeDocument | None]] = field(default_factory=asyncio.Future)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # whoever waited may be gone


class Gathering:
    """Takes events one by one and applies them in shared transactions; use from one event loop."""

    def __init__(
        self,
        executor: Executor,
        answers: Answers,
        transient: Callable[[BaseException], str | None],
        *,
        gather_seconds: float = 0.002,
        batch_max: int = BATCH_MAX,
        meter: Meter | None = None,
    ) -> None:
        """`transient` labels failures that can pass, and gives None for the others."""
        self._executor = executor
        self._answers = answers
        self._transient = transient
        self._gather_seconds = gather_seconds
        self._batch_max = batch_max
        self._meter = meter
        self._waiting: deque[_Waiting] = deque()
        self._by_content: dict[tuple[str, str], _Waiting] = {}
        """What waits, by id and content: asked several times at once it is one call."""
        self._runners: set[asyncio.Task[None]] = set()
        self._gathers = False
        """Whether a runner is on its way to take what waits."""
        self._stopped = False

    async def submit(self, delivery: Delivery, seconds: float) -> Given:
        """Apply one event of a declaration whose sender waits; returns after the commit.

        Cancelling the caller does not cancel the transaction.

        Raises:
            Unavailable: the database is away, or too busy for `seconds`; or the process stops.
            Exception: the event breaks its transaction for good; nothing happened.
        """
        if self._stopped:
            raise Unavailable("the process stops")
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        one = self._enqueue(delivery, deadline)
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                answer, document = await asyncio.shield(one.done)
                return Given(answer, document or await self._stored(answer))
        except Exception as error:
            if limit.expired():
                raise Unavailable(f"no answer within {seconds:g} s") from error
            cause = self._transient(error)
            if cause is None:
                raise
            raise Unavailable(f"the ledger is away ({cause})") from error

    async def stop(self) -> None:
        """Take no more; return when what was taken has ended."""
        self._stopped = True
        while self._runners:
            await asyncio.wait(self._runners)

    async def _stored(self, answer: Answer) -> OutcomeDocument | None:
        """The document of an event that was answered before."""
        stored = read_answer(answer.body)
        return await self._answers.document(stored.declaration, stored.dv) if stored.dv else None

    # -- gathering

    def _enqueue(self, delivery: Delivery, deadline: float) -> _Waiting:
        command = delivery.command
        assert command is not None, "only what was decoded is submitted"
        known = self._by_content.get((command.event_id, command.payload_sha256))
        if known is not None:
            known.deadline = max(known.deadline, deadline)
            return known
        made = _Waiting(delivery, command.event_id, command.payload_sha256, deadline)
        self._waiting.append(made)
        self._by_content[made.event_id, made.sha256] = made
        if not self._gathers and len(self._runners) < TRANSACTIONS_MAX:
            self._start(self._gather_seconds)
        return made

    def _start(self, pause: float) -> None:
        self._gathers = True
        with within(""):  # a transaction is many calls', and belongs to no trace of one of them
            runner = asyncio.create_task(self._run(pause), name="gathering")
        self._runners.add(runner)
        runner.add_done_callback(self._ended)

    def _ended(self, runner: asyncio.Task[None]) -> None:
        self._runners.discard(runner)
        if self._waiting and not self._gathers:
            self._start(0)

    async def _run(self, pause: float) -> None:
        """One batch from gathering to its answers."""
        await asyncio.sleep(pause)
        self._gathers = False
        batch = self._take()
        if self._waiting and len(self._runners) < TRANSACTIONS_MAX:
            self._start(0)
        try:
            await self._apply(batch)
        except Exception as error:  # noqa: BLE001  # every caller is told
            for one in batch:
                one.fail(error)
        except BaseException:
            for one in batch:
                one.fail(Unavailable("the process stops"))
            raise

    def _take(self) -> list[_Waiting]:
        """The oldest calls; one id with two contents is for two transactions, so that each has its own answer."""
        batch: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        while self._waiting and len(batch) < self._batch_max:
            one = self._waiting.popleft()
            if one.event_id in batch:
                later.append(one)
            else:
                batch[one.event_id] = one
                del self._by_content[one.event_id, one.sha256]
        self._waiting.extendleft(reversed(later))
        return list(batch.values())

    # -- applying

    async def _apply(self, batch: Sequence[_Waiting]) -> None:
        clock = asyncio.get_running_loop().time
        pause = RETRY_SECONDS
        while batch:
            try:
                applied = await self._executor.apply([one.delivery for one in batch])
            except Exception as error:
                cause = self._transient(error)
                if cause in OUTAGES:
                    raise
                if cause is None and len(batch) == 1:
                    self._broken(batch[0], error)
                    raise
                if cause is not None and self._meter is not None:
                    self._meter.retry(cause)
                LOG.warning("gathering.retry", cause=cause or type(error).__name__, calls=len(batch))
                if len(batch) > 1 and cause in {None, STATEMENT_TIMEOUT}:
                    await self._one_by_one(batch)
                    return
                batch = self._in_time(batch, clock() + pause, cause or "")
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_LONGEST_SECONDS)
            else:
                if self._meter is not None:
                    self._meter.count(applied.counts)
                self._give(batch, applied)
                return

    async def _one_by_one(self, batch: Sequence[_Waiting]) -> None:
        """Each in a transaction of its own, so that only the one that cannot work is told so."""
        for number, one in enumerate(batch):
            try:
                await self._apply([one])
            except Exception as error:  # noqa: BLE001  # its caller is told
                one.fail(error)
                if self._transient(error) in OUTAGES:
                    for other in batch[number + 1 :]:
                        other.fail(error)
                    return

    def _broken(self, one: _Waiting, error: Exception) -> None:
        LOG.error("gathering.failed", event_id=one.event_id, exc_info=error)
        if self._meter is not None:
            self._meter.failed(error)

    def _in_time(self, batch: Sequence[_Waiting], now: float, cause: str) -> list[_Waiting]:
        """Those that still wait; the others are told."""
        for one in batch:
            if one.deadline <= now:
                one.fail(Unavailable(f"the ledger is too busy ({cause})"))
        return [one for one in batch if one.deadline > now]

    def _give(self, batch: Sequence[_Waiting], applied: Applied) -> None:
        answers = {answer.event_id: answer for answer in applied.answers}
        for one in batch:
            if not one.done.done():
                one.done.set_result((answers[one.event_id], applied.documents.get(one.event_id)))
