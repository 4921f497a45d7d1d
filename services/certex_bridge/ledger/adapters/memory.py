"""The store in memory: the same promises in one process, for tests and explanations.

A lock makes transactions serial, so isolation is trivially kept; a transaction works on a deep copy that replaces the
contents at commit. It passes the contract tests that the PostgreSQL store passes.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.identifiers import eori_twins, licence_number, same_trader
from certex_bridge.ledger.domain.acts import Act, VersionNote
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.model import OPEN_STATES, Claim, ClaimKey, DeclarationState, LicenceState, Movement
from certex_bridge.ledger.mismatches import Mismatch
from certex_bridge.ledger.ports import (
    Bar,
    Changes,
    InboxEntry,
    Known,
    OpenClaim,
    OutboxRow,
    QuarantineRow,
    Reference,
    Wake,
    bars_of,
)
from certex_bridge.ledger.refused_events import RefusedLicenceEvent, kept_act
from certex_bridge.ledger.stored import DocumentRow, LicenceVersionRow, StatusRecord
from certex_bridge.licensing.domain.commands import ExporterBar
from certex_bridge.licensing.domain.licence import LicenceLine
from certex_bridge.platform.positions import Cause, Gap, LogId, Place, Position, fell


class AppendOnly(Exception):
    """A row that may be written once was written again."""


@dataclass
class Contents:
    """Everything the store holds."""

    inbox: dict[str, InboxEntry] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    declarations: dict[str, DeclarationState] = field(default_factory=dict)
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    licences: dict[str, LicenceState] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    effects: set[tuple[str, ...]] = field(default_factory=set)
    versions: dict[tuple[str, int], LicenceVersionRow] = field(default_factory=dict)
    documents: dict[tuple[str, str], DocumentRow] = field(default_factory=dict)
    """By licence and hash."""
    refused_licence_events: dict[str, RefusedLicenceEvent] = field(default_factory=dict)
    bars: set[Bar] = field(default_factory=set)
    status_records: dict[tuple[str, int], StatusRecord] = field(default_factory=dict)
    status_unsent: list[tuple[str, int]] = field(default_factory=list)
    """Changes of status that nobody was told yet, in order."""
    parked: set[tuple[str, str]] = field(default_factory=set)
    wakes: dict[int, Wake] = field(default_factory=dict)
    next_wake: int = 1
    woken: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Cause and declaration of every wake that was settled, by the event id that its movements carry."""
    postponed: set[int] = field(default_factory=set)
    """Wakes put off; here for good, since memory has no clock."""
    quarantine: dict[str, QuarantineRow] = field(default_factory=dict)
    outbox: dict[tuple[str, str, int], OutboxRow] = field(default_factory=dict)
    unsent: list[list[OutboxRow]] = field(default_factory=list)
    positions: dict[Place, Position] = field(default_factory=dict)
    position_history: list[tuple[Place, Position, Cause, int]] = field(default_factory=list)
    """Positions that were left, why, and for which record."""
    gaps: dict[Gap, LogId] = field(default_factory=dict)
    gaps_accepted: set[Gap] = field(default_factory=set)
    changed: dict[str, datetime] = field(default_factory=dict)
    """When the version or the status of a licence changed last."""
    mismatches: list[Mismatch] = field(default_factory=list)


def known_under(contents: Contents, numbers: Collection[str]) -> list[str]:
    """Licences that are known under these numbers."""
    return sorted(one for one, state in contents.licences.items() if state.known and licence_number(one) in numbers)


class InMemoryStore:
    """The transactional store in memory."""

    def __init__(self) -> None:
        self.contents = Contents()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryUnit]:
        """Begin; the copy becomes the contents at the end of the block."""
        async with self._lock:
            draft = copy.deepcopy(self.contents)
            yield InMemoryUnit(draft)
            self.contents = draft


