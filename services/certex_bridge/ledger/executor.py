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
    INTERNAL,
    Command,
    Delivery,
    ValidityPassed,
    licences_of,
    write_offs_of,
)
from certex_bridge.ledger.declarations import DeclarationHandling
from certex_bridge.ledger.domain.facts import DeclarationCommand, Payload
from certex_bridge.ledger.domain.general import initial_licences
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.domain.tables import GENERAL_CODES
from certex_bridge.ledger.joining import PutAside, draft_id, drafts_of, licences_in_play, main_id
from certex_bridge.ledger.licences import LicenceHandling
from certex_bridge.ledger.outcomes import tell_refused
from certex_bridge.ledger.ports import Changes, Documents, InboxEntry, Known, OutboxRow, Store, Unit, Wake, bars_of
from certex_bridge.ledger.pushes import push_statuses
from certex_bridge.ledger.quarantine import conflict_row, key_text
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
                work = Work(self._documents)
                fresh, repeated = await self._register(unit, work, deliveries, spans)
                failpoint("executor.after_inbox")
                commands = [delivery.command for delivery in fresh if delivery.command is not None]
                await self._lock(unit, work, commands, ())
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
            work = Work(self._documents)
            await self._lock(unit, work, (), wakes)
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
        if sha != command.payload_sha256 and _waits(command):
            return [Answer(command.event_id, DUPLICATE_ID, '{"result":"DUPLICATE_ID"}', repeated=True)]
        if sha != command.payload_sha256:
            sentence = "The id was used before for other content."
            work.quarantine(conflict_row(delivery, "CONFLICTING_DUPLICATE", sentence))
            return [Answer(command.event_id, "CONFLICT", '{"result":"CONFLICT"}', repeated=True)]
        work.count("duplicate")
        body = stored.answer if stored is not None else ""
        return [Answer(command.event_id, read_answer(body).result, body, repeated=True)]

    # -- locks

    async def _lock(self, unit: Unit, work: Work, commands: Sequence[Command], wakes: Sequence[Wake]) -> None:
        declared = [command for command in commands if isinstance(command, DeclarationCommand)]
        create = {main_id(command) for command in declared} | write_offs_of(commands)
        lrns = {command.lrn for command in declared if command.lrn}
        existing: set[str] = {wake.decl_id for wake in wakes}
        references: dict[str, tuple[str, str]] = {}
        if existing:
            peeked_at = await unit.peek_references(existing)
            references = {decl_id: (seen.lrn, seen.exporter) for decl_id, seen in peeked_at.items()}
            lrns |= {lrn for lrn, _ in references.values() if lrn}
            create |= {seen.simplified for seen in peeked_at.values() if seen.simplified}
            existing |= {decl_id for seen in peeked_at.values() for decl_id in seen.supplements}
        if lrns:
            work.anchors = await unit.lock_anchors(lrns)
        for lrn, exporter in drafts_of(declared, references):
            # Read under the anchor's lock: a draft that came while we waited for it is among them.
            exporters = (exporter,) if exporter else work.anchors[lrn].exporters
            existing |= {draft_id(name, lrn) for name in exporters}
        work.declarations = await unit.lock_declarations(create, existing - create)
        licence_ids = licences_of(commands) | licences_in_play(commands, work.declarations.values())
        licence_ids |= await _cited_by_barred(unit, work, commands)
        if licence_ids:
            work.licences = await unit.lock_licences(licence_ids)
        issued = {command.licence_id for command in commands if isinstance(command, LicenceCommand)}
        issued |= {part.licence_id for c in commands if isinstance(c, LicenceCommand) for part in c.parts}
        placeholders = {lid for lid in issued if lid in work.licences and not work.licences[lid].known}
        if placeholders:
            work.parked = await unit.parked_on(placeholders)
        await self._look_around(unit, work, declared)

    async def _look_around(self, unit: Unit, work: Work, declared: Sequence[DeclarationCommand]) -> None:
        """Read, without a lock, what general authorisations depend on: bars, and the initial licences of EU003."""
        told = [command.facts for command in declared]
        told += [declaration.facts for declaration in work.declarations.values()]
        payloads = [facts.payload for facts in told if facts.payload is not None]
        named = {payload.exporter for payload in payloads if _cites_general(payload)}
        if named:
            work.barred = await unit.bars(named)
        if named or any(facts.requests for facts in told):
            initial = initial_licences(told, work.licences) - work.licences.keys()
            if initial:
                work.licences = {**work.licences, **await unit.peek_licences(initial)}

    # -- decisions

    async def _decide(self, work: Work, fresh: Iterable[Delivery], spans: ApplySpans) -> None:
        for number, delivery in enumerate(fresh, start=1):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            command = delivery.command
            assert command is not None
            work.on_behalf_of(command.event_id, spans.carried(delivery.trace))
            kind = getattr(command, "kind", None)
            cause = Cause(
                command.event_id,
                kind.value if kind else "timer",
                command.occurred_at,
                utc_text(command.occurred_at),
                waits=_waits(command),
            )
            self._decide_one(work, delivery, command, cause)

    def _decide_one(self, work: Work, delivery: Delivery, command: Command, cause: Cause) -> None:
        if isinstance(command, ValidityPassed):
            self._licences.on_validity_passed(work, command, cause)
        elif isinstance(command, LicenceCommand):
            decision = self._licences.on_event(work, command, cause)
            if decision.quarantine:
                sentence = decision.findings[-1].message if decision.findings else ""
                work.quarantine(conflict_row(delivery, decision.quarantine, sentence))
        else:
            try:
                self._declarations.on_event(work, command, cause)
            except PutAside as aside:
                if not cause.waits:
                    work.quarantine(conflict_row(delivery, aside.code, aside.sentence))
                elif cause.event_id not in work.awaited:
                    about = work.declarations[main_id(command)]
                    tell_refused(work, about, cause, command, (Reason("DRAFT_AMBIGUOUS", "lrn", command.lrn),))
                work.answer(cause.event_id, "CONFLICT", declaration=main_id(command))

    # -- writing

    async def _finish(self, unit: Unit, work: Work, deliveries: Sequence[Delivery]) -> None:
        changes = work.changes
        for delivery in deliveries:
            origin = delivery.origin
            if origin.topic != INTERNAL.topic:
                place = (origin.topic, origin.partition)
                changes.offsets[place] = max(changes.offsets.get(place, 0), origin.offset + 1)
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
        if work.status_changes or work.cited_by_barred:
            await push_statuses(unit, work)

    async def _render(self, work: Work, messages: Changes) -> None:
        """Make the documents that wait for their place in the outbox."""
        for start in range(0, len(work.outcomes), _RENDERED_AT_ONCE):
            end = start + _RENDERED_AT_ONCE
            bodies = self._documents.outcomes(work.outcomes[start:end])
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


def _waits(command: Command) -> bool:
    return not isinstance(command, ValidityPassed) and command.waits


async def _cited_by_barred(unit: Unit, work: Work, commands: Iterable[Command]) -> set[str]:
    """Licences whose open claims must hear of a bar: the notification counts on the licence's row."""
    for command in commands:
        if isinstance(command, LicenceCommand) and command.bar is not None and not command.refused:
            bar = command.bar
            codes = {one.document_code for one in bars_of(bar)}
            work.cited_by_barred[bar.bar_id] = await unit.cited_licences(bar.issuer, bar.eori, codes)
    return {licence_id for cited in work.cited_by_barred.values() for licence_id in cited}


def _cites_general(payload: Payload) -> bool:
    return any(spec.document_code in GENERAL_CODES for item in payload.items for spec in item.claims)
