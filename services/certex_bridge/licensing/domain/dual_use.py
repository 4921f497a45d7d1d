"""The dual-use formality (DuES) as a certificate type: what holds where no profile has been read.

`schemas/rules/profiles/dues.json` and the tables it names say the same; a test compares them.
"""

from __future__ import annotations

from datetime import date

from certex_bridge.licensing.domain.certificate_types import (
    STATUSES,
    CertificateType,
    CertificateTypes,
    DocumentKind,
    StatusRow,
    StatusTable,
)
from certex_bridge.licensing.domain.documents import (
    DOCUMENT_CODES,
    EXPORT_PROCEDURES,
    LEGACY_CODE,
    TRANSIT_TYPES,
    UNEXPLAINED_CODE,
)
from certex_bridge.licensing.domain.licence import Direction, LicenceType

_FIRST_DAY = date(2024, 10, 17)
"""Entry into force of Implementing Regulation (EU) 2024/2145."""


def _table(name: str, direction: Direction, procedures: tuple[str, ...]) -> StatusTable:
    rows = tuple(StatusRow(status, procedures if status == "Valid" else ()) for status in STATUSES)
    return StatusTable(name, direction, _FIRST_DAY, None, procedures, frozenset(procedures), rows)


def _kind(code: str, types: tuple[LicenceType, ...]) -> DocumentKind:
    direction = Direction.TRANSIT if LicenceType.TRANSIT in types else Direction.EXPORT
    return DocumentKind(code, tuple(one.value for one in types), direction, where_set=code == LEGACY_CODE)


DUAL_USE = CertificateType(
    name="DUES",
    documents=(*(_kind(code, types) for code, types in DOCUMENT_CODES.items()), DocumentKind(UNEXPLAINED_CODE)),
    statuses={status: status for status in STATUSES},
    tables=(
        _table("dues-export.v1", Direction.EXPORT, EXPORT_PROCEDURES),
        _table("dues-transit.v1", Direction.TRANSIT, TRANSIT_TYPES),
    ),
)

DUAL_USE_TYPES = CertificateTypes((DUAL_USE,))
"""The certificate types of an installation that reads no profiles."""
