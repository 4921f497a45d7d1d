"""What the ledger needs of the world: a transactional store, and someone who writes documents.

Lock order, the same for every caller: inbox ids, wake rows, anchors, declarations, licence numbers, licences; each
sorted.
A row that may not exist yet is made first, in a statement of its own, for only what exists can be locked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from certex_bridge.ledger.domain.acts import Act, VersionNote
from certex_bridge.ledger.domain.days import told_day
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.model import Claim, DeclarationState, LicenceState, Movement
from certex_bridge.ledger.domain.outcome import DeclarationOutcome
from certex_bridge.ledger.domain.reasons import Answerable, Incident
from certex_bridge.ledger.domain.supplementing import names_of
from certex_bridge.ledger.domain.versions import LicenceDecision
from certex_bridge.ledger.mismatches import Mismatch
from certex_bridge.ledger.refused_events import RefusedLicenceEvent
from certex_bridge.ledger.stored import DocumentRow, LicenceVersionRow, StatusRecord
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceCommand
from certex_bridge.licensing.domain.documents import EUGEA_CODES
from certex_bridge.licensing.domain.licence import LicenceLine
from certex_bridge.platform.positions import Reached


class Origin(NamedTuple):
    """Where a record came from."""

    topic: str
    partition: int
    offset: int


class InboxEntry(NamedTuple):
    """One event seen for the first time, or again."""

    event_id: str
    sha256: str
    source: str
    origin: Origin


class Known(NamedTuple):
    """What the inbox holds of an event id that was seen before."""

    sha256: str
    answer: str
    """The stored answer, empty while its transaction has not ended."""


class OutboxRow(NamedTuple):
    """One message to publish; (agg_type, agg_id, agg_ver) is its identity and gives its CloudEvents id."""

    agg_type: str
    agg_id: str
    agg_ver: int
    key: str
    body: bytes
    at: str
    trace: str = ""
    """W3C traceparent of what led to it, so that publishing belongs to the same trace; empty: none."""


class QuarantineRow(NamedTuple):
    """A record that could not be used, with its raw bytes and a coded reason."""

    quarantine_id: str
    origin: Origin
    code: str
    field: str
    value: str
    message: str
    event_id: str
    key: bytes | None
    raw: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Wake(NamedTuple):
    """A declaration to settle again, and what caused it."""

    wake_id: int
    decl_id: str
    cause: str
    at: str
    trace: str = ""
    """W3C traceparent of the cause, empty: none."""


class Reference(NamedTuple):
    """What a declaration refers to: its draft, and the others of its instrument."""

    lrn: str
    exporter: str
    simplified: tuple[str, ...] = ()
    """Simplified declarations that it names, by MRN."""
    supplements: tuple[str, ...] = ()
    """Declarations known to supplement it."""

    @staticmethod
    def of(facts: Facts) -> Reference:
        """What these facts refer to."""
        return Reference(facts.lrn, facts.exporter, tuple(sorted(names_of(facts))), facts.supplements)

    @property
    def instrument(self) -> set[str]:
        """Declarations that are one instrument with this one."""
        return {*self.simplified, *self.supplements}


class OpenClaim(NamedTuple):
    """A claim whose customs office still has an interest in the licence."""

    licence_id: str
    decl_id: str
    item: int
    doc_seq: int
    state: str
    document_code: str = ""
    exporter: str = ""
    office: str = ""
    """Customs office as declared; its first two letters name the member state of a draft, which has no MRN yet."""
    accepted: str = ""
    """Day or instant that counts (D.E. 15 09, or the day of exit), ISO text; empty before acceptance."""

    @staticmethod
    def of(  # a claim's columns, in their order
        licence_id: str, decl_id: str, item: int, doc_seq: int, state: str, document_code: str, facts: Facts
    ) -> OpenClaim:
        """With what a push tells of the declaration."""
        payload = facts.payload
        exporter = payload.exporter if payload else facts.exporter
        office = payload.office if payload else ""
        return OpenClaim(licence_id, decl_id, item, doc_seq, state, document_code, exporter, office, told_day(facts))


class StatusChange(NamedTuple):
    """A licence whose published status changed, or something else that customs must hear about like a status."""

    licence_id: str
    old: str
    reason: str
    at: str
    event_id: str
    """The event that led to it."""


class Bar(NamedTuple):
    """An exporter barred from one general authorisation of an issuer (Regulation (EU) 2021/821 Art. 12(7))."""

    issuer: str
    eori: str
    document_code: str
    from_day: str
    """First day of the bar in the issuer's legal time, ISO text; empty: from the beginning."""


def bars_of(told: ExporterBar) -> list[Bar]:
    """One bar per document code; none named means all general authorisations of the Union."""
    codes = told.document_codes or tuple(sorted(EUGEA_CODES))
    return [Bar(told.issuer, told.eori, code, told.from_day.isoformat()) for code in codes]


@dataclass(slots=True)
class Changes:
    """Everything one transaction writes; written set-based, one UPDATE per account."""

    answers: list[tuple[str, str]] = field(default_factory=list)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    declarations: dict[str, DeclarationState] = field(default_factory=dict)
    claims: dict[object, Claim] = field(default_factory=dict)
    licences: dict[str, LicenceState] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    versions: list[LicenceVersionRow] = field(default_factory=list)
    documents: list[DocumentRow] = field(default_factory=list)
    refused_licence_events: list[RefusedLicenceEvent] = field(default_factory=list)
    bars: list[ExporterBar] = field(default_factory=list)
    status_records: list[StatusRecord] = field(default_factory=list)
    parked: set[tuple[str, str]] = field(default_factory=set)
    """(licence, declaration) pairs to add; the licence is `*/NUMBER` where any issuer may be meant."""
    unparked: set[tuple[str, str]] = field(default_factory=set)
    wakes: list[tuple[str, str, str, str]] = field(default_factory=list)
    """(declaration, cause, at, traceparent)."""
    wakes_done: list[int] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    """Next offset to read per (topic, partition)."""
    reached: dict[tuple[str, int], Reached] = field(default_factory=dict)
    """How far the database must be there before; where nobody says, it is not asked."""


