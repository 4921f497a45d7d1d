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
