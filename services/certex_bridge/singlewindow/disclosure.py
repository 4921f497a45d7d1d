"""What customs may see of a licence's balance: one policy for every document that goes to them.

An available figure tells a competitor's customs broker how much of a licence is left; whether it is told is the
authority's choice (setting CERTEX_FIGURES_SHOWN_TO_CUSTOMS). What a claim itself asks for and holds is always told, and
the licensing side sees everything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
    from certex_bridge.ledger.domain.reasons import Reason

WITH_FIGURES = frozenset(
    {"QUANTITY_EXCEEDED", "VALUE_EXCEEDED", "ADJUST_REFUSED", "GROUP_REFUSED", "UNCOVERED", "STATUS_EXHAUSTED"}
)
"""Reasons whose `available` is, or follows from, a balance; in the others it is what the licence says anyway."""


def without_figures(outcome: DeclarationOutcome) -> DeclarationOutcome:
    """The outcome as customs see it where balances are not shown."""
    return replace(outcome, claims=tuple([claim_without_figures(claim) for claim in outcome.claims]))


def claim_without_figures(claim: ClaimOutcome) -> ClaimOutcome:
    """One claim as customs see it where balances are not shown."""
    return replace(
        claim,
        failed=tuple([(rule, _reason(reason)) for rule, reason in claim.failed]),
        warned=tuple([(rule, _reason(reason)) for rule, reason in claim.warned]),
        reasons=_reasons(claim.reasons),
        notes=_reasons(claim.notes),
        available_quantity=None,
        available_value=None,
    )


def _reasons(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple([_reason(reason) for reason in reasons])


def _reason(reason: Reason) -> Reason:
    return replace(reason, available="") if reason.available and reason.code in WITH_FIGURES else reason
