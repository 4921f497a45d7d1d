"""The working set of one transaction: locked rows, and what will be written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import licence_number
from certex_bridge.ledger.answers import Answer
from certex_bridge.ledger.domain.acts import Act, VersionNote
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.mismatch import against_verdict, member_state
from certex_bridge.ledger.domain.model import Claim, DeclarationState, LicenceState
from certex_bridge.ledger.domain.outcome import DeclarationOutcome
from certex_bridge.ledger.mismatches import Mismatch
from certex_bridge.ledger.ports import Bar, Changes, Documents, OutboxRow, QuarantineRow, StatusChange
from certex_bridge.ledger.quarantine import storable
from certex_bridge.licensing.domain.commands import ExporterBar
from certex_bridge.licensing.domain.licence import LicenceLine

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Cause:
    """The event on whose behalf rows are written."""

    event_id: str
    kind: str
    occurred_at: datetime
    at: str
    """`occurred_at` in UTC, ISO text."""
    woken_by: str = ""
    """For a wake: the event that led to it; the declaration's own last event is another one."""
    waits: bool = False
    """Whether its sender waits for the outcome."""


class Freed(NamedTuple):
    """Something that could let a refused claim be granted."""

    licence_id: str
    cause: Cause
    decl_id: str
    """The declaration that gave back: it has been settled with that."""
    trace: str


