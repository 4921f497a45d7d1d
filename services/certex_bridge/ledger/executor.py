"""The executor: one transaction for a batch of events of any mix, each with its own answer.

The order of locks is that of `ports.py`; decisions are pure and made in delivery order on the locked rows; the
writes are set-based. Whoever calls may move an offset, or say "reserved", only after `apply` has returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.answers import DUPLICATE_ID, Answer, OutcomeDocument, read_answer
from certex_bridge.ledger.commands import (
    Command,
    Delivery,
    ExpiryUndone,
    ValidityPassed,
    licences_of,
    move_positions,
    waits,
    write_offs_of,
)
from certex_bridge.ledger.declarations import DeclarationHandling
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.inputs import inputs_of
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.instrument import read_references, to_lock, within_bounds
from certex_bridge.ledger.joining import main_id
from certex_bridge.ledger.licences import LicenceHandling, waited_for
from certex_bridge.ledger.looking_up import issued_by, look_up, sought
from certex_bridge.ledger.matching import drafts_of
from certex_bridge.ledger.outcomes import tell_refused
from certex_bridge.ledger.parking import licences_in_play
from certex_bridge.ledger.ports import (
    Changes,
    Documents,
    InboxEntry,
    Known,
    OutboxRow,
    Reference,
    Store,
    Unit,
    Wake,
)
from certex_bridge.ledger.pushes import cited_by_barred, push_statuses
from certex_bridge.ledger.put_aside import PutAside
from certex_bridge.ledger.quarantine import conflict_row, key_text, reused_row
from certex_bridge.ledger.recalling import recall
from certex_bridge.ledger.refusals import may_be_an_act
from certex_bridge.ledger.restating import confirm, holders, to_restate
from certex_bridge.ledger.told_late import wake_refused
from certex_bridge.ledger.tracing import ApplySpans
from certex_bridge.ledger.work import Cause, Work, utc_text
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.platform.failpoints import failpoint
from certex_bridge.platform.tracing import OFF, Tracing

_RENDERED_AT_ONCE = 8
"""Outcome documents made in one go: some two milliseconds in which no answer of the database is looked at."""

_YIELD_EVERY = 16
"""Commands decided in one go before the event loop gets a turn (heartbeats, the other role's sockets)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch came to: one answer per delivery that had an id, and counts for the metrics."""

    answers: list[Answer]
    counts: dict[str, int]
    documents: dict[str, OutcomeDocument] = field(default_factory=dict)
    """Outcome documents made for senders that wait, by event id."""


@dataclass(slots=True)
class Waking:
    """What one round of wakes took, and what it came to."""

    wakes: Sequence[Wake] = ()
    counts: dict[str, int] = field(default_factory=dict)


class Executor:
    """Applies batches to the ledger."""

    def __init__(
        self,
        store: Store,
        documents: Documents,
        policy: Policy,
        clock: Callable[[], datetime] | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        self._store = store
        self._documents = documents
        self._declarations = DeclarationHandling(policy)
        self._licences = LicenceHandling()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._tracing = tracing

    async def apply(self, deliveries: Sequence[Delivery]) -> Applied:
        """Apply a batch in one transaction, in delivery order.

        Raises:
            Exception: what the store raises; then nothing happened, and the caller decides about retrying.
        """
        failpoint("executor.before_begin")
        with ApplySpans(self._tracing) as spans:
            spans.begin("apply", [delivery.trace for delivery in deliveries])
            async with self._store.transaction() as unit:
                work = Work(self._documents, self._clock())
                fresh, repeated = await self._register(unit, work, deliveries, spans)
                failpoint("executor.after_inbox")
                commands = [delivery.command for delivery in fresh if delivery.command is not None]
                await self._lock(unit, work, commands, (), {})
                spans.mark("locked")
                await self._decide(work, fresh, spans)
                spans.mark("decided")
                failpoint("executor.before_write")
                await self._finish(unit, work, deliveries)
                spans.mark("written")
                failpoint("executor.before_commit")
        failpoint("executor.after_commit")
        given = {answer.event_id: answer for answer in work.answers}
        again = [given[old.event_id]._replace(repeated=True) if not old.body else old for old in repeated]
        documents = {event_id: OutcomeDocument(*row[1:3], row.body) for event_id, row in work.awaited.items()}
        return Applied([*work.answers, *again], work.counts, documents)

    async def wake(self, limit: int, waking: Waking | None = None) -> int:
        """Settle declarations that were woken; returns how many (0 when there is nothing to do).

        `waking` learns which they are even when settling them raises, and what it came to.
        """
        waking = Waking() if waking is None else waking
        with ApplySpans(self._tracing) as spans:
            return await self._wake_some(limit, waking, spans)

    async def _wake_some(self, limit: int, waking: Waking, spans: ApplySpans) -> int:
        async with self._store.transaction() as unit:
            waking.wakes = wakes = await unit.take_wakes(limit)
            if not wakes:
                return 0
            spans.begin("wake", [wake.trace for wake in wakes])
            work = Work(self._documents, self._clock())
            references = await read_references(unit, wakes)
            waking.wakes = wakes = within_bounds(wakes, references)
            await self._lock(unit, work, (), wakes, references)
            spans.mark("locked")
            for wake in wakes:
                self._wake(work, wake, spans.carried(wake.trace))
            spans.mark("decided")
            work.changes.wakes_done = [wake.wake_id for wake in wakes]
            failpoint("worker.before_write")
            await self._finish(unit, work, ())
            spans.mark("written")
            failpoint("worker.before_commit")
        waking.counts = work.counts
        return len(wakes)

    async def postpone(self, wake: Wake, seconds: float) -> None:
        """Leave a wake that fails alone for a while, so that the others go on."""
        async with self._store.transaction() as unit:
            await unit.postpone_wake(wake.wake_id, seconds)

    def _wake(self, work: Work, wake: Wake, trace: str) -> None:
        declaration = work.declarations.get(wake.decl_id)
        if declaration is None:
            return
        event_id = content_id("wake", wake.cause, wake.decl_id)
        work.on_behalf_of(event_id, trace)
        cause = Cause(event_id, "wake", datetime.fromisoformat(wake.at), wake.at, wake.cause)
        self._declarations.on_wake(work, declaration, cause)

    # -- inbox

    async def _register(
        self, unit: Unit, work: Work, deliveries: Sequence[Delivery], spans: ApplySpans
    ) -> tuple[list[Delivery], list[Answer]]:
        """Split into what is new and what was seen; conflicts and refused records go to quarantine."""
        first: dict[str, Delivery] = {}
        later: list[Delivery] = []
        for delivery in deliveries:
            command = delivery.command
            if delivery.refused is not None:
                work.trace = spans.carried(delivery.trace)
                work.quarantine(delivery.refused)
                if may_be_an_act(delivery.refused):
                    work.count("act:lost")
            elif command is not None and command.event_id not in first:
                first[command.event_id] = delivery
            elif command is not None:
                later.append(delivery)
        entries = [
            InboxEntry(event_id, command.payload_sha256, getattr(command, "source", ""), delivery.origin)
            for event_id, delivery in first.items()
            if (command := delivery.command) is not None
        ]
        known = await unit.register(sorted(entries)) if entries else {}
        fresh = [delivery for event_id, delivery in first.items() if event_id not in known]
        repeated: list[Answer] = []
        for delivery in [d for event_id, d in first.items() if event_id in known] + later:
            work.trace = spans.carried(delivery.trace)
            repeated += self._seen_before(work, delivery, known, first)
        return fresh, repeated

    def _seen_before(
        self, work: Work, delivery: Delivery, known: Mapping[str, Known], first: dict[str, Delivery]
    ) -> list[Answer]:
        command = delivery.command
        assert command is not None
        stored = known.get(command.event_id)
        leader = first[command.event_id].command
        sha = stored.sha256 if stored is not None else leader.payload_sha256 if leader else ""
        if sha != command.payload_sha256 and waits(command):
            return [Answer(command.event_id, DUPLICATE_ID, '{"result":"DUPLICATE_ID"}', repeated=True)]
        if sha != command.payload_sha256:
            work.quarantine(reused_row(delivery, sha))
            return [Answer(command.event_id, "CONFLICT", '{"result":"CONFLICT"}', repeated=True)]
        work.count("duplicate")
        body = stored.answer if stored is not None else ""
        return [Answer(command.event_id, read_answer(body).result, body, repeated=True)]

    # -- locks

    async def _lock(  # the rows of commands, and of wakes: `told` is what the woken and their instruments refer to
        self, unit: Unit, work: Work, commands: Sequence[Command], wakes: Sequence[Wake], told: Mapping[str, Reference]
    ) -> None:
        declared = [command for command in commands if isinstance(command, DeclarationCommand)]
        create = {main_id(command) for command in declared} | write_offs_of(commands)
        lrns = {command.lrn for command in declared if command.lrn}
        existing, named, references = to_lock(wakes, told)
        create |= named
        lrns |= {lrn for lrn, _ in references.values() if lrn}
        work.anchors = await unit.lock_anchors(lrns) if lrns else {}
        drafts, beside = drafts_of(declared, references, work.anchors)
        existing |= drafts
        restated = await to_restate(unit, commands)
        looked_at = (await holders(unit, restated) | beside) - create - existing
        work.declarations = await unit.lock_declarations(create, (existing | looked_at) - create)
        licence_ids = licences_of(commands)
        licence_ids |= licences_in_play(commands, [d for d in work.declarations.values() if d.decl_id not in looked_at])
        licence_ids |= await cited_by_barred(unit, work, commands)
        wanted, issued = sought(commands, work.declarations.values()), issued_by(commands)
        if wanted or issued:
            licence_ids |= await look_up(unit, wanted, issued)
        work.licences = await unit.lock_licences(licence_ids) if licence_ids else {}
        await confirm(unit, restated, work.declarations.keys())
        placeholders = {lid for lid in issued if lid in work.licences and not work.licences[lid].known}
        awaited = waited_for(commands, work.licences)
        if awaited:
            work.parked = await unit.parked_on(awaited)
        await recall(unit, work, commands, placeholders)
        await self._look_around(unit, work, declared)

    async def _look_around(self, unit: Unit, work: Work, declared: Sequence[DeclarationCommand]) -> None:
        """Read, without a lock, what general authorisations depend on: bars, and the initial licences of EU003."""
        told = [command.facts for command in declared]
        for declaration in work.declarations.values():
            told += declaration.tellings
        wanted = inputs_of(told, work.licences)
        if wanted.exporters:
            work.barred = await unit.bars(wanted.exporters)
        initial = wanted.initial - work.licences.keys()
        if initial:
            work.licences = {**work.licences, **await unit.peek_licences(initial)}

    # -- decisions

    async def _decide(self, work: Work, fresh: Iterable[Delivery], spans: ApplySpans) -> None:
        for number, delivery in enumerate(fresh, start=1):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            command = delivery.command
            assert command is not None
            remarks = command.findings if isinstance(command, DeclarationCommand) else ()
            work.on_behalf_of(command.event_id, spans.carried(delivery.trace), remarks)
            kind = getattr(command, "kind", None)
            cause = Cause(
                command.event_id,
                kind.value if kind else "timer",
                command.occurred_at,
                utc_text(command.occurred_at),
                waits=waits(command),
            )
            self._decide_one(work, delivery, command, cause)

    def _decide_one(self, work: Work, delivery: Delivery, command: Command, cause: Cause) -> None:
        if isinstance(command, ValidityPassed | ExpiryUndone):
            self._licences.on_expiry(work, command, cause)
        elif isinstance(command, LicenceCommand):
            decision = self._licences.on_event(work, command, cause)
            if decision.quarantine:
                last = decision.findings[-1]
                sentence = f"Licence {command.licence_id}: {last.message}"
                work.quarantine(conflict_row(delivery, decision.quarantine, last.field, last.value, sentence))
        else:
            try:
                self._declarations.on_event(work, command, cause)
            except PutAside as aside:
                if not cause.waits:
                    work.quarantine(conflict_row(delivery, aside.code, aside.field, aside.value, aside.sentence))
                elif cause.event_id not in work.awaited:
                    declaration = work.declarations[main_id(command)]
                    tell_refused(work, declaration, cause, command, (Reason(aside.code, aside.field, aside.value),))
                work.answer(cause.event_id, "CONFLICT", declaration=main_id(command), **aside.told)

    # -- writing

    async def _finish(self, unit: Unit, work: Work, deliveries: Sequence[Delivery]) -> None:
        changes = work.changes
        move_positions(changes, deliveries)
        for claim in changes.claims.values():
            assert min(*claim.reserved, *claim.consumed) >= 0, f"negative claim {claim.key}"
        messages = Changes(outbox=changes.outbox, quarantine=changes.quarantine)
        changes.outbox, changes.quarantine = [], []
        # The locks are held meanwhile, so the database writes while the documents are made: both take as long.
        writing = asyncio.create_task(unit.write(changes))
        try:
            await self._render(work, messages)
        except BaseException:
            await asyncio.wait([writing])
            if not writing.cancelled():
                writing.exception()
            raise
        await writing
        await unit.write(messages)
        await wake_refused(unit, work)
        if work.status_changes or work.cited_by_barred:
            await push_statuses(unit, work)

    async def _render(self, work: Work, messages: Changes) -> None:
        """Make the documents that wait for their place in the outbox."""
        for start in range(0, len(work.outcomes), _RENDERED_AT_ONCE):
            end = start + _RENDERED_AT_ONCE
            bodies = self._documents.outcomes(work.outcomes[start:end], work.made_at)
            for slot, body in zip(work.outcome_slots[start:end], bodies, strict=True):
                messages.outbox[slot] = messages.outbox[slot]._replace(body=body)
            await asyncio.sleep(0)
        if work.awaited:
            made = {messages.outbox[slot][:3]: messages.outbox[slot] for slot in work.outcome_slots}
            work.awaited = {event_id: made[row[:3]] for event_id, row in work.awaited.items()}
        at = utc_text(self._clock())
        for row in messages.quarantine:
            body = self._documents.dead_letter(row)
            trace = work.traces.get(row.quarantine_id, "")
            messages.outbox.append(OutboxRow("deadletter", row.quarantine_id, 1, key_text(row.key), body, at, trace))
