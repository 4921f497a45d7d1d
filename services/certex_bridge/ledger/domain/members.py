"""A claim on its way through a settlement, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimKey, ClaimState, Figures
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.reasons import Incident, Outcome, Reason
from certex_bridge.ledger.domain.rules import Evaluation
from certex_bridge.ledger.domain.steps import Step

ENDED_STATES = (ClaimState.UNRESERVED, ClaimState.WITHDRAWN, ClaimState.CLOSED)


@dataclass(slots=True)
class ClaimResult:
    """What became of one claim in this settlement, with every verdict."""

    claim: Claim
    """As it stands afterwards."""
    evaluation: Evaluation | None
    reasons: tuple[Reason, ...] = ()
    incidents: tuple[Incident, ...] = ()
    steps: tuple[Step, ...] = ()
    """What is booked; empty when nothing moves."""
    changed: bool = True
    """Whether the stored claim differs from before."""


@dataclass(slots=True)
class Settlement:
    """The decision on one declaration; nothing is written yet."""

    results: list[ClaimResult] = field(default_factory=list)
    waiting_for: frozenset[str] = frozenset()
    """Licences that are not known yet: the declaration is parked on them."""
    obsolete: list[Claim] = field(default_factory=list)
    """Claims that hold nothing and stand for a document no longer cited this way; closed without a word."""


@dataclass(slots=True)
class Member:
    """One claim of a group: what it holds, and what the facts ask for."""

    key: ClaimKey
    current: Claim | None
    evaluation: Evaluation | None
    """None when the declaration no longer cites this document."""
    phase: Phase
    target: Figures
    attempt: str
    reserved: Figures = NOTHING
    consumed: Figures = NOTHING
    held: Figures = NOTHING
    """Reserved plus consumed: what the claim takes from its accounts today."""
    grows: bool = False
    """Whether it asks for more than it holds (an unknown figure counts as more)."""

    def __post_init__(self) -> None:
        current, target = self.current, self.target
        if current is not None:
            self.reserved, self.consumed = current.reserved, current.consumed
            self.held = current.reserved.plus(current.consumed)
        held, seen = self.held, self.evaluation
        unknown = seen is not None and bool(seen.declared.problems) and self.phase.books
        self.grows = unknown or target.quantity > held.quantity or target.value > held.value

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What the rules found, if the claim was judged at all."""
        return self.evaluation.reasons if self.evaluation else ()

    @property
    def managed(self) -> bool:
        """Whether some account limits this claim, now or by what it holds."""
        return self.evaluation is None or self.evaluation.managed or self.held != NOTHING

    @property
    def refused_before(self) -> bool:
        """Whether a refusal was made on the same facts: it is sticky."""
        known = self.current
        return (
            known is not None
            and known.outcome in (Outcome.REFUSED, Outcome.UNCOVERED)
            and known.attempt == self.attempt
        )

    @property
    def stored_reasons(self) -> tuple[Reason, ...]:
        """The reasons of that refusal."""
        codes = self.current.reasons if self.current else ()
        return tuple(Reason(code) for code in codes if code not in ("UNCOVERED", "ADJUST_REFUSED"))

    def claim(
        self,
        state: ClaimState,
        outcome: Outcome,
        reserved: Figures = NOTHING,
        consumed: Figures = NOTHING,
        reasons: tuple[Reason, ...] = (),
    ) -> Claim:
        """The claim as it stands after the decision."""
        seen, current = self.evaluation, self.current
        return Claim(
            key=self.key,
            state=state,
            requested=seen.declared.figures if seen else current.requested if current else NOTHING,
            reserved=reserved,
            consumed=consumed,
            attempt=self.attempt,
            outcome=outcome,
            reasons=tuple([reason.code for reason in reasons]),
            document_code=seen.spec.document_code if seen else current.document_code if current else "",
            source=seen.declared.source if seen else "",
        )
