"""A made-up certificate type beside dual-use, to show that nothing but data tells one from the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from certex_bridge.licensing.domain.certificate_types import (
    NOT_YET_VALID,
    CertificateType,
    CertificateTypes,
    DocumentKind,
    StatusRow,
    StatusTable,
)
from certex_bridge.licensing.domain.dual_use import DUAL_USE
from certex_bridge.licensing.domain.licence import Direction

FIRST = StatusTable(
    label="made-up.v1",
    direction=Direction.EXPORT,
    first_day=date(2026, 1, 1),
    last_day=date(2026, 5, 31),
    verification=("10", "21"),
    quantity_management=frozenset({"10"}),
    rows=(
        StatusRow("Open", ("10",)),
        StatusRow("Late", (), "Open", "If the quantity was reserved while Open."),
        StatusRow("Announced"),
        StatusRow("Paused", ("21",)),
        StatusRow("Gone"),
    ),
)
SECOND = replace(
    FIRST,
    label="made-up.v2",
    first_day=date(2026, 6, 1),
    last_day=None,
    rows=(StatusRow("Open", ("10", "21")), *FIRST.rows[1:]),
)
MADE_UP = CertificateType(
    name="MADE-UP",
    documents=(DocumentKind("E999", ("SLIP",)), DocumentKind("E998", ("SLIP", "STAMP")), DocumentKind("E997")),
    statuses={
        "Valid": "Open",
        "Expired": "Late",
        "Suspended": "Paused",
        "Revoked": "Gone",
        "Cancelled": "Gone",
        "Exhausted": "Gone",
        NOT_YET_VALID: "Announced",
    },
    tables=(SECOND, FIRST),
    references=False,
    issuer="EU",
    destinations=False,
)
BOTH = CertificateTypes((DUAL_USE, MADE_UP))
