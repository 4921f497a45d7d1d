"""What documents of a declaration (D.E. 12 03, 12 04) say beyond their code: waivers, statuses, statements.

Which codes cite a licence is a matter of the live certificate types; codes that only some countries use, like X002 of
the time before 9 September 2021 or national ones (n1an3), are settings. Y901 states that goods are NOT on the dual-use
list: it cites nothing and is never a claim.
"""

from __future__ import annotations

from enum import StrEnum

NEVER_A_LICENCE: frozenset[str] = frozenset({"Y901"})
"""Statements that no setting turns into a licence."""

REFERENCE_SEQ = 100_000
"""Added to the sequence of a 12 04 reference, so that it never meets a 12 03 document (n..5) of the same item."""

SHIPMENT_SEQ = 200_000
"""Added to the sequence of a shipment-level entry that is derived to the only item."""


class StatusEffect(StrEnum):
    """What a national document status (D.E. 2/3) means for the licence that the document cites."""

    WRITTEN_OFF = "WRITTEN_OFF"
    """The declared figures are written off; so is a document without status."""
    NOT_ACTED_ON = "NOT_ACTED_ON"
    """The declared figures are written off; what the status asks beyond them is remarked and not done."""
    ATTRIBUTED = "ATTRIBUTED"
    """An earlier declaration, as a rule the simplified one, has it written off: nothing is written off again."""
    NOT_HELD = "NOT_HELD"
    """No document is held; the reference is a statement."""


DOCUMENT_STATUSES: dict[str, dict[str, StatusEffect]] = {
    "GB": {
        "EA": StatusEffect.ATTRIBUTED,
        "IA": StatusEffect.ATTRIBUTED,
        "EE": StatusEffect.NOT_ACTED_ON,
        "ES": StatusEffect.NOT_ACTED_ON,
        "EP": StatusEffect.WRITTEN_OFF,
        "IP": StatusEffect.WRITTEN_OFF,
        **dict.fromkeys(("UA", "UE", "UP", "US", "XW", "XX"), StatusEffect.NOT_HELD),
    }
}
"""Country to the meaning of its statuses; those not listed are WRITTEN_OFF.

United Kingdom: Customs Declaration Service tariff, volume 3, appendices 5A and 5B; Notice to Exporters 2024/19. EE
(exhausted) and ES (surrendered) end a licence after a single use and are often declared by mistake for EP (used in
part), so they are written off like EP, and whoever reads the finding decides about the licence.
"""
