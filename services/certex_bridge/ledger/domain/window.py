"""Times that decide what an event can still say: the years for amendments."""

from __future__ import annotations

from certex_bridge.kernel.dates import legal_day, years_later
from certex_bridge.ledger.domain.days import day_of, declaring_state
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.policy import Policy

_AMENDING = (EventKind.AMENDED, EventKind.SUPPLEMENTARY)


def too_late(known: Facts, command: DeclarationCommand, policy: Policy) -> bool:
    """Whether an amendment comes after the years of UCC Art. 173(3), counted from the day of acceptance.

    The day is the one customs state (D.E. 15 09), else that of the acceptance event; the last day still counts, in
    the legal time of the declaration's member state. A supplementary declaration changes figures as well.
    """
    if command.kind not in _AMENDING or known.accepted is None:
        return False
    zone = policy.zone(declaring_state(known))
    accepted = day_of(known.acceptance_day or known.accepted.occurred_at.isoformat(), zone)
    return legal_day(command.occurred_at, zone) > years_later(accepted, policy.amendment_years)
