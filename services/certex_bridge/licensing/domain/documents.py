"""TARIC document codes and procedures of the dual-use formality (D.E. 12 03 002; IR 2024/2145 Annex I B.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from certex_bridge.licensing.domain.licence import LicenceType, is_eugea

DOCUMENT_CODES: Mapping[str, tuple[LicenceType, ...]] = MappingProxyType(
    {
        "X060": (LicenceType.INDIVIDUAL, LicenceType.LARGE_PROJECT_INDIVIDUAL),
        "X061": (LicenceType.EU001,),
        "X062": (LicenceType.EU002,),
        "X063": (LicenceType.EU003,),
        "X064": (LicenceType.EU004,),
        "X065": (LicenceType.EU005,),
        "X066": (LicenceType.EU006,),
        "X067": (LicenceType.EU007,),
        "X068": (LicenceType.EU008,),
        "X070": (LicenceType.GLOBAL, LicenceType.LARGE_PROJECT_GLOBAL),
        "X071": (LicenceType.NGEA,),
        "X072": (LicenceType.TRANSIT,),
        "X002": (LicenceType.LEGACY,),
    }
)
"""Which licence types a code in a declaration can mean. X069 has no published meaning and is left out.

X002 was the one code before 9 September 2021; the United Kingdom still uses it.
"""

EUGEA_CODES = frozenset(code for code, types in DOCUMENT_CODES.items() if is_eugea(types[0]))
"""X061 to X068: the codes an exporter can be barred from (Reg. 2021/821 Art. 12(7))."""

LEGACY_CODE = "X002"
UNEXPLAINED_CODE = "X069"
"""Cites a licence, of a type that nobody published."""

DEFAULT_LEGACY_CODES: Mapping[str, tuple[str, ...]] = MappingProxyType({"GB": (LEGACY_CODE,)})
"""Issuing states that may still use a code of the time before 9 September 2021."""

EXPORT_PROCEDURES = ("10", "11", "21", "22", "23", "31")
"""Requested procedures (first two digits of D.E. 11 09) with verification and quantity management."""

TRANSIT_TYPES = ("T1", "T2", "T2F", "T2SM", "T", "TIR")
"""Declaration types (D.E. 11 01) with verification and quantity management."""

_CODE_OF_TYPE = {kind: code for code, types in DOCUMENT_CODES.items() for kind in types}


def document_code(licence_type: LicenceType) -> str:
    """The code customs cite for a licence of this type; IR 2024/2145 Annex II maps none, so it is derived."""
    return _CODE_OF_TYPE[licence_type]


DOCUMENT_CODE_PATTERN = r"[A-Z][0-9]{3}|[0-9][A-Z0-9]{3}"
"""What D.E. 12 03 002 can hold: a TARIC code, or a national one that begins with a digit."""

is_document_code = re.compile(DOCUMENT_CODE_PATTERN, re.ASCII).fullmatch
