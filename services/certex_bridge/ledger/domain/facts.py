"""What customs said about one declaration: facts that are merged, never overwritten.

Facts form a join semilattice: `merge` (in `merge.py`) is commutative, associative and idempotent, so order and
duplicates of events do not matter. Ties are broken by (occurred_at, event_id), the same on every replica.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff


class EventKind(StrEnum):
    """Kinds of declaration events (UCC life cycle; vocabulary of the canonical topic)."""

    LODGED = "lodged"
    PRESENTED = "presented"
    ACCEPTED = "accepted"
    AMENDED = "amended"
    RELEASED = "released"
    NOT_RELEASED = "not-released"
    INVALIDATED = "invalidated"
    EXIT_CONFIRMED = "exit-confirmed"
    SUPPLEMENTARY = "supplementary"
    REJECTED = "rejected"
    NOTED = "noted"
    """A customs message that is recorded and moves nothing (control decision, receipt)."""
    REQUESTED = "requested"
    """The trader asks customs for an amendment or an invalidation; nothing moves before the decision."""
    DECIDED = "decided"
    """Customs grant or refuse such a request."""
    NOT_PRESENTED = "not-presented"
    """The 30 days of UCC Art. 171 have passed (a timer event)."""
    RECHECK = "recheck"
    """Customs or the licensing side ask for a new attempt on a refused claim."""
    OVERRIDDEN = "overridden"
    """An officer of customs decides by hand (IR 2024/2145 Art. 8)."""


@dataclass(frozen=True, slots=True)
class ClaimSpec:
    """One supporting document on one goods item: what customs declare against a licence (D.E. 12 03)."""

    item: int
    doc_seq: int
    document_code: str
    """D.E. 12 03 002, for instance X060."""
    licence_id: str
    """`issuer/NUMBER`, normalised; `reference` keeps the text as declared."""
    reference: str
    line_no: int | None
    """D.E. 12 03 013; None when not declared."""
    quantity: Quantity | None
    """D.E. 12 03 006 with 12 03 005."""
    value: Money | None
    """D.E. 12 03 014 with 12 03 012."""
    status_code: str = ""
    """National document status (for instance the UK's EA, EE, ES)."""
    findings: tuple[Finding, ...] = ()
    """What makes this one claim impossible; an ERROR refuses the claim, never the event."""
    issuer_from: str = ""
    """Empty when the document states who issued the licence; else the declaring state was taken, known from here."""


@dataclass(frozen=True, slots=True)
class Item:
    """A goods item, as far as licence rules need it."""

    number: int
    procedure: str
    """D.E. 11 09: four digits, requested plus previous; only the first two decide."""
    commodity: str
    destination: str
    origin: str
    net_mass: Decimal | None
    """Kilograms, D.E. 18 01."""
    supplementary_units: Decimal | None
    """D.E. 18 02; the unit is implied by the commodity code."""
    amount: Money | None
    """Item amount, D.E. 14 08 with 14 05."""
    additional_procedures: tuple[str, ...]
    claims: tuple[ClaimSpec, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """The content of a declaration in one version."""

    declaration_type: str
    """D.E. 11 01: EX, CO, T1, T2, T2F, T2SM, T, TIR."""
    additional_type: str
    """D.E. 11 02: A to F, R, U, V, X, Y, Z."""
    exporter: str
    consignee_id: str
    consignee_name: str
    destination: str
    office: str
    items: tuple[Item, ...]
    header_claims: tuple[ClaimSpec, ...] = ()
    """Licences cited at shipment level only (item 0): checkable, not manageable (domain: LEVEL_NOT_SUPPORTED)."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """When customs say a fact happened, with the event id as tie-break."""

    occurred_at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class PayloadRank:
    """Which of two payloads is newer: supplementary after ordinary, then the greater version.

    Two payloads of one version have the same content (anything else is a conflict); then the earlier stamp stays.
    """

    supplementary: int
    version: int
    stamp: Stamp

    @property
    def order(self) -> tuple[int, int]:
        """What decides; the stamp only says when it was told."""
        return (self.supplementary, self.version)


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What an amendment says about one supporting document; what it does not state stays as it was."""

    seq: int
    """The document's place on its item; 0: it is found by code and reference."""
    told: ClaimSpec | None
    """Empty texts and None are not stated; None as a whole: the document is taken out."""
    ours: bool = True
    """False when the stated document code cites no licence."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What an amendment says about one goods item; empty texts and None are not stated."""

    number: int
    procedure: str = ""
    commodity: str = ""
    destination: str = ""
    origin: str = ""
    net_mass: Decimal | None = None
    supplementary_units: Decimal | None = None
    amount: Money | None = None
    additional_procedures: tuple[str, ...] = ()
    documents: tuple[DocumentChange, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """An amendment that carries the changed branch only."""

    exporter: str = ""
    destination: str = ""
    consignee_id: str = ""
    consignee_name: str = ""
    items: tuple[ItemChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What touches items or documents and cannot be read as a change."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the trader about a declaration, and what customs decided on it.

    Request and decision may arrive in any order; both are known by the request's own reference. AES 513 with 504 or
    556 is the same thing as WCO function 13 with response 11 or 03.
    """

    reference: str
    asked: Stamp | None = None
    changes: Changes | None = None
    """A part of the content; belongs to `asked`."""
    content: Payload | None = None
    """The whole new content; belongs to `asked`."""
    granted: Stamp | None = None
    refused: Stamp | None = None
    rejected: Stamp | None = None
    """A rejection that names this reference: of the request, or of the declaration if nothing was asked under it."""

    @property
    def amends(self) -> bool:
        """Whether the content would change."""
        return self.changes is not None or self.content is not None


@dataclass(frozen=True, slots=True)
class DocumentFigures:
    """Figures of one document as really released."""

    doc_seq: int
    quantity: Quantity | None
    value: Money | None


@dataclass(frozen=True, slots=True)
class ItemRelease:
    """The last word of customs on one item: released (with figures, or all as declared) or not released."""

    stamp: Stamp
    released: bool
    figures: tuple[DocumentFigures, ...] | None = None
    """None: everything as declared."""


ALL_ITEMS = 0
"""Key of a release that names no item: it covers the whole declaration."""

ALL_DOCUMENTS = 0
"""Key of an override that names no document: it covers all of its item, or of the declaration."""


class Decision(StrEnum):
    """What an officer decides on a claim (IR 2024/2145 Art. 8(1): amend, accept or refuse)."""

    ACCEPT = "ACCEPT"
    """The declared figures."""
    AMEND = "AMEND"
    """The figures told with the decision."""
    REFUSE = "REFUSE"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Override:
    """The last word of an officer on one supporting document, on an item, or on the declaration."""

    item: int
    """Goods item number, or ALL_ITEMS."""
    doc_seq: int
    """Document on it, or ALL_DOCUMENTS."""
    stamp: Stamp
    decision: Decision
    officer: str
    reason: str
    evidence: Evidence | None = None
    quantity: Quantity | None = None
    """Of AMEND: instead of the declared one; None leaves that."""
    value: Money | None = None

    @property
    def place(self) -> tuple[int, int]:
        """What it is about."""
        return (self.item, self.doc_seq)


@dataclass(frozen=True, slots=True)
class Captured:
    """What the licensing side last said about one write-off made outside the bridge."""

    stamp: Stamp
    write_off: WriteOff


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about one declaration; grows only (invariant I7)."""

    payload: Payload | None = None
    payload_rank: PayloadRank | None = None
    lodged: Stamp | None = None
    presented: Stamp | None = None
    accepted: Stamp | None = None
    acceptance_day: str = ""
    """The instant or date customs state as acceptance (D.E. 15 09), ISO text; belongs to `accepted`."""
    releases: tuple[tuple[int, ItemRelease], ...] = ()
    """(item number or ALL_ITEMS, last word), sorted by item."""
    invalidated: Stamp | None = None
    invalidation_reason: str = ""
    rejected: Stamp | None = None
    exited: Stamp | None = None
    not_presented: Stamp | None = None
    recheck: Stamp | None = None
    mrn: str = ""
    lrn: str = ""
    exporter: str = ""
    requests: tuple[Request, ...] = ()
    """Sorted by reference."""
    simplified: str = ""
    """MRN of the simplified declaration that this one supplements (UCC Art. 167(4))."""
    supplements: tuple[str, ...] = ()
    """Declarations that supplement this one, sorted."""
    generation: Stamp | None = None
    """The lodging that began anew after a rejection; facts of an older generation no longer count."""
    overrides: tuple[Override, ...] = ()
    """The last word on each place, sorted by it."""
    captured: tuple[Captured, ...] = ()
    """Of a write-off captured by the licensing side: the last word on each licence, sorted by it."""


@dataclass(frozen=True, slots=True)
class DeclarationCommand:
    """A decoded declaration event: which declaration, and the facts it adds."""

    event_id: str
    occurred_at: datetime
    kind: EventKind
    payload_sha256: str
    """Hash of the data as received: same id with another hash is a conflict."""
    facts: Facts
    """The facts of this event alone; applying is `merge(known, facts)`."""
    mrn: str = ""
    lrn: str = ""
    exporter: str = ""
    source: str = ""
    """CloudEvents source: the customs system that speaks."""
    findings: tuple[Finding, ...] = ()
    """Warnings on the event as a whole (MRN_CHECK_DIGIT, CLOCK_AHEAD, ASSUMED_ZONE)."""
    extensions: tuple[tuple[str, str], ...] = field(default=())

    @property
    def waits(self) -> bool:
        """Whether the sender waits for the answer (extension attribute `answer=always`)."""
        return bool(self.extensions) and ("answer", "always") in self.extensions

    @property
    def demands_order(self) -> bool:
        """Whether an event that contradicts the order of states is refused, and not recorded as a fact.

        Those who wait are refused, unless they go on whatever the answer is (extension attribute `order=recorded`).
        """
        return self.waits and ("order", "recorded") not in self.extensions
