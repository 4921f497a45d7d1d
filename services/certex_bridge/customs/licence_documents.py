"""Which document codes of a declaration (D.E. 12 03 002, 12 04 002) cite a licence of ours.

The TARIC codes for dual-use authorisations: X060 individual, X061 to X068 Union general EU001 to EU008, X069 without
published meaning, X070 global, X071 national general, X072 transit. X002 was the one code of the time before
9 September 2021; where a country still uses it, the settings say so. National codes (n1an3) are settings too.
Y901 states that goods are NOT on the dual-use list: it cites nothing and is never a claim.
"""

from __future__ import annotations

UNION_CODES: frozenset[str] = frozenset(f"X0{number}" for number in range(60, 73))
"""X060 to X072."""

LEGACY_CODE = "X002"

NEVER_A_LICENCE: frozenset[str] = frozenset({"Y901"})
"""Statements that no setting turns into a licence."""

REFERENCE_SEQ = 100_000
"""Added to the sequence of a 12 04 reference, so that it never meets a 12 03 document (n..5) of the same item."""

SHIPMENT_SEQ = 200_000
"""Added to the sequence of a shipment-level entry that is derived to the only item."""

DUAL_USE_CODES: frozenset[str] = UNION_CODES | {LEGACY_CODE}
"""Codes that speak of dual-use licences anywhere; one that is not taken as a claim is remarked."""

WAIVER_STATUSES: dict[str, frozenset[str]] = {"GB": frozenset({"UA", "UE", "UP", "US", "XW", "XX"})}
"""Country to the document statuses (D.E. 2/3) under which no document is held and the reference is a statement.

United Kingdom: Customs Declaration Service tariff, volume 3, appendices 5A and 5B.
"""

EXHAUSTING_STATUSES: dict[str, frozenset[str]] = {"GB": frozenset({"EE", "ES"})}
"""Country to the statuses that call a licence exhausted or surrendered; often used by mistake, so never acted on."""
