"""What the ledger keeps: accounts, claims, movements, and the rows that carry a licence's and a declaration's state.

`available = cap - reserved - consumed`, never below zero; what a lowered cap leaves uncovered is `over`.
Quantities have at most six decimals, values two; nothing here is ever rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from certex_bridge.kernel.canonical import GENESIS
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.lodgings import DraftEvent, LodgingKey
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence

ZERO = Decimal(0)
WHOLE_LICENCE = 0
"""Line number of the account that caps a whole licence."""


class Dim(StrEnum):
    """The two dimensions a licence can limit (DU form boxes 17 and 18)."""

    QTY = "QTY"
    VAL = "VAL"


class Status(StrEnum):
    """The six statuses of IR 2024/2145 Annex I B.2, and the placeholder of a licence not seen yet."""

    UNKNOWN = "Unknown"
    VALID = "Valid"
    CANCELLED = "Cancelled"
    EXHAUSTED = "Exhausted"
    EXPIRED = "Expired"
    SUSPENDED = "Suspended"
    REVOKED = "Revoked"


class ClaimState(StrEnum):
    """Where a claim stands; terminal states hold nothing."""

    CHECKED = "CHECKED"
    WAITING = "WAITING"
    REFUSED = "REFUSED"
    RESERVED = "RESERVED"
    CONSUMED = "CONSUMED"
    UNCOVERED = "UNCOVERED"
    UNRESERVED = "UNRESERVED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"
    NOT_MANAGED = "NOT_MANAGED"
    NOT_APPLICABLE = "NOT_APPLICABLE"


OPEN_STATES = frozenset(
    {ClaimState.CHECKED, ClaimState.WAITING, ClaimState.REFUSED, ClaimState.RESERVED, ClaimState.NOT_MANAGED}
)
"""States in which customs still wait for this licence: they receive its status pushes (IR 2024/2145 Art. 5(2)).

A claim on a licence without limits is open from acceptance to release; released, it is CONSUMED with no figures.
"""


class Kind(StrEnum):
    """Verbs of the journal (IR 2024/2145 Art. 6 to 8), and the two entries that a licence version makes."""

    RESERVE = "RESERVE"
    CONSUME = "CONSUME"
    UNRESERVE = "UNRESERVE"
    ADJUST = "ADJUST"
    WITHDRAW = "WITHDRAW"
    OVERRIDE = "OVERRIDE"
    CORRECT = "CORRECT"
    REDENOMINATE = "REDENOMINATE"
    """The same amounts in the currency that replaced the licence's (Regulation (EC) No 974/98 Art. 14)."""
    CAP = "CAP"
    VERSION = "VERSION"
    STATUS = "STATUS"


class Figures(NamedTuple):
    """Quantity and value held at one moment; ZERO where a dimension is not tracked."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO

    def plus(self, other: Figures) -> Figures:
        """Both dimensions added."""
        return Figures(self.quantity + other.quantity, self.value + other.value)

    def minus(self, other: Figures) -> Figures:
        """Both dimensions subtracted; may be negative."""
        return Figures(self.quantity - other.quantity, self.value - other.value)

    def at_most(self, other: Figures) -> Figures:
        """The smaller figure in each dimension."""
        return Figures(min(self.quantity, other.quantity), min(self.value, other.value))

    def negative(self) -> Figures:
        """Both dimensions with the other sign."""
        return Figures(ZERO - self.quantity, ZERO - self.value)


NOTHING = Figures()


@dataclass(slots=True)
class Account:
    """The balance of one line (or the whole licence, line 0) in one dimension."""

    line_no: int
    dim: Dim
    unit: str
    """TARIC unit, or ISO 4217 currency."""
    cap: Decimal
    reserved: Decimal = ZERO
    consumed: Decimal = ZERO
    replaced: str = ""
    """Currency in which it was kept before the euro replaced that."""

    @property
    def available(self) -> Decimal:
        """What a new claim may still take."""
        free = self.cap - self.reserved - self.consumed
        return free if free > 0 else ZERO

    @property
    def over(self) -> Decimal:
        """What is in use beyond the cap (lowered cap or override)."""
        excess = self.reserved + self.consumed - self.cap
        return excess if excess > 0 else ZERO

    @property
    def exhausted(self) -> bool:
        """Whether the cap is fully consumed."""
        return self.consumed >= self.cap

    @property
    def closed(self) -> bool:
        """A limit that a later version took out, with nothing in use: its row stays, it limits no longer."""
        return not (self.cap or self.reserved or self.consumed)


class ClaimKey(NamedTuple):
    """Identity of a claim: one document on one goods item against one licence line."""

    decl_id: str
    item: int
    doc_seq: int
    licence_id: str
    line_no: int
    """0 until a line is found, and for licences without managed lines."""

    def __str__(self) -> str:
        return f"{self.decl_id}#{self.item}.{self.doc_seq}@{self.licence_id}:{self.line_no}"


@dataclass(slots=True)
class Claim:
    """What one claim asked for and holds."""

    key: ClaimKey
    state: ClaimState
    requested: Figures = NOTHING
    reserved: Figures = NOTHING
    consumed: Figures = NOTHING
    uncovered: Figures = NOTHING
    """Released without cover: booked nowhere, raised as an incident."""
    attempt: str = ""
    """Fingerprint of the facts the last decision was made on: a refusal is sticky for it."""
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    document_code: str = ""
    source: str = ""
    """Where the figure came from when it is not the document's own (NET_MASS, ITEM_AMOUNT, alias factor)."""
    refused_at: datetime | None = None
    """The moment on whose balance it was refused, or left uncovered; None: it is neither."""

    @property
    def holds(self) -> bool:
        """Whether any balance depends on this claim."""
        return self.reserved != NOTHING or self.consumed != NOTHING

    @property
    def has_value(self) -> bool:
        """Whether any of its figures is an amount of money."""
        return bool(self.requested.value or self.reserved.value or self.consumed.value or self.uncovered.value)

    @property
    def in_another_currency(self) -> bool:
        """Whether it stands refused, or uncovered, because the licence is in another currency."""
        open_ = self.state in (ClaimState.REFUSED, ClaimState.UNCOVERED)
        return open_ and "CURRENCY_MISMATCH" in self.reasons


