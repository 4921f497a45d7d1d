"""Which decision of customs belongs to which request of the declarant.

Most declarants repeat the declaration's LRN as reference of every request, and the decision repeats it too, so a
reference alone decides nothing. A request is known by its kind, its content and its place in time; a decision belongs
to the newest undecided request asked before it. Derived anew from all that was sent, so requests and decisions may
arrive in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.kernel.amounts import Money
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.stamps import Stamp

if TYPE_CHECKING:
    from certex_bridge.ledger.domain.facts import Facts


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What an amendment says about one supporting document; what it does not state stays as it was."""

    seq: int
    """The document's place on its item; 0: it is found by code and reference."""
    told: ClaimSpec | None
    """Empty texts and None are not stated; None as a whole: the document is taken out."""
    ours: bool = True
    """False when what is stated cites no licence."""
    named: bool = True
    """False when no pointer names the document, or what it becomes cannot be read: then nothing changes."""
    added: bool = True
    """Whether it may be a document that the item did not have before."""


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
    named: bool = False
    """Whether a pointer names the item itself, or its documents without a place."""
    places: tuple[int, ...] = ()
    """Places of its documents that pointers name."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an amendment says by its branches and pointers."""

    exporter: str = ""
    destination: str = ""
    consignee_id: str = ""
    consignee_name: str = ""
    items: tuple[ItemChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What touches items or documents and cannot be read as a change."""
    everything: bool = False
    """Whether no pointer narrows what is meant: there is none, or one names the declaration as a whole."""


class RequestKind(StrEnum):
    """What the declarant asks customs for after lodging."""

    AMENDMENT = "AMENDMENT"
    """UCC Art. 173; AES CC513C, WCO `COR`."""
    INVALIDATION = "INVALIDATION"
    """UCC Art. 174; AES CC514C, WCO `INV`."""
    PRESENTATION = "PRESENTATION"
    """UCC Art. 171; AES CC511C, WCO `GPR`."""
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the declarant about a declaration, as it was sent.

    Declarants repeat the declaration's LRN as reference of every request, so a request is known by its kind, its
    content and its place in time; which decision it got is derived (`requests.py`).
    """

    reference: str
    """As the sender gave it; often the declaration's LRN."""
    asked: Stamp
    kind: RequestKind = RequestKind.AMENDMENT
    changes: Changes | None = None
    """A part of the content that would change, or what pointers name of the whole."""
    content: Payload | None = None
    """The whole new content. It decides, and `changes` say which difference a pointer names."""
    sha256: str = ""
    """Hash of the message: the same request sent twice is one request."""

    @property
    def amends(self) -> bool:
        """Whether the content would change."""
        return self.changes is not None or self.content is not None


class Verdict(StrEnum):
    """What customs decide on a request."""

    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    REJECTED = "REJECTED"
    """Turned down for formal reasons: the request, or the declaration itself when nothing was asked before."""


@dataclass(frozen=True, slots=True)
class RequestDecision:
    """A decision of customs on a request (AES CC504C, CC556C; WCO response 11, 03), as it was sent."""

    reference: str
    """Of what it answers; empty when it names none."""
    stamp: Stamp
    verdict: Verdict
    sha256: str = ""
    """Hash of the message: the same decision sent twice is one decision."""


class Considered(NamedTuple):
    """A request, and what customs decided on it; None: not decided yet."""

    request: Request
    decision: RequestDecision | None = None


class Requests(NamedTuple):
    """All requests about a declaration with their decisions."""

    considered: tuple[Considered, ...] = ()
    """Each request once, in the order of asking."""
    unasked: tuple[RequestDecision, ...] = ()
    """Decisions on no request that is known."""
    ambiguous: tuple[RequestDecision, ...] = ()
    """Decisions that found several undecided requests with different contents; they count for the newest."""


_NONE = Requests()

_DECIDED_BY_ACCEPTANCE = (RequestKind.PRESENTATION, RequestKind.OTHER)
"""A presentation is answered by the acceptance, never by a decision that grants or refuses."""


def considered(facts: Facts) -> Requests:
    """Every request with its decision, and the decisions that answer none."""
    if not facts.requests and not facts.decisions:
        return _NONE
    decided: dict[int, RequestDecision] = {}
    unasked, ambiguous = [], []
    for decision in facts.decisions:
        open_ones = [
            place
            for place, request in enumerate(facts.requests)
            if place not in decided and _may_answer(decision, request)
        ]
        if not open_ones:
            unasked.append(decision)
            continue
        newest = reduce(lambda one, other: other if _asked_before(facts, one, other) else one, open_ones)
        decided[newest] = decision
        if len({facts.requests[place].sha256 or str(place) for place in open_ones}) > 1:
            ambiguous.append(decision)
    found = [Considered(request, decided.get(place)) for place, request in enumerate(facts.requests)]
    return Requests(tuple([one for one in found if not _is_repetition(one, found)]), tuple(unasked), tuple(ambiguous))


def _may_answer(decision: RequestDecision, request: Request) -> bool:
    if decision.reference and request.reference and decision.reference != request.reference:
        return False
    if decision.verdict is not Verdict.REJECTED and request.kind in _DECIDED_BY_ACCEPTANCE:
        return False
    return request.asked.precedes(decision.stamp)


def _asked_before(facts: Facts, one: int, other: int) -> bool:
    return facts.requests[one].asked.precedes(facts.requests[other].asked)


def _is_repetition(one: Considered, found: list[Considered]) -> bool:
    """Whether it is the same message as another one, sent again before that was decided."""
    if one.decision is not None or not one.request.sha256:
        return False
    for other in found:
        if other.request is one.request or other.request.sha256 != one.request.sha256:
            continue
        if other.decision is not None:
            if not other.decision.stamp.precedes(one.request.asked):
                return True
        elif other.request.asked < one.request.asked:
            return True
    return False