@dataclass(slots=True)
class Work:
    """Rows under lock, and the changes collected so far; dropped whole when the transaction fails."""

    documents: Documents
    made_at: datetime
    """When the documents of this transaction are made: the clock's time, never an event's."""
    changes: Changes = field(default_factory=Changes)
    anchors: Mapping[str, Anchor] = field(default_factory=dict)
    declarations: Mapping[str, DeclarationState] = field(default_factory=dict)
    licences: Mapping[str, LicenceState] = field(default_factory=dict)
    parked: Mapping[str, list[str]] = field(default_factory=dict)
    """By licence number: declarations that wait for a licence of it."""
    barred: frozenset[Bar] = frozenset()
    bars_told: list[tuple[ExporterBar, Cause]] = field(default_factory=list)
    """Bars that came in this transaction."""
    cited_by_barred: dict[str, Collection[str]] = field(default_factory=dict)
    """Licences that open claims of the barred exporter cite, by the bar's id; they are locked."""
    notes: dict[str, dict[int, VersionNote]] = field(default_factory=dict)
    """Versions of licences that an act is told of, this transaction's included."""
    kept_acts: dict[str, list[Act]] = field(default_factory=dict)
    """Acts on licences that are not known yet, this transaction's included."""
    former_lines: dict[tuple[str, int], LicenceLine] = field(default_factory=dict)
    """Lines (licence, number) that are in use and no longer in the licence, as they last were."""
    remarks: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    """What a declaration's next outcome must also say."""
    settled: dict[str, object] = field(default_factory=dict)
    """What the settling of an instrument in this transaction rested on, by its first declaration."""
    outcomes: list[DeclarationOutcome] = field(default_factory=list)
    """Documents to render, in order; their outbox rows follow in the same order."""
    outcome_slots: list[int] = field(default_factory=list)
    awaited: dict[str, OutboxRow] = field(default_factory=dict)
    """Of events whose sender waits: where their outcome is in the outbox, with its document once that is made."""
    status_changes: dict[str, StatusChange] = field(default_factory=dict)
    trace: str = ""
    """Traceparent of the event that is decided now; what is queued for it carries it on."""
    findings: tuple[Finding, ...] = ()
    """Remarks on the event that is decided now as a whole; its answer has them, whatever becomes of it."""
    traces: dict[str, str] = field(default_factory=dict)
    """Traceparents, where there are any, by event id and by quarantine id: for what is written after the decisions."""
    freed: list[Freed] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def count(self, name: str, times: int = 1) -> None:
        """Count something for the metrics; added up after the commit."""
        self.counts[name] = self.counts.get(name, 0) + times

    def answer(self, event_id: str, result: str, **details: object) -> str:
        """Store the answer to an event; it names the outcome that was made for a sender that waits."""
        row = self.awaited.get(event_id)
        if row is not None:
            details |= {"declaration": row.agg_id, "dv": row.agg_ver}
        if self.findings:
            details["findings"] = findings_told(self.findings)
        return self._answer(event_id, result, _encoder.encode({"result": result, **details}).decode())

    def answer_applied(self, event_id: str, declaration: DeclarationState, claims: Iterable[Claim]) -> str:
        """Store the everyday answer; written out by hand, because every declaration has one."""
        told = ",".join(
            [
                f'{{"item":{claim.key.item},"document":{claim.key.doc_seq},"outcome":"{claim.outcome}",'
                f'"reasons":{_codes(claim.reasons)}}}'
                for claim in claims
            ]
        )
        name = _encoder.encode(declaration.decl_id).decode()
        remarks = f',"findings":{_encoder.encode(findings_told(self.findings)).decode()}' if self.findings else ""
        body = f'{{"result":"APPLIED","declaration":{name},"dv":{declaration.dv},"claims":[{told}]{remarks}}}'
        return self._answer(event_id, "APPLIED", body)

    def _answer(self, event_id: str, result: str, body: str) -> str:
        self.changes.answers.append((event_id, body))
        self.answers.append(Answer(event_id, result, body))
        return body

    def touch(self, state: LicenceState) -> None:
        """The licence row must be written."""
        self.changes.licences[state.licence_id] = state

    def waiting_for(self, licence_id: str) -> list[str]:
        """Declarations parked on a licence, or on its number: before this transaction, and as it leaves them."""
        number = licence_number(licence_id)
        here = self.declarations
        before = {decl_id for decl_id in self.parked.get(number, ()) if decl_id not in here}
        now = {name for name, one in here.items() if number in map(licence_number, one.waiting_for)}
        return sorted(before | now)

    def entry(self, licence_id: str, cause: Cause) -> Entry:
        """A journal entry on a licence for this cause."""
        return Entry(self.licences[licence_id], cause.event_id, cause.at)

    def note_mismatches(self, command: DeclarationCommand, declaration: DeclarationState, *, recorded: bool) -> None:
        """Keep what a release or an exit lets go against the verdict."""
        for claim, verdict in against_verdict(command, declaration.claims, declaration.facts):
            payload = declaration.facts.payload
            state = member_state(claim.key.decl_id, payload.office if payload else "")
            told = (command.event_id, state, command.source, verdict, claim.reasons, recorded, command.occurred_at)
            self.changes.mismatches.append(Mismatch(claim.key, *told))

    def quarantine(self, row: QuarantineRow) -> None:
        """Put a record aside with its raw bytes."""
        self.changes.quarantine.append(storable(row))
        if self.trace:
            self.traces[row.quarantine_id] = self.trace
        self.count(f"quarantined:{row.code}")

    def on_behalf_of(self, event_id: str, trace: str, findings: tuple[Finding, ...] = ()) -> None:
        """What follows is decided for this event."""
        self.trace, self.findings = trace, findings
        if trace:
            self.traces[event_id] = trace

    def wake(self, decl_id: str, cause: Cause) -> None:
        """Let the worker settle a declaration again, in a transaction of its own."""
        self.changes.wakes.append((decl_id, cause.event_id, cause.at, self.trace))

    def free(self, licence_id: str, cause: Cause, decl_id: str = "") -> None:
        """Room was made on a licence, or it was changed; who was refused then or since is woken (ADR 0016)."""
        self.freed.append(Freed(licence_id, cause, decl_id, self.trace))

    def send(self, agg_type: str, agg_id: str, agg_ver: int, key: str, body: bytes, at: str) -> None:
        """Queue a message for the relay."""
        self.changes.outbox.append(OutboxRow(agg_type, agg_id, agg_ver, key, body, at, self.trace))


FINDINGS_TOLD = 50
"""Findings in a stored answer; the acknowledgement and the outcome have all of them."""
_VALUE, _MESSAGE = 80, 300
"""Characters of each."""


def findings_told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Findings for a stored answer, bounded; of too many, errors come first."""
    if len(findings) > FINDINGS_TOLD:
        findings = sorted(findings, key=lambda one: one.severity is not Severity.ERROR)[:FINDINGS_TOLD]
    return [
        {
            "code": one.code,
            "field": one.field,
            "value": one.value[:_VALUE],
            "message": one.message[:_MESSAGE],
            "severity": one.severity.value,
        }
        for one in findings
    ]


def utc_text(moment: datetime) -> str:
    """An instant in UTC, ISO text with Z, microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _codes(reasons: tuple[str, ...]) -> str:
    return '["' + '","'.join(reasons) + '"]' if reasons else "[]"