class Unit(Protocol):
    """One open transaction at READ COMMITTED."""

    async def register(self, entries: Sequence[InboxEntry]) -> Mapping[str, Known]:
        """Insert the ids (sorted); return what is stored for those that existed."""

    async def take_wakes(self, limit: int) -> list[Wake]:
        """Lock and return wake rows that no one else holds and that are not put off."""

    async def postpone_wake(self, wake_id: int, seconds: float) -> None:
        """Put a wake off for so long, each further time for twice as long (at most a day)."""

    async def peek_references(self, decl_ids: Collection[str]) -> Mapping[str, Reference]:
        """What declarations refer to, without a lock; it may have grown when they are locked."""

    async def lock_anchors(self, lrns: Collection[str]) -> Mapping[str, Anchor]:
        """Create what is missing, then lock in order."""

    async def lock_declarations(
        self, create: Collection[str], existing: Collection[str]
    ) -> Mapping[str, DeclarationState]:
        """Create `create` where missing, lock these and those of `existing` that exist; with their claims."""

    def surely_known(self, licence_ids: Collection[str]) -> Collection[str]:
        """Those of which this process has seen a version; a licence that is known stays so."""

    async def known_under(self, numbers: Collection[str]) -> Collection[str]:
        """Licences that are known under these numbers, whoever issued them; without a lock."""

    async def lock_numbers(self, numbers: Collection[str]) -> None:
        """Create what is missing, then lock in order.

        A licence's first version is applied under the lock of its number, and whoever waits for a number whatever its
        issuer looks and parks under it: neither can miss the other.
        """

    async def lock_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Create placeholders where missing, then lock in order and load the accounts."""

    async def peek_licences(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """Those that are known, without a lock and without accounts: to look at, not to change."""

    async def parked_on(self, numbers: Collection[str]) -> Mapping[str, list[str]]:
        """Declarations parked on licences of each number, whoever issued them; in order."""

    async def version_notes(self, licence_ids: Collection[str]) -> Mapping[str, dict[int, VersionNote]]:
        """What must be remembered of every version of these licences, by licence and number."""

    async def kept_acts(self, licence_ids: Collection[str]) -> Mapping[str, list[Act]]:
        """Acts that came before their licences, in order of version and id."""

    async def last_lines(self, lines: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], LicenceLine]:
        """Lines (licence, number) as the last version said that had them."""

    async def bars(self, exporters: Collection[str]) -> frozenset[Bar]:
        """Bars on these exporters."""

    async def open_claims(self, licence_ids: Collection[str]) -> list[OpenClaim]:
        """Claims in an open state, after what this transaction wrote."""

    async def cited_licences(self, issuer: str, eori: str, document_codes: Collection[str]) -> Collection[str]:
        """Licences of an issuer that an exporter's open claims cite under these codes, without a lock."""

    async def value_holders(self, licence_ids: Collection[str]) -> Collection[str]:
        """Declarations with a claim on these licences that has a value or is refused for its currency; no lock."""

    async def refused_since(self, moments: Mapping[str, datetime]) -> Collection[tuple[str, str]]:
        """(licence, declaration) with a claim refused at the licence's moment or later, this transaction's included.

        Without those that a wake of that moment or an earlier one waits for already.
        """

    async def write(self, changes: Changes) -> None:
        """Write everything; may be called more than once in a transaction.

        Raises:
            PositionsFell: the database is behind what was read before these records.
        """


class Store(Protocol):
    """The transactional store."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Begin; commit at the end of the block, roll back on any exception."""


class Outgoing(Protocol):
    """The outbox for messages of other parts of the bridge, written in their own transaction."""

    async def lock(self, connection: Any, agg_type: str, agg_id: str) -> None:
        """Until the transaction ends nobody else queues of this aggregate, nor sends it again."""

    async def send(self, connection: Any, messages: Sequence[OutboxRow]) -> None:
        """Queue messages of aggregates that are locked."""


class Documents(Protocol):
    """Who writes the messages: bytes that already passed their schema."""

    def certificate(self, state: LicenceState, event_id: str, at: datetime, made_at: datetime) -> bytes:
        """The certificate of the version in force, with status and figures as of `at`; `made_at`: now."""

    def outcomes(self, outcomes: Sequence[DeclarationOutcome], made_at: datetime) -> list[bytes]:
        """The outcome documents, one each; `made_at`: now."""

    def balance(self, state: LicenceState, cause: Mapping[str, str], at: str) -> bytes:
        """All balances of a licence after one journal version."""

    def acknowledgement(self, command: LicenceCommand, decision: LicenceDecision) -> bytes:
        """The answer to the licensing side."""

    def status(
        self, state: LicenceState, change: StatusChange, member_state: str, interested: Sequence[OpenClaim]
    ) -> bytes:
        """A status push to those of one member state with an open interest."""

    def incidents(  # what, where, when and why, and who answers for it
        self,
        state: LicenceState,
        incidents: Sequence[Incident],
        declaration: str,
        claim: str,
        at: str,
        event: str,
        by: Answerable | None = None,
    ) -> bytes:
        """An incident that the licensing side must hear about."""

    def dead_letter(self, row: QuarantineRow) -> bytes:
        """The dead letter of a quarantined record."""
