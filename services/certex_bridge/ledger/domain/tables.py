"""Which rules table of IR 2024/2145 Annex I, Part B.2 applies, and whether a document code is that of the licence.

Read on 2026-11-01. The tables have no column for licence types or decisions; only Valid opens a procedure.
"""

from __future__ import annotations

from certex_bridge.licensing.domain.documents import DOCUMENT_CODES, EUGEA_CODES, EXPORT_PROCEDURES, TRANSIT_TYPES
from certex_bridge.licensing.domain.licence import Direction, LicenceType

FISCAL_TERRITORY_PROCEDURE = "F75"
"""Dispatch to special fiscal territories: the goods stay in the customs territory, no export in the dual-use sense."""

GENERAL_CODES = EUGEA_CODES | {"X071"}
"""General authorisations: no limit, therefore no ledger; an unknown registration does not make a declaration wait."""


def is_licence_code(document_code: str, own_code: str, further_codes: frozenset[str]) -> bool:
    """Whether a declared document code can cite a licence at all. X069 cannot: nobody published what it means."""
    return document_code in DOCUMENT_CODES or document_code == own_code or document_code in further_codes


def code_fits(document_code: str, own_code: str, licence_type: LicenceType) -> bool:
    """Whether a declared document code is that of the licence: its own code, or one of its type."""
    return document_code == own_code or licence_type in DOCUMENT_CODES.get(document_code, ())


def procedure_direction(procedure: str, declaration_type: str) -> Direction | None:
    """Which table applies, or None when neither does (the answer is then "not applicable", never "refused")."""
    if declaration_type in TRANSIT_TYPES:
        return Direction.TRANSIT
    return Direction.EXPORT if procedure[:2] in EXPORT_PROCEDURES else None
