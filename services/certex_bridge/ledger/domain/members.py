"""A claim on its way through a settlement, and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from certex_bridge.ledger.domain.evaluation import Evaluation
from certex_bridge.ledger.domain.facts import Override
from certex_bridge.ledger.domain.model import NOTHING, Claim, ClaimKey, ClaimState, Figures
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.reasons import Answerable, Incident, Outcome, Reason, Rule
from certex_bridge.ledger.domain.steps import Step

ENDED_STATES = (ClaimState.UNRESERVED, ClaimState.WITHDRAWN, ClaimState.CLOSED)
REFUSED_OUTCOMES = (Outcome.REFUSED, Outcome.UNCOVERED)


@dataclass(slots=True)
class ClaimResult:
    """What became of one claim in this settlement, with every verdict."""

    claim: Claim
    """As it stands afterwards."""
    evaluation: Evaluation | None
    reasons: tuple[Reason, ...] = ()
    """Why it was not done as asked."""
    incidents: tuple[Incident, ...] = ()
    steps: tuple[Step, ...] = ()
    """What is booked; empty when nothing moves."""
    notes: tuple[Reason, ...] = ()
    """What led to an outcome that is no refusal (the invalidation behind a withdrawal)."""
    changed: bool = True
    """Whether the stored claim differs from before."""
    by: Answerable | None = None
    """Who answers for it, when it was decided by hand."""


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
    problems: Sequence[tuple[Rule, Reason]] = ()
    """Why the figure that counts (declared, or released) cannot be compared with the accounts."""
    elsewhere: Claim | None = None
    """A refusal of the same document under another line: it is as sticky as one under this line."""
    released: bool = False
    """Of a document no longer cited: whether its goods were released while it was."""
    override: Override | None = None
    """An officer's decision that can be booked as told; it asks for no room."""
    advisory: bool = False
    """Not accepted yet: what acceptance would decide is told, and nothing is booked."""
    anew: bool = False
    """Whether its group is judged anew on the same facts: a currency agrees by now, or something was told late."""
    reserved: Figures = NOTHING
    consumed: Figures = NOTHING
    held: Figures = NOTHING
    """Reserved plus consumed: what the claim takes from its accounts today."""
    grows: bool = False
    """Whether it asks for more than it holds (an unknown figure counts as more, and so does an unknown line)."""

    def __post_init__(self) -> None:
        current, target, seen = self.current, self.target, self.evaluation
        if current is not None:
            self.reserved, self.consumed = current.reserved, current.consumed
            self.held = current.reserved.plus(current.consumed)
        held = self.held
        unplaced = seen is not None and seen.unplaced and self.phase is not Phase.RECORD
        unknown = self.phase.books and (bool(self.problems) or unplaced)
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
    def waits(self) -> bool:
        """Whether it would be booked, and its licence is not known yet."""
        return self.evaluation is not None and self.evaluation.waiting and self.phase.books

    @property
    def refused_before(self) -> bool:
        """Whether a refusal was made on the same facts: it is sticky; advice binds nobody."""
        known = self.current or self.elsewhere
        if self.advisory or known is None or known.outcome not in REFUSED_OUTCOMES or known.state is ClaimState.CHECKED:
            return False
        return known.attempt == self.attempt and not self.anew

    @property
    def currency_agreed(self) -> bool:
        """Whether a refusal stood on the licence's currency, and that is the declared one by now.

        A licence restated in the euro that replaced its currency was in euro by law from the day of adoption on: that
        this was told late is no reason to refuse what was declared since.
        """
        known = self.current or self.elsewhere
        if known is None or self.evaluation is None or "CURRENCY_MISMATCH" not in known.reasons:
            return False
        return all(reason.code != "CURRENCY_MISMATCH" for reason in self.reasons)

    def refused_too_early(self, late: datetime | None) -> bool:
        """Whether it was refused at, or after, a moment of which more is known by now (ADR 0016)."""
        known = self.current or self.elsewhere
        return late is not None and known is not None and known.refused_at is not None and late <= known.refused_at

    @property
    def granted_before(self) -> bool:
        """Whether a claim without limit was let through on the same facts, or before its goods were released."""
        known = self.current
        if known is None or known.outcome != Outcome.OK_NOT_MANAGED:
            return False
        if self.phase in (Phase.RECORD, Phase.ADJUST):
            return True
        return known.attempt == self.attempt and known.state is not ClaimState.CHECKED and not self.advisory

    @property
    def stored_codes(self) -> tuple[str, ...]:
        """The reasons of that refusal."""
        known = self.current or self.elsewhere
        return tuple(code for code in known.reasons if code not in ("UNCOVERED", "ADJUST_REFUSED")) if known else ()

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
            source=seen.declared.source if seen else current.source if current else "",
        )
