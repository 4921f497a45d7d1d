"""Outcomes, licences and accounts for the tests of outgoing messages; each line allows 100 NAR and 50 000 EUR."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.model import NOTHING, Account, ClaimKey, Dim, Figures, LicenceState, Status
from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
from certex_bridge.ledger.domain.reasons import Incident, Reason, Rule
from certex_bridge.licensing.content import licence_content
from certex_bridge.licensing.domain.licence import (
    AuthorityStatus,
    Control,
    Direction,
    Licence,
    LicenceLine,
    LicenceType,
    Party,
)
from certex_bridge.platform.resources import contract_path
from certex_bridge.singlewindow.outcome_document import render_outcome

if TYPE_CHECKING:
    from pathlib import Path

MRN = "26BE000000000000A1"
AT = "2026-03-01T09:00:00Z"
EVERY_RULE = tuple(rule for rule in Rule if rule is not Rule.DOCUMENT_TYPE)
HALF = Figures(Decimal(40), Decimal("20000.00"))


def line(number: int) -> LicenceLine:
    """100 NAR and 50 000 EUR of one machine."""
    return LicenceLine(
        number,
        "Five-axis milling machine",
        Control.QUANTITY_AND_VALUE,
        Quantity(Decimal(100), "NAR"),
        Money(Decimal("50000.00"), "EUR"),
        "2B001.b.2",
        ("84571090",),
        "DE",
    )


LICENCE = Licence(
    issuer="BE",
    number="BE-2026-000123",
    version=2,
    type=LicenceType.INDIVIDUAL,
    document_code="X060",
    direction=Direction.EXPORT,
    status=AuthorityStatus.VALID,
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    holder=Party("Precision Machines", "BE0123456789", "Kaai 12", "2000", "Antwerpen", "BE"),
    authority=Party("Strategic Goods Control Unit"),
    lines=(line(1), line(2), line(3)),
    issue_date=date(2026, 1, 2),
    destinations=("KR",),
)


def claim(item: int = 1, **changes: Any) -> ClaimOutcome:
    """A claim of 40 / 20 000 that was reserved."""
    made = ClaimOutcome(
        key=ClaimKey(MRN, item, 1, LICENCE.licence_id, item),
        reference=LICENCE.number,
        document_code="X060",
        outcome="OK_RESERVED",
        state="RESERVED",
        unit="NAR",
        currency="EUR",
        requested=HALF,
        reserved=HALF,
        consumed=NOTHING,
        uncovered=NOTHING,
        passed=EVERY_RULE,
        failed=(),
        warned=(),
        reasons=(),
        incidents=(),
        licence=LICENCE,
        licence_status="Valid",
        licence_version=2,
        lv=12,
        available_quantity=Decimal(60),
        available_value=Decimal("30000.00"),
    )
    return replace(made, **changes)


def outcome(*claims: ClaimOutcome, **changes: Any) -> DeclarationOutcome:
    """An accepted declaration."""
    made = DeclarationOutcome(
        decl_id=MRN,
        dv=1,
        mrn=MRN,
        lrn="LRN-2026-0001",
        exporter="BE0123456789",
        office="BE000123",
        state="ACCEPTED",
        payload_version=1,
        event_id="0198c6d2-1111-7000-8000-000000000001",
        event_kind="accepted",
        occurred_at=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
        claims=claims or (claim(),),
    )
    return replace(made, **changes)


def content(licence: Licence, line_no: int) -> str:
    """Licence content as the service gives it."""
    return licence_content(licence, line_no or None)


MADE_AT = datetime(2026, 12, 1, 8, 0, 2, tzinfo=UTC)
"""When the service made the documents."""


def render(given: DeclarationOutcome) -> bytes:
    """The document as the service sends it."""
    return render_outcome(given, content, sender="CERTEX.BRIDGE", recipient="NSW.BE", prepared_at=MADE_AT)


def _refused(item: int, code: str, rule: Rule, reason: Reason, **changes: Any) -> ClaimOutcome:
    made = claim(item, outcome=code, state=code, reserved=NOTHING, passed=EVERY_RULE[:5], failed=((rule, reason),))
    return replace(made, reasons=(reason,), **changes)


def _shipment_level() -> DeclarationOutcome:
    reason = Reason("LEVEL_NOT_SUPPORTED", "supportingDocument", LICENCE.number)
    refused = _refused(0, "REFUSED", Rule.LEVEL, reason, unit="", currency="", requested=NOTHING)
    return outcome(replace(refused, available_quantity=None, available_value=None))


def _refusals() -> DeclarationOutcome:
    exceeded = Reason("VALUE_EXCEEDED", "amount", "30000.01 EUR", "30000 EUR")
    group = Reason("GROUP_REFUSED", "supportingDocument")
    elsewhere = (Rule.DESTINATION, Reason("DESTINATION_MISMATCH", "destination", "JP", "KR"))
    first = _refused(1, "REFUSED", Rule.AVAILABILITY, exceeded, warned=(elsewhere,))
    second = claim(2, outcome="REFUSED", state="REFUSED", reserved=NOTHING, reasons=(group,))
    finding = Finding("MRN_CHECK_DIGIT", "mrn", MRN, "the check digit should be 7", Severity.WARNING)
    return outcome(first, second, findings=(finding,), dv=3)


def _uncovered() -> ClaimOutcome:
    reason = Reason("UNCOVERED", "quantity", "5 NAR")
    figures: dict[str, Any] = {
        "consumed": Figures(Decimal(40), Decimal("20000.00")),
        "uncovered": Figures(Decimal(5), Decimal("2500.00")),
    }
    return claim(
        outcome="UNCOVERED",
        state="UNCOVERED",
        reserved=NOTHING,
        requested=Figures(Decimal(45), Decimal("22500.00")),
        reasons=(reason,),
        incidents=(Incident.UNCOVERED, Incident.RELEASED_ON_BLOCKED),
        licence_status="Suspended",
        **figures,
    )


def _waiting() -> DeclarationOutcome:
    reason = Reason("NOT_FOUND", "referenceNumber", "BE-2026-999999")
    key = ClaimKey("BE0123456789/LRN-2026-0002", 1, 1, "BE/BE-2026-999999", 0)
    waits = _refused(1, "WAITING", Rule.LICENCE, reason, key=key, reference="BE-2026-999999", unit="", currency="")
    blank: dict[str, Any] = {
        "licence": None,
        "licence_status": "Unknown",
        "licence_version": 0,
        "lv": 0,
        "requested": NOTHING,
    }
    waits = replace(waits, available_quantity=None, available_value=None, **blank)
    return outcome(waits, decl_id=key.decl_id, mrn="", lrn="LRN-2026-0002", office="", state="LODGED")


_RELEASED = {"state": "RELEASED", "event_kind": "released", "dv": 2}
_WITHDRAWN = (Reason("INVALIDATED", "declaration"),)
_UNLIMITED: dict[str, Any] = {
    "unit": "",
    "currency": "",
    "requested": NOTHING,
    "reserved": NOTHING,
    "available_quantity": None,
    "available_value": None,
}

SCENES: dict[str, DeclarationOutcome] = {
    "available": outcome(
        claim(outcome="OK_AVAILABLE", state="CHECKED", reserved=NOTHING), state="LODGED", mrn="", event_kind="lodged"
    ),
    "reserved": outcome(claim(1), claim(2), claim(3)),
    "reserved-at-risk": outcome(claim(at_risk=True, licence_status="Suspended"), dv=2),
    "reserved-balance-hidden": outcome(claim(available_quantity=None, available_value=None)),
    "reserved-to-the-last": outcome(claim(available_quantity=Decimal(0), available_value=Decimal("0.00"))),
    "consumed": outcome(claim(outcome="OK_CONSUMED", state="CONSUMED", reserved=NOTHING, consumed=HALF), **_RELEASED),
    "consumed-net-mass": outcome(
        claim(
            outcome="OK_CONSUMED",
            state="CONSUMED",
            unit="KGM",
            currency="",
            requested=Figures(Decimal("12.500000")),
            reserved=NOTHING,
            consumed=Figures(Decimal("12.500000")),
            source="NET_MASS",
            available_quantity=Decimal("9999999999999987.499999"),
            available_value=None,
        ),
        **_RELEASED,
    ),
    "unreserved": outcome(
        claim(outcome="OK_UNRESERVED", state="UNRESERVED", reserved=NOTHING), state="NOT_RELEASED", dv=2
    ),
    "adjusted": outcome(claim(outcome="OK_ADJUSTED", state="CONSUMED", reserved=NOTHING, consumed=HALF), **_RELEASED),
    "withdrawn": outcome(
        claim(outcome="OK_WITHDRAWN", state="WITHDRAWN", reserved=NOTHING, notes=_WITHDRAWN, licence_status="Expired"),
        state="INVALIDATED",
        event_kind="invalidated",
        dv=4,
    ),
    "overridden": outcome(claim(outcome="OK_OVERRIDDEN"), dv=2),
    "not-managed": outcome(claim(outcome="OK_NOT_MANAGED", state="NOT_MANAGED", **_UNLIMITED)),
    "not-applicable": outcome(
        claim(outcome="OK_NOT_APPLICABLE", state="NOT_APPLICABLE", passed=(Rule.DECLARED,), **_UNLIMITED)
    ),
    "closed": outcome(claim(outcome="CLOSED", state="CLOSED", reserved=NOTHING), state="REJECTED", dv=2),
    "waiting": _waiting(),
    "refused": _refusals(),
    "refused-shipment-level": _shipment_level(),
    "uncovered": outcome(_uncovered(), **_RELEASED),
    "not-presented": outcome(claim(outcome="CLOSED", state="CLOSED", **_UNLIMITED), state="NOT_PRESENTED", mrn=""),
}
"""At least one for each outcome code, declaration state and optional element."""


def state(*accounts: Account, **changes: Any) -> LicenceState:
    """A licence row with its accounts."""
    made = LicenceState(LICENCE.licence_id, 2, LICENCE, "", Status.VALID, 0, lv=12, nv=3, cv=2, iv=1)
    made.accounts = {(account.line_no, account.dim): account for account in accounts}
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def two_accounts() -> tuple[Account, Account]:
    """Line 1 in both dimensions, partly used."""
    return (
        Account(1, Dim.VAL, "EUR", Decimal("50000.00"), Decimal("20000.00"), Decimal("0.00")),
        Account(1, Dim.QTY, "NAR", Decimal(100), Decimal(40), Decimal(10)),
    )


def golden(folder: str, name: str, made: bytes) -> Path:
    """The golden file of an example; written instead of compared when CERTEX_GOLDEN=write."""
    path = contract_path("examples", folder) / name
    if os.environ.get("CERTEX_GOLDEN") == "write":
        path.write_bytes(made)
    return path
