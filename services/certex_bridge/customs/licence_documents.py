"""What documents of a declaration (D.E. 12 03, 12 04) say beyond their code: waivers, statuses, statements.

Which codes cite a licence is a matter of the live certificate types; codes that only some countries use, like X002 of
the time before 9 September 2021 or national ones (n1an3), are settings. Y901 states that goods are NOT on the dual-use
list: it cites nothing and is never a claim.
"""

from __future__ import annotations

NEVER_A_LICENCE: frozenset[str] = frozenset({"Y901"})
"""Statements that no setting turns into a licence."""

REFERENCE_SEQ = 100_000
"""Added to the sequence of a 12 04 reference, so that it never meets a 12 03 document (n..5) of the same item."""

SHIPMENT_SEQ = 200_000
"""Added to the sequence of a shipment-level entry that is derived to the only item."""

WAIVER_STATUSES: dict[str, frozenset[str]] = {"GB": frozenset({"UA", "UE", "UP", "US", "XW", "XX"})}
"""Country to the document statuses (D.E. 2/3) under which no document is held and the reference is a statement.

United Kingdom: Customs Declaration Service tariff, volume 3, appendices 5A and 5B.
"""

EXHAUSTING_STATUSES: dict[str, frozenset[str]] = {"GB": frozenset({"EE", "ES"})}
"""Country to the statuses that call a licence exhausted or surrendered; often used by mistake, so never acted on."""
