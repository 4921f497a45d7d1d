"""Who may see what of a licence: customs the answer, the licensing side of its issuer the figures too."""

from __future__ import annotations

from certex_bridge.ledger.domain.issuers import issuing_state
from certex_bridge.singlewindow.callers import Caller, CallerRole

LICENSING_SIDE = frozenset({CallerRole.LICENSING_OFFICER, CallerRole.AUDITOR})
CUSTOMS_SIDE = frozenset({CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER})


def is_licensing_side(caller: Caller, issuer: str) -> bool:
    """Whether the caller belongs to the licensing side of the state that issued the licence."""
    return not caller.roles.isdisjoint(LICENSING_SIDE) and issuing_state(caller.member_state) == issuing_state(issuer)


def sees_figures(caller: Caller, issuer: str, *, shown: bool) -> bool:
    """Whether the caller may see balances; `shown` is the installation's word on customs."""
    if is_licensing_side(caller, issuer):
        return True
    on_customs_side = not caller.roles.isdisjoint(CUSTOMS_SIDE)
    return on_customs_side and shown and caller.policies.figures_shown
