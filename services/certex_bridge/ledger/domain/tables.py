"""What the rules tables of IR 2024/2145 Annex I say about a licence, and what a document code can cite.

The tables themselves are data: `Policy.types`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from certex_bridge.kernel.dates import valid_on
from certex_bridge.ledger.domain.model import Status
from certex_bridge.licensing.domain.certificate_types import NOT_YET_VALID, CertificateTypes, procedure_code
from certex_bridge.licensing.domain.documents import EUGEA_CODES
from certex_bridge.licensing.domain.licence import Licence

FISCAL_TERRITORY_PROCEDURE = "F75"
"""Dispatch to special fiscal territories: the goods stay in the customs territory, no export."""

GENERAL_CODES = EUGEA_CODES | {"X071"}
"""General authorisations: no limit, therefore no ledger; an unknown registration does not make a declaration wait."""


def is_licence_code(types: CertificateTypes, code: str, own_code: str, further_codes: frozenset[str]) -> bool:
    """Whether a declared document code can cite a licence at all. X069 cannot: nobody published what it means."""
    return code in types.meanings or code == own_code or code in further_codes


def code_fits(types: CertificateTypes, code: str, own_code: str, licence_type: str) -> bool:
    """Whether a declared document code is that of the licence: its own code, or one of its type."""
    return code == own_code or licence_type in types.meanings.get(code, ())


@dataclass(frozen=True, slots=True)
class TableVerdict:
    """What the rules table says about a licence for one procedure. Not applicable never means refused."""

    applicable: bool
    """Some table of the certificate type names the procedure."""
    verification: bool = False
    """The procedure stands in the verification list."""
    quantity_management: bool = False
    """The procedure stands in the list of quantity management, and licences of the type are written off."""
    allowed: bool = False
    """The licence opens the procedure; never one of the other direction."""
    status: str = ""
    """The status that counts, in the words of the table."""
    rule: str = ""
    """Table, version and row that decided, for instance `ods-export.v1/3`; empty where no row speaks."""
    condition: str = ""
    """Condition of that row in the words of the law: told whether it is met or not."""


def verdict_of(
    types: CertificateTypes,
    licence: Licence,
    status: Status,
    *,
    procedure: str,
    declaration_type: str,
    day: date | None,
    reserved_while_valid: bool = False,
) -> TableVerdict:
    """The verdict of Annex I on a licence for a procedure; one look-up, nothing else of the licence is compared.

    Args:
        types: the live certificate types.
        licence: its version in force.
        status: its derived status.
        procedure: D.E. 11 09, four digits or the first two.
        declaration_type: D.E. 11 01.
        day: the day that counts, in the issuer's legal time. It chooses the version of the table, and the status is
            that of the day as far as validity goes: a licence that has expired since was Valid then (Regulation (EU)
            No 952/2013 Art. 172(2)). None: the newest table, and the status as it stands.
        reserved_while_valid: the declaration holds a reservation that was made while the licence was Valid.
    """
    kind = types.cited(licence.document_code, licence.type)
    code = procedure_code(procedure, declaration_type)
    direction = kind.directions.get(code)
    if direction is None:
        return TableVerdict(applicable=False)
    table = kind.table(direction, day) if day else kind.versions[direction][-1]
    standing = status_on(licence, status, day) if day else status.value
    standing = standing if standing in table.words else Status.VALID.value
    found = table.row(standing)
    kept = standing == Status.EXPIRED and reserved_while_valid and code in table.kept
    opened = kept or code in table.accepted[standing]
    begun = day is None or licence.valid_from is None or licence.valid_from <= day
    return TableVerdict(
        applicable=True,
        verification=code in table.table.verification,
        quantity_management=kind.quantities and code in table.managed,
        allowed=opened and begun and licence.direction is direction,
        status=table.words[standing],
        rule=f"{table.table.label}/{found[0]}" if found else "",
        condition=found[1].text if found else "",
    )


def status_on(licence: Licence, status: Status, day: date) -> str:
    """The status with validity as of a day: blocked and fully used licences are so on every day.

    `NOT_YET_VALID` before the first day of validity.
    """
    if status not in (Status.VALID, Status.EXPIRED):
        return status.value
    verdict = valid_on(day, licence.valid_from, licence.valid_to)
    return {"NOT_YET_VALID": NOT_YET_VALID, "EXPIRED": Status.EXPIRED.value}.get(verdict, Status.VALID.value)
