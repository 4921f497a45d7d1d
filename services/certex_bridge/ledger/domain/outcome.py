"""What the bridge says to customs about one declaration: one result per claim, with every verdict.

The document made from this is the answer of IR 2024/2145 Art. 6(2) and 6(5) and the feedback of Art. 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.model import ClaimKey, Figures
from certex_bridge.ledger.domain.reasons import Incident, Reason, Rule
from certex_bridge.licensing.domain.licence import Licence


@dataclass(slots=True)
class ClaimOutcome:
    """The result of one claim. Figures are in `unit` and `currency`, the licence line's own; empty when not limited."""

    key: ClaimKey
    reference: str
    """The licence reference as declared."""
    document_code: str
    outcome: str
    state: str
    unit: str
    currency: str
    requested: Figures
    reserved: Figures
    consumed: Figures
    uncovered: Figures
    passed: tuple[Rule, ...]
    failed: tuple[tuple[Rule, Reason], ...]
    warned: tuple[tuple[Rule, Reason], ...]
    reasons: tuple[Reason, ...]
    incidents: tuple[Incident, ...]
    notes: tuple[Reason, ...] = ()
    """Causes of a positive outcome (the declaration was invalidated, say): told, and no failure."""
    not_tested: tuple[Rule, ...] = ()
    """Rules that had nothing to test, or were not reached."""
    rules_table: str = ""
    """Name and version of the rules table that the claim was judged by; empty when none was asked."""
    source: str = ""
    at_risk: bool = False
    """Reserved while Valid, and the licence is no longer Valid: customs decide on release."""
    licence: Licence | None = None
    """Content of the licence (IR 2024/2145 Art. 6(2)(b)); None while it is unknown."""
    licence_status: str = ""
    licence_version: int = 0
    lv: int = 0
    """Journal version of the licence that this result includes."""
    available_quantity: Decimal | None = None
    """None when not limited. Whether customs may see it is decided where the document is written."""
    available_value: Decimal | None = None


@dataclass(slots=True)
class DeclarationOutcome:
    """Everything said about one declaration at one of its dense versions."""

    decl_id: str
    dv: int
    mrn: str
    lrn: str
    exporter: str
    office: str
    state: str
    """LODGED, ACCEPTED, RELEASED, NOT_RELEASED, INVALIDATED, REJECTED, NOT_PRESENTED; empty: nothing is known."""
    payload_version: int
    event_id: str
    """The event that is answered: always one of the declaration's own."""
    event_kind: str
    occurred_at: datetime
    claims: tuple[ClaimOutcome, ...]
    findings: tuple[Finding, ...] = ()
    cause_id: str = ""
    """The event that led to the answer, when that is not the one answered (a licence arrived, say)."""