@dataclass(slots=True)
class Movement:
    """One journal row; append-only, hash-chained per licence.

    Not frozen: freezing triples the cost of making one.
    """

    licence_id: str
    lv: int
    seq: int
    line_no: int
    dim: str
    """QTY, VAL, or NONE for entries without a figure."""
    kind: Kind
    event_id: str
    claim: str
    """Text of the claim key, empty for licence entries."""
    d_cap: Decimal
    d_reserved: Decimal
    d_consumed: Decimal
    d_over: Decimal
    at: str
    """When customs or the authority say it happened (UTC, ISO text)."""
    detail: str
    chain: bytes
    """sha256(previous chain value, canonical entry)."""


@dataclass(slots=True)
class LicenceState:
    """A locked licence row with its accounts; version 0 is the placeholder of a licence not seen yet."""

    licence_id: str
    version: int = 0
    licence: Licence | None = None
    payload_sha256: str = ""
    status: Status = Status.UNKNOWN
    """The status last published; every change of balance or version brings it up to date at once."""
    expired_version: int = 0
    """The version whose validity the timer saw pass."""
    lv: int = 0
    nv: int = 0
    """Dense version of status notifications."""
    cv: int = 0
    """Dense version of certificates: one for each licence version and each change of the derived status."""
    iv: int = 0
    """Dense version of incidents."""
    sv: int = 0
    """Dense number of changes of the status, told or not."""
    chain: bytes = GENESIS
    accounts: dict[tuple[int, Dim], Account] = field(default_factory=dict)
    frozen: bool = False
    """Set by the auditor: AUTHORISE stops, RECORD goes on."""

    @property
    def known(self) -> bool:
        """Whether a version was ever applied."""
        return self.version > 0

    def limit(self, line_no: int, dim: Dim) -> Account | None:
        """The account that limits this line (0: the whole licence) in this dimension, if any."""
        account = self.accounts.get((line_no, dim))
        return None if account is None or account.closed else account

    def derived_status(self) -> Status:
        """One status, Revoked > Cancelled > Suspended > Expired > Exhausted > Valid."""
        licence = self.licence
        if licence is None:
            return Status.UNKNOWN
        if licence.status is AuthorityStatus.REVOKED:
            return Status.REVOKED
        if licence.status is AuthorityStatus.CANCELLED:
            return Status.CANCELLED
        if licence.status is AuthorityStatus.SUSPENDED:
            return Status.SUSPENDED
        if self.expired_version == self.version:
            return Status.EXPIRED
        return Status.EXHAUSTED if self.is_exhausted() else Status.VALID

    def is_exhausted(self) -> bool:
        """Every line exhausted and no unlimited line left, or a whole-licence cap fully consumed."""
        if not any(account.consumed >= account.cap for account in self.accounts.values()):
            return False  # the everyday case, decided without building anything
        limited: dict[int, bool] = {}
        for (line_no, _), account in self.accounts.items():
            if not account.closed:
                limited[line_no] = limited.get(line_no, False) or account.exhausted
        if limited.pop(WHOLE_LICENCE, False):
            return True
        if not limited or not all(limited.values()):
            return False
        return self.licence is not None and all(line.line_no in limited for line in self.licence.lines)


@dataclass(slots=True)
class DeclarationState:
    """A locked declaration row: its facts, and what was last said about it."""

    decl_id: str
    dv: int = 0
    facts: Facts = field(default_factory=Facts)
    said: str = ""
    """Fingerprint of the last published outcome."""
    waiting_for: tuple[str, ...] = ()
    """Licences not known yet (`*/NUMBER`: of any issuer): the declaration is parked on them."""
    joined: bool = False
    """For a draft (exporter/LRN): its newest lodging became an MRN, which is answered for."""
    claims: dict[ClaimKey, Claim] = field(default_factory=dict)
    own: Facts | None = None
    """For an MRN that has the facts of a lodging: what was told of the MRN itself. None: `facts` are its own."""
    lodging: LodgingKey | None = None
    """For an MRN: the lodging that it was."""
    events: tuple[DraftEvent, ...] = ()
    """For a draft: everything told of exporter and LRN, in order; `facts` are those of the newest lodging."""
    doubts: tuple[Finding, ...] = ()
    """For an MRN: why it is not certain which lodging it was (DRAFT_AMBIGUOUS, CLAIM_CONFLICT)."""

    moved: bool = field(default=False, compare=False)
    """For an MRN: it turned out to be another lodging, and was not settled since. Never stored."""
    late: datetime | None = field(default=None, compare=False)
    """When what was told late took effect: what was refused at that moment or since is judged anew. Never stored."""

    @property
    def tellings(self) -> list[Facts]:
        """All facts that may come to count: which lodging an MRN was may turn out otherwise."""
        own = [self.own] if self.own is not None else []
        return [self.facts, *own, *[event.facts for event in self.events]]

    @property
    def undecided(self) -> bool:
        """Whether customs accepted or released it, and nobody can say what it declares."""
        facts = self.facts
        known = facts.payload is not None or facts.captured
        return bool(facts.mrn) and not known and (facts.accepted is not None or bool(facts.releases))
