"""What customs said about one declaration: facts that are merged, never overwritten.

Facts form a join semilattice: `merge` (in `merge.py`) is commutative, associative and idempotent, so order and
duplicates of events do not matter. Ties are broken by (occurred_at, event_id), the same on every replica.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.requests import Request, RequestDecision
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import LogPosition, PayloadRank, Stamp, SupersededContent
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
    RELEASE_OVERDUE = "release-overdue"
    """The goods left some time ago, and no release was told (a timer event)."""
    RECHECK = "recheck"
    """Customs or the licensing side ask for a new attempt on a refused claim."""
    IDENTIFIED = "identified"
    """An officer says which lodging an MRN was."""
    OVERRIDDEN = "overridden"
    """An officer of customs decides by hand (IR 2024/2145 Art. 8)."""


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
    superseded: tuple[SupersededContent, ...] = ()
    """Earlier versions of the content, sorted."""
    lodged: Stamp | None = None
    presented: Stamp | None = None
    accepted: Stamp | None = None
    acceptance_day: str = ""
    """The instant or date customs state as acceptance (D.E. 15 09), ISO text; belongs to `accepted`."""
    releases: tuple[tuple[int, ItemRelease], ...] = ()
    """(item number or ALL_ITEMS, decision): the last release and the last refusal of each, sorted by item."""
    invalidated: Stamp | None = None
    invalidation_reason: str = ""
    rejected: Stamp | None = None
    exited: Stamp | None = None
    exit_told: Stamp | None = None
    """When customs last said on which day the goods left."""
    exit_day: str = ""
    """That day or instant, ISO text; belongs to `exit_told` and counts for a retrospective declaration (11 02 R)."""
    not_presented: Stamp | None = None
    release_overdue: Stamp | None = None
    """When the bridge stopped waiting for the release of goods that left."""
    recheck: Stamp | None = None
    mrn: str = ""
    lrn: str = ""
    exporter: str = ""
    requests: tuple[Request, ...] = ()
    """In the order of their stamps."""
    decisions: tuple[RequestDecision, ...] = ()
    """Of customs on requests, in the order of their stamps."""
    simplified: tuple[SimplifiedReference, ...] = ()
    """What this declaration supplements as a whole (UCC Art. 167(4)), sorted; named once it stays named."""
    supplements: tuple[str, ...] = ()
    """Declarations that supplement this one, sorted."""
    instrument: str = ""
    """Never told nor stored: which supplementary declarations rule the content, derived at settling."""
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
    logged: LogPosition | None = None
    """Where the log has it, of senders whose messages may state no time."""

    chosen_lodging: str = ""
    """Id of the event that lodged the declaration, or its exporter, where an officer says which one it was."""

    @property
    def stamp(self) -> Stamp:
        """When it was said."""
        return Stamp(self.occurred_at, self.event_id, self.logged)

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