class InMemoryUnit:
    """One open transaction on a copy."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._begun = datetime.now(UTC)

    async def register(self, entries: Sequence[InboxEntry]) -> Mapping[str, Known]:
        """Insert ids; what remains was known."""
        known = {}
        for entry in entries:
            stored = self.contents.inbox.get(entry.event_id)
            if stored is None:
                self.contents.inbox[entry.event_id] = entry
            else:
                known[entry.event_id] = Known(stored.sha256, self.contents.answers.get(entry.event_id, ""))
        return known

    async def take_wakes(self, limit: int) -> list[Wake]:
        """The oldest wake rows."""
        due = sorted(self.contents.wakes.keys() - self.contents.postponed)
        return [self.contents.wakes[wake_id] for wake_id in due[:limit]]

    async def postpone_wake(self, wake_id: int, seconds: float) -> None:  # noqa: ARG002  # no clock here
        """Put a wake off."""
        self.contents.postponed.add(wake_id)

    async def peek_references(self, decl_ids: Collection[str]) -> Mapping[str, Reference]:
        """What declarations refer to."""
        found = self.contents.declarations
        told = {decl_id: found[decl_id].facts for decl_id in decl_ids if decl_id in found}
        return {decl_id: Reference.of(facts) for decl_id, facts in told.items()}

    async def lock_anchors(self, lrns: Collection[str]) -> Mapping[str, Anchor]:
        """Create and return."""
        return {lrn: copy.copy(self.contents.anchors.setdefault(lrn, Anchor(lrn))) for lrn in lrns}

    async def lock_declarations(
        self, create: Collection[str], existing: Collection[str]
    ) -> Mapping[str, DeclarationState]:
        """Create and return, with claims."""
        for decl_id in create:
            self.contents.declarations.setdefault(decl_id, DeclarationState(decl_id))
        wanted = [d for d in {*create, *existing} if d in self.contents.declarations]
        found = {decl_id: copy.copy(self.contents.declarations[decl_id]) for decl_id in wanted}
        for state in found.values():
            state.claims = {}
        for key, claim in self.contents.claims.items():
            if key.decl_id in found:
                found[key.decl_id].claims[key] = copy.copy(claim)
        return found

    def surely_known(self, licence_ids: Collection[str]) -> Collection[str]:
        """Those that are known."""
        held = self.contents.licences
        return [one for one in licence_ids if one in held and held[one].known]

    async def known_under(self, numbers: Collection[str]) -> Collection[str]:
        """Licences known under these numbers."""
        return known_under(self.contents, numbers)

    async def lock_numbers(self, numbers: Collection[str]) -> None:
        """Nothing to do: transactions are serial."""

    async def lock_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Create placeholders and return, with accounts."""
        found = {}
        for licence_id in licence_ids:
            state = self.contents.licences.setdefault(licence_id, LicenceState(licence_id))
            found[licence_id] = copy.copy(state)
            found[licence_id].accounts = {key: copy.copy(account) for key, account in state.accounts.items()}
        return found

    async def peek_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Those that are known, without accounts."""
        known = [self.contents.licences[one] for one in sorted(licence_ids) if one in self.contents.licences]
        return {state.licence_id: replace(state, accounts={}) for state in known if state.known}

    async def parked_on(self, numbers: Collection[str]) -> Mapping[str, list[str]]:
        """Declarations parked on licences of these numbers."""
        found: dict[str, set[str]] = {}
        for licence_id, decl_id in self.contents.parked:
            if licence_number(licence_id) in numbers:
                found.setdefault(licence_number(licence_id), set()).add(decl_id)
        return {number: sorted(decl_ids) for number, decl_ids in found.items()}

    async def version_notes(self, licence_ids: Collection[str]) -> Mapping[str, dict[int, VersionNote]]:
        """What must be remembered of versions."""
        found: dict[str, dict[int, VersionNote]] = {}
        for (licence_id, version), row in self.contents.versions.items():
            if licence_id in licence_ids:
                found.setdefault(licence_id, {})[version] = VersionNote(row.payload_sha256, row.content)
        return found

    async def kept_acts(self, licence_ids: Collection[str]) -> Mapping[str, list[Act]]:
        """Acts that came before their licences."""
        rows = [row for row in self.contents.refused_licence_events.values() if row.act == "KEPT"]
        found: dict[str, list[Act]] = {}
        for row in sorted(rows, key=lambda row: (row.version, row.event_id)):
            if row.licence_id in licence_ids:
                found.setdefault(row.licence_id, []).append(kept_act(row))
        return found

    async def last_lines(self, lines: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], LicenceLine]:
        """Lines as they last were."""
        found: dict[tuple[str, int], LicenceLine] = {}
        for (licence_id, _), row in sorted(self.contents.versions.items()):
            found |= {(licence_id, line.line_no): line for line in row.licence.lines}
        return {key: line for key, line in found.items() if key in lines}

    async def bars(self, exporters: Collection[str]) -> frozenset[Bar]:
        """Bars on exporters."""
        wanted = {eori for exporter in exporters for eori in eori_twins(exporter)}
        return frozenset(bar for bar in self.contents.bars if bar.eori in wanted)

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims in an open state."""
        return sorted(
            OpenClaim.of(
                key.licence_id, key.decl_id, key.item, key.doc_seq, claim.state.value, claim.document_code,
                self.contents.declarations[key.decl_id].facts,
            )
            for key, claim in self.contents.claims.items()
            if key.licence_id in licence_ids and claim.state in OPEN_STATES
        )  # fmt: skip

    async def cited_licences(self, issuer: str, eori: str, document_codes: Collection[str]) -> Collection[str]:
        """Licences of an issuer cited by an exporter's open claims."""
        licences = {key.licence_id for key in self.contents.claims if key.licence_id.partition("/")[0] == issuer}
        claims = await self.open_claims(licences)
        return sorted(
            {c.licence_id for c in claims if same_trader(c.exporter, eori) and c.document_code in document_codes}
        )

    async def value_holders(self, licence_ids: Collection[str]) -> Collection[str]:
        """Declarations with a value on these licences, or refused for their currency."""
        held = [(key, claim) for key, claim in self.contents.claims.items() if key.licence_id in licence_ids]
        return {key.decl_id for key, claim in held if claim.has_value or claim.in_another_currency}

    async def refused_since(self, moments: Mapping[str, datetime]) -> Collection[tuple[str, str]]:
        """Refused at these moments or later, by licence and declaration."""
        waiting: dict[str, datetime] = {}
        for wake in self.contents.wakes.values():
            at = datetime.fromisoformat(wake.at)
            waiting[wake.decl_id] = min(at, waiting.get(wake.decl_id, at))
        refused = {
            (key.licence_id, key.decl_id)
            for key, claim in self.contents.claims.items()
            if key.licence_id in moments and claim.refused_at and claim.refused_at >= moments[key.licence_id]
        }
        return sorted(
            (licence_id, decl_id)
            for licence_id, decl_id in refused
            if decl_id not in waiting or waiting[decl_id] > moments[licence_id]
        )

    async def write(self, changes: Changes) -> None:
        """Write everything, with the keys that the database would enforce."""
        held = self.contents
        held.anchors |= changes.anchors
        held.declarations |= changes.declarations
        held.claims |= changes.claims  # type: ignore[arg-type]  # keyed by ClaimKey throughout
        self._date(changes)
        held.licences |= changes.licences
        self._append(changes)
        for bar in changes.bars:
            self._write_bar(bar)
        held.parked = (held.parked | changes.parked) - changes.unparked
        for wake in changes.wakes:
            held.wakes[held.next_wake] = Wake(held.next_wake, *wake)
            held.next_wake += 1
        for wake_id in changes.wakes_done:
            done = held.wakes.pop(wake_id)
            held.woken[content_id("wake", done.cause, done.decl_id)] = (done.cause, done.decl_id)
        self._write_outbox(changes)
        held.mismatches += changes.mismatches
        for event_id, body in changes.answers:
            if held.answers.setdefault(event_id, body) is not body:
                raise AppendOnly(f"answered twice: {event_id}")
        self._move_positions(changes)

    def _move_positions(self, changes: Changes) -> None:
        held = self.contents
        for place, record in changes.offsets.items():
            known = held.positions.get(place)
            reached = changes.reached.get(place)
            if reached is not None and (
                known is None or known.epoch != reached.epoch or known.next_record < reached.next_record
            ):
                raise fell([place])
            before = known or Position(0)
            held.positions[place] = before._replace(next_record=max(before.next_record, record))

    def _date(self, changes: Changes) -> None:
        held = self.contents
        for licence_id, state in changes.licences.items():
            before = held.licences.get(licence_id)
            if before is None or (before.version, before.status) != (state.version, state.status):
                held.changed[licence_id] = self._begun

    def _write_bar(self, told: ExporterBar) -> None:
        for bar in bars_of(told):
            known = next((one for one in self.contents.bars if one[:3] == bar[:3]), bar)
            self.contents.bars.discard(known)
            self.contents.bars.add(min(known, bar))

    def _append(self, changes: Changes) -> None:
        held = self.contents
        for m in changes.movements:
            effect = (m.event_id, m.licence_id, m.claim, str(m.line_no), m.dim, m.kind)
            if effect in held.effects:
                raise AppendOnly(f"effect booked twice: {effect}")
            held.effects.add(effect)
            held.movements.append(m)
        for version in changes.versions:
            if held.versions.setdefault((version.licence_id, version.version), version) is not version:
                raise AppendOnly(f"licence version written twice: {version.licence_id} {version.version}")
        for document in changes.documents:
            held.documents.setdefault(document[:2], document)
        for event in changes.refused_licence_events:
            if held.refused_licence_events.setdefault(event.event_id, event) is not event:
                raise AppendOnly(f"refused twice: {event.event_id}")
        for record in changes.status_records:
            if held.status_records.setdefault(record[:2], record) is not record:
                raise AppendOnly(f"status change written twice: {record[:2]}")
            held.status_unsent.append(record[:2])

    def _write_outbox(self, changes: Changes) -> None:
        held = self.contents
        put_aside = {row.quarantine_id for row in changes.quarantine} - held.quarantine.keys()
        for row in changes.quarantine:
            held.quarantine.setdefault(row.quarantine_id, row)
        batch: list[OutboxRow] = []
        for message in changes.outbox:
            if message.agg_type == "deadletter" and message.agg_id not in put_aside:
                continue
            if message[:3] in held.outbox:
                raise AppendOnly(f"published twice: {message[:3]}")
            held.outbox[message[:3]] = message
            batch.append(message)
        if batch:
            held.unsent.append(batch)
