"""Advice: what acceptance would decide, told before it as an answer that books nothing (IR 2024/2145 Art. 5(1)).

The decision itself is that of a reservation; only its words are others. Nothing waits on advice: an unknown licence is
told as a refusal, like everything else that acceptance would not grant now.
"""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.ledger.domain.authorise import GROUP_REFUSED
from certex_bridge.ledger.domain.members import ClaimResult
from certex_bridge.ledger.domain.model import NOTHING, ClaimState
from certex_bridge.ledger.domain.reasons import Outcome

_AVAILABLE = frozenset({Outcome.OK_RESERVED, Outcome.OK_ADJUSTED, Outcome.OK_CONSUMED, Outcome.OK_OVERRIDDEN})
_UNMOVED = frozenset({Outcome.OK_NOT_MANAGED, Outcome.OK_NOT_APPLICABLE})


def advised(result: ClaimResult) -> ClaimResult:
    """The result of a reservation that was not made, as advice: it holds nothing and moves nothing."""
    claim, seen, reasons = result.claim, result.evaluation, result.reasons
    outcome = Outcome(claim.outcome)
    if outcome is Outcome.OK_NOT_APPLICABLE:
        return replace(result, steps=())
    if outcome in _AVAILABLE:
        outcome, reasons = Outcome.OK_AVAILABLE, ()
    elif outcome not in _UNMOVED:
        outcome, reasons = Outcome.REFUSED, reasons or result.notes or (GROUP_REFUSED,)
    told = replace(
        claim,
        state=ClaimState.CHECKED,
        requested=seen.declared.figures if seen else claim.requested,
        reserved=NOTHING,
        consumed=NOTHING,
        uncovered=NOTHING,
        outcome=outcome,
        reasons=tuple([reason.code for reason in reasons]),
    )
    return ClaimResult(told, seen, reasons)
